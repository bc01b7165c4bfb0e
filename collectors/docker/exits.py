"""Why containers ended, and what of it was asked for: read from exit codes and the engine's events. Pure."""

import signal
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from opsdash.collectors.docker.rows import Container, EngineEvent

_BY_REQUEST_S = 2.0
"""A kill this short before the end is what ended it. Signals for other ends (reload) come long before."""

_MEANINGS = {
    0: "ended by itself, without an error",
    125: "the engine could not start it",
    126: "its command cannot be run: not a program, or not permitted",
    127: "its command is not in the image",
}

_SIGNAL_WORDS = {
    "SIGKILL": "killed: out of memory, a person, or a stop that took too long",
    "SIGTERM": "asked to end",
    "SIGSEGV": "crashed: it touched memory that is not its own",
    "SIGABRT": "crashed: it gave up by itself (assertion, abort)",
    "SIGINT": "interrupted",
}


def exit_words(code: int | None, oom_killed: bool | None = None) -> str:
    """An exit code with what it means.

    >>> exit_words(137, True), exit_words(127)
    ('137 SIGKILL, by the kernel for memory (OOMKilled)', '127, its command is not in the image')
    >>> exit_words(139), exit_words(None)
    ('139 SIGSEGV, crashed: it touched memory that is not its own', 'not known')
    >>> exit_words(159), exit_words(3), exit_words(255)
    ('159 SIGSYS', '3, an error of its own', '255, an error of its own')

    Source:
        https://docs.docker.com/engine/containers/run/#exit-status
    """
    if code is None:
        return "not known"
    if code in _MEANINGS:
        return f"{code}, {_MEANINGS[code]}"
    name = signal_name(code)
    if name is None:
        return f"{code}, an error of its own"
    words = "by the kernel for memory (OOMKilled)" if oom_killed else _SIGNAL_WORDS.get(name)
    return f"{code} {name}, {words}" if words else f"{code} {name}"


def exit_brief(code: int | None, oom_killed: bool | None = None) -> str:
    """The same in few letters.

    >>> exit_brief(137, True), exit_brief(137), exit_brief(3), exit_brief(None)
    ('exit 137 OOMKilled', 'exit 137 SIGKILL', 'exit 3', 'exit not known')
    """
    if code is None:
        return "exit not known"
    word = "OOMKilled" if oom_killed else signal_name(code)
    return f"exit {code} {word}" if word else f"exit {code}"


def signal_name(code: int) -> str | None:
    """The signal that ended a process with this exit code; None: none did.

    >>> signal_name(143), signal_name(1), signal_name(255)
    ('SIGTERM', None, None)
    """
    try:
        return signal.Signals(code - 128).name if code > 128 else None
    except ValueError:
        return None


def by_container(events: Sequence[EngineEvent]) -> Mapping[str, Sequence[EngineEvent]]:
    """Events by the id of their container, each in the order given."""
    found: dict[str, list[EngineEvent]] = {}
    for event in events:
        found.setdefault(event.container, []).append(event)
    return found


def restarts(events: Sequence[EngineEvent], since: datetime) -> tuple[datetime, ...]:
    """When a container was started again after it had ended by itself.

    A restart or a stop and start that somebody asked for is none: there the engine tells of the stop.

    Args:
        events: Of one container, oldest first.
        since: Starts before this moment are not counted.
    """
    found = []
    has_died = False
    for event in events:
        if event.action == "die":
            has_died = True
        elif event.action in ("stop", "restart"):
            has_died = False
        elif event.action == "start":
            if has_died and event.at >= since:
                found.append(event.at)
            has_died = False
    return tuple(found)


def last_oom(events: Sequence[EngineEvent], since: datetime) -> EngineEvent | None:
    """The newest event of the kernel killing a process of a container for memory; None: not since then."""
    return next((e for e in reversed(events) if e.action == "oom" and e.at >= since), None)


def was_asked_to_end(container: Container, events: Sequence[EngineEvent]) -> bool | None:
    """Whether somebody stopped or killed a container that has ended.

    Args:
        container: One that does not run.
        events: Its events, oldest first.

    Returns:
        None where the engine does not remember its end any more.
    """
    place = next((i for i in reversed(range(len(events))) if events[i].action == "die"), None)
    if place is None:
        return None
    death = events[place].at
    if container.finished_at is not None and death < container.finished_at - timedelta(seconds=1):
        return None
    if any(event.action == "stop" for event in events[place:]):
        return True
    just_before = death - timedelta(seconds=_BY_REQUEST_S)
    return any(event.action == "kill" and event.at >= just_before for event in events[:place])
