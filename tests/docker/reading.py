"""Collectors of these tests, and waiting for what they read."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.collector import DockerCollector
from opsdash.collectors.docker.rows import Container, EngineData
from tests.support.engine import TestEngine, docker_target
from tests.support.waiting import wait_until_async

LIMIT_S = 60


@asynccontextmanager
async def reading(
    engine: TestEngine, clock: Clock | None = None, **settings: Any
) -> AsyncIterator[DockerCollector]:
    """A collector of the engine, closed with its test."""
    collector = DockerCollector(docker_target(engine.host, **settings), clock or Clock())
    try:
        yield collector
    finally:
        await collector.close()


def named(data: EngineData, name: str) -> Container:
    return next(each for each in data.containers if each.name == name)


async def until(
    collector: DockerCollector, condition: Callable[[EngineData], object], message: str
) -> EngineData:
    """Read until what was read meets the condition."""
    data = await collector.collect()

    async def is_so() -> bool:
        nonlocal data
        data = await collector.collect()
        return bool(condition(data))

    await wait_until_async(is_so, LIMIT_S, message)
    return data
