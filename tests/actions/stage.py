"""A real server set up for actions: an application that works on two rows, and a role that may act."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from psycopg import sql

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.target import Target, TargetId, environment
from opsdash.tui.actions.action import Plan
from opsdash.tui.actions.postgres.kit import PostgresKit
from opsdash.tui.demo.servers import PostgresServer
from tests.support.waiting import wait_until_async

Connection = psycopg.AsyncConnection[Any]

LIMIT_S = 20.0
"""Far more than anything in here takes."""

CANCEL, TERMINATE, ROOT = "postgres.cancel", "postgres.terminate", "postgres.terminate_root"


class Stage:
    """A server with a table of two rows, an application's role and one that may act."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.table = f"stock_{uuid.uuid4().hex[:8]}"
        self.kits: list[PostgresKit] = []
        self._open: list[Connection] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.roles = [f"shop_{self.table}", f"act_{self.table}"]
        self.shop, self.act = self.roles

    async def set_up(self) -> None:
        self.admin = await self.connect("admin", user="postgres")
        await self.admin.execute(f"create table {self.table} (id int primary key, qty int)")
        await self.admin.execute(f"insert into {self.table} values (1, 100), (2, 100)")
        for role in self.roles:
            await self.admin.execute(f"create role {role} login")
        await self.admin.execute(f"grant all on {self.table} to {self.shop}")
        await self.admin.execute(f"grant pg_signal_backend, pg_read_all_stats to {self.act}")

    async def take_down(self) -> None:
        for kit in self.kits:
            await kit.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in self._open:
            await connection.close()
        async with await self._connection("admin", "postgres") as admin:
            rest = "select pid from pg_stat_activity where application_name <> 'admin' and usename = any(%s)"
            await wait_until_async(lambda: self._none(admin, rest), LIMIT_S, "sessions have ended")
            await admin.execute(f"drop table {self.table}")
            for role in self.roles:
                await admin.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))
        await admin.close()

    async def _none(self, admin: Connection, query: str) -> bool:
        return not await (await admin.execute(query.encode(), [self.roles])).fetchall()

    async def _connection(self, application_name: str, user: str) -> Connection:
        return await psycopg.AsyncConnection.connect(
            self.server.dsn(), user=user, application_name=application_name, autocommit=True
        )

    async def connect(self, application_name: str = "checkout", user: str | None = None) -> Connection:
        connection = await self._connection(application_name, user or self.shop)
        self._open.append(connection)
        return connection

    async def holder(
        self, application_name: str = "checkout", row: int = 1, user: str | None = None
    ) -> Connection:
        """A session left idle in transaction, which holds a row."""
        connection = await self.connect(application_name, user)
        await connection.execute("begin")
        await connection.execute(f"update {self.table} set qty = qty - 1 where id = {row}")
        return connection

    async def runs(self, statements: str, application_name: str = "api", user: str | None = None) -> int:
        """Start statements in a session of their own; its pid."""
        connection = await self.connect(application_name, user)

        async def run() -> None:
            with suppress(psycopg.Error):
                await connection.execute(statements.encode())

        self._tasks.append(asyncio.create_task(run()))
        return connection.info.backend_pid

    async def waiter(self, row: int = 1) -> int:
        """A session that waits for a row, and commits once it has it; its pid."""
        update = f"update {self.table} set qty = qty - 1000 where id = {row}"
        pid = await self.runs(f"begin; {update}; commit")
        await self.waits(pid)
        return pid

    async def waits(self, pid: int) -> None:
        query = "select 1 from pg_locks where not granted and pid = %s"
        await wait_until_async(lambda: self.rows(query, pid), LIMIT_S, f"{pid} waits")

    async def is_active(self, pid: int) -> None:
        query = "select 1 from pg_stat_activity where state = 'active' and pid = %s"
        await wait_until_async(lambda: self.rows(query, pid), LIMIT_S, f"{pid} is active")

    async def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return await (await self.admin.execute(query.encode(), values)).fetchall()

    async def quantity(self, row: int = 1) -> int:
        return int((await self.rows(f"select qty from {self.table} where id = %s", row))[0][0])

    async def identity(self, of: Connection | int) -> SessionIdentity:
        pid = of if isinstance(of, int) else of.info.backend_pid
        query = "select pid, backend_start, xact_start, query_start from pg_stat_activity where pid = %s"
        return SessionIdentity(*(await self.rows(query, pid))[0])

    async def is_alive(self, identity: SessionIdentity) -> bool:
        query = "select 1 from pg_stat_activity where pid = %s and backend_start = %s"
        return bool(await self.rows(query, identity.pid, identity.backend_start))

    def target(self, user: str | None = None, **settings: Any) -> Target:
        dsn = self.server.dsn(user=user or self.act)
        return Target(
            id=TargetId("postgres", "orders"),
            environment=environment("staging"),
            interval_s=2.0,
            settings=PostgresSettings(**{"dsn": dsn, **settings}),
            source="test",
        )

    def kit(self, **settings: Any) -> PostgresKit:
        self.kits.append(PostgresKit(Clock(), **settings))
        return self.kits[-1]

    async def plan(self, action: str, *identities: SessionIdentity, user: str | None = None) -> Plan:
        return await self.kit().actions[action].plan(self.target(user), identities, may_act=True)


@asynccontextmanager
async def on_stage(server: PostgresServer) -> AsyncIterator[Stage]:
    """A stage on `server`, which is left as it was."""
    stage = Stage(server)
    await stage.set_up()
    try:
        yield stage
    finally:
        await stage.take_down()


def said(plan: Plan) -> dict[str, str]:
    return {line.label: line.text for line in plan.lines}
