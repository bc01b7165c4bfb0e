"""Reads pg_stat_statements: when it is due, what is new, and what it takes to switch it on."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from heapq import nlargest
from typing import Any

import msgspec
import psycopg
from psycopg.pq import TransactionStatus

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres import decode
from opsdash.collectors.postgres.ask import ask
from opsdash.collectors.postgres.client import Connection, translate
from opsdash.collectors.postgres.statement_rows import (
    StatementId,
    StatementRow,
    Statements,
    StatementText,
    Work,
)
from opsdash.collectors.postgres.statement_work import Counted, History, added, rows_of, span_s
from opsdash.collectors.target import TargetId

MOST = 5000
"""Entries that are read, see `queries/statements.sql`; the default of pg_stat_statements.max."""
UNWATCHED_S = 30.0
"""How often it is read while nobody looks."""
_COST = 100
"""A reading that took a second is not repeated for this many: at most 1 % of the server's time."""
_NAMED = 3
"""Statements whose text is read although nobody looks: the rules may have to name them."""
_TEXTS = 4000

Texts = dict[StatementId, StatementText]


class Place(msgspec.Struct, frozen=True):
    """The row of `queries/statements_state.sql`, its columns in their order."""

    is_preloaded: bool
    version: str | None
    schema: str | None
    """Quoted by the server."""
    may_use_schema: bool | None
    database: str
    role: str


class StatementReader:
    """Keeps what it takes to tell what statements did since the last reading."""

    def __init__(self, target: TargetId, interval_s: float, clock: Clock) -> None:
        self._target = target
        self._interval_s = interval_s
        self._clock = clock
        self._place: Place | None = None
        self._history = History()
        self._texts: Texts = {}
        self._visible: tuple[StatementId, ...] = ()
        self._opened: StatementId | None = None
        self._is_watched = False
        self._last: Statements | None = None
        self._next_mono_s = 0.0

    def look_at(self, visible: tuple[str, ...], opened: str | None) -> None:
        """What is on the screen: ids of statements as text; `opened` is one of them, or "statements"."""
        ids = (StatementId.parse(text) for text in visible)
        self._visible = tuple(i for i in ids if i is not None)
        self._opened = StatementId.parse(opened) if opened else None
        watched = bool(self._visible) or self._opened is not None or opened == "statements"
        if watched and not self._is_watched and self._last is not None:
            self._next_mono_s = min(self._next_mono_s, self._last.read_mono_s + self._pause_s(watched=True))
        self._is_watched = watched

    def forget_place(self) -> None:
        """Another connection: the extension may have come or gone."""
        self._place = None
        self._next_mono_s = 0.0

    async def read(self, connection: Connection, started_at: datetime | None) -> Statements:
        """The newest reading: another one where it is due, else the one before, with texts that are new.

        An error of these statements is a value: the rest of the server is read nevertheless.

        Raises:
            psycopg.Error: The connection is broken.
        """
        try:
            if self._last is None or self._clock.mono_s() >= self._next_mono_s:
                self._last = await self._read_counters(connection, started_at)
                self._next_mono_s = self._clock.mono_s() + self._pause_s(watched=self._is_watched)
            self._last = await self._with_texts(connection, self._last)
        except psycopg.Error as error:
            if connection.closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
                raise
            self._last = self._failed(translate(self._target, error).reason)
        return self._last

    def _pause_s(self, *, watched: bool) -> float:
        took_s = (self._last.took_s if self._last is not None else None) or 0.0
        return max(self._interval_s if watched else UNWATCHED_S, took_s * _COST)

    def _failed(self, reason: str) -> Statements:
        """The last good reading with what went wrong; the next one looks where the extension is again."""
        self.forget_place()
        self._next_mono_s = self._clock.mono_s() + UNWATCHED_S
        if self._last is None or self._last.missing is not None:
            return Statements(missing=reason, read_mono_s=self._clock.mono_s())
        return msgspec.structs.replace(self._last, limits=(reason,))

    async def _read_counters(self, connection: Connection, started_at: datetime | None) -> Statements:
        if self._place is None:
            ((*row,),) = await ask(connection, "statements_state")
            self._place = Place(*decode.texts(row))
        place = self._place
        asked_at = self._clock.mono_s()
        missing = why_missing(place)
        if missing is not None or place.schema is None:
            self._place = None  # it may be switched on while we look
            return Statements(missing=missing, read_mono_s=asked_at)
        ((evicted, stats_reset, server_now, tracks_io),) = await ask(
            connection, "statements_info", schema=place.schema
        )
        rows = await ask(connection, "statements", schema=place.schema)
        took_s = self._clock.mono_s() - asked_at
        shown = [row for row in rows[:MOST] if row[0] is not None]
        counted = Counted(
            mono_s=asked_at,
            epoch=(started_at, stats_reset),
            work=self._history.shared({StatementId(*row[:4]): Work(*row[4:]) for row in shown}),
            is_complete=len(rows) <= MOST,
        )
        before, earlier = self._history.newest, self._history.earliest
        self._history.add(counted)
        found = rows_of(counted, before, earlier, self._texts)
        return Statements(
            rows=found,
            read_mono_s=asked_at,
            took_s=took_s,
            entries=len(rows),
            hidden=min(len(rows), MOST) - len(shown),
            since_reset_s=(server_now - stats_reset).total_seconds() if stats_reset else None,
            tracks_io=tracks_io,
            evicted=evicted,
            live_s=span_s(before, counted),
            recent_s=span_s(earlier, counted),
            total=added(row.total for row in found),
            live=added(row.live for row in found) if span_s(before, counted) else None,
            recent=added(row.recent for row in found) if span_s(earlier, counted) else None,
            limits=tuple(_limits(place, len(rows), len(shown))),
        )

    async def _with_texts(self, connection: Connection, statements: Statements) -> Statements:
        """Read the texts of those on the screen, and of the worst; each once."""
        wanted = {i for i in self._wanted(statements) if i not in self._texts}
        present = {row.identity for row in statements.rows} if wanted else set()
        wanted &= present
        if wanted and self._place is not None and self._place.schema is not None:
            found = await ask(
                connection, "statement_texts", [sorted(i.queryid for i in wanted)], self._place.schema
            )
            self._learn(found, wanted, present)
            statements = msgspec.structs.replace(
                statements, rows=tuple(_named(row, self._texts) for row in statements.rows)
            )
        if self._opened is not None:
            statements = msgspec.structs.replace(statements, trend=self._history.trend(self._opened))
        return statements

    def _wanted(self, statements: Statements) -> Iterable[StatementId]:
        yield from self._visible
        if self._opened is not None:
            yield self._opened
        worst = nlargest(_NAMED, statements.rows, key=lambda row: (row.recent or row.total).exec_ms)
        yield from (row.identity for row in worst)

    def _learn(
        self, rows: Sequence[tuple[Any, ...]], wanted: Iterable[StatementId], present: set[StatementId]
    ) -> None:
        if len(self._texts) > _TEXTS:
            self._texts = {i: text for i, text in self._texts.items() if i in present}
        for identity in wanted:
            self._texts[identity] = StatementText()  # asked for once, whatever the answer
        for *identity_columns, user, database, text in rows:
            self._texts[StatementId(*identity_columns)] = StatementText(
                decode.statement(text),
                decode.name(user) if user else None,
                decode.name(database) if database else None,
            )


def _named(row: StatementRow, texts: Mapping[StatementId, StatementText]) -> StatementRow:
    text = texts.get(row.identity)
    if text is None or text == StatementText(row.query, row.user, row.database):
        return row
    return msgspec.structs.replace(row, query=text.query, user=text.user, database=text.database)


def why_missing(place: Place) -> str | None:
    """Why it cannot be read, and exactly what would change that; None when it can.

    >>> why_missing(Place(True, "1.7", "public", True, "shop", "ops")).partition(": ")[2]
    'ALTER EXTENSION pg_stat_statements UPDATE; in shop'
    """
    if not place.is_preloaded:
        create = "" if place.version else f", then CREATE EXTENSION pg_stat_statements; in {place.database}"
        return (
            "pg_stat_statements is not loaded: add it to shared_preload_libraries (ALTER SYSTEM SET, or "
            f"postgresql.conf, beside what is there), restart the server{create}"
        )
    if place.version is None:
        return (
            "pg_stat_statements is loaded, but not in this database: CREATE EXTENSION pg_stat_statements; "
            f"in {place.database}, by a superuser"
        )
    if tuple(map(int, place.version.split("."))) < (1, 9):
        return (
            f"pg_stat_statements is {place.version} here, from an older server; 1.9 is needed: "
            f"ALTER EXTENSION pg_stat_statements UPDATE; in {place.database}"
        )
    if not place.may_use_schema:
        return (
            f"pg_stat_statements is in schema {place.schema}: GRANT USAGE ON SCHEMA {place.schema} "
            f"TO {place.role}"
        )
    return None


def _limits(place: Place, entries: int, shown: int) -> Iterable[str]:
    if entries > MOST:
        yield f"only the {MOST} statements with the most execution time are read"
    hidden = min(entries, MOST) - shown
    if hidden:
        yield (
            f"{hidden} of {min(entries, MOST)} statements belong to roles that {place.role} may not see: "
            f"GRANT pg_read_all_stats TO {place.role}"
        )
