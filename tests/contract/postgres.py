"""PostgreSQL's faults: how each is brought about on a real server, and what it must be called."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

import opsdash.collectors.postgres
from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres.collector import PostgresCollector
from opsdash.collectors.postgres.statements import statement
from opsdash.collectors.snapshot import FailureKind
from opsdash.tui.demo.servers import PostgresServer
from tests.contract.fault import SECRET, Cell, Expected, NotApplicable, Trial
from tests.contract.on_the_way import OK, always, faults_on_the_way, kinds, look_up
from tests.support.faults import Proxy, frozen
from tests.support.sessions import application
from tests.support.targets import postgres_target
from tests.support.waiting import wait_until_async

QUERIES = Path(opsdash.collectors.postgres.__path__[0]) / "queries"

OPTIONS = {
    "max_connections": 10,
    "superuser_reserved_connections": 3,
    "autovacuum": "off",
    "max_prepared_transactions": 2,
    "log_statement": "all",
    "log_line_prefix": "@@%a@@ ",
}

_HBA = """
host all postgres,shop 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""


class PostgresRig:
    """A server, a proxy in front of it, and a collector that reads through both with a password."""

    deadline_s = 1.5

    def __init__(self, server: PostgresServer, proxy: Proxy) -> None:
        self.server, self.proxy = server, proxy
        (server.data_dir / "pg_hba.conf").write_text(_HBA)
        self.sql("create role shop login", "create role opsdash login in role pg_monitor")
        self.sql(f"alter role opsdash password '{SECRET}'", "select pg_reload_conf()")
        dsn = f"postgresql://opsdash:{SECRET}@localhost:{proxy.port}/postgres"
        self.collector = PostgresCollector(postgres_target(dsn), Clock(), look_up=look_up)

    async def cut(self) -> None:
        """End the collector's connection."""
        await self.proxy.cut()

    def sql(self, *statements: str) -> Any:
        """Run statements as a superuser, past the proxy; the first value of the last one."""
        with psycopg.connect(self.server.dsn(), autocommit=True) as admin:
            for statement in statements:
                cursor = admin.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def configure(self, line: str, *, signal_file: str) -> None:
        """Make the server, which is stopped, begin with a recovery."""
        with (self.server.data_dir / "postgresql.auto.conf").open("a") as settings:
            settings.write(line + "\n")
        (self.server.data_dir / signal_file).touch()

    async def read_everything(self) -> None:
        """Read while somebody waits for a prepared transaction."""
        self.sql("create table stock (id int primary key)", "insert into stock values (1)")
        self.sql("begin; delete from stock; prepare transaction 'open'")
        async with application(self.server) as shop:
            await shop.wait("delete from stock")
            await shop.wait("drop table stock")
            for _ in range(3):
                data = await self.collector.collect()
                assert {wait.relation for wait in data.waits} == {None, "public.stock"}
                assert data.prepared
        self.sql("rollback prepared 'open'")

    def foreign_statements(self) -> set[str]:
        """Statements of sessions called opsdash in the server's log, less those of `queries/`."""
        files = QUERIES.glob("*.sql")
        shipped = {_folded(statement(file.stem).decode().replace("%s", "$1")) for file in files}
        entry = r"^@@opsdash@@ LOG:  (?:statement|execute [^:]*): (.*?)(?=^@@|\Z)"
        sent = {_folded(text) for text in re.findall(entry, self.log(), re.MULTILINE | re.DOTALL)}
        assert sent & shipped, "the log shows what was asked"
        return sent - shipped

    def log(self) -> str:
        """All that the server said."""
        return self.server.log_path.read_text("utf-8", "replace")

    async def says(self, words: str) -> None:
        """Wait until the server turns a new connection away with `words`."""

        def turned_away() -> bool:
            try:
                psycopg.connect(self.server.dsn("shop"), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                return words in str(error)
            return False

        await wait_until_async(turned_away, 30, f"the server says: {words}")


def _folded(sql: str) -> str:
    return " ".join(sql.split())


@asynccontextmanager
async def restart(rig: PostgresRig) -> AsyncIterator[Expected]:
    await asyncio.to_thread(rig.server.restart)
    yield Expected(open=kinds(FailureKind.LOST, FailureKind.SHUTTING_DOWN), fresh=OK)


@asynccontextmanager
async def limits_reached(rig: PostgresRig) -> AsyncIterator[Expected]:
    sessions: list[psycopg.AsyncConnection[Any]] = []

    async def fill() -> None:
        """Take what is left, and whatever comes free."""
        while True:
            try:
                sessions.append(await psycopg.AsyncConnection.connect(rig.server.dsn("shop")))
            except psycopg.OperationalError:
                await asyncio.sleep(0.01)

    async def filled(count: int) -> None:
        await wait_until_async(lambda: len(sessions) >= count, 30, f"{count} sessions are open")

    usable = OPTIONS["max_connections"] - OPTIONS["superuser_reserved_connections"]  # type: ignore[operator]
    filling = asyncio.ensure_future(fill())
    await filled(usable - 1)
    yield Expected(open=OK, fresh=kinds(FailureKind.TOO_MANY_CLIENTS), before_fresh=lambda: filled(usable))
    filling.cancel()
    await asyncio.wait({filling})
    for session in sessions:
        await session.close()


@asynccontextmanager
async def rights_revoked(rig: PostgresRig) -> AsyncIterator[Expected]:
    rig.sql("revoke connect on database postgres from public", "revoke pg_monitor from opsdash")
    yield Expected(open=OK, fresh=kinds(FailureKind.NO_PERMISSION))
    rig.sql("grant connect on database postgres to public", "grant pg_monitor to opsdash")


@asynccontextmanager
async def wrong_password(rig: PostgresRig) -> AsyncIterator[Expected]:
    rig.sql("alter role opsdash password 'another'")
    yield Expected(open=OK, fresh=kinds(FailureKind.AUTHENTICATION))
    rig.sql(f"alter role opsdash password '{SECRET}'")


@asynccontextmanager
async def connection_frozen(rig: PostgresRig) -> AsyncIterator[Expected]:
    pid = rig.sql("select pid from pg_stat_activity where usename = 'opsdash'")
    with frozen(pid):
        yield Expected(open=kinds(FailureKind.TIMED_OUT), fresh=OK)


@asynccontextmanager
async def server_frozen(rig: PostgresRig) -> AsyncIterator[Expected]:
    with frozen(rig.server.pid, with_children=True):
        yield always(FailureKind.TIMED_OUT)


@asynccontextmanager
async def starting_up(rig: PostgresRig) -> AsyncIterator[Expected]:
    rig.server.stop()
    go = rig.server.data_dir.parent / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.05; done; false"
    rig.configure(f"restore_command = '{wait}'", signal_file="recovery.signal")
    rig.server.start()
    await rig.says("starting up")
    yield Expected(
        open=kinds(FailureKind.LOST, FailureKind.SHUTTING_DOWN), fresh=kinds(FailureKind.STARTING_UP)
    )
    go.touch()
    await asyncio.to_thread(rig.server.wait_ready)


@asynccontextmanager
async def in_recovery(rig: PostgresRig) -> AsyncIterator[Expected]:
    rig.server.stop()
    rig.configure("hot_standby = off", signal_file="standby.signal")
    rig.server.start()
    await rig.says("not accepting connections")
    yield Expected(open=kinds(FailureKind.LOST, FailureKind.SHUTTING_DOWN), fresh=kinds(FailureKind.RECOVERY))
    rig.server.stop()
    rig.configure("hot_standby = on", signal_file="standby.signal")
    rig.server.start()
    await asyncio.to_thread(rig.server.wait_ready)


@asynccontextmanager
async def shutting_down(rig: PostgresRig) -> AsyncIterator[Expected]:
    with psycopg.connect(rig.server.dsn("shop")):
        psutil.Process(rig.server.pid).send_signal(signal.SIGTERM)  # smart: waits for that session
        await rig.says("shutting down")
        yield Expected(open=OK, fresh=kinds(FailureKind.SHUTTING_DOWN))
    await asyncio.to_thread(rig.server.restart)


CELLS: dict[str, Cell | NotApplicable] = {
    **faults_on_the_way(),
    "restart": restart,
    "limits reached": limits_reached,
    "rights revoked": rights_revoked,
    "wrong password": wrong_password,
    "connection frozen": connection_frozen,
    "server frozen": server_frozen,
    "starting up": starting_up,
    "in recovery": in_recovery,
    "shutting down": shutting_down,
}


def trial(major: int) -> Trial:
    """PostgreSQL of one major version."""

    @asynccontextmanager
    async def start(request: pytest.FixtureRequest) -> AsyncIterator[PostgresRig]:
        server = request.getfixturevalue("start_postgres")(major=major, options=OPTIONS)
        async with Proxy(server.port) as proxy:
            rig = PostgresRig(server, proxy)
            yield rig
            await rig.collector.close()

    return Trial(start=start, cells=CELLS)
