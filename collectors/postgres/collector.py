"""Reads one PostgreSQL server: asks the statements of `queries/`, and builds `PostgresData`."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg.pq import TransactionStatus

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import NotSupported, TimedOut
from opsdash.collectors.postgres import decode
from opsdash.collectors.postgres.addresses import LookUp, look_up_name
from opsdash.collectors.postgres.ask import ask
from opsdash.collectors.postgres.client import (
    Connection,
    Purpose,
    connect,
    discard,
    own_pids,
    shut,
    translate,
)
from opsdash.collectors.postgres.connections import connections
from opsdash.collectors.postgres.database_rates import Sample, database_rates
from opsdash.collectors.postgres.lock_waits import Lock, Names, awaited_transactions, lock_waits
from opsdash.collectors.postgres.replication_reader import ReplicationReader
from opsdash.collectors.postgres.rows import LockWait, PostgresData, PreparedTransaction, SessionRow
from opsdash.collectors.postgres.statement_reader import StatementReader
from opsdash.collectors.target import Target

OLDEST = 140000
"""server_version_num of the oldest version that the statements are written for."""


class Facts(msgspec.Struct, frozen=True):
    """The row of `queries/facts.sql`, its columns in their order: what stays while the server runs."""

    version: str
    version_num: int
    started_at: datetime
    database_oid: int
    database: str
    role: str
    max_connections: int
    superuser_reserved: int
    reserved: int | None
    max_prepared_transactions: int


class Locks(msgspec.Struct, frozen=True, kw_only=True):
    """What the statements about locks gave."""

    waits: tuple[LockWait, ...] = ()
    awaited: frozenset[str] = frozenset()
    """Ids of transactions."""
    limits: tuple[str, ...] = ()


class PostgresCollector:
    """Keeps one MONITOR connection and reads through it; see `Collector`.

    A server that is full keeps new connections out, but not the one that is open: an error of a statement
    does not give it up, only a broken or interrupted connection is replaced.
    """

    def __init__(self, target: Target, clock: Clock, *, look_up: LookUp = look_up_name) -> None:
        self._target = target
        self._clock = clock
        self._look_up = look_up
        self._connection: Connection | None = None
        self._connecting: asyncio.Task[Connection] | None = None
        self._facts: Facts | None = None
        self._sample: Sample | None = None
        self._relations: dict[int, str] = {}
        self._seen: dict[int, tuple[tuple[Any, ...], SessionRow]] = {}
        """Pid -> its row in the newest reading, and the value made of it."""
        self._waited: tuple[list[Lock], dict[int, int], Names] | None = None
        """What `_waits` was made of."""
        self._waits: tuple[LockWait, ...] = ()
        self._statements = StatementReader(target.id, target.interval_s, clock)
        self._replication = ReplicationReader(target.id, clock)

    @property
    def target(self) -> Target:
        """What it reads."""
        return self._target

    async def collect(self) -> PostgresData:
        """Read the server once, connecting first where needed; raises TargetError."""
        self._drop_unless_usable()
        try:
            if self._connection is None or self._facts is None:
                self._connection = await self._connect()
                self._facts = await self._read_facts(self._connection)
            return await self._read(self._connection, self._facts)
        except (psycopg.Error, OSError) as error:
            raise translate(self._target.id, error) from error.with_traceback(None)
        finally:
            self._drop_unless_usable()

    def look_at(self, visible: tuple[str, ...], opened: str | None) -> None:
        """Say what is on the screen: statements by id, and the view that is open; see `Attentive`."""
        self._statements.look_at(visible, opened)
        self._replication.look_at(opened)

    def abort(self) -> None:
        """Shut the socket, or stop connecting: whatever is waited for ends at once."""
        if self._connecting is not None:
            self._connecting.cancel()
        if self._connection is not None:
            shut(self._connection)
            self._facts = None

    async def close(self) -> None:
        """Let go of the connection."""
        self.abort()
        self._drop_unless_usable()

    def _drop_unless_usable(self) -> None:
        """Give up a connection that is shut, broken, or still in the middle of an answer."""
        connection = self._connection
        if connection is None:
            return
        is_idle = connection.pgconn.transaction_status == TransactionStatus.IDLE
        if self._facts is None or connection.closed or not is_idle:
            discard(connection)
            self._connection = self._facts = None

    async def _connect(self) -> Connection:
        """Connect in a task of its own, which `abort` can cancel."""
        self._connecting = asyncio.ensure_future(
            connect(self._target, Purpose.MONITOR, look_up=self._look_up)
        )
        try:
            return await self._connecting
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise TimedOut(self._target.id, "connecting was broken off") from None
        finally:
            self._connecting = None

    async def _read_facts(self, connection: Connection) -> Facts:
        (row,) = await ask(connection, "facts")
        facts = Facts(*decode.texts(row))
        if facts.version_num < OLDEST:
            raise NotSupported(
                self._target.id, f"PostgreSQL {facts.version}", hint="14 is the oldest that opsdash reads"
            )
        self._relations = {}
        self._statements.forget_place()
        return facts

    async def _read(self, connection: Connection, facts: Facts) -> PostgresData:
        asked_at = self._clock.mono_s()
        ((server_now, is_in_recovery, sees_all),) = await ask(connection, "server")
        roundtrip_s = self._clock.mono_s() - asked_at
        everyone = self._sessions(await ask(connection, "activity"))
        sample = Sample(
            mono_s=self._clock.mono_s(),
            started_at=facts.started_at,
            databases=dict(map(decode.database, await ask(connection, "databases"))),
        )
        locks = await self._read_locks(connection, facts, everyone, sample)
        prepared = await _read_prepared(connection, facts, locks.awaited)
        total, databases = database_rates(self._sample, sample)
        self._sample = sample
        statements = await self._statements.read(connection, facts.started_at)
        replication = await self._replication.read(connection, is_in_recovery=is_in_recovery)
        own = own_pids(self._target.id)
        return PostgresData(
            version=facts.version.split()[0],
            version_num=facts.version_num,
            server_now=server_now,
            started_at=facts.started_at,
            is_in_recovery=is_in_recovery,
            database=facts.database,
            role=facts.role,
            roundtrip_s=roundtrip_s,
            sessions=tuple(s for s in everyone if s.pid not in own),
            waits=locks.waits,
            prepared=prepared,
            connections=connections(
                everyone,
                max_connections=facts.max_connections,
                reserved=facts.superuser_reserved + (facts.reserved or 0),
            ),
            databases=databases,
            total=total,
            statements=statements,
            replication=replication,
            limits=(*_limits(facts, everyone, sees_all), *locks.limits),
        )

    def _sessions(self, rows: Sequence[tuple[Any, ...]]) -> tuple[SessionRow, ...]:
        """Rows as values. Most sessions are as they were two seconds ago: those are not made again."""
        before, seen = self._seen, {}
        for row in rows:
            known = before.get(row[0])
            seen[row[0]] = known if known and known[0] == row else (row, decode.session(row))
        self._seen = seen
        return tuple([session for _, session in seen.values()])

    async def _read_locks(
        self, connection: Connection, facts: Facts, sessions: Sequence[SessionRow], sample: Sample
    ) -> Locks:
        """Who waits for whom; nothing is asked when no session says that it waits for a lock."""
        # a session that we may not look at does not say what it waits for
        if not any(s.wait_event_type == "Lock" or not s.is_visible for s in sessions):
            self._relations = {}  # a table may get another name
            return Locks()
        rows = [decode.lock(row) for row in await ask(connection, "locks")]
        limits = await self._read_relations(connection, facts, rows)
        names = Names(
            facts.database_oid, {oid: d.name for oid, d in sample.databases.items()}, dict(self._relations)
        )
        leaders = {s.pid: s.leader_pid for s in sessions if s.leader_pid is not None}
        if self._waited != (rows, leaders, names):  # while nobody comes or goes, nothing is to be arranged
            self._waited = (rows, leaders, names)
            self._waits = lock_waits(rows, leaders, names)
        return Locks(waits=self._waits, awaited=awaited_transactions(rows), limits=limits)

    async def _read_relations(
        self, connection: Connection, facts: Facts, locks: Sequence[Lock]
    ) -> tuple[str, ...]:
        """Learn the names of what is waited for; they stay unknown while somebody locks the catalog."""
        ours = (0, facts.database_oid)
        unknown = {
            k.relation
            for k in locks
            if not k.granted
            and k.relation is not None
            and k.database in ours
            and k.relation not in self._relations
        }
        if not unknown:
            return ()
        try:
            rows = await ask(connection, "relations", [sorted(unknown)])
        except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled) as error:
            return (f"names of relations: {translate(self._target.id, error).reason}",)
        self._relations.update(map(decode.relation, rows))
        return ()


async def _read_prepared(
    connection: Connection, facts: Facts, awaited: Collection[str]
) -> tuple[PreparedTransaction, ...]:
    if facts.max_prepared_transactions == 0:
        return ()
    return tuple(decode.prepared(row, awaited) for row in await ask(connection, "prepared"))


def _limits(facts: Facts, sessions: Sequence[SessionRow], sees_all: bool) -> tuple[str, ...]:
    """What the role may not see, with the grant that would change it."""
    hidden = sum(not s.is_visible for s in sessions)
    if sees_all or not hidden:
        return ()
    role = '"' + facts.role.replace('"', '""') + '"'
    return (
        f"{hidden} of {len(sessions)} sessions show no state, times or query, and parallel workers "
        f"among them count as clients: GRANT pg_monitor TO {role}",
    )
