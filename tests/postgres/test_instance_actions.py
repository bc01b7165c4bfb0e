"""Actions on a whole server: the slow-statement log and the counters; the server is asked afterwards."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import msgspec
import psycopg
import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres.rows import InstanceIdentity
from opsdash.tui.actions.action import Effect, Hit, Plan, Step
from opsdash.tui.actions.postgres import LOG_SLOW, RESET_STATEMENTS, RESTORE_LOG_SLOW
from opsdash.tui.actions.postgres.kit import PostgresKit
from opsdash.tui.demo.servers import PostgresServer
from tests.support.targets import postgres_target

SETTING = "select setting from pg_settings where name = 'log_min_duration_statement'"
AUTO_CONF = """
select setting from pg_file_settings
where sourcefile like '%auto.conf' and name = 'log_min_duration_statement'
"""


class Bench:
    """One server of the test's own, and the actions on it."""

    def __init__(self, server: PostgresServer, user: str = "postgres") -> None:
        self.server = server
        self.target = postgres_target(server.dsn(user))
        self.kit = PostgresKit(Clock())

    def sql(self, text: str) -> Any:
        with psycopg.connect(self.server.dsn(), autocommit=True) as admin:
            cursor = admin.execute(text.encode())
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def identity(self, value: str | None = None) -> InstanceIdentity:
        return InstanceIdentity(self.sql("select pg_postmaster_start_time()"), value)

    async def plan(self, name: str, value: str | None = None, **changed: Any) -> Plan:
        identity = msgspec.structs.replace(self.identity(value), **changed)
        return await self.kit.actions[name].plan(self.target, [identity], may_act=True)

    async def perform(self, plan: Plan) -> tuple[Hit, Step]:
        assert plan.refusal is None, plan.refusal
        action = self.kit.actions[plan.action]
        (hit,) = hits = await action.run(self.target, plan)
        steps = [step async for step in action.verify(self.target, plan, hits)]
        assert steps[-1].is_final
        return hit, steps[-1]


@pytest.fixture(params=[18, 15])
async def bench(
    request: pytest.FixtureRequest, start_postgres: Callable[..., PostgresServer]
) -> AsyncIterator[Bench]:
    server = start_postgres(major=request.param, options={"shared_preload_libraries": "pg_stat_statements"})
    made = Bench(server)
    yield made
    await made.kit.close()


def said(plan: Plan) -> str:
    return " ".join(f"{line.label} {line.text}" for line in plan.lines)


async def test_slow_log_is_set_followed_and_restored_by_reset_where_it_was_not_set(bench: Bench) -> None:
    plan = await bench.plan(LOG_SLOW.name, "250")
    assert plan.title == "Set log_min_duration_statement to 250 ms"
    assert plan.can_undo
    assert "now log_min_duration_statement is -1 (off), from: default" in said(plan)
    assert "undo ALTER SYSTEM RESET log_min_duration_statement" in said(plan)
    hit, step = await bench.perform(plan)
    assert hit.effect is Effect.SENT
    assert (step.is_ok, step.text) == (True, "log_min_duration_statement is 250 ms")
    assert bench.sql(SETTING) == "250"

    await bench.perform(await bench.plan(LOG_SLOW.name, "0"))
    assert bench.sql(SETTING) == "0"
    restore = await bench.plan(RESTORE_LOG_SLOW.name)
    assert restore.title == "Reset log_min_duration_statement"
    assert "undo set it to 0 again" in said(restore)
    _, step = await bench.perform(restore)
    assert step.text == "log_min_duration_statement is -1 (off)"
    assert bench.sql(AUTO_CONF) is None
    assert "has not changed" in ((await bench.plan(RESTORE_LOG_SLOW.name)).refusal or "")


async def test_slow_log_that_was_set_before_is_restored_to_that(bench: Bench) -> None:
    bench.sql("alter system set log_min_duration_statement = 5000")
    bench.sql("select pg_reload_conf()")
    plan = await bench.plan(LOG_SLOW.name, "100")
    await bench.perform(plan)
    await bench.perform(await bench.plan(RESTORE_LOG_SLOW.name))
    assert bench.sql(AUTO_CONF) == "5000"


async def test_former_value_is_restored_by_a_role_that_may_not_see_where_it_comes_from(bench: Bench) -> None:
    bench.sql("alter system set log_min_duration_statement = 5000")
    bench.sql("select pg_reload_conf()")
    bench.sql("create role act login")
    bench.sql("grant alter system on parameter log_min_duration_statement to act")
    bench.sql("grant execute on function pg_reload_conf() to act")
    acting = Bench(bench.server, "act")
    try:
        plan = await acting.plan(LOG_SLOW.name, "100")
        assert "undo ALTER SYSTEM SET log_min_duration_statement = 5000" in said(plan)
        assert "may not see whether ALTER SYSTEM has set it (pg_read_all_settings)" in said(plan)
        await acting.perform(plan)
        await acting.perform(await acting.plan(RESTORE_LOG_SLOW.name))
        assert bench.sql(AUTO_CONF) == "5000"
    finally:
        await acting.kit.close()


async def test_restored_value_is_told_only_when_the_server_has_read_it(bench: Bench) -> None:
    await bench.perform(await bench.plan(LOG_SLOW.name, "250"))
    restore = await bench.plan(RESTORE_LOG_SLOW.name)
    action = bench.kit.actions[RESTORE_LOG_SLOW.name]
    os.kill(bench.server.pid, signal.SIGSTOP)  # nobody tells the sessions to read the settings again
    try:
        hits = await action.run(bench.target, restore)
        following = action.verify(bench.target, restore, hits)
        step = asyncio.ensure_future(anext(following))
        done, _ = await asyncio.wait({step}, timeout=0.5)
        assert not done
    finally:
        os.kill(bench.server.pid, signal.SIGCONT)
    assert (await step).text == "log_min_duration_statement is -1 (off)"


async def test_what_is_no_value_is_refused(bench: Bench) -> None:
    for typed in ("", "soon", "-2", "1e3", "1; drop table x", "99999999999"):
        plan = await bench.plan(LOG_SLOW.name, typed)
        assert "expected whole milliseconds" in (plan.refusal or "")


async def test_role_without_the_right_is_told_which_one_and_may_with_it(bench: Bench) -> None:
    bench.sql("create role act login")
    bench.sql("create extension pg_stat_statements")
    acting = Bench(bench.server, "act")
    try:
        plan = await acting.plan(LOG_SLOW.name, "250")
        assert "GRANT ALTER SYSTEM ON PARAMETER log_min_duration_statement TO act;" in (plan.refusal or "")
        assert "GRANT EXECUTE ON FUNCTION pg_reload_conf() TO act;" in (plan.refusal or "")
        bench.sql("grant alter system on parameter log_min_duration_statement to act")
        bench.sql("grant execute on function pg_reload_conf() to act")
        _, step = await acting.perform(await acting.plan(LOG_SLOW.name, "250"))
        assert step.is_ok
        assert bench.sql(SETTING) == "250"
        plan = await acting.plan(RESET_STATEMENTS.name)
        assert "GRANT EXECUTE ON FUNCTION public.pg_stat_statements_reset TO act" in (plan.refusal or "")
    finally:
        await acting.kit.close()


async def test_counters_are_reset_and_what_is_lost_is_named(bench: Bench) -> None:
    refusal = (await bench.plan(RESET_STATEMENTS.name)).refusal or ""
    assert "pg_stat_statements is not in the database" in refusal
    bench.sql("create extension pg_stat_statements")
    before = bench.sql("select stats_reset from pg_stat_statements_info")
    plan = await bench.plan(RESET_STATEMENTS.name)
    assert not plan.can_undo
    assert "lost the counters of" in said(plan)
    hit, step = await bench.perform(plan)
    assert hit.effect is Effect.SENT
    assert step.is_ok
    assert bench.sql("select stats_reset from pg_stat_statements_info") > before


async def test_server_that_was_restarted_since_is_not_touched(bench: Bench) -> None:
    bench.sql("create extension pg_stat_statements")
    earlier = bench.identity().started_at - timedelta(hours=1)
    for name, value in ((LOG_SLOW.name, "250"), (RESET_STATEMENTS.name, None)):
        plan = await bench.plan(name, value, started_at=earlier)
        assert "restarted" in (plan.refusal or "")
        (hit,) = await bench.kit.actions[name].run(bench.target, plan)
        assert hit.effect is Effect.CHANGED
    assert bench.sql(SETTING) == "-1"
