"""One statement in full: its figures, its text, its plan, and who runs it now. Pure."""

from collections.abc import Iterator, Sequence

from opsdash.collectors.format import age, duration, milliseconds, number, percent, plural
from opsdash.collectors.postgres.explain_rows import Explained
from opsdash.collectors.postgres.rows import PostgresData, SessionRow
from opsdash.collectors.postgres.statement_rows import StatementId, Statements, TrendPoint, Work
from opsdash.widgets.chart import spark
from opsdash.widgets.lines import Line, labelled, line_width
from opsdash.widgets.panel import fit
from opsdash.widgets.panels.postgres.plan_tree import plan_lines
from opsdash.widgets.panels.postgres.sql import sql_lines
from opsdash.widgets.panels.postgres.statements import Scope, span_of, statement_line, total_in, work_in
from opsdash.widgets.panels.postgres.words import seconds_since
from opsdash.widgets.status import Tone

SIDE_BY_SIDE = 120
"""From this width on the plan stands beside the text."""
_PLAN = 100
"""Cells of a plan at most: its figures should not be far from its steps."""


def figure_lines(
    statements: Statements | None, identity: StatementId, scope: Scope, width: int
) -> tuple[Line, ...]:
    """What the statement costs over a scope, and how that went of late."""
    row = statements.row(identity) if statements is not None else None
    if statements is None or row is None:
        why = (statements.missing if statements is not None else None) or (
            "not among the entries of pg_stat_statements: evicted or reset, or it has not ended yet"
        )
        return labelled("figures", why, width=width, tone=Tone.WARN)
    work, span_s = work_in(row, scope), span_of(statements, scope)
    window = ((f"t  {scope.value}, over {duration(span_s)}", Tone.ACCENT),)
    if work is None:
        unknown = "not known: two readings are needed, or it was reset or evicted in between"
        return (window, ((unknown, Tone.UNKNOWN),))
    beside_all = statement_line(row, work, total_in(statements, scope), span_s)
    figures = fit(
        [
            (0, (f"calls {number(beside_all.calls_per_min)}/min",)),
            (0, (f"mean {milliseconds(work.mean_ms)}",)),
            (1, (f"total {percent(beside_all.share)} of all",)),
            (3, (f"rows/call {number(work.rows_per_call)}",)),
            (2, (f"shared hit {percent(work.hit_ratio)}",)),
            (3, (_io_words(statements, work),)),
            (4, (f"read {number(work.shared_blks_read)} blocks",)),
            (5, (f"temp {number(work.temp_blks)} blocks",)),
            (6, (f"mean since reset {milliseconds(row.total.mean_ms)}",)),
        ],
        width,
    )
    return (window, figures, *_trend(statements.trend, width))


def _io_words(statements: Statements, work: Work) -> str:
    if work.io_ms is None and statements.tracks_io is False:
        return "I/O time unknown (track_io_timing is off)"
    return f"I/O {milliseconds(work.io_ms_per_call)}/call"


def _trend(points: Sequence[TrendPoint], width: int) -> tuple[Line, ...]:
    if len(points) < 2:
        return ()
    seen_s = sum(point.span_s for point in points)
    return (
        fit(
            [
                (0, ("calls/min ", (spark([p.calls_per_min for p in points], 12), Tone.ACCENT))),
                (0, ("mean ", (spark([p.mean_ms for p in points], 12), Tone.ACCENT))),
                (1, ((f"over {duration(seen_s)}", Tone.MUTED),)),
            ],
            width,
        ),
    )


def runners(data: PostgresData, queryid: int) -> tuple[SessionRow, ...]:
    """The sessions that run a statement at this moment, the longest first."""
    found = [s for s in data.sessions if s.query_id == queryid and s.state == "active"]
    return tuple(sorted(found, key=lambda s: -(seconds_since(s.query_start, data.server_now) or 0.0)))


def runner_lines(data: PostgresData, queryid: int | None, width: int) -> tuple[Line, ...]:
    """Who runs it now; or that the server does not tell."""
    active = [s for s in data.sessions if s.is_client and s.state == "active"]
    if active and all(s.query_id is None for s in active):
        text = "not known: the server gives its sessions no query_id (compute_query_id = auto or on)"
        return labelled("running now", text, width=width, indent=13, tone=Tone.UNKNOWN)
    found = runners(data, queryid) if queryid is not None else ()
    if not found:
        return labelled("running now", "nobody, in this reading", width=width, indent=13)
    longest = age(seconds_since(found[0].query_start, data.server_now))
    names = ", ".join(f"{s.pid} {s.application_name or ''}".strip() for s in found[:4])
    text = f"{plural(len(found), 'session')}, the longest for {longest} (Enter): {names}"
    more = f", and {len(found) - 4} more" if len(found) > 4 else ""
    return labelled("running now", text + more, width=width, indent=13, tone=Tone.WARN)


def plan_part(explained: Explained | None, is_asking: bool, width: int) -> tuple[Line, ...]:
    """The plan, or why there is none."""
    if is_asking:
        return ((("Plan: asking the server …", Tone.MUTED),),)
    if explained is None:
        return ((("Plan: not asked for", Tone.MUTED),),)
    if explained.plan is None:
        return labelled("no plan", explained.why_not or "", width=width, indent=9, tone=Tone.WARN)
    kind = "generic, not run" if explained.parameters else "not run"
    return (((f"Plan ({kind})", Tone.ACCENT),), *plan_lines(explained.plan, width))


def hint_lines(explained: Explained | None, width: int) -> Iterator[Line]:
    """Indexes that may be missing, and as whom it was planned."""
    if explained is None or explained.plan is None:
        return
    for hint in explained.hints:
        mark, tone = ("▲", Tone.WARN) if hint.is_sure else ("?", Tone.UNKNOWN)
        yield from labelled(mark, hint.text, width=width, indent=2, tone=tone)
    told = (
        f"planned as {explained.role} in {explained.database}: another role's settings may give another plan"
    )
    yield from labelled("", told, width=width, indent=2, tone=Tone.MUTED)


def beside(left: Sequence[Line], right: Sequence[Line], left_width: int) -> tuple[Line, ...]:
    """Two blocks of lines beside each other.

    >>> beside([("ab",)], [("x",), ("y",)], 4)
    (('ab', '  ', 'x'), ('    ', 'y'))
    """
    rows = max(len(left), len(right))
    found = []
    for at in range(rows):
        start = left[at] if at < len(left) else ()
        end = right[at] if at < len(right) else ()
        gap = left_width - line_width(start)
        found.append((*start, " " * gap, *end) if gap > 0 else (*start, *end))
    return tuple(found)


def text_and_plan(
    sql: Sequence[str], explained: Explained | None, is_asking: bool, width: int
) -> tuple[Line, ...]:
    """The text and its plan, beside each other where there is room."""
    if width >= SIDE_BY_SIDE:
        left = min(width * 2 // 5, max((len(line) for line in sql), default=0) + 3)
        left = max(left, 30)
        text = sql_lines(sql, left - 3)
        return beside(text, plan_part(explained, is_asking, min(width - left, _PLAN)), left)
    return (*sql_lines(sql, width), (), *plan_part(explained, is_asking, width))
