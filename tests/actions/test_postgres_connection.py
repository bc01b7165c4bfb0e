"""The action connection: kept on a full server, bounded on a frozen one, anew after a restart."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from opsdash.collectors.errors import ConnectionLost, TimedOut
from opsdash.tui.demo.servers import PostgresServer
from tests.actions.stage import LIMIT_S, TERMINATE, Stage, on_stage
from tests.support.faults import frozen
from tests.support.waiting import wait_until_async


@pytest.fixture
async def stage(any_pg: PostgresServer) -> AsyncIterator[Stage]:
    async with on_stage(any_pg) as stage:
        yield stage


@pytest.fixture
async def own_stage(start_postgres: Any) -> AsyncIterator[Stage]:
    """A stage on a server of its own, which may be frozen and restarted."""
    async with on_stage(start_postgres(major=18)) as stage:
        yield stage


async def test_frozen_server_gives_an_unknown_outcome_within_the_deadline(own_stage: Stage) -> None:
    stage = own_stage
    identity = await stage.identity(await stage.holder())
    kit = stage.kit(statement_s=1.0)
    action = kit.actions[TERMINATE]
    plan = await action.plan(stage.target(), [identity], may_act=True)
    with (
        frozen(stage.server.pid, with_children=True),
        pytest.raises(TimedOut, match=r"no answer within 1 s"),
    ):
        await asyncio.wait_for(action.run(stage.target(), plan), LIMIT_S)


async def test_statement_given_up_on_a_frozen_server_leaves_nothing_running(own_stage: Stage) -> None:
    stage = own_stage
    kit = stage.kit(statement_s=600.0)
    await kit.open(stage.target())
    before = asyncio.all_tasks()
    with frozen(stage.server.pid, with_children=True):
        task = asyncio.create_task(kit.kept(stage.target()).read("select 1"))
        await asyncio.wait({task}, timeout=0.2)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=LIMIT_S)
        assert done
        await wait_until_async(lambda: asyncio.all_tasks() <= before, LIMIT_S, "no task is left")


async def test_abort_ends_a_statement_at_once_and_the_next_one_works(stage: Stage) -> None:
    kit = stage.kit()
    await kit.open(stage.target())
    connection = kit.kept(stage.target())
    task = asyncio.create_task(connection.read("select pg_sleep(600)"))
    query = "select pid from pg_stat_activity where usename = %s and wait_event = 'PgSleep'"
    await wait_until_async(lambda: stage.rows(query, stage.act), LIMIT_S, "it sleeps")
    kit.abort()
    with pytest.raises(ConnectionLost):
        await asyncio.wait_for(task, LIMIT_S)
    assert await connection.read("select 1") == [(1,)]
    await stage.rows("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", stage.act)


async def test_connection_that_breaks_while_acting_is_not_told_as_surely_not_done(stage: Stage) -> None:
    identity = await stage.identity(await stage.holder())
    kit = stage.kit()
    plan = await kit.actions[TERMINATE].plan(stage.target(), [identity], may_act=True)
    query = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = %s"
    assert await stage.rows(query, stage.act)
    with pytest.raises(ConnectionLost):
        await kit.actions[TERMINATE].run(stage.target(), plan)


async def test_kept_connection_comes_back_after_the_server_restarted(own_stage: Stage) -> None:
    stage = own_stage
    kit = stage.kit()
    await kit.open(stage.target())
    stage.server.stop()
    stage.server.start()
    stage.server.wait_ready()
    stage.admin = await stage.connect("admin", user="postgres")
    identity = await stage.identity(await stage.holder())
    plan = await kit.actions[TERMINATE].plan(stage.target(), [identity], may_act=True)
    assert plan.refusal is None


async def fill(stage: Stage) -> None:
    """Open sessions of the application until the server takes no more."""
    attempts = await asyncio.gather(*(stage.connect() for _ in range(12)), return_exceptions=True)
    refused = [str(attempt) for attempt in attempts if isinstance(attempt, psycopg.OperationalError)]
    assert any("slots" in text or "too many clients" in text for text in refused), attempts


async def test_kept_connection_acts_on_a_full_server(start_postgres: Any) -> None:
    options = {"max_connections": 8, "superuser_reserved_connections": 3, "reserved_connections": 0}
    async with on_stage(start_postgres(major=18, options=options)) as stage:
        kit = stage.kit()
        await kit.open(stage.target())
        holder = await stage.holder()
        await fill(stage)
        action = kit.actions[TERMINATE]
        plan = await action.plan(stage.target(), [await stage.identity(holder)], may_act=True)
        hits = await action.run(stage.target(), plan)
        steps = [step async for step in action.verify(stage.target(), plan, hits)]
        assert [step.text for step in steps] == ["session is gone"]


def test_names_and_keys_of_the_actions_load_no_client_library() -> None:
    code = (
        "import sys; from opsdash.collectors.clock import Clock; from opsdash.tui.actions import postgres;"
        "postgres.make_kit(Clock()); print([m for m in sys.modules if m in ('psycopg', 'textual', 'rich')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
