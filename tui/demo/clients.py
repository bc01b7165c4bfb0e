"""The shop's applications at work: real sessions, each doing a little in a loop of its own."""

import asyncio
import logging
import random
import sys
import time
from collections.abc import Awaitable, Callable

import psycopg
from psycopg import AsyncConnection

from opsdash.tui.demo.stories import API, BILLING, CHECKOUT, REPORTING, Client

QUIET_SKUS = tuple(f"KX-{n}" for n in range(1101, 1200))
"""Rows that the light traffic touches: never one that a story blocks."""

_RECONNECT_S = 1.0

Connect = Callable[[Client], Awaitable[AsyncConnection]]


def connector(dsn: str) -> Connect:
    """Opens sessions on one database, in autocommit; `dsn` has all but the user."""

    async def connect(client: Client) -> AsyncConnection:
        return await AsyncConnection.connect(
            dsn, user=client.user, application_name=client.application, autocommit=True
        )

    return connect


def open_log() -> None:
    """Let what is said appear on stdout, which the keeper writes to the log."""
    layout = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
    formatter = logging.Formatter(layout, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def say(client: Client, what: str, level: int = logging.INFO) -> None:
    """A line of the application's log."""
    logging.getLogger(client.application).log(level, "%s", " ".join(what.split()))


async def place_order(connection: AsyncConnection) -> None:
    """Place an order: a transaction of three statements."""
    sku = random.choice(QUIET_SKUS)
    async with connection.transaction():
        placed = await connection.execute(
            "insert into orders (customer) values (%s) returning id", (f"customer {random.randrange(500)}",)
        )
        ((order,),) = await placed.fetchall()
        await connection.execute("insert into items values (%s, %s, 1)", (order, sku))
        await connection.execute("update stock set qty = qty - 1 where sku = %s", (sku,))


async def look_up_stock(connection: AsyncConnection) -> None:
    """Read one row of the stock."""
    await connection.execute("select title, qty from stock where sku = %s", (random.choice(QUIET_SKUS),))


async def sum_up(connection: AsyncConnection) -> None:
    """Add up what was ordered."""
    await connection.execute("select sku, sum(qty) from items group by sku order by 2 desc limit 10")


_TRAFFIC = (
    (CHECKOUT, place_order, 0.25),
    (CHECKOUT, place_order, 0.4),
    (API, look_up_stock, 0.1),
    (API, look_up_stock, 0.2),
    (BILLING, look_up_stock, 0.5),
    (REPORTING, sum_up, 2.0),
)
"""One session each: who, what, and the seconds between two times."""


async def steady_traffic(connect: Connect) -> None:
    """Keep a few sessions of each application busy without end; one that is lost is opened again."""
    async with asyncio.TaskGroup() as group:
        for client, work, pause_s in _TRAFFIC:
            group.create_task(_keep_busy(connect, client, work, pause_s))


async def _keep_busy(
    connect: Connect, client: Client, work: Callable[[AsyncConnection], Awaitable[None]], pause_s: float
) -> None:
    while True:
        try:
            async with await connect(client) as connection:
                while True:
                    await asyncio.sleep(pause_s * random.uniform(0.6, 1.4))
                    await work(connection)
        except psycopg.Error as error:
            say(client, f"{error}; connecting again", logging.WARNING)
            await asyncio.sleep(_RECONNECT_S)
