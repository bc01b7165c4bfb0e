"""Plans of statements: never executed, whatever their text says."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from opsdash.collectors.errors import TargetError
from opsdash.collectors.postgres.drill import drill
from opsdash.collectors.postgres.explain import explain, planned
from opsdash.collectors.postgres.explain_rows import Explained
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.collectors.postgres.statement_rows import StatementId
from opsdash.tui.demo.servers import PostgresServer
from tests.support.sessions import Application, application
from tests.support.targets import postgres_target

ENTRY = """
select queryid, userid, dbid, toplevel from counted.pg_stat_statements
where query like %s and query not like '%%pg_stat_statements%%' and query not ilike 'prepare %%' limit 1
"""


@pytest.fixture
async def shop(counting: PostgresServer) -> AsyncIterator[Application]:
    async with application(counting) as opened:
        yield opened


def sql(server: PostgresServer, text: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        cursor = admin.execute(text.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


def entry(server: PostgresServer, pattern: str) -> StatementId:
    ((queryid, userid, dbid, toplevel),) = sql(server, ENTRY, pattern)
    return StatementId(queryid, userid, dbid, toplevel)  # type: ignore[arg-type]


async def of_text(server: PostgresServer, text: str) -> Explained:
    """The plan of any text, as if the server had told it."""
    target = postgres_target(server.dsn())
    async with drill(target) as connection:
        return await planned(connection, target, text)


async def refusal(server: PostgresServer, text: str) -> str:
    with pytest.raises(TargetError) as caught:
        await of_text(server, text)
    return caught.value.reason


async def test_statement_is_planned_without_its_values(
    counting: PostgresServer,
) -> None:
    sql(counting, "select sku from items where sku = 'sku-77' and region = 2 limit 1")
    found = await explain(
        postgres_target(counting.dsn()), entry(counting, "select sku from items where sku%limit%")
    )
    assert found.why_not is None
    assert found.sql == "select sku from items where sku = $1 and region = $2 limit $3"
    assert found.parameters == 3
    assert found.plan is not None
    scan = found.plan.costliest
    assert (scan.kind, scan.relation, scan.schema) == ("Seq Scan", "items", "public")
    assert scan.share > 0.9
    assert scan.condition("Filter") == "((items.sku = $1) AND (items.region = $2))"
    (hint,) = found.hints
    assert "no index begins with sku" in hint.text
    assert "CREATE INDEX CONCURRENTLY ON public.items (sku)" in hint.text
    assert hint.is_sure


async def test_type_of_a_column_tells_which_cast_an_index_serves(counting: PostgresServer) -> None:
    (computed,) = (await of_text(counting, "select sku from items where region::numeric = $1")).hints
    assert "compares region (integer) as numeric" in computed.text
    (served,) = (await of_text(counting, "select sku from items where sku::text = $1")).hints
    assert "ON public.items (sku)" in served.text


async def test_table_that_is_read_whole_for_its_first_rows_gets_a_hint(counting: PostgresServer) -> None:
    (hint,) = (await of_text(counting, "select * from items order by qty desc limit 3")).hints
    assert "is read whole and sorted for its first 3 rows" in hint.text
    assert hint.text.endswith("ON public.items (qty DESC)")


async def test_partitions_are_named_after_their_table(counting: PostgresServer) -> None:
    sql(
        counting,
        "create table if not exists visits (id int, day int) partition by range (day);"
        "create table if not exists visits_1 partition of visits for values from (0) to (9);"
        "create table if not exists visits_2 partition of visits for values from (9) to (99);"
        "insert into visits select g, g % 20 from generate_series(1, 30000) g; analyze visits",
    )
    (hint,) = (await of_text(counting, "select * from visits where id = $1")).hints
    assert "Seq Scan on 2 partitions of visits (" in hint.text
    assert "then CREATE INDEX ON public.visits (id)" in hint.text


async def test_running_statement_is_planned_with_its_literals_masked(
    counting: PostgresServer, shop: Application
) -> None:
    session = await shop.run("select pg_sleep(60) from items where sku <> 'hunter2'")
    ((start, query_start),) = sql(
        counting,
        "select backend_start, query_start from pg_stat_activity where pid = %s",
        session.info.backend_pid,
    )
    identity = SessionIdentity(session.info.backend_pid, start, None, query_start)  # type: ignore[arg-type]
    found = await explain(postgres_target(counting.dsn()), identity)
    assert found.plan is not None
    assert found.plan.costliest.condition("Filter") == "(items.sku <> ?::text)"
    assert "hunter2" not in repr(found)


HOSTILE = [
    "delete from items; delete from items",
    "select 1; delete from items",
    "select 1; commit; delete from items",
    "select 1 /* ; */ ; /* nothing */ delete from items -- ;",
    "select 1 -- harmless\n; delete from items",
    "explain analyze delete from items",
    "explain (analyze) delete from items",
    "analyze delete from items",
    "(analyze) delete from items",
    "execute opsdash_plan",
    "prepare x as delete from items",
    "vacuum items",
    "truncate items",
    "commit",
    "rollback; delete from items",
    "set transaction read write",
    "copy items to program 'touch /tmp/opsdash-was-here'",
    "do $$ begin delete from items; end $$",
    "call anything()",
    "declare c cursor for select 1",
    "create index on items (sku)",
    "",
    "-- only a comment",
    "/* never closed",
    "select 'never closed",
    "select $$never closed",
    "select interval $1",
    "selec 1",
    "\x01\x02",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_refused_and_nothing_happens(counting: PostgresServer, text: str) -> None:
    before = sql(counting, "select count(*), (select pg_postmaster_start_time()) from items")
    assert await refusal(counting, text)
    assert sql(counting, "select count(*), (select pg_postmaster_start_time()) from items") == before


@pytest.mark.parametrize(
    "text",
    [
        "delete from items where sku = $1",
        "update items set qty = qty - $1 where id = $2 returning qty",
        "insert into items values ($1, $2, $3, $4) on conflict (id) do update set qty = excluded.qty",
        "with gone as (delete from items returning *) select count(*) from gone",
        "select * into copied from items",
        "select * from items where id = $1 for update",
        "select pg_terminate_backend(pid) from pg_stat_activity",
        "delete from items;",
    ],
)
async def test_statements_that_write_are_planned_and_do_nothing(counting: PostgresServer, text: str) -> None:
    found = await of_text(counting, text)
    assert found.plan is not None
    assert sql(counting, "select count(*), sum(qty) from items") == [(40000, 119997)]
    assert sql(counting, "select to_regclass('copied')") == [(None,)]


async def test_second_statement_is_refused_by_the_protocol_itself(counting: PostgresServer) -> None:
    for text in ("select 1; delete from items", "select 1; commit; delete from items"):
        assert "cannot insert multiple commands into a prepared statement" in await refusal(counting, text)


async def test_function_that_planning_calls_cannot_write(counting: PostgresServer) -> None:
    sql(
        counting,
        "create or replace function deletes() returns int language plpgsql volatile as "
        "$$ begin delete from items; return 1; end $$; "
        "create or replace function lies() returns int language plpgsql immutable as "
        "$$ begin return deletes(); end $$",
    )
    reason = await refusal(counting, "select * from items where id = lies()")
    assert "read-only" in reason
    assert sql(counting, "select count(*) from items") == [(40000,)]


async def test_planning_that_waits_for_a_lock_gives_up_soon_and_says_why(
    counting: PostgresServer, shop: Application
) -> None:
    holder = await shop.hold("lock table items in access exclusive mode")
    reason = await refusal(counting, "select * from items")
    assert "lock timeout" in reason
    assert "somebody holds a lock" in reason
    await holder.rollback()


async def test_partitions_are_all_in_a_plan_that_knows_no_values(counting: PostgresServer) -> None:
    found = await of_text(counting, "select * from stock where day = $1")
    assert found.plan is not None
    assert {n.relation for n in found.plan.nodes()} >= {"stock_2025", "stock_2026"}


async def test_value_that_does_not_fit_is_not_shown_in_the_reason(counting: PostgresServer) -> None:
    reason = await refusal(counting, "select * from items where id = 'hunter2'")
    assert "invalid input syntax for type integer" in reason
    assert "hunter2" not in reason


async def test_text_that_the_server_cut_off_is_not_sent(counting: PostgresServer, shop: Application) -> None:
    long = "select pg_sleep(60) -- " + "x" * 3000
    session = await shop.run(long)  # type: ignore[arg-type]
    ((start, query_start),) = sql(
        counting,
        "select backend_start, query_start from pg_stat_activity where pid = %s",
        session.info.backend_pid,
    )
    identity = SessionIdentity(session.info.backend_pid, start, None, query_start)  # type: ignore[arg-type]
    found = await explain(postgres_target(counting.dsn()), identity)
    assert found.plan is None
    assert "track_activity_query_size" in (found.why_not or "")


async def test_role_that_may_not_read_the_table_is_told_what_it_needs(counting: PostgresServer) -> None:
    sql(counting, "create role watcher login in role pg_monitor")
    try:
        sql(counting, "grant usage on schema counted to watcher")
        sql(counting, "select max(qty) from items where region = 1")
        statement = entry(counting, "select max(qty) from items%")
        found = await explain(postgres_target(counting.dsn("watcher")), statement)
        assert found.plan is None
        assert "permission denied for table items" in (found.why_not or "")
        assert "pg_read_all_data" in (found.why_not or "")
    finally:
        sql(counting, "revoke usage on schema counted from watcher; drop role watcher")


async def test_statement_of_another_database_is_planned_there(counting: PostgresServer) -> None:
    if not sql(counting, "select from pg_database where datname = 'other'"):
        sql(counting, "create database other")
    with psycopg.connect(counting.dsn(dbname="other"), autocommit=True) as elsewhere:
        elsewhere.execute("create table if not exists only_here (id int)")
        elsewhere.execute("select id from only_here where id = 4")
    found = await explain(postgres_target(counting.dsn()), entry(counting, "select id from only_here%"))
    assert found.why_not is None
    assert found.database == "other"


async def test_type_that_was_lost_with_its_literal_is_said_to_be(counting: PostgresServer) -> None:
    sql(counting, "select count(*) from stock where day > current_date - 3")
    found = await explain(
        postgres_target(counting.dsn()), entry(counting, "select count(*) from stock where day > %")
    )
    assert found.plan is None
    assert "what type those had is lost" in (found.why_not or "")
    assert "a session that runs it still has them" in (found.why_not or "")


async def test_table_that_another_search_path_finds_is_said_to_be(counting: PostgresServer) -> None:
    with psycopg.connect(counting.dsn(), autocommit=True) as client:
        client.execute("create schema if not exists aside; create table if not exists aside.hidden (id int)")
        client.execute("set search_path = aside, counted")
        client.execute("select id from hidden where id = 4")
    found = await explain(
        postgres_target(counting.dsn()), entry(counting, "select id from hidden where id =%")
    )
    assert 'relation "hidden" does not exist' in (found.why_not or "")
    assert "search_path of opsdash's role" in (found.why_not or "")


async def test_entry_that_is_gone_is_said_to_be(counting: PostgresServer) -> None:
    found = await explain(postgres_target(counting.dsn()), StatementId(1, 10, 5))
    assert (found.sql, found.plan) == (None, None)
    assert "gone" in (found.why_not or "")


async def test_nothing_is_left_on_the_server(counting: PostgresServer) -> None:
    await of_text(counting, "select 1")
    assert sql(counting, "select count(*) from pg_stat_activity where application_name = 'opsdash'") == [(0,)]
