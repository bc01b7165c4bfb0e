"""EXPLAIN ANALYZE: executes what surely only reads, and says why it does not execute the rest."""

import contextlib
from collections.abc import AsyncIterator, Sequence

import msgspec
import psycopg
import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import TargetError
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.collectors.postgres.statement_rows import StatementId
from opsdash.collectors.target import Target
from opsdash.tui.actions.action import Effect, Hit, Plan
from opsdash.tui.actions.postgres import ANALYZE, ANALYZE_SESSION
from opsdash.tui.actions.postgres.kit import PostgresKit
from opsdash.tui.demo.servers import PostgresServer
from tests.support.sessions import Application, application
from tests.support.targets import postgres_target

ENTRY = """
select queryid, userid, dbid, toplevel from counted.pg_stat_statements
where query like %s and query not ilike 'prepare %%' and query not ilike 'explain %%'
"""


class Analyst:
    """Asks for EXPLAIN ANALYZE, as the gateway would."""

    def __init__(self, server: PostgresServer, shop: Application) -> None:
        self.server = server
        self.shop = shop
        self.kit = PostgresKit(Clock())

    @property
    def target(self) -> Target:
        return postgres_target(self.server.dsn())

    def sql(self, text: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.server.dsn(), autocommit=True) as admin:
            cursor = admin.execute(text.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    async def plan_of(self, text: str, beginning: str, typed: str = "") -> Plan:
        """The plan for a statement that was run before, with the values that a person types."""
        with contextlib.suppress(psycopg.Error):
            self.sql(text)
        found = self.sql(ENTRY, beginning + "%")
        assert found, f"no entry begins with {beginning}"
        entry = StatementId(*found[0])  # type: ignore[arg-type]
        assert ANALYZE.answered is not None
        return await self._plan(ANALYZE.name, ANALYZE.answered(entry, typed))

    async def plan_of_session(self, text: str) -> Plan:
        session = await self.shop.run(text)  # type: ignore[arg-type]
        pid = session.info.backend_pid
        ((start, query_start),) = self.sql(
            "select backend_start, query_start from pg_stat_activity where pid = %s", pid
        )
        identity = SessionIdentity(pid, start, None, query_start)  # type: ignore[arg-type]
        return await self._plan(ANALYZE_SESSION.name, identity)

    async def _plan(self, name: str, identity: msgspec.Struct) -> Plan:
        return await self.kit.actions[name].plan(self.target, [identity], may_act=True)

    async def run(self, plan: Plan) -> Hit:
        assert plan.refusal is None, plan.refusal
        (hit,) = await self.kit.actions[plan.action].run(self.target, plan)
        return hit


@pytest.fixture
async def analyst(counting: PostgresServer) -> AsyncIterator[Analyst]:
    async with application(counting) as shop:
        made = Analyst(counting, shop)
        yield made
        await made.kit.close()


def said(plan: Plan) -> str:
    return " ".join(f"{line.label} {line.text}" for line in plan.lines)


async def test_select_is_executed_with_the_values_given_and_tells_where_its_time_went(
    analyst: Analyst,
) -> None:
    plan = await analyst.plan_of(
        "select sku from items where region = 2 and sku like 'sku-1%'",
        "select sku from items where region = $1 and sku",
        '[1, "sku-39%"]',
    )
    assert plan.refusal is None
    assert plan.can_undo
    assert "READ ONLY transaction, rolled back; statement_timeout 10 s, lock_timeout 500 ms" in said(plan)
    assert "sku-39" not in said(plan)
    hit = await analyst.run(plan)
    assert hit.effect is Effect.SENT
    assert "executed once, read-only, and rolled back" in hit.detail
    expected = analyst.sql("select count(*) from items where region = 1 and sku like 'sku-39%'")[0][0]
    assert "Seq Scan on public.items" in hit.detail
    assert f", rows {expected}" in hit.detail
    assert f", {(40_000 - expected) / 1000:.1f}k thrown away, blocks " in hit.detail
    assert "sku-39" not in hit.detail
    assert "sku-39" not in str(msgspec.to_builtins(plan.identities, enc_hook=str))


async def test_statement_of_a_session_is_executed_with_its_own_literals(analyst: Analyst) -> None:
    plan = await analyst.plan_of_session("select count(*), pg_sleep(1.5) from items where sku = 'sku-5'")
    hit = await analyst.run(plan)
    assert ", rows 1" in hit.detail


REFUSED: Sequence[tuple[str, str, str]] = (
    ("update items set qty = qty where id = 5", "update items set qty = qty where", "only a SELECT"),
    ("delete from items where id = -5", "delete from items where id", "only a SELECT"),
    ("select * from items where id = 6 for update", "select * from items where id = $1 for u", "locks rows"),
    ("select * from items where id = 6 for share", "select * from items where id = $1 for s", "locks rows"),
    (
        "with gone as (delete from items where id = -6 returning id) select count(*) from gone",
        "with gone as (delete",
        "modifies data",
    ),
    ("select id into temp copied from items where id = 7", "select id into temp copied", "SELECT INTO"),
    ("select pg_cancel_backend(0) from items where id = 8", "select pg_cancel_backend", "pg_cancel_backend"),
    ("select nextval('numbers') from items where id = 9", "select nextval", "nextval"),
    ("select counts.harm from counts", "select counts.harm", "pg_try_advisory_lock"),
    ("vacuum items", "vacuum items", "only a SELECT"),
)


@pytest.mark.parametrize(("text", "beginning", "why"), REFUSED)
async def test_what_may_do_more_than_read_is_not_executed(
    analyst: Analyst, text: str, beginning: str, why: str
) -> None:
    analyst.sql("create sequence if not exists numbers")
    analyst.sql("create or replace view counts as select pg_try_advisory_lock(77) as harm")
    plan = await analyst.plan_of(text, beginning, "[1]")
    assert why in (plan.refusal or "")


async def test_wrong_number_of_values_is_said(analyst: Analyst) -> None:
    text, beginning = "select max(qty) from items where region = 0", "select max(qty) from items where region"
    for typed, why in (
        ("", "it has 1 parameter, whose values the server does not keep"),
        ("[1, 2]", "it has 1 parameter, and was given 2 values"),
        ("A-17", "expected a JSON list"),
    ):
        plan = await analyst.plan_of(text, beginning, typed)
        assert why in (plan.refusal or "")


async def test_value_is_a_value_whatever_it_says(analyst: Analyst) -> None:
    plan = await analyst.plan_of(
        "select count(*) from items where sku = 'x' and qty > 1",
        "select count(*) from items where sku = $1 and qty",
        '["\'); delete from items; --", 3]',
    )
    hit = await analyst.run(plan)
    assert hit.effect is Effect.SENT
    assert analyst.sql("select count(*) from items") == [(40000,)]


async def test_statement_that_takes_too_long_is_broken_off_and_nothing_is_left(
    counting18: PostgresServer,
) -> None:
    analyst = Analyst(counting18, Application(counting18))
    text, beginning = "select pg_sleep(0.01) from items where id = 10", "select pg_sleep($1) from items where"
    plan = await analyst.plan_of(text, beginning, "[60, 10]")
    with pytest.raises(TargetError) as caught:
        await analyst.run(plan)
    assert type(caught.value) is TargetError  # surely not done, so the outcome is "failed", not "unknown"
    assert "statement timeout: it takes longer than 10 s: broken off, and rolled back" in caught.value.reason
    running = "select count(*) from pg_stat_activity where application_name = 'opsdash' and state = 'active'"
    assert analyst.sql(running) == [(0,)]


async def test_session_that_runs_something_else_by_now_is_not_touched(analyst: Analyst) -> None:
    plan = await analyst.plan_of_session("select pg_sleep(20) from items where id = 11")
    assert plan.refusal is None
    await analyst.shop.close()
    hit = await analyst.run(plan)
    assert hit.effect is Effect.CHANGED
    assert "gone" in hit.detail
