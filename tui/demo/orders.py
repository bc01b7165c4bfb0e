"""The orders of the demo's customers: through a small pool, and told in the shop's log as services do."""

import asyncio
import logging
import random
import secrets

import psycopg

from opsdash.collectors.format import duration
from opsdash.tui.demo.clients import say
from opsdash.tui.demo.pool import Pool
from opsdash.tui.demo.stories import API

_CUSTOMERS = 8
"""More than the pool has sessions: while the row is held, there is a queue for the pool as well."""

_PAUSE_S = 0.3
_RETRY_S = 1.0
_LONG_WAIT_S = 0.5
"""For a session of the pool: a longer one is told."""

_TOLD_EVERY_S = 2.0
"""Orders that go well are told together."""


class Orders:
    """Customers who all order the same article, again and again."""

    def __init__(self, pool: Pool, wanted: str) -> None:
        """Args: where sessions come from; the article (sku)."""
        self._pool, self._wanted = pool, wanted
        self.failed: str | None = None
        """Why the last order could not be placed; None: it could."""
        self._failing_since: float | None = None
        self._placed = 0
        self._slowest_s = 0.0

    async def work(self) -> None:
        """Serve the customers without end."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_CUSTOMERS):
                group.create_task(self._order_again_and_again())
            group.create_task(self._tell())

    async def _order_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE_S * random.uniform(0.6, 1.4))
            request = secrets.token_hex(4)
            try:
                await self._order(request)
            except psycopg.Error as error:
                self._note_failure(request, error)
                if not isinstance(error, psycopg.errors.LockNotAvailable):
                    await asyncio.sleep(_RETRY_S)

    async def _order(self, request: str) -> None:
        begun_s = _now_s()
        async with self._pool.session() as connection:
            waited_s = _now_s() - begun_s
            if waited_s > _LONG_WAIT_S:
                size = self._pool.size
                words = f"{request} pool exhausted: {size}/{size} checked out, waited {duration(waited_s)}"
                say(API, words, logging.WARNING)
            await connection.execute("update stock set qty = qty - 1 where sku = %s", (self._wanted,))
        self._note_success(_now_s() - begun_s)

    def _note_failure(self, request: str, error: psycopg.Error) -> None:
        say(API, f"{request} POST /orders 503: cannot order {self._wanted}: {error}", logging.ERROR)
        self.failed = str(error).splitlines()[0]
        if self._failing_since is None:
            self._failing_since = _now_s()

    def _note_success(self, took_s: float) -> None:
        self.failed = None
        self._placed += 1
        self._slowest_s = max(self._slowest_s, took_s)
        if self._failing_since is not None:
            failed_s = _now_s() - self._failing_since
            say(API, f"orders of {self._wanted} go through again, after {duration(failed_s)}")
            self._failing_since = None

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(_TOLD_EVERY_S)
            if self._placed:
                say(API, f"{self._placed} orders placed, the slowest took {duration(self._slowest_s)}")
            self._placed, self._slowest_s = 0, 0.0


def _now_s() -> float:
    """Monotonic."""
    return asyncio.get_running_loop().time()
