"""Idle sessions are terminated together, and only those; the server is asked afterwards."""

from collections.abc import AsyncIterator

import pytest

from opsdash.collectors.postgres.rows import InstanceIdentity
from opsdash.tui.actions.action import Effect, Plan
from opsdash.tui.actions.postgres import TERMINATE_IDLE
from opsdash.tui.actions.postgres.identities import IdleIdentity
from opsdash.tui.demo.servers import PostgresServer
from tests.actions.stage import Connection, Stage, on_stage, said
from tests.support.waiting import wait_until_async


@pytest.fixture
async def stage(any_pg: PostgresServer) -> AsyncIterator[Stage]:
    async with on_stage(any_pg) as stage:
        yield stage


async def plan_of(stage: Stage, typed: str, user: str | None = None) -> Plan:
    ((started_at,),) = await stage.rows("select pg_postmaster_start_time()")
    action = stage.kit().actions[TERMINATE_IDLE.name]
    return await action.plan(stage.target(user), [InstanceIdentity(started_at, typed)], may_act=True)


async def old_enough(stage: Stage, *connections: Connection) -> None:
    """Wait until they have been idle for a second."""
    query = (
        "select count(*) = %s from pg_stat_activity where pid = any(%s)"
        " and state like 'idle%%' and clock_timestamp() - state_change > interval '1.2 s'"
    )
    pids = [connection.info.backend_pid for connection in connections]

    async def idle() -> bool:
        return bool((await stage.rows(query, len(pids), pids))[0][0])

    await wait_until_async(idle, 30, "they have been idle for a second")


async def alive(stage: Stage, *connections: Connection) -> list[bool]:
    pids = [connection.info.backend_pid for connection in connections]
    found = {row[0] for row in await stage.rows("select pid from pg_stat_activity where pid = any(%s)", pids)}
    return [pid in found for pid in pids]


async def test_idle_transactions_of_one_application_go_and_nothing_else_does(stage: Stage) -> None:
    first, second = await stage.holder("batch", row=1), await stage.holder("batch", row=2)
    other = await stage.connect("api")
    await other.execute("begin")
    idle = await stage.connect("batch")
    busy = await stage.runs("begin; select pg_sleep(60)", "batch")
    await stage.is_active(busy)
    await old_enough(stage, first, second, other, idle)
    plan = await plan_of(stage, "idle-tx 1s batch")
    assert plan.refusal is None
    assert plan.title == "Terminate 2 sessions idle-tx for over 1s of batch"
    assert said(plan)["they are"] == "batch 2"
    assert "2 open transactions" in said(plan)["lost"]
    action = stage.kit().actions[TERMINATE_IDLE.name]
    hits = await action.run(stage.target(), plan)
    assert [hit.effect for hit in hits] == [Effect.SENT, Effect.SENT]
    steps = [step async for step in action.verify(stage.target(), plan, hits)]
    assert steps[-1].is_final
    assert await alive(stage, first, second, other, idle) == [False, False, True, True]
    assert await stage.rows("select state from pg_stat_activity where pid = %s", busy) == [("active",)]
    assert (await stage.quantity(1), await stage.quantity(2)) == (100, 100)


async def test_session_that_did_something_since_the_plan_is_not_hit(stage: Stage) -> None:
    woken, still = await stage.connect("batch"), await stage.connect("batch")
    await old_enough(stage, woken, still)
    plan = await plan_of(stage, "idle 1s batch")
    assert len(plan.identities) == 2
    await woken.execute("select 1")
    hits = await stage.kit().actions[TERMINATE_IDLE.name].run(stage.target(), plan)
    effects = {hit.identity.session.pid: hit.effect for hit in hits if isinstance(hit.identity, IdleIdentity)}
    assert effects == {woken.info.backend_pid: Effect.CHANGED, still.info.backend_pid: Effect.SENT}
    assert await woken.execute("select 1")


async def test_our_own_and_scheduled_sessions_are_never_among_them(stage: Stage) -> None:
    ours = await stage.connect("opsdash")
    cron = await stage.connect("pg_cron scheduler")
    await old_enough(stage, ours, cron)
    for application in ("opsdash", "pg_cron scheduler"):
        plan = await plan_of(stage, f"idle 1s {application}")
        assert plan.refusal == f"no client session is idle for over 1s of {application}"


async def test_what_cannot_be_understood_or_may_not_be_done_is_refused(stage: Stage) -> None:
    for typed in ("", "idle", "all 5", "idle-tx 0", "idle 5h"):
        assert "expected" in ((await plan_of(stage, typed)).refusal or "")
    idle = await stage.connect("batch", user="postgres")
    await old_enough(stage, idle)
    refusal = (await plan_of(stage, "idle 1s batch")).refusal or ""
    assert "only a superuser may signal it" in refusal


async def test_many_are_typed_in_every_environment(stage: Stage) -> None:
    sessions = [await stage.connect("crowd") for _ in range(10)]
    await old_enough(stage, *sessions)
    plan = await plan_of(stage, "idle 1s crowd")
    assert plan.always_type
    assert len(plan.identities) == 10
