"""Cancel, terminate and terminate root, on real servers; the server is asked afterwards."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import msgspec
import pytest

from opsdash.tui.actions.action import Effect, Plan, Step
from opsdash.tui.actions.postgres.deeds import Deed
from opsdash.tui.actions.postgres.follow import Patience
from opsdash.tui.demo.servers import PostgresServer
from tests.actions.stage import CANCEL, LIMIT_S, ROOT, TERMINATE, Stage, on_stage, said
from tests.support.waiting import wait_until_async


@pytest.fixture
async def stage(any_pg: PostgresServer) -> AsyncIterator[Stage]:
    async with on_stage(any_pg) as stage:
        yield stage


async def perform(
    stage: Stage, plan: Plan, patience: Patience | None = None
) -> tuple[list[Effect], list[Step]]:
    """Run a plan and follow it to the end."""
    action = stage.kit(patience=patience).actions[plan.action]
    hits = await action.run(stage.target(), plan)
    steps = [step async for step in action.verify(stage.target(), plan, hits)]
    return [hit.effect for hit in hits], steps


def texts(steps: Sequence[Step]) -> list[str]:
    return [step.text for step in steps]


async def test_waiters_run_after_their_root_blocker_is_terminated(stage: Stage) -> None:
    holder = await stage.holder()
    first = await stage.waiter()
    others = [await stage.waiter() for _ in range(2)]
    plan = await stage.plan(ROOT, await stage.identity(holder))
    assert plan.refusal is None
    assert said(plan)["freed"] == f"3 wait; {first} is next and will then hold what it waits for"
    assert plan.followed == tuple(sorted([first, *others]))
    effects, steps = await perform(stage, plan)
    assert effects == [Effect.SENT]
    assert texts(steps)[0] == "session is gone"
    assert steps[-1].text == "nobody waits any more (3 sessions did)"
    assert steps[-1].is_ok
    assert steps[-1].is_final
    assert await stage.quantity() == 100 - 3000  # the holder's own update is lost, all waiters' are there


async def test_next_holder_left_idle_in_transaction_is_named_as_the_new_root(stage: Stage) -> None:
    holder = await stage.holder()
    second = await stage.connect("batch")
    lock = asyncio.create_task(
        second.execute(f"begin; update {stage.table} set qty = 0 where id = 1".encode())
    )
    await stage.waits(second.info.backend_pid)
    last = await stage.waiter()
    plan = await stage.plan(ROOT, await stage.identity(holder))
    effects, steps = await perform(stage, plan, Patience(settled_s=0.5))
    await lock
    assert effects == [Effect.SENT]
    assert steps[-1].is_final
    assert not steps[-1].is_ok
    pid = second.info.backend_pid
    assert f"{pid} is idle in transaction now · 1 still waits, behind {pid}" in steps[-1].text
    await stage.waits(last)


async def test_waiters_left_behind_a_running_session_are_told_at_the_deadline(stage: Stage) -> None:
    holder = await stage.holder()
    slow = await stage.runs(
        f"begin; update {stage.table} set qty = 0 where id = 1; select pg_sleep(60)", "batch"
    )
    await stage.waits(slow)
    await stage.waiter()
    plan = await stage.plan(TERMINATE, await stage.identity(holder))
    _, steps = await perform(stage, plan, Patience(waiters_s=0.6, settled_s=0.1))
    assert f"{slow} runs now · 1 still waits, behind {slow}" in texts(steps)
    assert steps[-1].text.startswith("session is gone, but ")
    assert not steps[-1].is_ok


async def test_cancel_ends_the_statement_and_keeps_the_session(stage: Stage) -> None:
    pid = await stage.runs("select pg_sleep(60)")
    await stage.is_active(pid)
    identity = await stage.identity(pid)
    plan = await stage.plan(CANCEL, identity)
    assert plan.refusal is None
    assert f"pg_cancel_backend({pid}), only if it is still the same statement" in said(plan)["will run"]
    effects, steps = await perform(stage, plan)
    assert effects == [Effect.SENT]
    assert steps[-1].text.startswith("statement ended; now api · idle ")
    assert steps[-1].is_final
    assert await stage.is_alive(identity)


async def test_waiters_run_after_the_statement_that_held_them_up_is_cancelled(stage: Stage) -> None:
    pid = await stage.runs(f"begin; update {stage.table} set qty = 0 where id = 1; select pg_sleep(60)")
    await stage.is_active(pid)
    await stage.waiter()
    plan = await stage.plan(CANCEL, await stage.identity(pid))
    assert "what the statement did since" in said(plan)["lost"]
    _, steps = await perform(stage, plan)
    assert steps[-1].text == "nobody waits any more (1 session did)"
    assert await stage.quantity() == 100 - 1000


@pytest.mark.parametrize("action", [TERMINATE, ROOT])
async def test_another_transaction_of_the_same_session_is_not_terminated(stage: Stage, action: str) -> None:
    holder = await stage.holder()
    await stage.waiter()
    plan = await stage.plan(action, await stage.identity(holder))
    await holder.execute("rollback")
    await holder.execute("begin")
    await holder.execute(f"update {stage.table} set qty = 0 where id = 2")
    await stage.waiter(row=2)
    hits = await stage.kit().actions[action].run(stage.target(), plan)
    assert [hit.effect for hit in hits] == [Effect.CHANGED]
    assert "now checkout · idle in transaction " in hits[0].detail
    assert (await (await holder.execute("select 1")).fetchone()) == (1,)


async def test_recycled_pid_is_not_terminated(stage: Stage) -> None:
    holder = await stage.holder()
    now = await stage.identity(holder)
    assert now.backend_start is not None
    plan = await stage.plan(TERMINATE, now)
    former = msgspec.structs.replace(now, backend_start=now.backend_start - timedelta(microseconds=1))
    hits = (
        await stage.kit()
        .actions[TERMINATE]
        .run(stage.target(), msgspec.structs.replace(plan, identities=(former,)))
    )
    assert [hit.effect for hit in hits] == [Effect.GONE]
    assert f"{now.pid} is another session now: checkout" in hits[0].detail
    assert await stage.is_alive(now)
    refused = await stage.plan(TERMINATE, former)
    assert refused.refusal is not None
    assert "the session is gone" in refused.refusal


async def test_check_that_is_too_old_does_not_signal(stage: Stage) -> None:
    identity = await stage.identity(await stage.holder())
    parameters = {**msgspec.structs.asdict(identity), "at_most": timedelta(0)}
    rows = await stage.kit().kept(stage.target()).act(Deed.TERMINATE.statement, parameters)
    assert rows == [(None,)]
    assert await stage.is_alive(identity)


async def test_next_statement_of_a_session_is_not_cancelled(stage: Stage) -> None:
    pid = await stage.runs("select pg_sleep(60)")
    await stage.is_active(pid)
    identity = await stage.identity(pid)
    plan = await stage.plan(CANCEL, identity)
    assert identity.query_start is not None
    former = msgspec.structs.replace(identity, query_start=identity.query_start - timedelta(microseconds=1))
    kit = stage.kit()
    hits = await kit.actions[CANCEL].run(stage.target(), msgspec.structs.replace(plan, identities=(former,)))
    assert [hit.effect for hit in hits] == [Effect.CHANGED]
    await stage.is_active(pid)


async def test_session_that_ended_meanwhile_is_told_as_gone(stage: Stage) -> None:
    holder = await stage.holder()
    identity = await stage.identity(holder)
    plan = await stage.plan(TERMINATE, identity)
    await holder.close()

    async def is_gone() -> bool:
        return not await stage.is_alive(identity)

    await wait_until_async(is_gone, LIMIT_S, "the session has ended")
    hits = await stage.kit().actions[TERMINATE].run(stage.target(), plan)
    assert [hit.effect for hit in hits] == [Effect.GONE]
    assert (await stage.plan(TERMINATE, identity)).refusal == f"{identity.pid} is gone: nothing is left to do"


async def test_root_blocker_nobody_waits_for_any_more_is_refused_and_not_hit(stage: Stage) -> None:
    holder = await stage.holder()
    waiter = await stage.waiter()
    identity = await stage.identity(holder)
    plan = await stage.plan(ROOT, identity)
    await stage.admin.execute("select pg_terminate_backend(%s, 10000)", [waiter])
    hits = await stage.kit().actions[ROOT].run(stage.target(), plan)
    assert [hit.effect for hit in hits] == [Effect.CHANGED]
    assert hits[0].detail == f"nobody waits behind {identity.pid} any more"
    assert await stage.is_alive(identity)
    assert (await stage.plan(ROOT, identity)).refusal == hits[0].detail


async def test_role_without_pg_read_all_stats_is_told_the_grant(stage: Stage) -> None:
    holder = await stage.holder()
    identity = await stage.identity(holder)
    plan = await stage.plan(TERMINATE, identity)
    await stage.admin.execute(f"revoke pg_read_all_stats from {stage.act}")
    refused = (await stage.plan(TERMINATE, identity)).refusal
    assert refused is not None
    assert f"GRANT pg_read_all_stats TO {stage.act};" in refused
    assert "pg_signal_backend" not in refused
    hits = await stage.kit().actions[TERMINATE].run(stage.target(), plan)
    assert [hit.effect for hit in hits] == [Effect.NOT_VISIBLE]
    assert hits[0].detail == f"Needed: GRANT pg_read_all_stats TO {stage.act};"
    assert await stage.is_alive(identity)


async def test_role_without_pg_signal_backend_is_refused_and_denied(stage: Stage) -> None:
    identity = await stage.identity(await stage.holder())
    plan = await stage.plan(TERMINATE, identity)
    await stage.admin.execute(f"revoke pg_signal_backend from {stage.act}")
    refused = (await stage.plan(TERMINATE, identity)).refusal
    assert refused is not None
    assert f"may not signal sessions of {stage.shop}" in refused
    assert f"GRANT pg_signal_backend TO {stage.act};" in refused
    hits = await stage.kit().actions[TERMINATE].run(stage.target(), plan)
    assert [hit.effect for hit in hits] == [Effect.DENIED]
    assert hits[0].detail  # the server's words
    assert await stage.is_alive(identity)


async def test_superusers_session_is_refused_up_front_and_denied_by_the_server(stage: Stage) -> None:
    identity = await stage.identity(await stage.holder("backup", user="postgres"))
    refused = (await stage.plan(TERMINATE, identity)).refusal
    expected = f"{identity.pid} is a session of the superuser postgres: only a superuser may signal it"
    assert refused == expected
    as_superuser = await stage.plan(TERMINATE, identity, user="postgres")
    assert as_superuser.refusal is None
    hits = await stage.kit().actions[TERMINATE].run(stage.target(), as_superuser)
    assert [hit.effect for hit in hits] == [Effect.DENIED]
    assert await stage.is_alive(identity)


async def test_several_sessions_are_summarised_and_told_one_by_one(stage: Stage) -> None:
    holders = [await stage.holder("checkout", row=1), await stage.holder("api", row=2)]
    idle = await stage.connect("api")
    identities = [await stage.identity(c) for c in (*holders, idle)]
    await holders[1].execute("rollback")
    plan = await stage.plan(TERMINATE, *identities)
    assert plan.title == "Terminate session: 2 sessions"
    assert plan.identities == (identities[0], identities[2])
    assert said(plan)["they are"] == "checkout 1 · api 1"
    assert "1 open transaction" in said(plan)["lost"]
    assert f"{said(plan)['left out']}".startswith("changed since: now api · idle")
    effects, steps = await perform(stage, plan)
    assert effects == [Effect.SENT, Effect.SENT]
    assert steps[-1].text == "all 2 sessions are gone"
    assert [await stage.is_alive(i) for i in identities] == [False, True, False]
