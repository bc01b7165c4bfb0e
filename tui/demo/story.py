"""The demo's story, played by real sessions: `python -m opsdash.tui.demo.story`.

An application left a transaction open and holds a row; writers pile up behind it, and connections climb.
When the one who holds is terminated, the line goes through one by one, and all is well again.
"""

import argparse
import asyncio
import signal

import psycopg
from psycopg import AsyncConnection

from opsdash.tui.demo.clients import Connect, connector, say, steady_traffic
from opsdash.tui.demo.stories import STORIES, Client, Jam

HOLDS = "holds the row"
"""Said in the log once for each jam, when it has begun."""

_ARRIVAL_S = 0.7
"""Between two writers who join a line."""

_WORK_S = 0.4
"""How long each writer keeps the row, once it has it."""

_LINGER_S = 2.0
"""How long a session that is no longer needed stays in its application's pool."""


async def play(connect: Connect, jam: Jam) -> None:
    """Block a row, let a line grow behind it for as long as it is held, and let the line through."""
    holder = await connect(jam.holder)
    await _take(holder, jam)
    released = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_hold(holder, jam, released))
        line: list[asyncio.Task[None]] = []
        idle = came = 0
        while not released.is_set():
            line = [writer for writer in line if not writer.done()]
            if len(line) < jam.waiting:
                line.append(group.create_task(_write(connect, jam.writers[came % len(jam.writers)], jam)))
                came += 1
            if idle < jam.idle:
                idle += 1
                group.create_task(_idle(connect, jam.writers[0], released, linger_s=idle * _WORK_S))
            await asyncio.sleep(_ARRIVAL_S)


async def _take(holder: AsyncConnection, jam: Jam) -> None:
    await holder.execute("begin")
    await holder.execute("select qty from stock where sku = %s for update", (jam.sku,))
    await holder.execute("update stock set qty = qty - 1 where sku = %s", (jam.sku,))
    say(jam.holder, f"{HOLDS} {jam.sku}")


async def _hold(holder: AsyncConnection, jam: Jam, released: asyncio.Event) -> None:
    """Leave the transaction open until the server ends the session; then stay away."""
    try:
        async for _ in holder.notifies():  # nobody notifies: this waits for the session's end
            pass
    except psycopg.Error as error:
        say(jam.holder, f"lost connection: {error}; staying away")
    released.set()


async def _write(connect: Connect, client: Client, jam: Jam) -> None:
    """Wait for the row, keep it for a moment, commit, and go after a while."""
    try:
        async with await connect(client) as connection:
            async with connection.transaction():
                await connection.execute("update stock set qty = qty - 1 where sku = %s", (jam.sku,))
                await asyncio.sleep(_WORK_S)
            await asyncio.sleep(_LINGER_S)
    except psycopg.Error as error:
        say(client, f"could not write {jam.sku}: {error}; giving up")


async def _idle(connect: Connect, client: Client, released: asyncio.Event, linger_s: float) -> None:
    """Sit in a pool until the row is free again, and a while longer."""
    try:
        async with await connect(client):
            await released.wait()
            await asyncio.sleep(linger_s)
    except psycopg.Error as error:
        say(client, f"pool: {error}")


async def main() -> None:
    """Play a story on one server, and light traffic there and on the other, without end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--story", choices=tuple(STORIES), required=True)
    parser.add_argument("--busy", required=True, help="connection string of the server in trouble")
    parser.add_argument("--calm", required=True, help="connection string of the healthy one")
    wanted = parser.parse_args()
    busy, calm = connector(wanted.busy), connector(wanted.calm)
    async with asyncio.TaskGroup() as group:
        for jam in STORIES[wanted.story].jams:
            group.create_task(play(busy, jam))
        group.create_task(steady_traffic(busy))
        group.create_task(steady_traffic(calm))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the keeper's first word: end without a traceback
    asyncio.run(main())
