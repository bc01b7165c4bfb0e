"""What is not asked for again, because nothing of it can have changed: and that what has changed is told."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.cost import CostBook
from opsdash.collectors.postgres.client import Connection, Purpose, connect
from opsdash.collectors.postgres.collector import PostgresCollector
from opsdash.collectors.postgres.lock_reader import STANDS_S
from opsdash.collectors.postgres.rows import PostgresData, SessionRow
from opsdash.collectors.postgres.session_reader import ANEW, MARGIN, SessionReader
from opsdash.tui.demo.servers import PostgresServer
from tests.support.sessions import Application, Session, application
from tests.support.targets import postgres_target
from tests.support.waiting import wait_until_async

TWO_S = timedelta(seconds=2)


@pytest.fixture
async def shop(any_pg: PostgresServer) -> AsyncIterator[Application]:
    async with application(any_pg) as opened:
        yield opened


@pytest.fixture
async def connection(any_pg: PostgresServer) -> AsyncIterator[Connection]:
    async with await connect(postgres_target(any_pg.dsn()), Purpose.MONITOR) as opened:
        yield opened


def pid(session: Session) -> int:
    return session.info.backend_pid


async def waits_for_advisory(shop: Application, session: Session, key: int) -> None:
    sql = "select count(*) > 0 from pg_locks where pid = %s and objid = %s and not granted"
    await wait_until_async(lambda: shop.ask(sql, pid(session), key), 30, f"it waits for {key}")


class Sessions:
    """Reads sessions as if the server's clock said what the test wants."""

    def __init__(self, shop: Application, connection: Connection) -> None:
        self._shop = shop
        self._connection = connection
        self._reader = SessionReader()

    async def now(self) -> datetime:
        now: datetime = await self._shop.ask("select clock_timestamp()")
        return now

    async def read(self, session: Session, at: datetime) -> SessionRow:
        sessions = await self._reader.read(self._connection, at)
        return next(s for s in sessions if s.pid == pid(session))

    async def known(self, session: Session) -> tuple[SessionRow, datetime]:
        """Read it so late that what it did until then need not be told again."""
        at = await self.now() + 2 * MARGIN
        return await self.read(session, at), at


@pytest.fixture
def sessions(shop: Application, connection: Connection) -> Sessions:
    return Sessions(shop, connection)


async def test_session_that_did_nothing_is_the_same_value(shop: Application, sessions: Sessions) -> None:
    session = await shop.hold("select 'a long statement that need not be sent again'")
    before, at = await sessions.known(session)
    assert await sessions.read(session, at + TWO_S) is before


async def test_session_that_did_something_is_told_anew(shop: Application, sessions: Sessions) -> None:
    session = await shop.session(autocommit=False)
    assert (await sessions.read(session, await sessions.now())).state == "idle"
    await session.execute("select 'two' as word")
    busy = await sessions.read(session, await sessions.now())
    assert (busy.state, busy.query) == ("idle in transaction", "select ? as word")
    assert busy.xact_start is not None
    await session.commit()
    after = await sessions.read(session, await sessions.now())
    assert (after.state, after.query, after.xact_start) == ("idle", None, None)


async def test_what_changes_within_one_statement_is_told(shop: Application, sessions: Sessions) -> None:
    first = await shop.hold("select pg_advisory_xact_lock(71)")
    await shop.hold("select pg_advisory_xact_lock(72)")
    session = await shop.wait(
        """do $$ begin
            perform pg_advisory_lock(71);
            perform set_config('application_name', 'step 2', false), pg_current_xact_id();
            perform pg_advisory_lock(72);
        end $$"""
    )
    before, at = await sessions.known(session)
    assert (before.application_name, before.backend_xid) == ("checkout", None)
    await first.rollback()
    await waits_for_advisory(shop, session, 72)
    after = await sessions.read(session, at + TWO_S)
    assert after.application_name == "step 2"
    assert after.backend_xid is not None
    assert (after.identity, after.query) == (before.identity, before.query)


async def test_every_transaction_of_a_procedure_is_told(shop: Application, sessions: Sessions) -> None:
    first = await shop.hold("select pg_advisory_xact_lock(71)")
    await shop.hold("select pg_advisory_xact_lock(72)")
    session = await shop.wait(
        "do $$ begin perform pg_advisory_lock(71); commit; perform pg_advisory_lock(72); end $$"
    )
    before = await sessions.read(session, await sessions.now())
    await first.rollback()
    await waits_for_advisory(shop, session, 72)
    after = await sessions.read(session, await sessions.now())
    assert after.query_start == before.query_start
    assert after.identity != before.identity


async def test_clock_of_the_server_that_is_set_back_hides_nothing(
    shop: Application, sessions: Sessions
) -> None:
    session = await shop.hold("select 1")
    _, at = await sessions.known(session)
    await session.execute("select 2 as more")
    assert (await sessions.read(session, at + TWO_S)).query == "select ?"  # by its clock nothing happened
    assert (await sessions.read(session, await sessions.now())).query == "select ? as more"


async def test_every_now_and_then_all_is_told_anew(shop: Application, sessions: Sessions) -> None:
    session = await shop.hold("select 1")
    _, at = await sessions.known(session)
    await session.execute("select 2 as more")
    assert (await sessions.read(session, at + ANEW)).query == "select ? as more"


async def test_session_under_the_pid_of_another_is_told(
    shop: Application, sessions: Sessions, connection: Connection
) -> None:
    reader = SessionReader()
    now = await sessions.now()
    await reader.read(connection, now + 2 * MARGIN)
    late = await shop.session(application_name="late")
    # by its clock this one was there before, but we have never heard of it
    found = await reader.read(connection, now + 2 * MARGIN + TWO_S)
    assert [s.application_name for s in found if s.pid == pid(late)] == ["late"]


class Ahead(Clock):
    """Can be moved on."""

    by_s = 0.0

    def mono_s(self) -> float:
        return super().mono_s() + self.by_s


class Waits:
    """Reads a server, and counts what that takes."""

    def __init__(self, server: PostgresServer) -> None:
        self.clock = Ahead()
        self.collector = PostgresCollector(postgres_target(server.dsn()), self.clock)

    async def read(self) -> dict[int, tuple[str | None, tuple[int, ...]]]:
        """Pid -> what it waits for, and who holds that."""
        data: PostgresData = await self.collector.collect()
        return {wait.pid: (wait.detail, wait.holders) for wait in data.waits}

    async def statements(self) -> int:
        """How many one reading takes."""
        book, target = CostBook(), self.collector.target.id
        book.note(target, 0.0, 0.0)
        book.note(target, 1.0, 0.0)
        before = book.cost(target)
        await self.read()
        book.note(target, 2.0, 0.0)
        after = book.cost(target)
        assert before is not None
        assert after is not None
        return after.requests - before.requests


@pytest.fixture
async def waits(any_pg: PostgresServer) -> AsyncIterator[Waits]:
    opened = Waits(any_pg)
    yield opened
    await opened.collector.close()


async def test_locks_are_not_read_again_while_nobody_does_anything(shop: Application, waits: Waits) -> None:
    await shop.hold("select pg_advisory_xact_lock(71)")
    await shop.wait("select pg_advisory_lock(71)")
    await waits.read()
    assert await waits.statements() == 3  # server, activity, databases
    waits.clock.by_s += STANDS_S
    assert await waits.statements() == 4


async def test_who_comes_and_who_goes_is_told_at_once(shop: Application, waits: Waits) -> None:
    holder = await shop.hold("select pg_advisory_xact_lock(71)")
    first = await shop.wait("select pg_advisory_xact_lock(71)", autocommit=False)
    held = ("advisory 71", (pid(holder),))
    assert await waits.read() == {pid(first): held}
    second = await shop.wait("select pg_advisory_lock(71)")
    assert await waits.read() == {pid(first): held, pid(second): held}
    await holder.rollback()
    await wait_until_async(
        lambda: shop.ask("select bool_and(granted) from pg_locks where pid = %s", pid(first)),
        30,
        "it goes on",
    )
    assert await waits.read() == {pid(second): ("advisory 71", (pid(first),))}


async def test_lock_that_changes_hands_within_statements_is_told_soon(
    shop: Application, waits: Waits
) -> None:
    later = await shop.hold("select pg_advisory_xact_lock(72)")
    holder = await shop.run(
        """do $$ begin
            perform pg_advisory_lock(71);
            while pg_try_advisory_lock(73) loop perform pg_advisory_unlock(73), pg_sleep(0.01); end loop;
            perform pg_advisory_unlock(71), pg_sleep(60);
        end $$"""
    )
    waiter = await shop.wait("do $$ begin perform pg_advisory_lock(71); perform pg_advisory_lock(72); end $$")
    assert await waits.read() == {pid(waiter): ("advisory 71", (pid(holder),))}
    await shop.hold("select pg_advisory_lock(73)")  # the loop ends
    await waits_for_advisory(shop, waiter, 72)
    waits.clock.by_s += STANDS_S
    assert await waits.read() == {pid(waiter): ("advisory 72", (pid(later),))}
