"""Docker's faults: how each is brought about on a real engine, and what it must be called."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.collector import DockerCollector
from opsdash.collectors.snapshot import FailureKind
from opsdash.collectors.target import TargetId
from opsdash.collectors.threads import resolve
from tests.contract.fault import SECRET, Cell, Expected, NotApplicable, Trial
from tests.support.engine import TestEngine, compose_labels, docker_target
from tests.support.faults import NOISE, Proxy, Wire
from tests.support.waiting import wait_until_async

OK: frozenset[FailureKind] = frozenset()

FORBIDDEN = (
    b"HTTP/1.0 403 Forbidden\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n"
    b"<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n"
)
"""What a proxy before the socket says, of the kind that lets only some requests through."""


async def _look_up(target: TargetId, host: str, port: int) -> tuple[str, ...]:
    return await resolve(target, host, port, timeout_s=0.5)


def kinds(*words: FailureKind) -> frozenset[FailureKind]:
    return frozenset(words)


class DockerRig:
    """The engine of the run, a proxy in front of it, and a collector that reads through it."""

    deadline_s = 2.0

    def __init__(self, engine: TestEngine, proxy: Proxy, patch: pytest.MonkeyPatch) -> None:
        self.engine, self.proxy, self.patch = engine, proxy, patch
        secret = ("--env", f"DB_PASSWORD={SECRET}")
        prints = ("sh", "-c", "echo started; sleep 100000")
        engine.run(
            "contract-web", prints, labels=compose_labels("shop", "web"), health="true", options=secret
        )
        engine.run("contract-job", ("false",), options=secret)
        self.collector = DockerCollector(
            docker_target(f"tcp://localhost:{proxy.port}"), Clock(), look_up=_look_up
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


def on_the_wire(wire: Wire, kind: FailureKind, noise: bytes = NOISE) -> Cell:
    """A fault that the proxy makes."""

    @asynccontextmanager
    async def cell(rig: DockerRig) -> AsyncIterator[Expected]:
        rig.proxy.noise = noise
        rig.proxy.set(wire)
        yield Expected(open=kinds(kind), fresh=kinds(kind))
        rig.proxy.set(Wire.PASS)
        await rig.cut()

    return cell


@asynccontextmanager
async def refused(rig: DockerRig) -> AsyncIterator[Expected]:
    await rig.proxy.refuse()
    yield Expected(open=kinds(FailureKind.LOST), fresh=kinds(FailureKind.REFUSED))
    await rig.proxy.listen()


@asynccontextmanager
async def restart(rig: DockerRig) -> AsyncIterator[Expected]:
    await asyncio.to_thread(rig.engine.stop)
    await asyncio.to_thread(rig.engine.start)
    yield Expected(open=kinds(FailureKind.LOST), fresh=OK)


@asynccontextmanager
async def name_unknown(rig: DockerRig) -> AsyncIterator[Expected]:
    def no_such_name(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    rig.patch.setattr(socket, "getaddrinfo", no_such_name)
    yield Expected(open=OK, fresh=kinds(FailureKind.NAME_UNKNOWN))
    rig.patch.undo()


@asynccontextmanager
async def name_lookup_hangs(rig: DockerRig) -> AsyncIterator[Expected]:
    answered = threading.Event()

    def hang(*_: object, **__: object) -> None:
        answered.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    rig.patch.setattr(socket, "getaddrinfo", hang)
    yield Expected(open=OK, fresh=kinds(FailureKind.NAME_LOOKUP_HANGS))
    rig.patch.undo()
    answered.set()
    await wait_until_async(
        lambda: not any("resolve" in thread.name for thread in threading.enumerate()), 30, "the look-up ended"
    )


@asynccontextmanager
async def server_frozen(rig: DockerRig) -> AsyncIterator[Expected]:
    rig.engine.freeze()
    try:
        yield Expected(open=kinds(FailureKind.TIMED_OUT), fresh=kinds(FailureKind.TIMED_OUT))
    finally:
        rig.engine.thaw()


CELLS: dict[str, Cell | NotApplicable] = {
    "refused": refused,
    "hang after accept": on_the_wire(Wire.HANG, FailureKind.TIMED_OUT),
    "hang mid-answer": on_the_wire(Wire.HANG_MID_ANSWER, FailureKind.TIMED_OUT),
    "reset mid-answer": on_the_wire(Wire.RESET_MID_ANSWER, FailureKind.LOST),
    "slow drip": on_the_wire(Wire.DRIP, FailureKind.TIMED_OUT),
    "garbage": on_the_wire(Wire.GARBAGE, FailureKind.BAD_REPLY),
    "restart": restart,
    "limits reached": NotApplicable("an engine knows no limit of clients"),
    "rights revoked": on_the_wire(Wire.GARBAGE, FailureKind.NO_PERMISSION, FORBIDDEN),
    "wrong password": NotApplicable("the API knows no passwords; for certificates see the client's tests"),
    "name unknown": name_unknown,
    "name lookup hangs": name_lookup_hangs,
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
        rig = DockerRig(engine, proxy, request.getfixturevalue("monkeypatch"))
        yield rig
        await rig.collector.close()


TRIAL = Trial(start=_start, cells=CELLS)
