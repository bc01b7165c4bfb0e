"""PostgreSQL on the overview: the worst server in full, a line for every other."""

from collections.abc import Sequence

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import age, number, percent, size
from opsdash.collectors.postgres.rows import Connections, PostgresData
from opsdash.widgets.cells import cut
from opsdash.widgets.chart import bar, spark
from opsdash.widgets.lines import Line, line_width, rule, spread
from opsdash.widgets.panel import (
    fit,
    freshness,
    one_line_each,
    stale_mark,
    tone_counts,
    view_tone,
    with_others,
    worst_first,
)
from opsdash.widgets.panels.postgres.sessions import SessionLine, session_lines, thresholds_of
from opsdash.widgets.panels.postgres.words import state_word
from opsdash.widgets.status import GLYPHS, Tone

TITLE = "2 Database"
_FOLDED_BELOW = 3
"""With fewer lines the area is one line."""
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
    ordered = worst_first(views, findings)
    if height < _FOLDED_BELOW:
        return (folded_line(ordered, findings, mono_s, width),)[:height]
    full = next((v for v in ordered if v.good is not None), None)
    others = [view for view in ordered if view is not full]

    def line(view: TargetView) -> Line:
        return target_line(view, findings, mono_s, width)

    if full is None:
        heading = rule(((TITLE, Tone.ACCENT),), (), width)
        return (heading, *one_line_each(others, line, findings, height - 1))
    data: PostgresData = full.data
    title = (
        (TITLE, Tone.ACCENT),
        " · ",
        (full.target.name, view_tone(full, findings)),
        f" · {version_word(data)}",
    )
    head = [
        rule(title, freshness(full, mono_s), width),
        connections_line(data, full, width),
        rates_line(data, full, width),
    ]
    room = height - len(head) - len(others)
    busy = [one for one in session_lines(full) if one.blocks or one.tone is not Tone.MUTED]
    shown = (*head, *(session_brief(one, width) for one in busy[: max(room, 0)]))
    return with_others(shown, others, line, findings, height)


def folded_line(
    ordered: Sequence[TargetView], findings: Sequence[Finding], mono_s: float, width: int
) -> Line:
    """All targets in one line: the worst with its figures, the others counted by their state."""
    worst = ordered[0]
    tone = view_tone(worst, findings)
    rest = tone_counts(ordered[1:], findings)
    head: Line = ((f"{TITLE:<14}", Tone.ACCENT), (f"{GLYPHS[tone]} {worst.target.name}", tone), "  ")
    stale = stale_mark(worst, mono_s)
    head = (*head, *stale, "  ") if stale else head
    room = width - line_width(head) - line_width(rest) - 1
    if worst.failure is not None:
        return spread((*head, cut(worst.failure.kind.value, room)), rest, width)
    if worst.good is None:
        return spread((*head, (cut("waiting for the first reading", room), Tone.MUTED)), rest, width)
    data: PostgresData = worst.data
    connections, waiting = data.connections, len(data.waits)
    parts: list[tuple[int, Line]] = [
        (0, ((f"{waiting} waiting", Tone.CRIT if waiting else Tone.NORMAL),)),
        (
            1,
            ((f"{connections.used}/{connections.usable} connections", connections_tone(connections, worst)),),
        ),
        (2, (f"{number(data.total.transactions_per_s)} tx/s",)),
    ]
    return spread((*head, *fit(parts, room)), rest, width)


def version_word(data: PostgresData) -> str:
    """Product, version and what kind of server it is."""
    return f"PostgreSQL {data.version}" + (" standby" if data.is_in_recovery else "")


def target_line(view: TargetView, findings: Sequence[Finding], mono_s: float, width: int) -> Line:
    """One line for a target that is not shown in full."""
    tone = view_tone(view, findings)
    name: Line = ((f"{GLYPHS[tone]} {view.target.name:<14}", tone),)
    if view.failure is not None:
        return (*name, "  ", *freshness(view, mono_s), (f"  {view.failure.reason}", Tone.NORMAL))
    if view.good is None:
        return (*name, ("waiting for the first reading", Tone.MUTED))
    data: PostgresData = view.data
    connections = data.connections
    parts: list[tuple[int, Line]] = [
        (0, name),
        (2, (f"{version_word(data):<17}",)),
        (1, (f"connections {connections.used}/{connections.usable}",)),
        (1, (f"waiting {len(data.waits)}",)),
        (3, (f"{number(data.total.transactions_per_s)} tx/s",)),
        (4, (f"hit {percent(data.total.cache_hit_ratio)}",)),
    ]
    fresh = freshness(view, mono_s)
    return spread(fit(parts, width - line_width(fresh) - 1), fresh, width)


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
