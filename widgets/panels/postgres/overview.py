"""PostgreSQL on the overview: the worst server in full, a line for every other."""

from collections.abc import Sequence

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import age, number, percent, size
from opsdash.collectors.postgres.rows import Connections, PostgresData
from opsdash.widgets.chart import bar, spark
from opsdash.widgets.lines import Line
from opsdash.widgets.panel import (
    Room,
    Telling,
    area_heading,
    fit,
    worst_in_full,
)
from opsdash.widgets.panels.postgres.sessions import SessionLine, session_lines, thresholds_of
from opsdash.widgets.panels.postgres.words import state_word
from opsdash.widgets.status import Tone

TITLE = "2 Database"
_BRIEF_FROM = 90
"""In a narrower panel the sessions are told more tightly, for the sake of what they run."""

_SPARK = 12
"""Cells of a sparkline, full or not: what stands beside it keeps its place while it fills."""

_BUSY_PER_S = 20.0
"""Transactions a second that fill a sparkline at least: our own one or two are no hills."""


def overview_lines(
    views: Sequence[TargetView], findings: Sequence[Finding], *, mono_s: float, width: int, height: int
) -> tuple[Line, ...]:
    """The panel of all PostgreSQL targets in `height` lines; less room drops sessions, then folds."""
    room = Room(width=width, height=height, mono_s=mono_s)
    return worst_in_full(_TELLING, views, findings, room)


def _full(view: TargetView, findings: Sequence[Finding], room: Room) -> tuple[Line, ...]:
    data: PostgresData = view.data
    head = (
        area_heading(TITLE, view, findings, version_word(data), room),
        connections_line(data, view, room.width),
        rates_line(data, view, room.width),
    )
    busy = [one for one in session_lines(view) if one.blocks or one.tone is not Tone.MUTED]
    return (*head, *(session_brief(one, room.width) for one in busy[: max(room.height - len(head), 0)]))


def _brief(view: TargetView, _: Sequence[Finding], cells: int) -> Line:
    data: PostgresData = view.data
    connections, waiting = data.connections, len(data.waits)
    used = f"{connections.used}/{connections.usable} connections"
    return fit(
        [
            (0, ((f"{waiting} waiting", Tone.CRIT if waiting else Tone.NORMAL),)),
            (1, ((used, connections_tone(connections, view)),)),
            (2, (f"{number(data.total.transactions_per_s)} tx/s",)),
        ],
        cells,
    )


def _parts(view: TargetView, _: int) -> list[tuple[int, Line]]:
    data: PostgresData = view.data
    return [
        (2, (f"{version_word(data):<17}",)),
        (1, (f"connections {data.connections.used}/{data.connections.usable}",)),
        (1, (f"waiting {len(data.waits)}",)),
        (3, (f"{number(data.total.transactions_per_s)} tx/s",)),
        (4, (f"hit {percent(data.total.cache_hit_ratio)}",)),
    ]


_TELLING = Telling(title=TITLE, full=_full, brief=_brief, parts=_parts)


def version_word(data: PostgresData) -> str:
    """Product, version and what kind of server it is."""
    return f"PostgreSQL {data.version}" + (" standby" if data.is_in_recovery else "")


def connections_line(data: PostgresData, view: TargetView, width: int) -> Line:
    """Connections against what is usable, as figure, bar and states."""
    connections = data.connections
    tone = connections_tone(connections, view)
    idle_tx = sum(count for state, count in connections.by_state if state.startswith("idle in transaction"))
    active = dict(connections.by_state).get("active", 0)
    waiting = len(data.waits)
    states: tuple[Line, Line] = (
        (("idle-tx ", Tone.NORMAL), (str(idle_tx), Tone.WARN if idle_tx else Tone.OK)),
        (f"active {active}",),
    )
    if any(not s.is_visible for s in data.sessions):  # those that are seen would be told as all
        states = ("idle-tx ", ("?", Tone.UNKNOWN)), ("active ", ("?", Tone.UNKNOWN))
    return fit(
        [
            (0, ("connections ", (f"{connections.used}/{connections.usable}", tone))),
            (3, ((bar(connections.used_ratio, 12), tone),)),
            (0, (("waiting ", Tone.NORMAL), (str(waiting), Tone.CRIT if waiting else Tone.OK))),
            (1, states[0]),
            (2, states[1]),
            (4, ("  ".join(f"{name} {count}" for name, count in connections.by_application[:4]),)),
        ],
        width,
    )


def connections_tone(connections: Connections, view: TargetView) -> Tone:
    """By the thresholds of the target."""
    thresholds = thresholds_of(view)
    ratio = connections.used_ratio
    if ratio is None:
        return Tone.UNKNOWN
    if ratio > thresholds.connections_crit_ratio:
        return Tone.CRIT
    return Tone.WARN if ratio > thresholds.connections_warn_ratio else Tone.OK


def rates_line(data: PostgresData, view: TargetView, width: int) -> Line:
    """Counters of all databases as rates, with their window."""
    total = data.total
    if total.span_s is None:
        return (("rates: two readings are needed, one is there", Tone.MUTED),)
    return fit(
        [
            (0, (f"tx/s {number(total.transactions_per_s)}",)),
            (2, ((_transactions(view), Tone.ACCENT),)),
            (1, (f"cache hit {percent(total.cache_hit_ratio)}",)),
            (3, (f"rollbacks/s {number(total.rollbacks_per_s)}",)),
            (3, (f"temp {size(total.temp_bytes_per_s)}/s",)),
            (2, (f"deadlocks {total.deadlocks if total.deadlocks is not None else '-'}",)),
            (4, ((f"over {total.span_s:.0f} s", Tone.MUTED),)),
        ],
        width,
    )


def _transactions(view: TargetView) -> str:
    return spark(view.series("transactions_per_s"), _SPARK, least_top=_BUSY_PER_S).rjust(_SPARK)


def session_brief(line: SessionLine, width: int) -> Line:
    """One session in one line: who, how long, and what."""
    session = line.session
    what = f"▸ blocks {line.blocks}" if line.blocks else session.query or ""
    name, state, since = session.application_name or "", state_word(session), age(line.age_s)
    if width >= _BRIEF_FROM:
        head = f"{session.pid:>7}  {state:<12} {since:>6}  {name[:14]:<14} "
    else:
        head = f"{session.pid:<7} {state:<11} {since:>6}  {name[:10]:<10} "
    return (
        (head, line.tone),
        (what, Tone.NORMAL if not line.blocks else Tone.CRIT),
    )
