"""The table of statements: which of them the time goes to, now, over some minutes, or since the reset."""

import enum

import msgspec

from opsdash.collectors.format import age, duration, milliseconds, number, percent, plural, size
from opsdash.collectors.postgres.rows import PostgresData
from opsdash.collectors.postgres.statement_rows import NOTHING, StatementId, StatementRow, Statements, Work
from opsdash.widgets.columns import Column, figure, text
from opsdash.widgets.lines import Line, labelled
from opsdash.widgets.status import Tone


class Scope(enum.Enum):
    """Over which time work is counted; the value is the word shown."""

    LIVE = "live delta"
    RECENT = "last minutes"
    TOTAL = "since reset"

    @property
    def following(self) -> "Scope":
        """The next one, round and round."""
        scopes = list(Scope)
        return scopes[(scopes.index(self) + 1) % len(scopes)]


class StatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """A statement with its work in one scope."""

    row: StatementRow
    work: Work
    share: float | None
    """Of the execution time of all, 0 to 1."""
    calls_per_min: float | None
    """None: the scope has no length that is known."""


def work_in(row: StatementRow, scope: Scope) -> Work | None:
    """What a statement did; None: unknown."""
    return {Scope.LIVE: row.live, Scope.RECENT: row.recent, Scope.TOTAL: row.total}[scope]


def span_of(statements: Statements, scope: Scope) -> float | None:
    """Seconds that a scope spans; None: unknown."""
    return {
        Scope.LIVE: statements.live_s,
        Scope.RECENT: statements.recent_s,
        Scope.TOTAL: statements.since_reset_s,
    }[scope]


def total_in(statements: Statements, scope: Scope) -> Work | None:
    """What all statements did; None: unknown."""
    return {
        Scope.LIVE: statements.live,
        Scope.RECENT: statements.recent,
        Scope.TOTAL: statements.total,
    }[scope]


def statement_lines(statements: Statements, scope: Scope) -> tuple[StatementLine, ...]:
    """The statements that did anything in a scope, most execution time first.

    Live, they are followed by those that did something in the last minutes: between two readings most pause,
    and would go from under the cursor.
    """
    total = total_in(statements, scope)
    span_s = span_of(statements, scope)
    shown = []
    for row in statements.rows:
        work = work_in(row, scope)
        recent = row.recent if scope is Scope.LIVE and row.recent is not None else NOTHING
        if work is not None and (work.calls or recent.calls):
            shown.append((-work.exec_ms, -recent.exec_ms, row, work))
    shown.sort(key=lambda each: each[:2])
    return tuple(statement_line(row, work, total, span_s) for *_, row, work in shown)


def statement_line(row: StatementRow, work: Work, total: Work | None, span_s: float | None) -> StatementLine:
    """One statement beside all of them."""
    return StatementLine(
        row=row,
        work=work,
        share=work.exec_ms / total.exec_ms if total is not None and total.exec_ms else None,
        calls_per_min=work.calls * 60 / span_s if span_s else None,
    )


def nothing_to_show(statements: Statements | None, scope: Scope) -> str:
    """What an empty table means."""
    if statements is None:
        return "? not read yet"
    if statements.missing is not None:
        return f"? {statements.missing}"
    if span_of(statements, scope) is None and scope is not Scope.TOTAL:
        return "? two readings are needed, one is there (t: since reset)"
    longest_s = statements.recent_s if scope is Scope.LIVE else span_of(statements, scope)
    return f"● no statement ended in the last {duration(longest_s)} (t: a longer time)"


def scope_lines(statements: Statements, scope: Scope, mono_s: float, width: int) -> tuple[Line, ...]:
    """What the figures are about, how old they are, what reading them costs, and what is not counted."""
    span_s = span_of(statements, scope)
    length = f"over {duration(span_s)}" if span_s is not None else "length not known"
    parts = [
        f" · {plural(len(statements.rows), 'statement')}",
        f" · thrown out for lack of room {plural(statements.evicted, 'time')}" if statements.evicted else "",
        f" · read {age(mono_s - statements.read_mono_s)} ago",
        f", {milliseconds(statements.took_s * 1000)} each" if statements.took_s is not None else "",
    ]
    about: Line = ((f"t  {scope.value}, {length}", Tone.ACCENT), ("".join(parts), Tone.MUTED))
    if statements.tracks_io is False:
        off = "I/O time: track_io_timing is off; `opsdash doctor` says more"
        return (about, *labelled("unknown", off, width=width, tone=Tone.MUTED))
    if any(_reads_longer_than_it_runs(work_in(row, scope)) for row in statements.rows):
        added = "I/O time is added up over parallel workers, so it can exceed the time"
        return (about, *labelled("note", added, width=width, tone=Tone.MUTED))
    return (about,)


def _reads_longer_than_it_runs(work: Work | None) -> bool:
    return work is not None and work.io_ms is not None and work.io_ms > work.exec_ms


def _share(share: float | None) -> str:
    """A share that is not nothing is not shown as nothing.

    >>> [_share(share) for share in (0.0003, 0.0048, 0.0, 0.5, None)]
    ['<0.1%', '0.5%', '0%', '50%', '-']
    """
    if share is None or share == 0 or share >= 0.01:
        return percent(share)
    return f"{share:.1%}" if share >= 0.001 else "<0.1%"


def share_tone(share: float | None) -> Tone:
    """Yellow for what takes a third of all time.

    >>> share_tone(0.5).value, share_tone(0.1).value, share_tone(None).value
    ('warn', 'normal', 'normal')
    """
    return Tone.WARN if share is not None and share >= 1 / 3 else Tone.NORMAL


def worst(data: PostgresData) -> StatementId | None:
    """The statement that took most of the time of late; since the reset where nothing else is known."""
    statements = data.statements
    if statements is None or not statements.rows:
        return None
    scope = Scope.RECENT if statements.recent is not None and statements.recent.calls else Scope.TOTAL
    lines = statement_lines(statements, scope)
    return lines[0].row.identity if lines else None


STATEMENT_COLUMNS: tuple[Column[StatementLine], ...] = (
    figure(
        "share", "% ALL", lambda r: r.share, _share, unit="ratio", tone=lambda r: share_tone(r.share), width=6
    ),
    figure("time", "TIME", lambda r: r.work.exec_ms, milliseconds, unit="ms", width=8),
    figure("calls", "CALLS", lambda r: r.work.calls, number, width=7, priority=3),
    figure("rate", "CALLS/MIN", lambda r: r.calls_per_min, number, width=9, priority=1),
    figure("mean", "MEAN", lambda r: r.work.mean_ms, milliseconds, unit="ms", width=8),
    figure("rows", "ROWS/CALL", lambda r: r.work.rows_per_call, number, width=9, priority=4),
    figure("io", "I/O TIME", lambda r: r.work.io_ms, milliseconds, unit="ms", width=9, priority=5),
    figure("read", "READ BLKS", lambda r: r.work.shared_blks_read, number, width=9, priority=5),
    figure("hit", "HIT", lambda r: r.work.hit_ratio, percent, unit="ratio", width=6, priority=8),
    figure("temp", "TEMP BLKS", lambda r: r.work.temp_blks, number, width=9, priority=6),
    figure("wal", "WAL", lambda r: r.work.wal_bytes, size, unit="bytes", width=9, priority=7),
    text("user", "USER", lambda r: r.row.user, width=10, priority=9),
    text("database", "DATABASE", lambda r: r.row.database, width=10, priority=10),
    Column(
        key="query",
        title="STATEMENT",
        width=20,
        grow=1,
        cell=lambda r: r.row.query or ("not read yet", Tone.MUTED),
        sort=lambda r: r.row.query or "",
    ),
)
