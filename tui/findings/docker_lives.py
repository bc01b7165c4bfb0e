"""Containers that ended, or end again and again. Pure."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from opsdash.collectors.docker.exits import exit_brief, exit_words, last_oom, restarts, was_asked_to_end
from opsdash.collectors.docker.rows import Container
from opsdash.collectors.finding import Finding, Severity, SuggestedAction
from opsdash.collectors.format import duration, moment, plural, size
from opsdash.tui.findings.docker_seen import Seen, is_job, on_container, on_service

_TIMES = 5
"""Restarts whose time is told."""
_CANNOT_RUN = (126, 127)
_HEAVIEST = 10
_SLOWEST_LOOP_S = 90.0


def restart_loop(container: Container, seen: Seen) -> Iterator[Finding]:
    """It ends and is started again, over and over; or waits for its next start now."""
    count = _count(container, seen)
    is_waiting = container.state == "restarting"
    is_counted = count.number >= seen.limits.restarts
    if not is_waiting and not is_counted and not _is_at_it_again(container, seen):
        return
    is_oom = _is_oom(container, seen, count.since)
    last = exit_brief(container.exit_code, is_oom)
    if is_counted:
        told = ("restarting, " if is_waiting else "") + count.words
    elif is_waiting:
        told = f"waits for its next start{_so_far(container)}"
    else:
        told = f"restarted {seen.ago(container.started_at)} ago{_so_far(container)}"
    span = duration(seen.limits.restarts_within_s).removesuffix("00s")
    short = f"{plural(count.number, 'restart')}/{span}" if is_counted else "restarting"
    yield Finding(
        severity=seen.severity(container),
        target=seen.target,
        rule="docker.restarts",
        subject=container.id,
        title=f"{container.name} {told} · {last}{seen.loss_words(container)}",
        short=f"{container.name} {short}, {'OOMKilled' if is_oom else last}",
        evidence=tuple(_loop_evidence(container, seen, is_oom=is_oom)),
        cause=_cause(container, is_oom=is_oom),
        basis=count.source if is_counted else "one reading",
        place="container",
        identity=container.identity,
        actions=_against_loop(container, is_oom=is_oom),
        weight=float(min(count.number or 1, _HEAVIEST)),
    )


class _Count(msgspec.Struct, frozen=True):
    """Restarts within the window, as far as the engine tells of them."""

    number: int = 0
    since: datetime | None = None
    source: str = ""

    @property
    def words(self) -> str:
        """How many since when, and who says so; empty where none is known."""
        if self.since is None:
            return ""
        return f"restarted {plural(self.number, 'time')} since {self.since:%H:%M} ({self.source})"


def _count(container: Container, seen: Seen) -> _Count:
    """Restarts by policy; none where the engine counts none: then a person started it.

    Its events may reach back for a minute only, since health checks fill its memory. Its own count has no
    window, but that of a container which was made within ours.
    """
    total, made_at = container.restart_count, container.created_at
    if total == 0:
        return _Count()
    times = _times(container, seen)
    window = seen.before(seen.limits.restarts_within_s)
    if total is not None and total >= len(times) and made_at is not None and made_at >= window:
        return _Count(total, made_at, "engine's count")
    return _Count(len(times), times[0], "engine's events") if times else _Count()


def _is_at_it_again(container: Container, seen: Seen) -> bool:
    """Whether one that was restarted often was restarted just now.

    Between two crashes it runs for a moment; what is wrong with it should not come and go with that. The
    engine waits for a minute at most before it starts a container again.
    """
    since = seen.before(_SLOWEST_LOOP_S)
    ended, started = container.finished_at, container.started_at
    is_young = ended is not None and started is not None and min(ended, started) >= since
    return is_young and (container.restart_count or 0) >= seen.limits.restarts


def _so_far(container: Container) -> str:
    total = container.restart_count
    return f" after {plural(total, 'restart')}" if total and total > 1 else ""


def _times(container: Container, seen: Seen) -> tuple[datetime, ...]:
    return restarts(seen.events(container), seen.before(seen.limits.restarts_within_s))


def _is_oom(container: Container, seen: Seen, since: datetime | None) -> bool:
    """Whether memory ended it, as far as the engine says: now, or since the first of its restarts."""
    if container.oom_killed and container.state != "running":
        return True
    start = since or seen.before(seen.limits.restarts_within_s)
    return last_oom(seen.events(container), start) is not None


def _loop_evidence(container: Container, seen: Seen, *, is_oom: bool) -> Iterator[str]:
    times = _times(container, seen)
    if times:
        yield f"started again at {', '.join(map(moment, times[-_TIMES:]))} UTC"
    if container.restart_count is not None:
        policy = container.restart_policy or "not known"
        yield (
            f"{plural(container.restart_count, 'restart')} since it was created or started by hand, "
            f"policy {policy}"
        )
    yield f"last exit: {exit_words(container.exit_code, is_oom)}, {seen.ago(container.finished_at)} ago"
    yield from _error(container)
    yield from seen.remembered()
    yield from seen.last_lines(container)


def _error(container: Container) -> Iterator[str]:
    if container.error:
        yield f"the engine says: {container.error}"


def _cause(container: Container, *, is_oom: bool) -> str:
    """Why it ended, as far as its exit code tells."""
    limit = container.memory_limit_bytes
    if is_oom:
        room = f"its limit of {size(limit)}" if limit else "the machine's memory (it has no limit)"
        return f"it needs more than {room}, or it leaks"
    if container.exit_code in _CANNOT_RUN:
        return "its command or image is wrong: it can never run"
    if container.exit_code == 137:
        return "somebody or something killed it; the engine does not put it down to memory"
    if container.exit_code == 0:
        return "it ends without an error, and its restart policy starts it again"
    return "it fails by itself: see the last lines that it printed"


def _against_loop(container: Container, *, is_oom: bool) -> tuple[SuggestedAction, ...]:
    names = (
        ("docker.memory", "docker.restart", "docker.stop") if is_oom else ("docker.restart", "docker.stop")
    )
    return (*on_container(container, *names), *on_service(container, "docker.restart_service"))


def killed_for_memory(container: Container, seen: Seen) -> Iterator[Finding]:
    """The kernel killed it, or a process in it, because it was at its memory limit."""
    event = last_oom(seen.events(container), seen.before(seen.limits.exited_within_s))
    is_down = container.state in ("exited", "dead")
    if is_down and (not seen.is_recent(container.finished_at) or not (container.oom_killed or event)):
        return
    if not is_down and event is None:
        return
    at = event.at if event is not None else container.finished_at
    limit = container.memory_limit_bytes
    state, what = "down now", "OOM-killed"
    if not is_down:
        runs_since = container.started_at
        survived = runs_since is not None and at is not None and runs_since < at
        state, what = ("it goes on", "lost a process to OOM") if survived else ("runs again", "OOM-killed")
    room = f", limit {size(limit)}" if limit else ""
    lost = seen.loss_words(container) if is_down else ""
    yield Finding(
        severity=seen.severity(container) if is_down else Severity.WARN,
        target=seen.target,
        rule="docker.oom",
        subject=container.id,
        title=f"{container.name} {what} {seen.ago(at)} ago, {state}{room}{lost}",
        short=f"{container.name} OOM-killed {seen.ago(at)} ago",
        evidence=(
            f"the engine tells of it at {moment(at)} UTC" if event else "the engine marks it as OOMKilled",
            *((f"last exit: {exit_words(container.exit_code, is_down)}",) if is_down else ()),
            *seen.remembered(),
            *seen.last_lines(container),
        ),
        cause=_cause(container, is_oom=True),
        basis="the engine's events" if event else "one reading",
        place="container",
        identity=container.identity,
        actions=on_container(container, "docker.memory", "docker.start" if is_down else "docker.restart"),
        weight=3.0,
    )


def exited(container: Container, seen: Seen) -> Iterator[Finding]:
    """It was meant to run, ended with an error not long ago, and nobody asked for that."""
    code = container.exit_code
    if container.state != "exited" or not code or container.oom_killed or container.error:
        return
    is_meant_to_run = container.service is not None or container.restart_policy not in ("", "no")
    if not is_meant_to_run or not seen.is_recent(container.finished_at):
        return
    asked = was_asked_to_end(container, seen.events(container))
    if asked:
        return
    lost = "" if is_job(container) else seen.loss_words(container)
    unknown = ("whether somebody stopped it is not known: the engine has forgotten its end",)
    yield Finding(
        severity=seen.severity(container) if lost else Severity.WARN,
        target=seen.target,
        rule="docker.exited",
        subject=container.id,
        title=f"{container.name} ended {seen.ago(container.finished_at)} ago with {exit_brief(code)}{lost}",
        short=f"{container.name} {exit_brief(code)}, {seen.ago(container.finished_at)} ago",
        evidence=(
            f"exit {exit_words(code)}, at {moment(container.finished_at)} UTC",
            f"restart policy {container.restart_policy or 'not known'}",
            *(unknown if asked is None else ()),
            *seen.last_lines(container),
        ),
        cause=_cause(container, is_oom=False),
        place="container",
        identity=container.identity,
        actions=(*on_container(container, "docker.start"), *on_service(container, "docker.start_service")),
        weight=2.0,
    )


def not_started(container: Container, seen: Seen) -> Iterator[Finding]:
    """The engine tried to start it and could not."""
    if container.state not in ("created", "exited") or not container.error:
        return
    at = container.finished_at or container.created_at
    if not seen.is_recent(at):
        return
    yield Finding(
        severity=seen.severity(container),
        target=seen.target,
        rule="docker.not_started",
        subject=container.id,
        title=f"{container.name} could not be started: {container.error}{seen.loss_words(container)}",
        short=f"{container.name} not started: {container.error}",
        evidence=tuple(_error(container)),
        cause="its command is not in the image, or a port, mount or network that it needs is not to be had",
        place="container",
        identity=container.identity,
        actions=on_container(container, "docker.start"),
        weight=2.0,
    )


def dead(container: Container, seen: Seen) -> Iterator[Finding]:
    """The engine gave up removing it."""
    if container.state != "dead":
        return
    yield Finding(
        severity=seen.severity(container),
        target=seen.target,
        rule="docker.dead",
        subject=container.id,
        title=f"{container.name} dead: the engine could not remove it{seen.loss_words(container)}",
        short=f"{container.name} dead",
        evidence=(*_error(container), f"last exit: {exit_words(container.exit_code, container.oom_killed)}"),
        cause="something still holds its files or mounts: it cannot be started again, only removed",
        place="container",
        identity=container.identity,
        weight=1.0,
    )
