"""Reads who waits for whom: when somebody waits, and something about it may have changed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
import psycopg

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres import decode
from opsdash.collectors.postgres.ask import ask
from opsdash.collectors.postgres.client import Connection, translate
from opsdash.collectors.postgres.lock_waits import Lock, Names, awaited_transactions, lock_waits
from opsdash.collectors.postgres.rows import LockWait, SessionRow
from opsdash.collectors.target import TargetId

STANDS_S = 5.0
"""How long a reading stands while nobody in it does anything. A lock that is taken or left in the middle of a
statement shows in nobody's times: that is told so late at the most."""

Standing = dict[int, tuple[datetime | None, ...]]
"""Pid -> the times of its session that move with what it does."""


class Locks(msgspec.Struct, frozen=True, kw_only=True):
    """What the statements about locks gave."""

    waits: tuple[LockWait, ...] = ()
    awaited: frozenset[str] = frozenset()
    """Ids of prepared transactions that somebody waits for."""
    limits: tuple[str, ...] = ()


class _Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The newest reading, and what it was made in view of."""

    locks: Locks
    waiting: frozenset[int]
    """Pids that said they wait."""
    standing: Standing
    """Of all who waited or held something."""
    until_mono_s: float
    """When it has to be read again in any case."""


class LockReader:
    """Keeps the newest reading, and the names of what is waited for."""

    def __init__(self, target: TargetId, clock: Clock) -> None:
        self._target = target
        self._clock = clock
        self._relations: dict[int, str] = {}
        self._last: _Reading | None = None

    def forget(self) -> None:
        """Nobody waits any more, or another server answers: a table may have got another name."""
        self._relations = {}
        self._last = None

    async def read(
        self,
        connection: Connection,
        sessions: Sequence[SessionRow],
        database_oid: int,
        databases: Mapping[int, str],
    ) -> Locks:
        """Who waits for whom; nothing is asked when no session says that it waits for a lock.

        Args:
            connection: The MONITOR connection.
            sessions: All backends, read just before.
            database_oid: Of the database that the connection is to.
            databases: Names by oid.

        Raises:
            psycopg.Error: It could not be read.
        """
        # a session that we may not look at does not say what it waits for
        waiting = frozenset(s.pid for s in sessions if s.wait_event_type == "Lock" or not s.is_visible)
        if not waiting:
            self.forget()
            return Locks()
        last = self._last
        if last is None or not self._stands(last, waiting, sessions):
            last = self._last = await self._read(connection, sessions, waiting, database_oid, databases)
        return last.locks

    def _stands(self, last: _Reading, waiting: frozenset[int], sessions: Sequence[SessionRow]) -> bool:
        """Whether the same sessions wait, and nobody in the reading has done anything since."""
        return (
            waiting == last.waiting
            and self._clock.mono_s() < last.until_mono_s
            and _standing(last.standing, sessions) == last.standing
        )

    async def _read(
        self,
        connection: Connection,
        sessions: Sequence[SessionRow],
        waiting: frozenset[int],
        database_oid: int,
        databases: Mapping[int, str],
    ) -> _Reading:
        rows = [decode.lock(row) for row in await ask(connection, "locks")]
        limits = await self._read_relations(connection, database_oid, rows)
        names = Names(database_oid, databases, self._relations)
        leaders = {s.pid: s.leader_pid for s in sessions if s.leader_pid is not None}
        parties = {row.pid for row in rows}
        standing = _standing(parties, sessions)
        # a prepared transaction has no session, a hidden one no times, a wait that just began no beginning
        is_told = standing.keys() == parties and waiting <= parties and not limits
        is_told = is_told and all(row.granted or row.waitstart is not None for row in rows)
        return _Reading(
            locks=Locks(
                waits=lock_waits(rows, leaders, names), awaited=awaited_transactions(rows), limits=limits
            ),
            waiting=waiting,
            standing=standing,
            until_mono_s=self._clock.mono_s() + STANDS_S if is_told else 0.0,
        )

    async def _read_relations(
        self, connection: Connection, database_oid: int, locks: Sequence[Lock]
    ) -> tuple[str, ...]:
        """Learn the names of what is waited for; they stay unknown while somebody locks the catalog."""
        unknown = {
            k.relation
            for k in locks
            if not k.granted
            and k.relation is not None
            and k.database in (0, database_oid)
            and k.relation not in self._relations
        }
        if not unknown:
            return ()
        try:
            rows = await ask(connection, "relations", [sorted(unknown)])
        except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled) as error:
            return (f"names of relations: {translate(self._target, error).reason}",)
        self._relations.update(map(decode.relation, rows))
        return ()


def _standing(pids: Iterable[int], sessions: Sequence[SessionRow]) -> Standing:
    """Where these sessions stand; without those that are gone, or that this role may not look at."""
    wanted = frozenset(pids)
    return {
        s.pid: (s.backend_start, s.xact_start, s.query_start, s.state_change)
        for s in sessions
        if s.pid in wanted and s.is_visible
    }
