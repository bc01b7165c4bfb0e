"""Sessions of an application on a real PostgreSQL, opened and closed by a test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import psycopg
from psycopg.pq import TransactionStatus

from opsdash.tui.demo.servers import PostgresServer
from tests.support.waiting import wait_until_async

Session = psycopg.AsyncConnection[tuple[Any, ...]]


class Application:
    """Opens sessions, and statements that may have to wait; everything ends with it."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self._sessions: list[Session] = []
        self._running: list[asyncio.Task[Any]] = []

    async def session(self, user: str = "postgres", dbname: str = "postgres", **parameters: Any) -> Session:
        """A session in autocommit mode, unless said otherwise."""
        known: dict[str, Any] = {"autocommit": True, "application_name": "checkout", "connect_timeout": 30}
        connection = await psycopg.AsyncConnection.connect(
            self.server.dsn(user, dbname), **(known | parameters)
        )
        self._sessions.append(connection)
        return connection

    async def hold(self, sql: LiteralString, **parameters: Any) -> Session:
        """A session that has run `sql` and leaves its transaction open."""
        connection = await self.session(autocommit=False, **parameters)
        await connection.execute(sql)
        return connection

    async def wait(self, sql: LiteralString, *, on: Session | None = None, **parameters: Any) -> Session:
        """A session that waits for a lock in `sql`; back as soon as the server says that it waits."""
        connection = on or await self.session(**parameters)
        await self._begin(connection, sql, "select count(*) > 0 from pg_locks where pid = %s and not granted")
        return connection

    async def run(self, sql: LiteralString, **parameters: Any) -> Session:
        """A session that is busy with `sql`; back as soon as the server says so."""
        connection = await self.session(**parameters)
        await self._begin(connection, sql, "select state = 'active' from pg_stat_activity where pid = %s")
        return connection

    async def ask(self, sql: LiteralString, *parameters: Any) -> Any:
        """The first value that the server gives a superuser."""
        dsn = self.server.dsn() + " connect_timeout=30 options='-c statement_timeout=30000'"
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            cursor = await connection.execute(sql, parameters)
            row = await cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    async def close(self) -> None:
        """End all sessions, on the server too."""
        pids = [session.info.backend_pid for session in self._sessions if not session.closed]
        for session in self._sessions:
            if session.pgconn.transaction_status != TransactionStatus.ACTIVE:
                await session.close()
        gone = "select count(*) = 0 from pg_stat_activity where pid = any(%s)"
        await self.ask("select count(pg_terminate_backend(pid)) from unnest(%s::int[]) as pid", pids)
        await asyncio.gather(*self._running, return_exceptions=True)
        for session in self._sessions:
            await session.close()
        self._sessions, self._running = [], []
        await wait_until_async(lambda: self.ask(gone, pids), 30, "the sessions are gone")

    async def _begin(self, connection: Session, sql: LiteralString, has_begun: LiteralString) -> None:
        """Send `sql`, whose answer nobody awaits, and be back when `has_begun` says so of its session."""
        task = asyncio.ensure_future(connection.execute(sql))
        self._running.append(task)
        pid = connection.info.backend_pid

        async def begun() -> object:
            if task.done():
                raise AssertionError(f"it has ended already: {sql}") from task.exception()
            return await self.ask(has_begun, pid)

        await wait_until_async(begun, 30, f"{pid}: {sql}")


@asynccontextmanager
async def application(server: PostgresServer) -> AsyncIterator[Application]:
    """An application on `server`, for the length of a block."""
    opened = Application(server)
    try:
        yield opened
    finally:
        await opened.close()
