"""Who holds and who queues, judged by what PostgreSQL itself says of the same waits."""

from collections.abc import AsyncIterator

import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres.collector import PostgresCollector
from opsdash.collectors.postgres.lock_waits import Lock, Names, awaited_transactions, lock_waits
from opsdash.collectors.postgres.rows import LockWait, PostgresData
from opsdash.tui.demo.servers import PostgresServer
from tests.support.sessions import Application, Session, application
from tests.support.targets import postgres_target


@pytest.fixture
async def shop(any_pg: PostgresServer) -> AsyncIterator[Application]:
    async with application(any_pg) as opened:
        await opened.ask("create table stock (id int primary key, qty int)")
        await opened.ask("insert into stock select n, 9 from generate_series(1, 5) as n")
        yield opened
    await opened.ask("drop table stock")


async def read(server: PostgresServer) -> PostgresData:
    collector = PostgresCollector(postgres_target(server.dsn()), Clock())
    try:
        return await collector.collect()
    finally:
        await collector.close()


def pid(session: Session) -> int:
    return session.info.backend_pid


def wait_of(data: PostgresData, session: Session) -> LockWait:
    (wait,) = [w for w in data.waits if w.pid == pid(session)]
    return wait


async def test_writers_of_one_row(shop: Application) -> None:
    holder = await shop.hold("update stock set qty = 1 where id = 1")
    first, second, third = [await shop.wait("update stock set qty = 2 where id = 1") for _ in range(3)]
    data = await read(shop.server)

    assert [w.pid for w in data.waits] == [pid(first), pid(second), pid(third)]  # longest first
    assert wait_of(data, first).holders == (pid(holder),)
    assert wait_of(data, first).locktype == "transactionid"
    xid = next(s.backend_xid for s in data.sessions if s.pid == pid(holder))
    assert wait_of(data, first).detail == f"transaction {xid}"
    assert wait_of(data, third).holders == (pid(first),)
    assert wait_of(data, third).queued_behind == (pid(second),)
    assert wait_of(data, third).relation == "public.stock"
    assert wait_of(data, third).detail == "tuple (0,1) of public.stock"


async def test_readers_queue_behind_an_alter_table_that_waits_itself(shop: Application) -> None:
    holder = await shop.hold("select * from stock")
    alter = await shop.wait("alter table stock add column x int")
    reader = await shop.wait("select * from stock")
    data = await read(shop.server)

    assert (wait_of(data, alter).holders, wait_of(data, alter).queued_behind) == ((pid(holder),), ())
    assert (wait_of(data, reader).holders, wait_of(data, reader).queued_behind) == ((), (pid(alter),))
    assert wait_of(data, reader).mode == "AccessShareLock"
    assert wait_of(data, reader).relation == "public.stock"
    since = wait_of(data, alter).waiting_since
    assert since is not None
    assert since <= data.server_now


async def test_holders_and_predecessors_are_those_that_pg_blocking_pids_names(shop: Application) -> None:
    await shop.hold("select * from stock")
    await shop.hold("lock stock in row exclusive mode")
    upgrader = await shop.hold("lock stock in row exclusive mode")
    await shop.wait("lock stock in share mode", autocommit=False)
    await shop.wait("alter table stock add column x int")
    await shop.wait("select * from stock where id = 2")
    await shop.wait("insert into stock values (6, 1)")
    # it holds a lock that others wait for, so PostgreSQL lets it in before them
    await shop.wait("lock stock in share row exclusive mode", on=upgrader)
    await shop.hold("select pg_advisory_lock(-5); select pg_advisory_lock(7, 42)")
    advisory = [await shop.wait("select pg_advisory_lock(-5)") for _ in range(2)]
    await shop.wait("select pg_advisory_lock(7, 42)")
    data = await read(shop.server)

    assert len(data.waits) == 8
    for wait in data.waits:
        said = await shop.ask("select pg_blocking_pids(%s)", wait.pid)
        assert sorted({*wait.holders, *wait.queued_behind}) == sorted(set(said)), wait
    details = {w.detail for w in data.waits if w.locktype == "advisory"}
    assert details == {"advisory -5", "advisory 7, 42"}
    assert wait_of(data, advisory[1]).queued_behind == (pid(advisory[0]),)


async def test_locks_of_another_database_are_named_by_oid(shop: Application) -> None:
    await shop.ask("create database other")
    try:
        there = await shop.session(dbname="other")
        await there.execute("create table mine ()")
        await shop.hold("lock mine", dbname="other")
        waiter = await shop.wait("select * from mine", dbname="other")
        data = await read(shop.server)
        relation = wait_of(data, waiter).relation or ""
        assert relation.startswith("oid ")
        assert relation.endswith(" in other")
    finally:
        await shop.ask("drop database other with (force)")


async def test_catalog_that_is_locked_costs_the_names_only(shop: Application) -> None:
    collector = PostgresCollector(postgres_target(shop.server.dsn()), Clock())
    await collector.collect()
    holder = await shop.hold("lock stock")
    waiter = await shop.wait("select * from stock")
    catalog = await shop.hold("lock pg_namespace")
    data = await collector.collect()
    assert wait_of(data, waiter).holders == (pid(holder),)
    assert (wait_of(data, waiter).relation or "").startswith("oid ")
    assert data.limits == ("names of relations: canceling statement due to lock timeout",)
    await catalog.rollback()
    data = await collector.collect()
    assert wait_of(data, waiter).relation == "public.stock"
    assert data.limits == ()
    await collector.close()


NAMES = Names(database_oid=5, databases={5: "shop"}, relations={})


def held(pid: int, mode: str = "AccessExclusiveLock", **facts: object) -> Lock:
    return Lock("relation/5/1", pid, True, mode, None, "relation", 5, 1, **facts)  # type: ignore[arg-type]


def wanted(pid: int, mode: str = "AccessExclusiveLock") -> Lock:
    return Lock("relation/5/1", pid, False, mode, None, "relation", 5, 1)


def test_parallel_workers_stand_for_their_leader_and_never_block_it() -> None:
    (wait,) = lock_waits([held(11), held(20), wanted(10)], leaders={11: 10, 20: 30}, names=NAMES)
    assert (wait.pid, wait.holders) == (10, (30,))


def test_prepared_transaction_is_awaited_only_where_its_lock_is_in_the_way() -> None:
    harmless = held(0, "AccessShareLock", prepared_transaction="700")
    assert awaited_transactions([harmless, wanted(2, "RowShareLock")]) == frozenset()
    assert awaited_transactions([harmless, wanted(2)]) == {"700"}


def test_a_thousand_waiters_cost_little() -> None:
    waits = lock_waits([held(1), *(wanted(pid) for pid in range(2, 1002))], leaders={}, names=NAMES)
    assert len(waits) == 1000
    assert waits[-1].queued_behind == tuple(range(2, 1001))
