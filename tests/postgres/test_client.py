"""Connecting: what a session is allowed, where passwords come from, and what each failure is called."""

import asyncio
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from opsdash.collectors.errors import (
    AuthenticationFailed,
    BadReply,
    ConnectionLost,
    ConnectionRefused,
    InRecovery,
    NameUnknown,
    NotSupported,
    PermissionDenied,
    ShuttingDown,
    StartingUp,
    TargetError,
    TimedOut,
    TlsFailed,
    TooManyClients,
)
from opsdash.collectors.postgres.client import Connection, Purpose, connect, own_pids, translate
from opsdash.collectors.secret import redact
from opsdash.collectors.target import Target, TargetId
from opsdash.tui.demo.servers import PostgresServer, free_port
from tests.support.targets import postgres_target
from tests.support.waiting import wait_until_async

ORDERS = TargetId("postgres", "orders")


async def value(connection: Connection, sql: str) -> Any:
    row = await (await connection.execute(sql)).fetchone()
    assert row is not None
    return row[0].decode() if isinstance(row[0], bytes) else row[0]


async def failure(target: Target, purpose: Purpose = Purpose.MONITOR) -> TargetError:
    with pytest.raises(TargetError) as caught:
        await connect(target, purpose)
    assert caught.value.hint, "every failure says what to do next"
    return caught.value


@pytest.mark.parametrize("purpose", [Purpose.MONITOR, Purpose.DRILL])
async def test_reading_sessions_cannot_write(any_pg: PostgresServer, purpose: Purpose) -> None:
    target = postgres_target(any_pg.dsn() + " options='-c default_transaction_read_only=off'")
    async with await connect(target, purpose) as connection:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            await connection.execute("create table written ()")


async def test_acting_session_may_write_and_uses_its_own_role(any_pg: PostgresServer) -> None:
    with psycopg.connect(any_pg.dsn(), autocommit=True) as admin:
        admin.execute("create role opsdash_act login")
    try:
        target = postgres_target(any_pg.dsn("nobody"), act_dsn=any_pg.dsn("opsdash_act"))
        async with await connect(target, Purpose.ACT) as connection:
            assert await value(connection, "select current_user") == "opsdash_act"
            assert await value(connection, "show default_transaction_read_only") == "off"
    finally:
        with psycopg.connect(any_pg.dsn(), autocommit=True) as admin:
            admin.execute("drop role opsdash_act")


async def test_every_statement_has_a_short_limit_which_the_user_may_change(any_pg: PostgresServer) -> None:
    async with await connect(postgres_target(any_pg.dsn()), Purpose.MONITOR) as connection:
        assert await value(connection, "show statement_timeout") == "2s"
        assert await value(connection, "show lock_timeout") == "500ms"
        assert await value(connection, "show application_name") == "opsdash"
    own = postgres_target(any_pg.dsn() + " options='-c statement_timeout=9000 -c work_mem=1MB'")
    async with await connect(own, Purpose.MONITOR) as connection:
        assert await value(connection, "show statement_timeout") == "9s"
        assert await value(connection, "show work_mem") == "1MB"
        assert await value(connection, "show lock_timeout") == "500ms"


@pytest.mark.parametrize(
    "form",
    [
        "host=127.0.0.1 port={port} user=postgres",
        "postgresql://postgres@127.0.0.1:{port}/postgres",
        "postgres://postgres@localhost:{port}",
        "postgresql://postgres@nowhere.invalid:1,localhost:{port}/postgres",
        "host=localhost hostaddr=127.0.0.1 port={port} user=postgres dbname=postgres",
        "service=orders",
        "",
    ],
)
async def test_every_form_of_dsn_connects(
    form: str, pg18: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    services = tmp_path / "services.conf"
    services.write_text(f"# ours\n[orders]\nhost=localhost\nport={pg18.port}\nuser=postgres\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    if not form:
        monkeypatch.setenv("PGHOST", "localhost")
        monkeypatch.setenv("PGPORT", str(pg18.port))
        monkeypatch.setenv("PGUSER", "postgres")
    async with await connect(postgres_target(form.format(port=pg18.port)), Purpose.ACT) as connection:
        assert await value(connection, "select current_user") == "postgres"


async def test_names_are_never_looked_up_by_libpq_or_on_asyncios_threads(
    pg18: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look_up(target: TargetId, host: str, port: int) -> tuple[str, ...]:
        assert (host, port) == ("only.we.know.it", pg18.port)
        return ("127.0.0.1",)

    dsn = f"host=only.we.know.it port={pg18.port} user=postgres"
    connection = await connect(postgres_target(dsn), Purpose.ACT, look_up=look_up)
    async with connection:
        assert connection.info.host == "only.we.know.it"


async def test_two_connections_at_once_share_one_look_up(pg18: PostgresServer) -> None:
    target = postgres_target(f"host=localhost port={pg18.port} user=postgres")
    monitor, act = await asyncio.gather(connect(target, Purpose.MONITOR), connect(target, Purpose.ACT))
    async with monitor, act:
        assert own_pids(target.id) >= {monitor.info.backend_pid, act.info.backend_pid}


class TestPasswords:
    """Against a server that asks for one."""

    @pytest.fixture
    def guarded(self, start_postgres: Callable[..., PostgresServer]) -> PostgresServer:
        server = start_postgres(major=18)
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute("create role shop login password 'pa/ss wörd'")
        hba = server.data_dir / "pg_hba.conf"
        hba.write_text("host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute("select pg_reload_conf()")
        return server

    async def test_from_each_source(
        self, guarded: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dsn = guarded.dsn("shop")
        monkeypatch.setenv("SHOP_PASSWORD", "pa/ss wörd")
        kept = tmp_path / "password"
        kept.write_text("pa/ss wörd\n", "utf-8")
        kept.chmod(stat.S_IRUSR)
        say = (sys.executable, "-c", "import sys; sys.stdout.buffer.write('pa/ss wörd\\n'.encode())")
        sources: list[Target] = [
            postgres_target(dsn, password_env="SHOP_PASSWORD"),
            postgres_target(dsn, password_file=str(kept)),
            postgres_target(dsn, password_command=say),
            postgres_target(f"postgresql://shop:pa%2Fss%20w%C3%B6rd@127.0.0.1:{guarded.port}/postgres"),
            postgres_target("host=/nowhere", act_dsn=dsn, act_password_env="SHOP_PASSWORD"),
        ]
        for target in sources:
            async with await connect(target, Purpose.ACT) as connection:
                assert await value(connection, "select current_user") == "shop"

        wrong = await failure(postgres_target(dsn + " password=not-this-one"))
        assert isinstance(wrong, AuthenticationFailed)
        assert wrong.reason == 'FATAL: password authentication failed for user "shop"'
        none = await failure(postgres_target(dsn))
        assert isinstance(none, AuthenticationFailed)
        assert "no password supplied" in none.reason
        assert "password_env" in (none.hint or "")

    async def test_password_in_a_dsn_is_known_to_redact_in_both_spellings(self) -> None:
        dsn = f"postgresql://shop:s%40cret-5%2Fx@127.0.0.1:{free_port()}/shop"
        await failure(postgres_target(dsn))
        assert redact(f"{dsn} s@cret-5/x").count("***") == 2


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            {"password_env": "NOT_THERE"},
            "password_env: the environment variable NOT_THERE is not set",
        ),
        ({"password_file": "/no/such/file"}, "password_file: /no/such/file: No such file or directory"),
        ({"password_command": ("/no/such/program",)}, "password_command: /no/such/program: No such file"),
        (
            {
                "password_command": (
                    sys.executable,
                    "-c",
                    "import sys; print('hunter2x'); sys.exit('vault is sealed')",
                )
            },
            "ended with status 1: vault is sealed",
        ),
        ({"password_command": (sys.executable, "-c", "")}, "password_command: it is empty"),
    ],
)
async def test_password_that_cannot_be_read_names_the_key_and_the_cause(
    settings: dict[str, Any], reason: str
) -> None:
    error = await failure(postgres_target("host=127.0.0.1 port=1", **settings))
    assert isinstance(error, AuthenticationFailed)
    assert reason in error.reason
    assert "hunter2x" not in f"{error} {error.hint}"


async def test_slow_password_command_is_asked_once_and_serves_the_next_reading(tmp_path: Path) -> None:
    gate, runs = tmp_path / "gate", tmp_path / "runs"
    os.mkfifo(gate)
    script = f"open({str(runs)!r}, 'a').write('x'); open({str(gate)!r}).read(); print('later')"
    target = postgres_target("host=127.0.0.1 port=1", password_command=(sys.executable, "-c", script))
    for _ in range(2):
        reading = asyncio.ensure_future(connect(target, Purpose.MONITOR))
        await wait_until_async(runs.exists, 30, "the command runs")
        reading.cancel()
        await asyncio.wait({reading})
    gate.write_text("go on")
    assert isinstance(await failure(target), ConnectionRefused)
    assert runs.read_text() == "x"


async def test_password_command_gets_no_terminal_and_no_shell(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = (
        "import os, sys; open(sys.argv[1], 'w').write("
        "f'{sys.stdin.read()!r} {os.getsid(0) == os.getpid()} {sys.argv[2]}'); print('x')"
    )
    command = (sys.executable, "-c", script, str(seen), "$(id) ; ls")
    await failure(postgres_target("host=127.0.0.1 port=1", password_command=command))
    assert seen.read_text() == "'' True $(id) ; ls"


async def test_connecting_to_a_server_that_never_answers_can_be_cancelled_at_once() -> None:
    arrived = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        writers.append(writer)

    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    task = asyncio.ensure_future(connect(postgres_target(f"host=127.0.0.1 port={port}"), Purpose.MONITOR))
    await asyncio.wait_for(arrived.wait(), 30)
    began = asyncio.get_running_loop().time()
    task.cancel()
    await asyncio.wait({task}, timeout=10)
    assert task.cancelled()
    assert asyncio.get_running_loop().time() - began < 0.5
    for writer in writers:
        writer.close()
    server.close()


async def test_failures_of_real_servers(any_pg: PostgresServer) -> None:
    unknown_role = await failure(postgres_target(any_pg.dsn("nobody")))
    assert isinstance(unknown_role, AuthenticationFailed)
    assert unknown_role.reason == 'FATAL: role "nobody" does not exist'

    no_database = await failure(postgres_target(any_pg.dsn(dbname="nothing")))
    assert isinstance(no_database, NotSupported)
    assert no_database.reason == 'FATAL: database "nothing" does not exist'

    no_tls = await failure(postgres_target(any_pg.dsn() + " sslmode=require"))
    assert isinstance(no_tls, TlsFailed)

    refused = await failure(postgres_target(f"host=127.0.0.1 port={free_port()} user=postgres"))
    assert isinstance(refused, ConnectionRefused)

    unknown = await failure(postgres_target("host=nowhere.invalid user=postgres"))
    assert isinstance(unknown, NameUnknown)

    unreadable = await failure(postgres_target("postgresql://shop:hunter2x@[::1"))
    assert isinstance(unreadable, NotSupported)
    assert "hunter2x" not in f"{unreadable} {unreadable.hint}"


async def test_of_several_addresses_the_one_that_answered_tells_the_reason(pg18: PostgresServer) -> None:
    dsn = f"host=127.0.0.1,127.0.0.1 port={pg18.port},{free_port()} user=nobody"
    error = await failure(postgres_target(dsn))
    assert isinstance(error, AuthenticationFailed)
    assert error.reason == 'FATAL: role "nobody" does not exist'


def said(text: str) -> str:
    return f'connection failed: connection to server at "10.0.0.1", port 5432 failed: {text}'


@pytest.mark.parametrize(
    ("words", "kind", "hint"),
    [
        (said("FATAL:  sorry, too many clients already"), TooManyClients, "pg_use_reserved_connections"),
        (
            said("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute"),
            TooManyClients,
            "reserved_connections",
        ),
        (said('FATAL:  too many connections for role "opsdash"'), TooManyClients, "CONNECTION LIMIT"),
        (said("FATAL:  the database system is starting up"), StartingUp, "log"),
        (said("FATAL:  the database system is not yet accepting connections"), InRecovery, "WAL"),
        (
            said(
                "FATAL:  the database system is not yet accepting connections\nDETAIL:  Consistent recovery"
            ),
            InRecovery,
            "WAL",
        ),
        (said("FATAL:  the database system is in recovery mode"), StartingUp, "crashed"),
        (said("FATAL:  the database system is shutting down"), ShuttingDown, "log"),
        (
            said('FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "a"'),
            AuthenticationFailed,
            "pg_hba.conf",
        ),
        (said('FATAL:  permission denied for database "shop"'), PermissionDenied, "GRANT CONNECT"),
        (said("FATAL:  unsupported startup parameter: options"), NotSupported, "PgBouncer"),
        (said("SSL error: certificate verify failed"), TlsFailed, "sslrootcert"),
        (said("server closed the connection unexpectedly"), ConnectionLost, "new connection"),
        (said("FATAL:  Tut mir leid, schon zu viele Verbindungen"), ConnectionRefused, "log"),
        ("connection timeout expired", TimedOut, "network"),
        (
            "server answered with\x1b[2J garbage: invalid response to SSL negotiation: H",
            BadReply,
            "PostgreSQL",
        ),
    ],
)
def test_failures_told_by_words_alone(words: str, kind: type[TargetError], hint: str) -> None:
    error = translate(ORDERS, psycopg.OperationalError(words))
    assert type(error) is kind
    assert hint in (error.hint or "")
    assert "\x1b" not in error.reason


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.errors.InsufficientPrivilege("Keine Berechtigung"), PermissionDenied),
        (psycopg.errors.QueryCanceled("canceling statement due to statement timeout"), TimedOut),
        (psycopg.errors.AdminShutdown("terminating connection due to administrator command"), ShuttingDown),
        (psycopg.errors.InvalidSqlStatementName('prepared statement "_pg3_0" does not exist'), NotSupported),
        (psycopg.errors.ConnectionException("?"), ConnectionLost),
        (psycopg.errors.DivisionByZero("division by zero"), BadReply),
        (psycopg.OperationalError("the connection is closed"), ConnectionLost),
    ],
)
def test_failures_told_by_their_sqlstate_in_any_language(error: Exception, kind: type[TargetError]) -> None:
    translated = translate(ORDERS, error)
    assert type(translated) is kind
    assert translated.hint
