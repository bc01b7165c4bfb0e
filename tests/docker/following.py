"""A real container's log, followed by `ContainerLogs` over a real engine."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.client import EngineClient
from opsdash.collectors.docker.container_logs import ContainerLogs
from opsdash.collectors.docker.listing import moment
from opsdash.collectors.docker.rows import Container
from opsdash.collectors.lines.buffer import LogBuffer
from tests.support.engine import TestEngine, docker_target
from tests.support.waiting import wait_until_async

LIMIT_S = 30.0


def numbers_of(lines: list[bytes]) -> list[int]:
    """The number at the end of each line."""
    return [int(line.split()[-1]) for line in lines]


def container_of(told: dict[str, Any]) -> Container:
    """What logs and usage need to know of an inspected container."""
    state = told["State"]
    return Container(
        id=told["Id"],
        name=told["Name"].lstrip("/"),
        image="",
        state=state["Status"],
        started_at=moment(state["StartedAt"]),
        finished_at=moment(state["FinishedAt"]),
        pid=state["Pid"] or None,
        has_tty=told["Config"]["Tty"],
        log_driver=told["HostConfig"]["LogConfig"]["Type"],
        is_inspected=True,
    )


class Following:
    """Logs of an engine, as a collector has them."""

    def __init__(self, engine: TestEngine, client: EngineClient, logs: ContainerLogs) -> None:
        self.engine = engine
        self.client = client
        self.logs = logs

    def look(self) -> None:
        """What the collector does with each listing."""
        _, found = self.engine.api("GET", "/containers/json?all=1")
        self.logs.follow([container_of(self.engine.inspect(each["Id"])) for each in found])

    def buffer(self, name: str) -> LogBuffer | None:
        return next((each.buffer for each in self.logs.sources() if each.name == name), None)

    def lines(self, name: str) -> list[bytes]:
        buffer = self.buffer(name)
        return [] if buffer is None else buffer.lines(buffer.first, buffer.end)

    async def until(self, condition: Callable[[], object], message: str) -> None:
        """List again and again until `condition` holds."""

        def is_there() -> object:
            self.look()
            return condition()

        await wait_until_async(is_there, LIMIT_S, message)


@asynccontextmanager
async def following(
    engine: TestEngine, *, host: str | None = None, at_most: int = 64
) -> AsyncIterator[Following]:
    clock = Clock()
    target = docker_target(host or engine.host)
    client = EngineClient(target, clock)
    logs = ContainerLogs(client, target, clock, at_most=at_most)
    try:
        yield Following(engine, client, logs)
    finally:
        logs.close()
        await client.close()
