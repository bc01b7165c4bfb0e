"""Docker's faults: how each is brought about on a real engine, and what it must be called."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.collector import DockerCollector
from opsdash.collectors.snapshot import FailureKind
from tests.contract.fault import SECRET, Cell, Expected, NotApplicable, Trial
from tests.contract.on_the_way import OK, always, faults_on_the_way, kinds, look_up, on_the_wire
from tests.support.engine import TestEngine, compose_labels, docker_target
from tests.support.faults import Proxy, Wire
from tests.support.waiting import wait_until_async

FORBIDDEN = (
    b"HTTP/1.0 403 Forbidden\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n"
    b"<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n"
)
"""What a proxy before the socket says, of the kind that lets only some requests through."""


class DockerRig:
    """The engine of the run, a proxy in front of it, and a collector that reads through it."""

    deadline_s = 2.0

    def __init__(self, engine: TestEngine, proxy: Proxy) -> None:
        self.engine, self.proxy = engine, proxy
        secret = ("--env", f"DB_PASSWORD={SECRET}")
        prints = ("sh", "-c", "echo started; sleep 100000")
        engine.run(
            "contract-web", prints, labels=compose_labels("shop", "web"), health="true", options=secret
        )
        engine.run("contract-job", ("false",), options=secret)
        self.collector = DockerCollector(
            docker_target(f"tcp://localhost:{proxy.port}"), Clock(), look_up=look_up
        )
        self.seen: Sequence[tuple[str, str]] = ()

    async def cut(self) -> None:
        """End the collector's connections."""
        await self.proxy.cut()

    async def read_everything(self) -> None:
        """Read with everything looked at, until what containers use and print is there."""
        before = len(self.engine.requests())
        data = await self.collector.collect()
        (web, *_) = ids = tuple(each.id for each in data.containers)
        self.collector.look_at(ids, web)

        async def is_complete() -> bool:
            data = await self.collector.collect()
            return web in data.usage and any(each.end for each in data.logs)

        await wait_until_async(is_complete, 30, "usage and logs are there")
        self.seen = self.engine.requests()[before:]

    def foreign_statements(self) -> set[str]:
        """Whatever is no GET, by the engine's own debug log."""
        assert {method for method, _ in self.seen} >= {"GET"}
        return {f"{method} {path}" for method, path in self.seen if method != "GET"}


@asynccontextmanager
async def restart(rig: DockerRig) -> AsyncIterator[Expected]:
    await asyncio.to_thread(rig.engine.stop)
    await asyncio.to_thread(rig.engine.start)
    yield Expected(open=kinds(FailureKind.LOST), fresh=OK)


@asynccontextmanager
async def server_frozen(rig: DockerRig) -> AsyncIterator[Expected]:
    rig.engine.freeze()
    try:
        yield always(FailureKind.TIMED_OUT)
    finally:
        rig.engine.thaw()


CELLS: dict[str, Cell | NotApplicable] = {
    **faults_on_the_way(),
    "restart": restart,
    "limits reached": NotApplicable("an engine knows no limit of clients"),
    "rights revoked": on_the_wire(Wire.GARBAGE, FailureKind.NO_PERMISSION, FORBIDDEN),
    "wrong password": NotApplicable("the API knows no passwords; for certificates see the client's tests"),
    "connection frozen": NotApplicable("one process serves all connections: that is a frozen server"),
    "server frozen": server_frozen,
    "starting up": NotApplicable(
        "its socket takes connections and answers once it is up: a hang after accept"
    ),
    "in recovery": NotApplicable("it has no such state"),
    "shutting down": NotApplicable("it takes its socket away at once: that is refused"),
}


@asynccontextmanager
async def _start(request: pytest.FixtureRequest) -> AsyncIterator[DockerRig]:
    engine: TestEngine = request.getfixturevalue("engine")
    async with Proxy(engine.socket) as proxy:
        rig = DockerRig(engine, proxy)
        yield rig
        await rig.collector.close()


TRIAL = Trial(start=_start, cells=CELLS)
