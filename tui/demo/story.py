"""The demo's story, played by real sessions: `python -m opsdash.tui.demo.story SCENE`, a `Scene` as JSON.

An application left a transaction open and holds a row; writers pile up behind it, and connections climb. The
shop wants the same row: its pool runs dry, and its health check gets slow. Meanwhile its sessions fill a
Valkey to the brim. When the one who holds is terminated, the line goes through one by one, and when the
sessions are purged, sign-ins work: then all is well again.
"""

import asyncio
import logging
import signal
import ssl
import sys
from pathlib import Path

import msgspec
import psycopg
from psycopg import AsyncConnection
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from opsdash.tui.demo.certificates import CHAIN_FILE, KEY_FILE, make_certificates
from opsdash.tui.demo.clients import Connect, connector, open_log, say, steady_traffic
from opsdash.tui.demo.servers import HOST
from opsdash.tui.demo.shop import Shop
from opsdash.tui.demo.signins import keep_signing_in
from opsdash.tui.demo.stories import API, HOLDS, SERVES, STORIES, Client, Jam, Scene
from opsdash.tui.demo.web import serve

_VALKEY_S = 2.0

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
    say(jam.holder, f"{HOLDS} of {jam.sku} and waits for the payment provider")


async def _hold(holder: AsyncConnection, jam: Jam, released: asyncio.Event) -> None:
    """Leave the transaction open until the server ends the session; then stay away."""
    try:
        async for _ in holder.notifies():  # nobody notifies: this waits for the session's end
            pass
    except psycopg.Error as error:
        say(jam.holder, f"lost connection: {error}; staying away", logging.WARNING)
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
        say(client, f"could not write {jam.sku}: {error}; giving up", logging.ERROR)


async def _idle(connect: Connect, client: Client, released: asyncio.Event, linger_s: float) -> None:
    """Sit in a pool until the row is free again, and a while longer."""
    try:
        async with await connect(client):
            await released.wait()
            await asyncio.sleep(linger_s)
    except psycopg.Error as error:
        say(client, f"pool: {error}", logging.WARNING)


def _valkey(port: int | None, client_name: str) -> Redis | None:
    if port is None:
        return None
    return Redis(
        host=HOST,
        port=port,
        client_name=client_name,
        decode_responses=True,
        socket_timeout=_VALKEY_S,
        socket_connect_timeout=_VALKEY_S,
        retry=Retry(NoBackoff(), 0),  # every loop in here tries again by itself
    )


async def _open_shop(scene: Scene) -> Shop:
    """Open the shop's two doors; `serves` is said once they are open."""
    folder = Path(scene.certificates)
    make_certificates(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / CHAIN_FILE, folder / KEY_FILE)
    shop = Shop(
        scene.busy,
        STORIES[scene.story].jams[0].sku,
        cache=_valkey(scene.cache_port, "shop"),
        sessions=_valkey(scene.sessions_port, "shop"),
    )
    routes = {"/": shop.page, "/health": shop.health, "/ready": shop.ready}
    await serve(routes, scene.http_port)
    await serve(routes, scene.https_port, tls=tls)
    say(API, SERVES)
    return shop


async def main() -> None:
    """Play a story on one server, light traffic there and on the other, and the shop, without end."""
    open_log()
    scene = msgspec.json.decode(sys.argv[1], type=Scene)
    busy, calm = connector(scene.busy), connector(scene.calm)
    sessions = _valkey(scene.sessions_port, "sign-in")
    shop = await _open_shop(scene)
    async with asyncio.TaskGroup() as group:
        for jam in STORIES[scene.story].jams:
            group.create_task(play(busy, jam))
        group.create_task(steady_traffic(busy))
        group.create_task(steady_traffic(calm))
        group.create_task(shop.work())
        if sessions is not None:
            group.create_task(keep_signing_in(sessions))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the keeper's first word: end without a traceback
    asyncio.run(main())
