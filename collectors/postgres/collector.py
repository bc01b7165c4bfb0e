"""Reads one PostgreSQL server: asks the statements of `queries/`, and builds `PostgresData`."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime

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
from opsdash.collectors.postgres.lock_reader import LockReader
from opsdash.collectors.postgres.replication_reader import ReplicationReader
from opsdash.collectors.postgres.rows import PostgresData, PreparedTransaction, SessionRow
from opsdash.collectors.postgres.session_reader import SessionReader
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
        self._sessions = SessionReader()
        self._locks = LockReader(target.id, clock)
        self._statements = StatementReader(target.id, target.interval_s, clock)
        self._replication = ReplicationReader(target.id, clock)

    @property
    def target(self) -> Target:
        """What it reads."""
        return self._target

    async def collect(self) -> PostgresData:
        """Read the server once, connecting first where needed; raises TargetError."""
        return await self._collect(is_whole=True)

    async def glance(self) -> PostgresData:
        """The same without statements and replication: five to seven round trips less; see `Glancing`."""
        data = await self._collect(is_whole=False)
        self._sample = None  # the whole reading comes at once: rates over a moment would say nothing
        return data

    async def _collect(self, *, is_whole: bool) -> PostgresData:
        self._drop_unless_usable()
        try:
            if self._connection is None or self._facts is None:
                self._connection = await self._connect()
                self._facts = await self._read_facts(self._connection)
            data = await self._read(self._connection, self._facts)
            return await self._with_more(self._connection, data) if is_whole else data
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
        self._sessions.forget()
        self._locks.forget()
        self._statements.forget_place()
        return facts

    async def _read(self, connection: Connection, facts: Facts) -> PostgresData:
        asked_at = self._clock.mono_s()
        ((server_now, is_in_recovery, sees_all),) = await ask(connection, "server")
        roundtrip_s = self._clock.mono_s() - asked_at
        everyone = await self._sessions.read(connection, server_now)
        sample = Sample(
            mono_s=self._clock.mono_s(),
            started_at=facts.started_at,
            databases=dict(map(decode.database, await ask(connection, "databases"))),
        )
        names = {oid: counters.name for oid, counters in sample.databases.items()}
        locks = await self._locks.read(connection, everyone, facts.database_oid, names)
        prepared = await _read_prepared(connection, facts, locks.awaited)
        total, databases = database_rates(self._sample, sample)
        self._sample = sample
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
            limits=(*_limits(facts, everyone, sees_all), *locks.limits),
        )

    async def _with_more(self, connection: Connection, data: PostgresData) -> PostgresData:
        """The reading with statements and replication, each read when it is due."""
        # finding no standby costs the server as much as all sessions do
        may_be_followed = any(s.backend_type == "walsender" or not s.is_visible for s in data.sessions)
        return msgspec.structs.replace(
            data,
            statements=await self._statements.read(connection, data.started_at),
            replication=await self._replication.read(
                connection, may_be_followed=may_be_followed, is_in_recovery=data.is_in_recovery
            ),
        )


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
