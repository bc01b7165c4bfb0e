"""Holds sessions on a PostgreSQL server until it is ended: `held_sessions.py DSN COUNT`. Needs only psycopg.

Of the sessions 5 % are idle in transaction and hold a row lock, 15 % wait for one of those rows, 20 % run one
long statement, 5 % run short ones, and the others are idle.
"""

import asyncio
import random
import resource
import sys
from collections.abc import Coroutine
from typing import Any

from psycopg import AsyncConnection

_FILES_BESIDE_SESSIONS = 100


class Held:
    """The sessions, and the statements that never end."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._sessions: list[AsyncConnection] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    async def open(self, application: str, *, autocommit: bool = True) -> AsyncConnection:
        """One more session."""
        session = await AsyncConnection.connect(
            self._dsn, application_name=application, autocommit=autocommit
        )
        self._sessions.append(session)
        return session

    def keep(self, statement: Coroutine[Any, Any, Any]) -> None:
        """Let a statement run on."""
        self._tasks.add(asyncio.create_task(statement))

    async def for_ever(self) -> None:
        """Until a statement that should not end fails."""
        await asyncio.gather(*self._tasks)


async def _prepare(dsn: str) -> None:
    async with await AsyncConnection.connect(dsn, autocommit=True) as session:
        await session.execute("create table stock (id int primary key, qty int not null)")
        await session.execute("insert into stock select id, 100 from generate_series(1, 1000) as id")


async def _short_statements(session: AsyncConnection, first: int) -> None:
    while True:
        await session.execute("select sum(qty) from stock where id between %s and %s", (first, first + 50))
        await asyncio.sleep(random.uniform(0.4, 0.6))


async def hold(dsn: str, count: int) -> None:
    """Open the sessions and keep them."""
    await _prepare(dsn)
    held = Held(dsn)
    holders, waiters, reports, short = max(1, count // 20), count * 15 // 100, count // 5, count // 20
    for number in range(holders):
        session = await held.open("checkout", autocommit=False)
        await session.execute("update stock set qty = qty - 1 where id = %s", (number + 1,))
    for number in range(waiters):
        session = await held.open("api")
        update = "update stock set qty = qty - 1 where id = %s /* an order that is blocked */"
        held.keep(session.execute(update, (number % holders + 1,)))
    for number in range(reports):
        session = await held.open("reporting")
        report = "select pg_sleep(36000), 'the monthly report for the finance team' as title, %s::int as part"
        held.keep(session.execute(report, (number,)))
    for number in range(short):
        held.keep(_short_statements(await held.open("web"), number))
    for _ in range(count - holders - waiters - reports - short):
        session = await held.open("pool")
        await session.execute("select 1")
    await held.for_ever()


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


if __name__ == "__main__":
    _allow_files(int(sys.argv[2]) + _FILES_BESIDE_SESSIONS)
    random.seed(1)
    asyncio.run(hold(sys.argv[1], int(sys.argv[2])))
