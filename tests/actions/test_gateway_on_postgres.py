"""The gateway with the real actions on a real PostgreSQL, also on one that freezes."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.target import Target, TargetId, environment
from opsdash.tui.actions.action import OutcomeKind
from opsdash.tui.actions.audit import AuditLog
from opsdash.tui.actions.chain import check
from opsdash.tui.actions.guard import Decision
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.demo.servers import PostgresServer
from tests.support.faults import frozen
from tests.support.waiting import wait_until_async

ORDERS = TargetId("postgres", "orders")


def gateway(server: PostgresServer, path: Path) -> Gateway:
    target = Target(
        id=ORDERS,
        environment=environment("prod"),
        interval_s=2.0,
        settings=PostgresSettings(dsn=server.dsn()),
        source="test",
    )
    return Gateway([target], AuditLog(path, clock=Clock()), clock=Clock(), permitted=True)


def idle_in_transaction(server: PostgresServer) -> tuple[psycopg.Connection, SessionIdentity]:
    connection = psycopg.connect(server.dsn())
    row = connection.execute(
        "select pid, backend_start, xact_start, query_start from pg_stat_activity "
        "where pid = pg_backend_pid()"
    ).fetchone()
    assert row is not None
    return connection, SessionIdentity(*row)


def is_there(server: PostgresServer, identity: SessionIdentity) -> bool:
    query = "select from pg_stat_activity where pid = %s and backend_start = %s"
    with psycopg.connect(server.dsn()) as connection:
        return connection.execute(query, [identity.pid, identity.backend_start]).fetchone() is not None


async def test_a_session_in_production_is_terminated_by_its_typed_name_alone(
    any_pg: PostgresServer, tmp_path: Path
) -> None:
    path = tmp_path / "audit.jsonl"
    door = gateway(any_pg, path)
    session, identity = idle_in_transaction(any_pg)
    try:
        assert await door.arm() is None
        planned = await door.plan("postgres.terminate", ORDERS, [identity])
        assert planned.guard.must_type == "orders"
        by_key = door.perform(planned, Decision())
        await wait_until_async(lambda: by_key.is_done, 30, "it is refused")
        assert is_there(any_pg, identity)
        typed = door.perform(planned, Decision(typed="orders"))
        await wait_until_async(lambda: typed.is_done, 30, "it ends")
        assert not is_there(any_pg, identity)
    finally:
        session.close()
        await door.close(wait_s=10)
    assert typed.outcome is not None
    assert typed.outcome.kind is OutcomeKind.DONE
    checked = check(path.read_bytes().splitlines())
    assert checked.problems == ()
    events = [(record.fields["event"], record.fields.get("outcome")) for record in checked.records]
    assert events[:4] == [("armed", None), ("refused", "refused"), ("intent", None), ("outcome", "done")]


async def test_quitting_does_not_wait_for_a_frozen_server(
    start_postgres: Callable[..., PostgresServer], tmp_path: Path
) -> None:
    server = start_postgres(major=18)
    path = tmp_path / "audit.jsonl"
    door = gateway(server, path)
    session, identity = idle_in_transaction(server)
    assert await door.arm() is None
    planned = await door.plan("postgres.terminate", ORDERS, [identity])
    acting = await _backend_of_opsdash(server)
    with closing(session), frozen(acting):
        running = door.perform(planned, Decision(typed="orders"))
        await wait_until_async(lambda: running.steps, 30, "the intent is recorded")
        await asyncio.sleep(0)
        await asyncio.wait_for(door.close(), 10)  # usually 0.3
    assert running.outcome is not None
    assert running.outcome.kind is OutcomeKind.UNKNOWN
    fields = [record.fields for record in check(path.read_bytes().splitlines()).records]
    assert "look at the target" in next(f["text"] for f in fields if f["event"] == "outcome")


async def _backend_of_opsdash(server: PostgresServer) -> int:
    """The backend of the kept action connection."""
    query = "select pid from pg_stat_activity where application_name like 'opsdash%'"

    def pid() -> int | None:
        with psycopg.connect(server.dsn()) as connection:
            rows = connection.execute(query).fetchall()
        return int(rows[0][0]) if len(rows) == 1 else None

    found = await wait_until_async(pid, 30, "there is one action connection")
    assert found is not None
    return found
