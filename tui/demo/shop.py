"""The demo's shop: a small service that needs a PostgreSQL and two Valkeys, and says how it fares.

Its writes go through a pool of three sessions. When the row that everybody orders is held by somebody else,
all three wait for it, and whoever else needs one waits for them: this is how a forgotten transaction in the
database becomes a slow health check.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from opsdash.tui.demo.clients import QUIET_SKUS, connector, say
from opsdash.tui.demo.orders import Orders
from opsdash.tui.demo.pool import Pool
from opsdash.tui.demo.signins import SESSION
from opsdash.tui.demo.stories import API
from opsdash.tui.demo.web import Answer

_POOL_SIZE = 3
_LOCK_TIMEOUT_MS = 1500
_VISITOR_PAUSE_S = 0.1
_RETRY_S = 1.0
_ON_A_PAGE = 8
_CACHED_S = (60, 180)
"""At least and at most: not all at the same moment."""

_CHECK_S = 3.5
"""When a check gives up; opsdash gives up later."""

_SLOW_MS = 300.0


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How something that the shop needs fares, as /health tells it."""

    status: str
    """ok, degraded or down."""
    latency_ms: float
    error: str | None = None


class Degraded(Exception):
    """It works, but not as it should; the text says what is wrong."""


class Shop:
    """The service: its customers and visitors, and what it answers over HTTP."""

    def __init__(self, dsn: str, wanted: str, *, cache: Redis | None, sessions: Redis | None) -> None:
        """Nothing is connected before it is needed.

        Args:
            dsn: Connection string of its PostgreSQL, all but the user.
            wanted: The article (sku) that all customers order.
            cache: Holds the articles that pages show; None: they are read from the database.
            sessions: Holds who has signed in; None: nobody can.
        """
        connect = connector(f"{dsn} connect_timeout=2 options='-c lock_timeout={_LOCK_TIMEOUT_MS}'")
        self._writing, self._reading = Pool(connect, API, _POOL_SIZE), Pool(connect, API, 1)
        self._orders = Orders(self._writing, wanted)
        self._cache, self._sessions = cache, sessions

    async def work(self) -> None:
        """Serve customers and visitors without end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._orders.work())
            group.create_task(self._visit_page_after_page())

    async def page(self) -> Answer:
        """A page with a few articles; 503 when they can be read nowhere."""
        try:
            lines = await self._articles(random.sample(QUIET_SKUS, _ON_A_PAGE))
        except (psycopg.Error, RedisError) as error:
            say(API, f"GET / 503: no page: {error}", logging.ERROR)
            body = b"The shop is closed for a moment.\n"
            return Answer(status=HTTPStatus.SERVICE_UNAVAILABLE, body=body, media_type="text/plain")
        return Answer(body="".join(f"{line}\n" for line in lines).encode(), media_type="text/plain")

    async def ready(self) -> Answer:
        """Whether requests may be sent here: it runs, whatever state its dependencies are in."""
        return Answer(body=b'{"status":"ready"}')

    async def health(self) -> Answer:
        """How the shop and each of its dependencies fare; 503 when it cannot work at all."""
        wanted: dict[str, Callable[[], Awaitable[None]]] = {"database": self._ask_database}
        if self._cache is not None and self._sessions is not None:
            wanted |= {"cache": self._ask_cache, "sessions": self._ask_sessions}
        made = await asyncio.gather(*(_check(ask) for ask in wanted.values()))
        checks = dict(zip(wanted, made, strict=True))
        worst = max((check.status for check in made), key=("ok", "degraded", "down").index)
        is_down = checks["database"].status == "down"
        return Answer(
            status=HTTPStatus.SERVICE_UNAVAILABLE if is_down else HTTPStatus.OK,
            body=msgspec.json.encode(
                {"status": "down" if is_down else "ok" if worst == "ok" else "degraded", "checks": checks}
            ),
        )

    async def _ask_database(self) -> None:
        try:
            async with asyncio.timeout(_CHECK_S), self._writing.session() as connection:
                await connection.execute("select 1")
        except TimeoutError as error:
            size = self._writing.size
            raise Degraded(f"pool exhausted: {size} of {size} sessions in use for {_CHECK_S} s") from error
        if self._orders.failed is not None:
            raise Degraded(self._orders.failed)

    async def _ask_cache(self) -> None:
        assert self._cache is not None
        await self._cache.get(QUIET_SKUS[0])

    async def _ask_sessions(self) -> None:
        assert self._sessions is not None
        await self._sessions.set("health", SESSION, ex=60)  # as a sign-in does

    async def _visit_page_after_page(self) -> None:
        while True:
            is_served = (await self.page()).status is HTTPStatus.OK
            await asyncio.sleep(_VISITOR_PAUSE_S * random.uniform(0.6, 1.4) if is_served else _RETRY_S)

    async def _articles(self, skus: Iterable[str]) -> list[str]:
        """A line for each article, from the cache; those it lacks from the database, into the cache."""
        keys = [f"item:{sku}" for sku in skus]
        known: dict[str, Any] = {}
        if self._cache is not None:
            known = dict(zip(keys, await self._cache.mget(keys), strict=True))
        missing = [key for key in keys if known.get(key) is None]
        if missing:
            known |= await self._read(missing)
        return [known[key] for key in keys if known.get(key) is not None]

    async def _read(self, keys: list[str]) -> dict[str, str]:
        async with self._reading.session() as connection:
            rows = await connection.execute(
                "select 'item:' || sku, sku || ' ' || title from stock where 'item:' || sku = any(%s)",
                (keys,),
            )
            found: dict[str, str] = dict(await rows.fetchall())
        if self._cache is not None:
            async with self._cache.pipeline(transaction=False) as pipeline:
                for key, line in found.items():
                    pipeline.set(key, line, ex=random.randint(*_CACHED_S))
                await pipeline.execute()
        return found


async def _check(ask: Callable[[], Awaitable[None]]) -> Check:
    """Ask a dependency, and put into words how it went and how long it took."""
    clock = asyncio.get_running_loop().time
    begun, status, error = clock(), "ok", None
    try:
        await ask()
    except (Degraded, ResponseError) as said:
        status, error = "degraded", str(said)
    except (psycopg.Error, RedisError) as said:
        status, error = "down", str(said)
    latency_ms = round((clock() - begun) * 1000, 1)
    if status == "ok" and latency_ms > _SLOW_MS:
        status, error = "degraded", "slow"
    return Check(status=status, latency_ms=latency_ms, error=error)
