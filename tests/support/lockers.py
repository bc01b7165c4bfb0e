"""Clients of a real PostgreSQL server that hold locks and wait for them."""

from types import TracebackType
from typing import Self

import psycopg

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres.blocking import BlockingNode, forest_of
from opsdash.collectors.postgres.collector import PostgresCollector
from opsdash.collectors.postgres.rows import PostgresData
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.target import Target, TargetId, environment
from opsdash.tui.demo.servers import PostgresServer
from tests.support.waiting import wait_until_async

_PATIENCE_S = 30.0


def target_of(server: PostgresServer, *, dbname: str = "postgres", user: str = "postgres") -> Target:
    """A target that reads `server`, as its superuser unless said otherwise."""
    return Target(
        id=TargetId("postgres", "orders"),
        environment=environment("staging"),
        interval_s=2.0,
        settings=PostgresSettings(dsn=server.dsn(user, dbname)),
        source="test",
    )


class Locker:
    """One session. `do` waits for the statement's end, `send` does not."""

    def __init__(self, server: PostgresServer, *, dbname: str) -> None:
        self._connection = psycopg.connect(server.dsn(dbname=dbname), autocommit=True)
        self.pid = self._connection.info.backend_pid

    def do(self, *statements: str) -> None:
        for statement in statements:
            self._connection.execute(statement.encode())

    def send(self, statement: str) -> None:
        self._connection.pgconn.send_query(statement.encode())

    def close(self) -> None:
        self._connection.close()


class Scene:
    """Lockers in a database of their own, watched by the real collector; all is gone at the end."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        self.server, self.name = server, name
        self._lockers: list[Locker] = []
        self._databases: list[str] = []
        self.add_database(name)
        self.collector = PostgresCollector(target_of(server, dbname=name), Clock())

    async def __aenter__(self) -> Self:
        with psycopg.connect(self.server.dsn(dbname=self.name), autocommit=True) as connection:
            connection.execute("create table stock (id int primary key, qty int)")
            connection.execute("insert into stock select i, 0 from generate_series(1, 9) as i")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.collector.close()
        for locker in self._lockers:
            locker.close()
        for name in self._databases:
            self.admin(f"drop database {name} with (force)")

    def add_database(self, name: str) -> None:
        self.admin(f"create database {name}")
        self._databases.append(name)

    def admin(self, statement: str) -> None:
        """Run one statement as superuser, outside this scene's databases."""
        with psycopg.connect(self.server.dsn(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def locker(self, *statements: str, dbname: str | None = None) -> Locker:
        """A session that has run `statements`."""
        locker = Locker(self.server, dbname=dbname or self.name)
        self._lockers.append(locker)
        locker.do(*statements)
        return locker

    async def waiter(self, statement: str, *before: str, dbname: str | None = None) -> Locker:
        """A session that has run `before` and now waits in `statement`, last in its queue."""
        locker = self.locker(*before, dbname=dbname)
        await self.wait_in(locker, statement)
        return locker

    async def wait_in(self, locker: Locker, statement: str) -> None:
        """Send `statement`; returns when the server says that it waits for a lock, and since when."""
        locker.send(statement)

        async def waits() -> bool:
            data = await self.collector.collect()
            return any(w.pid == locker.pid and w.waiting_since is not None for w in data.waits)

        await wait_until_async(waits, _PATIENCE_S, f"{locker.pid} waits in: {statement}")

    async def reading(self, *, waiting: int) -> PostgresData:
        """A reading in which so many wait."""
        last: list[PostgresData] = []

        async def settled() -> bool:
            last[:] = [await self.collector.collect()]
            return len(last[0].waits) == waiting and all(w.waiting_since for w in last[0].waits)

        await wait_until_async(settled, _PATIENCE_S, f"{waiting} wait")
        return last[0]

    async def forest(self, *, waiting: int) -> tuple[BlockingNode, ...]:
        """The blocking forest when so many wait."""
        return forest_of(await self.reading(waiting=waiting))
