"""What a role that may not see everything is shown, and that it says so."""

from collections.abc import AsyncIterator

import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres.collector import PostgresCollector
from opsdash.tui.demo.servers import PostgresServer
from tests.support.sessions import Application, application
from tests.support.targets import postgres_target


@pytest.fixture
async def shop(any_pg: PostgresServer) -> AsyncIterator[Application]:
    async with application(any_pg) as opened:
        await opened.ask('create role "ops ""dash" login')
        await opened.ask("create role shop login")
        yield opened
    await opened.ask('drop role "ops ""dash", shop')


@pytest.fixture
async def collector(any_pg: PostgresServer, shop: Application) -> AsyncIterator[PostgresCollector]:
    dsn = any_pg.dsn("postgres").replace("user=postgres", "user='ops \"dash'")
    opened = PostgresCollector(postgres_target(dsn), Clock())
    yield opened
    await opened.close()


GRANT = 'GRANT pg_monitor TO "ops ""dash"'


async def test_plain_role_counts_right_and_names_the_grant_for_the_rest(
    shop: Application, collector: PostgresCollector
) -> None:
    sessions = [await shop.session(user="shop", application_name="checkout") for _ in range(3)]
    data = await collector.collect()

    seen = data.session(sessions[0].info.backend_pid)
    assert seen is not None
    assert not seen.is_visible
    assert (seen.state, seen.query, seen.backend_start, seen.backend_type) == (None, None, None, None)
    assert (seen.user, seen.database, seen.application_name) == ("shop", "postgres", "checkout")
    assert data.connections.used == 4
    assert data.connections.by_application == (("checkout", 3), ("opsdash", 1))
    assert data.connections.by_state == (("not visible", 3), ("active", 1))
    (limit,) = data.limits
    assert GRANT in limit
    assert f"{sum(not s.is_visible for s in data.sessions)} of {len(data.sessions) + 1} sessions" in limit


async def test_plain_role_still_sees_who_waits_for_whom(
    shop: Application, collector: PostgresCollector
) -> None:
    holder = await shop.hold("select pg_advisory_xact_lock(1)", user="shop")
    waiter = await shop.wait("select pg_advisory_lock(1)", user="shop")
    (wait,) = (await collector.collect()).waits
    assert (wait.pid, wait.holders) == (waiter.info.backend_pid, (holder.info.backend_pid,))


async def test_grant_and_revoke_show_in_the_next_reading(
    shop: Application, collector: PostgresCollector
) -> None:
    session = await shop.session(user="shop")
    assert (await collector.collect()).limits
    await shop.ask('grant pg_monitor to "ops ""dash"')
    data = await collector.collect()
    assert data.limits == ()
    assert all(s.is_visible for s in data.sessions)
    await shop.ask('revoke pg_monitor from "ops ""dash"')
    data = await collector.collect()
    assert GRANT in data.limits[0]
    hidden = data.session(session.info.backend_pid)
    assert hidden is not None
    assert not hidden.is_visible


async def test_role_needs_no_more_than_pg_monitor(shop: Application, collector: PostgresCollector) -> None:
    await shop.ask('grant pg_monitor to "ops ""dash"')
    session = await shop.session(user="shop")
    data = await collector.collect()
    seen = data.session(session.info.backend_pid)
    assert seen is not None
    assert seen.is_client
    assert seen.backend_start is not None
    assert data.limits == ()
