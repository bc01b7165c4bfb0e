"""What happened to containers: nothing lost, nothing doubled, by the engine's own clock."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.collector import DockerCollector
from opsdash.collectors.docker.rows import EngineData
from tests.docker.reading import LIMIT_S, named, reading, until
from tests.support.engine import TestEngine, docker_target
from tests.support.faults import Proxy
from tests.support.waiting import wait_until


async def test_what_happened_before_opsdash_came_is_known_as_far_as_the_engine_remembers(
    engine: TestEngine,
) -> None:
    id = engine.run("early", ("false",))
    wait_until(lambda: engine.inspect("early")["State"]["Status"] == "exited", LIMIT_S, "it ended")
    async with reading(engine, logs=False) as collector:
        data = await collector.collect()
    (died,) = [event for event in data.events if (event.container, event.action) == (id, "die")]
    assert died.exit_code == 1
    assert data.events_since is not None
    assert data.events_since <= died.at


async def test_no_event_is_lost_or_doubled_between_readings(engine: TestEngine) -> None:
    id = engine.run("busy")
    async with reading(engine, logs=False) as collector:
        await collector.collect()
        stopped = asyncio.Event()

        async def keep_reading() -> EngineData:
            while not stopped.is_set():
                await collector.collect()
            return await collector.collect()

        task = asyncio.ensure_future(keep_reading())
        for _ in range(20):
            await asyncio.to_thread(engine.api, "POST", f"/containers/{id}/pause")
            await asyncio.to_thread(engine.api, "POST", f"/containers/{id}/unpause")
        stopped.set()
        data = await task
    seen = [f"{event.at.isoformat()[:26]} {event.action}" for event in data.events if event.container == id]
    assert len(seen) >= 42
    assert seen == remembered(engine, id)


def remembered(engine: TestEngine, id: str) -> list[str]:
    """The engine's own memory of a container: when, to the microsecond, and what."""
    layout = "{{.TimeNano}} {{.Action}}"
    now = f"{Clock().now().timestamp():.6f}"  # of "0s" the client makes the beginning of this second
    filters = ("--filter", f"container={id}", "--filter", "type=container")
    lines = engine.docker(
        "events", "--since", "10m", "--until", now, *filters, "--format", layout
    ).splitlines()
    times = [(datetime.fromtimestamp(int(line.split()[0]) / 1e9, UTC), line.split()[1]) for line in lines]
    return [f"{at.isoformat()[:26]} {action}" for at, action in times]


class WrongClock(Clock):
    """Of a machine whose time was never set."""

    def __init__(self, off: timedelta) -> None:
        self._off = off

    def now(self) -> datetime:
        return super().now() + self._off


@pytest.mark.parametrize("off", [timedelta(hours=-1), timedelta(hours=1)], ids=["behind", "ahead"])
async def test_the_clock_of_an_engine_elsewhere_is_its_own(engine: TestEngine, off: timedelta) -> None:
    engine.run("web")
    async with Proxy(engine.socket) as proxy:
        target = docker_target(f"tcp://127.0.0.1:{proxy.port}", logs=False)
        collector = DockerCollector(target, WrongClock(off))
        data = await collector.collect()
        assert abs(data.now - Clock().now()) < timedelta(seconds=5)
        await asyncio.to_thread(engine.docker, "pause", "web")
        data = await until(collector, lambda data: named(data, "web").state == "paused", "it is paused")
        assert data.events[-1].action == "pause"
        await collector.close()
