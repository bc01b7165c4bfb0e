"""The events of an engine, newest first."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from opsdash.collectors.docker.exits import exit_words
from opsdash.collectors.docker.rows import EngineData, EngineEvent
from opsdash.collectors.format import age, moment
from opsdash.widgets.columns import Column, text
from opsdash.widgets.lines import Line
from opsdash.widgets.panels.docker.words import age_cell
from opsdash.widgets.status import Tone

_BAD = {"oom": Tone.CRIT, "health_status: unhealthy": Tone.WARN, "kill": Tone.NORMAL}
_QUIET = ("exec_create", "exec_start", "exec_die", "create", "destroy", "rename", "update")

EVENT_WORDS = {
    "oom": "oom: killed for memory",
    "die": "die: it ended",
    "kill": "kill: a signal was sent",
}


class EventLine(msgspec.Struct, frozen=True, kw_only=True):
    """One event with the engine's time, against which its age is told."""

    event: EngineEvent
    number: int
    """Counts those that are alike in everything else, so that each row has an identity of its own."""
    now: datetime
    is_oom: bool = False
    """Whether the kernel had killed a process of the container for memory just before."""

    @property
    def tone(self) -> Tone:
        """How it is meant: what ended badly stands out."""
        event = self.event
        if event.action == "die":
            return Tone.WARN if event.exit_code else Tone.NORMAL
        return _BAD.get(event.action, Tone.MUTED if event.action in _QUIET else Tone.NORMAL)


def event_lines(data: EngineData, container: str | None = None) -> tuple[EventLine, ...]:
    """Newest first.

    Args:
        data: The reading.
        container: Only those of this id; None: all.
    """
    events: Iterable[EngineEvent] = data.events
    if container is not None:
        events = (event for event in events if event.container == container)
    seen: dict[EngineEvent, int] = {}
    before: dict[str, str] = {}
    lines = []
    for event in events:
        seen[event] = seen.get(event, 0) + 1
        is_oom = before.get(event.container) == "oom"
        before[event.container] = event.action
        lines.append(EventLine(event=event, number=seen[event], now=data.now, is_oom=is_oom))
    return tuple(reversed(lines))


def event_key(line: EventLine) -> tuple[EngineEvent, int]:
    """The identity of a row."""
    return line.event, line.number


def known_since(data: EngineData) -> Line:
    """From when on the engine tells: nothing is said about the time before."""
    if data.events_since is None:
        return (("? the engine's events could not be read", Tone.UNKNOWN),)
    ago = age((data.now - data.events_since).total_seconds())
    return (
        (f"known since {moment(data.events_since)} UTC ({ago}); an engine keeps its last 256", Tone.MUTED),
    )


def _exit(line: EventLine) -> str:
    code = line.event.exit_code
    return "" if code is None else exit_words(code, line.is_oom)


EVENT_COLUMNS: tuple[Column[EventLine], ...] = (
    Column(key="at", title="AT (UTC)", width=8, cell=lambda r: moment(r.event.at), sort=lambda r: r.event.at),
    Column(
        key="ago",
        title="AGO",
        width=7,
        align="right",
        cell=lambda r: age_cell((r.now - r.event.at).total_seconds()),
        priority=2,
    ),
    text("container", "CONTAINER", lambda r: r.event.name, width=20, grow=1),
    Column(
        key="event",
        title="EVENT",
        width=24,
        grow=1,
        cell=lambda r: (EVENT_WORDS.get(r.event.action, r.event.action), r.tone),
        sort=lambda r: r.event.action,
    ),
    Column(key="exit", title="EXIT", width=20, grow=2, cell=_exit, priority=1),
)
"""Of the table of one engine, and without the container's name of one container."""

OWN_EVENT_COLUMNS = tuple(column for column in EVENT_COLUMNS if column.key != "container")
"""Of one container."""
