"""The statement that the server's time goes to. Pure."""

from collections.abc import Iterator

from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.format import duration, number, percent
from opsdash.collectors.postgres.rows import PostgresData
from opsdash.collectors.postgres.settings import PostgresThresholds
from opsdash.collectors.postgres.statement_rows import StatementRow, Statements, Work
from opsdash.collectors.target import Target

_SHORTEST_S = 60.0
"""Over less than this, one slow call would already be most of the time."""
_BUSY = 0.2
"""Below this many statements at work on average, half of the time is half of nothing."""
_TITLE_QUERY = 60


def worst_statement(data: PostgresData, target: Target, limits: PostgresThresholds) -> Iterator[Finding]:
    """A statement that takes much of all execution time, and is slower than it was, or was not there before.

    A statement that always takes most of the time is no news, and is left to the table of statements.
    """
    statements = data.statements
    if statements is None or statements.recent is None or (statements.recent_s or 0.0) < _SHORTEST_S:
        return
    span_s = statements.recent_s or 0.0
    everything = statements.recent
    if everything.exec_ms / 1000 < _BUSY * span_s:
        return
    for row in sorted(statements.rows, key=lambda r: -(r.recent.exec_ms if r.recent else 0.0))[:3]:
        work = row.recent
        if work is None or not work.calls:
            continue
        share = work.exec_ms / everything.exec_ms
        why = _news(row, work, statements, limits)
        if share >= limits.statement_ratio and why is not None:
            yield _finding(row, work, share, why, span_s, target)


def _news(row: StatementRow, work: Work, statements: Statements, limits: PostgresThresholds) -> str | None:
    """What is new about a statement; None when it is as ever."""
    mean_ms, usual_ms = work.mean_ms, _before(row.total, work).mean_ms
    if usual_ms is None:
        span_s = statements.recent_s or 0.0
        was_watched = (statements.since_reset_s or 0.0) > span_s + _SHORTEST_S
        return "not seen before" if was_watched else None
    if mean_ms is not None and mean_ms >= limits.statement_slower * usual_ms:
        return f"{mean_ms / usual_ms:.0f} times the mean of before ({_time(usual_ms)})"
    return None


def _before(total: Work, recent: Work) -> Work:
    """What it did since the reset until the span began.

    >>> _before(Work(calls=10, exec_ms=100.0), Work(calls=4, exec_ms=90.0)).mean_ms is not None
    True
    """
    return Work(calls=total.calls - recent.calls, exec_ms=max(total.exec_ms - recent.exec_ms, 0.0))


def _finding(row: StatementRow, work: Work, share: float, why: str, span_s: float, target: Target) -> Finding:
    text = row.query or f"statement {row.identity.queryid}"
    shown = text if len(text) <= _TITLE_QUERY else text[: _TITLE_QUERY - 1] + "…"
    over = duration(span_s)
    return Finding(
        severity=Severity.WARN,
        target=target.id,
        rule="postgres.statement",
        subject=str(row.identity),
        title=f"one statement takes {percent(share)} of execution time over {over}, "
        f"mean {_time(work.mean_ms)}, {why} · {shown}",
        short=f"{percent(share)} of time, mean {_time(work.mean_ms)}: {shown}",
        evidence=(
            f"{number(work.calls * 60 / span_s)} calls/min, {_time(work.exec_ms)} of execution over {over}",
            f"mean {_time(work.mean_ms)}, {why}",
            f"shared hit {percent(work.hit_ratio)}, {number(work.shared_blks_read)} blocks read, "
            f"{number(work.temp_blks)} temporary, over {over}",
            f"user {row.user or '-'}, database {row.database or '-'}: {text}",
        ),
        cause=_cause(work, row),
        basis=f"pg_stat_statements over {over}",
        place="statement",
        identity=row.identity,
        weight=share,
    )


def _time(milliseconds: float | None) -> str:
    return duration(None if milliseconds is None else milliseconds / 1000)


def _cause(work: Work, row: StatementRow) -> str:
    """What its counters speak for, as far as they do."""
    usual = _before(row.total, work)
    blocks = work.shared_blks_hit + work.shared_blks_read
    if work.temp_blks > blocks:
        return "it writes more temporary blocks than it reads of tables: sorts or hashes larger than work_mem"
    if usual.calls and blocks / work.calls > 3 * _blocks_per_call(row.total, work):
        return "it reads more blocks in each call than before: another plan, or its tables have grown"
    if work.shared_blks_read > work.shared_blks_hit:
        return "most blocks come from outside of shared buffers: a large scan, or a cold cache"
    return "its plan shows what it does: Enter"


def _blocks_per_call(total: Work, recent: Work) -> float:
    blocks = total.shared_blks_hit + total.shared_blks_read - recent.shared_blks_hit - recent.shared_blks_read
    return blocks / max(total.calls - recent.calls, 1)
