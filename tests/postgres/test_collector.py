"""What a reading says, judged against what was done to a real server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import msgspec
import psycopg
import pytest
from psycopg import sql

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import (
    ConnectionLost,
    PermissionDenied,
    ShuttingDown,
    TargetError,
    TimedOut,
    TooManyClients,
)
from opsdash.collectors.feed import Feed
from opsdash.collectors.postgres.client import Purpose, connect
from opsdash.collectors.postgres.collector import PostgresCollector
from opsdash.collectors.postgres.rows import PostgresData, SessionRow
from opsdash.collectors.supervisor import Supervisor
from opsdash.tui.demo.servers import PostgresServer
from tests.support.sessions import Application, Session, application
from tests.support.targets import postgres_target
from tests.support.waiting import wait_until_async


@pytest.fixture
async def shop(any_pg: PostgresServer) -> AsyncIterator[Application]:
    async with application(any_pg) as opened:
        yield opened


@pytest.fixture
async def collector(any_pg: PostgresServer) -> AsyncIterator[PostgresCollector]:
    opened = PostgresCollector(postgres_target(any_pg.dsn()), Clock())
    yield opened
    await opened.close()


def row(data: PostgresData, session: Session) -> SessionRow:
    found = data.session(session.info.backend_pid)
    assert found is not None
    return found


async def test_sessions_are_told_in_the_servers_words(
    shop: Application, collector: PostgresCollector
) -> None:
    await shop.ask("create table if not exists stock (id int)")
    idle = await shop.session(application_name="pool")
    await idle.execute("select 'idle secret'")
    holder = await shop.hold("insert into stock values (4711)")
    busy = await shop.run("select pg_sleep(60), 'hunter2x' -- for bob")
    aborted = await shop.session(autocommit=False)
    with pytest.raises(psycopg.errors.DivisionByZero):
        await aborted.execute("select 1/0")
    data = await collector.collect()

    assert (row(data, idle).state, row(data, idle).query) == ("idle", None)
    assert row(data, idle).application_name == "pool"
    held = row(data, holder)
    assert held.is_idle_in_transaction
    assert held.query == "insert into stock values (?)"
    assert held.backend_xid is not None
    assert (held.database, held.user, held.client_addr) == ("postgres", "postgres", "127.0.0.1")
    assert held.identity.xact_start is not None
    assert (row(data, busy).state, row(data, busy).wait_event) == ("active", "PgSleep")
    assert row(data, busy).query == "select pg_sleep(?), ?"
    assert row(data, busy).backend_xid is None
    assert row(data, aborted).state == "idle in transaction (aborted)"
    assert timedelta(0) <= data.server_now - (row(data, busy).query_start or data.server_now) < timedelta(60)
    assert "checkpointer" in {s.backend_type for s in data.sessions}
    assert data.limits == ()
    assert data.waits == ()
    await aborted.rollback()
    await holder.rollback()
    await shop.ask("drop table stock")


async def test_what_matters_most_is_there_first_and_the_rest_at_once_after(any_pg: PostgresServer) -> None:
    target = msgspec.structs.replace(postgres_target(any_pg.dsn()), interval_s=3600.0)
    clock, feed = Clock(), Feed([target])
    seen: list[PostgresData] = []
    feed.on_change(lambda changed: seen.append(feed.view(changed).data))
    supervisor = Supervisor([PostgresCollector(target, clock)], feed, clock)
    supervisor.start()
    try:
        await wait_until_async(lambda: len(seen) == 2, 30, "two readings")
    finally:
        await supervisor.stop()
    glance, whole = seen
    assert glance.sessions
    assert (glance.statements, glance.replication) == (None, None)
    assert whole.sessions
    assert None not in (whole.statements, whole.replication)
    assert whole.total.span_s is None  # over a moment a rate says nothing


async def test_reading_knows_which_server_it_is(any_pg: PostgresServer, collector: PostgresCollector) -> None:
    data = await collector.collect()
    assert data.version.split(".")[0] == str(any_pg.major)
    assert data.version_num // 10000 == any_pg.major
    assert (data.role, data.database, data.is_in_recovery) == ("postgres", "postgres", False)
    assert 0 < data.roundtrip_s < 5
    assert data.started_at is not None
    assert data.started_at < data.server_now


async def test_connections_are_counted_against_what_an_ordinary_role_can_use(
    start_postgres: Callable[..., PostgresServer],
) -> None:
    for major, options, reserved in (
        (18, {"superuser_reserved_connections": 4, "reserved_connections": 5}, 9),
        (15, {"superuser_reserved_connections": 4}, 4),
    ):
        server = start_postgres(major=major, options={"max_connections": 20, **options})
        collector = PostgresCollector(postgres_target(server.dsn()), Clock())
        async with application(server) as shop:
            for _ in range(3):
                await shop.session(application_name="pool")
            await shop.hold("select 1", application_name="checkout")
            counted = (await collector.collect()).connections
        await collector.close()
        assert (counted.max_connections, counted.reserved, counted.usable) == (20, reserved, 20 - reserved)
        assert counted.used == 5  # and no background process
        assert counted.by_application == (("pool", 3), ("checkout", 1), ("opsdash", 1))
        assert counted.by_state == (("idle", 3), ("active", 1), ("idle in transaction", 1))
        assert counted.by_user == (("postgres", 5),)
        assert counted.by_database == (("postgres", 5),)


async def test_own_sessions_are_not_shown_but_whoever_calls_itself_opsdash_is(
    any_pg: PostgresServer, shop: Application, collector: PostgresCollector
) -> None:
    stranger = await shop.hold("select 1", application_name="opsdash")
    async with await connect(collector.target, Purpose.ACT):
        data = await collector.collect()
    assert [s.pid for s in data.sessions if s.application_name == "opsdash"] == [stranger.info.backend_pid]


async def test_rates_are_over_the_time_between_two_readings(
    start_postgres: Callable[..., PostgresServer],
) -> None:
    server = start_postgres(major=18, options={"autovacuum": "off"})
    collector = PostgresCollector(postgres_target(server.dsn()), Clock())
    async with application(server) as shop:
        await shop.ask("create database shop")
        first = await collector.collect()
        assert first.total.transactions_per_s is None
        assert first.total.span_s is None
        session = await shop.session(dbname="shop")
        await session.execute("create table t (x int)")
        for _ in range(50):
            await session.execute("insert into t values (1)")
        await session.close()  # a backend reports its counters when it goes
        written = "select tup_inserted >= 50 from pg_stat_database where datname = 'shop'"
        await wait_until_async(lambda: shop.ask(written), 30, "the server has counted")
        data = await collector.collect()
        rates = {r.name: r for r in data.databases}
        assert rates["shop"].span_s is not None
        assert round((rates["shop"].rows_written_per_s or 0) * rates["shop"].span_s) >= 50
        assert round((rates["shop"].commits_per_s or 0) * rates["shop"].span_s) >= 51
        assert rates["shop"].rollbacks_per_s is not None
        assert rates["shop"].deadlocks == 0
        assert (data.total.commits_per_s or 0) >= (rates["shop"].commits_per_s or 0)

        await shop.ask("select pg_stat_reset()")
        reset = {r.name: r for r in (await collector.collect()).databases}
        assert reset["postgres"].commits_per_s is None
        assert reset["shop"].commits_per_s is not None
    server.restart()
    with pytest.raises(TargetError):
        await collector.collect()
    again = await collector.collect()
    assert again.total.transactions_per_s is None
    assert (again.started_at or first.server_now) > first.server_now
    await collector.close()


async def test_session_of_a_database_in_another_encoding_does_not_fail_the_reading(
    any_pg: PostgresServer, shop: Application, collector: PostgresCollector
) -> None:
    await shop.ask("create database latin encoding 'LATIN1' locale 'C' template template0")
    try:
        # the server hands on these bytes as they are; in UTF-8 they are invalid, most of all at the end
        busy = await shop.run("select pg_sleep(60) as été -- é", dbname="latin", client_encoding="latin1")
        data = await collector.collect()
        assert row(data, busy).query == "select pg_sleep(?) as �t�"
    finally:
        await shop.close()
        await shop.ask("drop database latin")


async def test_hostile_text_is_harmless(shop: Application, collector: PostgresCollector) -> None:
    await shop.ask('create role "r\x1b[2J\u202e\nx" login superuser')
    try:
        session = await shop.run(
            'select pg_sleep(60) as "\x1b]52;c;aGk=\x07 [red]\u202e\u200b"', user="'r\x1b[2J\u202e\nx'"
        )
        seen = row(await collector.collect(), session)
        assert seen.user == "r␛[2J� x"
        assert seen.query == 'select pg_sleep(?) as "␛]52;c;aGk=␇ [red]��"'
    finally:
        await shop.close()
        await shop.ask('drop role "r\x1b[2J\u202e\nx"')


async def test_long_statement_is_cut_and_its_cut_literal_masked(
    shop: Application, collector: PostgresCollector
) -> None:
    busy = await shop.run(f"select pg_sleep(60), '{'é' * 2000}'")
    assert row(await collector.collect(), busy).query == "select pg_sleep(?), ?"


async def test_prepared_transaction_that_holds_a_lock_is_pid_zero(
    start_postgres: Callable[..., PostgresServer],
) -> None:
    for major in (18, 15):
        server = start_postgres(major=major, options={"max_prepared_transactions": 4})
        collector = PostgresCollector(postgres_target(server.dsn()), Clock())
        async with application(server) as shop:
            await shop.ask("create table stock (id int, qty int); insert into stock values (1, 1), (2, 1)")
            for gid, sku in (("checkout-7\x1b", 1), ("quiet", 2)):
                preparing = await shop.session(autocommit=False)
                await preparing.execute("update stock set qty = 2 where id = %s", (sku,))
                await preparing.execute(sql.SQL("prepare transaction {}").format(gid))
                await preparing.close()
            assert all(not p.is_holding for p in (await collector.collect()).prepared)
            waiter = await shop.wait("update stock set qty = 3 where id = 1")
            data = await collector.collect()
            (wait,) = data.waits
            assert (wait.pid, wait.holders) == (waiter.info.backend_pid, (0,))
            by_gid = {p.gid: p for p in data.prepared}
            assert {gid: p.is_holding for gid, p in by_gid.items()} == {"checkout-7␛": True, "quiet": False}
            holding = by_gid["checkout-7␛"]
            assert (holding.owner, holding.database) == ("postgres", "postgres")
            assert wait.detail == f"transaction {holding.transaction}"
        await collector.close()


async def test_hot_standby_is_read_and_told_as_one(start_postgres: Callable[..., PostgresServer]) -> None:
    for major in (18, 15):
        server = start_postgres(major=major)
        server.stop()
        (server.data_dir / "standby.signal").touch()
        server.start()
        await asyncio.to_thread(server.wait_ready)
        collector = PostgresCollector(postgres_target(server.dsn()), Clock())
        async with application(server) as shop:
            await collector.collect()
            holder = await shop.hold("select pg_advisory_xact_lock(1)")
            waiter = await shop.wait("select pg_advisory_lock(1)")
            data = await collector.collect()
            assert data.is_in_recovery
            assert data.total.conflicts == 0
            (wait,) = data.waits
            assert (wait.pid, wait.holders) == (waiter.info.backend_pid, (holder.info.backend_pid,))
            # promoted while we watch: told in the next reading, on the same connection
            await shop.ask("select pg_promote()")
            assert not (await collector.collect()).is_in_recovery
        await collector.close()


async def test_full_server_is_read_on_through_the_open_connection(
    start_postgres: Callable[..., PostgresServer],
) -> None:
    server = start_postgres(major=18, options={"max_connections": 8, "superuser_reserved_connections": 3})
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("create role opsdash login in role pg_monitor")
        admin.execute("create role shop login")
    target = postgres_target(server.dsn("opsdash"))
    collector, late = (PostgresCollector(target, Clock()) for _ in range(2))
    async with application(server) as shop:
        await collector.collect()
        for _ in range(4):
            await shop.session(user="shop")
        with pytest.raises(TooManyClients) as full:
            await late.collect()
        assert "pg_use_reserved_connections" in (full.value.hint or "")
        counted = (await collector.collect()).connections
        assert (counted.used, counted.usable) == (5, 5)
        assert counted.used_ratio == 1.0

        # a statement that fails is no reason to give that place up
        monitor = "select pid from pg_stat_activity where usename = 'opsdash'"
        pid = await shop.ask(monitor)
        await shop.ask("revoke execute on function pg_is_in_recovery() from public")
        with pytest.raises(PermissionDenied):
            await collector.collect()
        await shop.ask("grant execute on function pg_is_in_recovery() to public")
        await collector.collect()
        assert await shop.ask(monitor) == pid
    await collector.close()
    await late.close()


async def test_collector_connects_anew_after_its_session_was_terminated(
    shop: Application, collector: PostgresCollector
) -> None:
    await collector.collect()
    monitor = "select pid from pg_stat_activity where application_name = 'opsdash'"
    pid = await shop.ask(monitor)
    await shop.ask("select pg_terminate_backend(%s, 30000)", pid)
    with pytest.raises((ConnectionLost, ShuttingDown)):
        await collector.collect()
    await collector.collect()
    assert await shop.ask(monitor) not in (None, pid)


async def test_abort_between_two_readings_costs_none_of_them(
    shop: Application, collector: PostgresCollector
) -> None:
    await collector.collect()
    collector.abort()
    await collector.collect()
    count = "select count(*) = 1 from pg_stat_activity where application_name = 'opsdash'"
    await wait_until_async(lambda: shop.ask(count), 30, "one monitor session is left")


async def test_abort_ends_a_reading_that_waits(shop: Application, collector: PostgresCollector) -> None:
    await collector.collect()
    reading = asyncio.ensure_future(collector.collect())
    await asyncio.sleep(0)
    collector.abort()
    done, _ = await asyncio.wait({reading}, timeout=10)
    assert done
    assert isinstance(reading.exception(), ConnectionLost)
    await collector.collect()


async def test_abort_ends_connecting(any_pg: PostgresServer) -> None:
    asked = asyncio.Event()

    async def look_up(*_: object) -> tuple[str, ...]:
        asked.set()
        await asyncio.Event().wait()
        return ()

    target = postgres_target(f"host=db.internal port={any_pg.port}")
    collector = PostgresCollector(target, Clock(), look_up=look_up)
    reading = asyncio.ensure_future(collector.collect())
    await asyncio.wait_for(asked.wait(), 30)
    collector.abort()
    done, _ = await asyncio.wait({reading}, timeout=10)
    assert done
    assert isinstance(reading.exception(), TimedOut)


async def test_cancelled_reading_is_cancelled_and_leaves_no_session(
    any_pg: PostgresServer, shop: Application, collector: PostgresCollector
) -> None:
    for _ in range(5):
        reading = asyncio.ensure_future(collector.collect())
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait({reading}, timeout=10)
        assert reading.cancelled()
    await collector.close()
    none = "select count(*) = 0 from pg_stat_activity where application_name = 'opsdash'"
    await wait_until_async(lambda: shop.ask(none), 30, "no monitor session is left")
