"""Collectors of these tests, each closed with its test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from opsdash.collectors.clock import Clock
from opsdash.collectors.redis.collector import RedisCollector
from opsdash.collectors.redis.rows import RedisData
from tests.support.redis_servers import redis_target


class SteppedClock(Clock):
    """Stands still; a test moves it on."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def mono_s(self) -> float:
        return self.at_s

    def now(self) -> datetime:
        return datetime(2026, 3, 14, 3, 12, 41, tzinfo=UTC)


@asynccontextmanager
async def collector(url: str, clock: Clock | None = None, **settings: Any) -> AsyncIterator[RedisCollector]:
    """A collector of a target at `url`."""
    made = RedisCollector(redis_target(url, **settings), clock or Clock())
    try:
        yield made
    finally:
        await made.close()


async def read_once(url: str, **settings: Any) -> RedisData:
    async with collector(url, **settings) as made:
        return await made.collect()
