"""What a plan on PostgreSQL sessions says and refuses, read from real servers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import psycopg
import pytest
from psycopg import sql

from opsdash.collectors.errors import ConnectionRefused
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.tui.demo.servers import PostgresServer
from tests.actions.stage import CANCEL, LIMIT_S, ROOT, TERMINATE, Stage, on_stage, said
from tests.support.waiting import wait_until_async


@pytest.fixture
async def stage(any_pg: PostgresServer) -> AsyncIterator[Stage]:
    async with on_stage(any_pg) as stage:
        yield stage


async def test_plan_says_what_is_hit_lost_freed_and_cannot_be_undone(stage: Stage) -> None:
    holder = await stage.holder()
    identity = await stage.identity(holder)
    plan = await stage.plan(TERMINATE, identity)
    lines = said(plan)
    assert plan.title == f"Terminate session {identity.pid}"
    assert plan.identities == (identity,)
    assert not plan.can_undo
    assert identity.backend_start is not None
    start = f"{identity.backend_start:%H:%M:%S.%f}"[:-3]
    assert (
        f"pg_terminate_backend({identity.pid}), only if it is still the same transaction" in lines["will run"]
    )
    assert f"backend_start {start}" in lines["will run"]
    assert lines["it is"].startswith(
        f"checkout · user {stage.shop} · database postgres · 127.0.0.1 · idle in tran"
    )
    assert "it has a transaction id: it may have written" in lines["lost"]
    assert lines["freed"] == "nobody waits behind it"
    assert lines["undo"].startswith("none;")
    assert "cannot be excluded" in lines["window"]
    assert next(iter(lines)) == "will run"


async def test_reading_transaction_is_said_to_have_written_nothing(stage: Stage) -> None:
    connection = await stage.connect()
    await connection.execute("begin")
    await connection.execute("select 1")
    plan = await stage.plan(TERMINATE, await stage.identity(connection))
    assert "it has written nothing" in said(plan)["lost"]


async def test_waiters_that_also_wait_for_another_root_are_not_promised_to_be_freed(stage: Stage) -> None:
    first, second = await stage.holder("one", row=1), await stage.holder("two", row=2)
    holds_and_waits = await stage.connect("between")
    await holds_and_waits.execute("begin")
    query = f"lock table {stage.table} in share row exclusive mode"
    task = asyncio.create_task(holds_and_waits.execute(query.encode()))
    await stage.waits(holds_and_waits.info.backend_pid)
    plan = await stage.plan(TERMINATE, await stage.identity(first))
    freed = next(line for line in plan.lines if line.label == "freed")
    assert freed.is_warning
    assert f"also wait for {second.info.backend_pid} (two · idle in transaction" in freed.text
    task.cancel()
    with suppress(asyncio.CancelledError, psycopg.Error):
        await task


async def test_cancel_of_idle_in_transaction_is_refused_and_terminate_suggested(stage: Stage) -> None:
    plan = await stage.plan(CANCEL, await stage.identity(await stage.holder()))
    expected = "nothing is running (idle in transaction): cancel would have no effect; terminate instead"
    assert plan.refusal == expected


async def test_transaction_that_changed_before_the_plan_is_refused_with_what_it_is_now(stage: Stage) -> None:
    holder = await stage.holder()
    identity = await stage.identity(holder)
    await holder.execute("rollback")
    refusal = (await stage.plan(TERMINATE, identity)).refusal
    assert refusal is not None
    assert refusal.startswith("changed since: now checkout · idle ")


async def test_root_blocker_that_waits_itself_is_refused_and_the_new_root_named(stage: Stage) -> None:
    root = await stage.holder("root", row=2)
    middle = await stage.holder("middle", row=1)
    await stage.waiter(row=1)
    task = asyncio.create_task(middle.execute(f"update {stage.table} set qty = 0 where id = 2".encode()))
    await stage.waits(middle.info.backend_pid)
    plan = await stage.plan(ROOT, await stage.identity(middle))
    assert plan.refusal is not None
    assert f"{middle.info.backend_pid} waits itself now" in plan.refusal
    assert f"root blocker is {root.info.backend_pid} (root · idle in transaction " in plan.refusal
    await root.close()
    await task


async def test_role_without_any_grant_is_told_both(stage: Stage) -> None:
    identity = await stage.identity(await stage.holder())
    await stage.admin.execute(f"revoke pg_read_all_stats, pg_signal_backend from {stage.act}")
    refused = (await stage.plan(TERMINATE, identity)).refusal
    assert refused is not None
    wanted = f"GRANT pg_signal_backend TO {stage.act}; GRANT pg_read_all_stats TO {stage.act};"
    assert wanted in refused


async def test_role_may_signal_sessions_of_its_own_without_grants(stage: Stage) -> None:
    identity = await stage.identity(await stage.holder())
    plan = await stage.plan(TERMINATE, identity, user=stage.shop)
    assert plan.refusal is None


async def test_server_processes_and_opsdash_itself_are_refused(stage: Stage) -> None:
    query = "select pid, backend_start from pg_stat_activity where backend_type = 'autovacuum launcher'"
    launcher = SessionIdentity(*(await stage.rows(query))[0])
    refused = (await stage.plan(TERMINATE, launcher)).refusal
    assert refused is not None
    assert "not a client's session but: autovacuum launcher" in refused
    ourselves = await stage.identity(await stage.connect("opsdash"))
    assert (await stage.plan(TERMINATE, ourselves)).refusal == f"{ourselves.pid} is opsdash itself"


async def test_plan_without_permission_to_act_is_read_with_the_monitoring_role(stage: Stage) -> None:
    identity = await stage.identity(await stage.holder())
    kit = stage.kit()
    nobody_listens = "host=127.0.0.1 port=1 user=x dbname=x"
    target = stage.target(act_dsn=nobody_listens)
    plan = await kit.actions[TERMINATE].plan(target, [identity], may_act=False)
    assert plan.refusal is None
    assert "not known" in said(plan)
    query = "select 1 from pg_stat_activity where usename = %s"

    async def is_closed() -> bool:
        return not await stage.rows(query, stage.act)

    await wait_until_async(is_closed, LIMIT_S, "the short-lived connection is closed")
    with pytest.raises(ConnectionRefused):
        await kit.actions[TERMINATE].plan(target, [identity], may_act=True)


async def test_hostile_text_is_harmless_and_literals_are_masked_in_a_plan(stage: Stage) -> None:
    evil = "evil \x1b]52;c;aGk=\x07\u202e [/red] " + stage.table
    names = sql.Identifier(stage.shop), sql.Identifier(evil)
    await stage.admin.execute(sql.SQL("alter role {} rename to {}").format(*names))
    stage.roles.append(evil)
    connection = await stage.connect(user=evil)
    await connection.execute("begin")
    await connection.execute("select '\x1b[2J', 'hunter2'")
    plan = await stage.plan(TERMINATE, await stage.identity(connection))
    assert said(plan)["ran last"] == "select ?, ?"
    assert "user evil \u241b]52;c;aGk=\u2407\ufffd [/red]" in said(plan)["it is"]
    assert all(char.isprintable() for line in plan.lines for char in line.text)
