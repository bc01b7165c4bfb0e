"""HTTP's faults: an endpoint behind a proxy, and what a probe of it must be called."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import TargetError
from opsdash.collectors.http.collector import HttpCollector
from opsdash.collectors.http.rows import HttpData, Trouble
from opsdash.collectors.http.settings import HeaderSource, HttpSettings
from opsdash.collectors.snapshot import FailureKind
from opsdash.collectors.target import Environment, Target, TargetId
from tests.contract.fault import SECRET, Cell, Expected, NotApplicable, Trial
from tests.contract.on_the_way import always, faults_on_the_way, look_up
from tests.http.server import Server, answer, raw
from tests.support.faults import Proxy

_CALLED = {
    Trouble.REFUSED: FailureKind.REFUSED,
    Trouble.TIMED_OUT: FailureKind.TIMED_OUT,
    Trouble.NAME_UNKNOWN: FailureKind.NAME_UNKNOWN,
    Trouble.NAME_LOOKUP_HANGS: FailureKind.NAME_LOOKUP_HANGS,
    Trouble.LOST: FailureKind.LOST,
    Trouble.NOT_HTTP: FailureKind.BAD_REPLY,
    Trouble.NOT_LET_IN: FailureKind.AUTHENTICATION,
    Trouble.FORBIDDEN: FailureKind.NO_PERMISSION,
    Trouble.RATE_LIMITED: FailureKind.TOO_MANY_CLIENTS,
}


class Told:
    """An endpoint that is down is data, not a failed read; here what was found is raised, for the suite."""

    def __init__(self, inner: HttpCollector) -> None:
        self._inner = inner
        self.target = inner.target

    async def collect(self) -> HttpData:
        data = await self._inner.collect()
        assert SECRET not in msgspec.json.encode(data).decode()
        probe = data.probe
        if probe.trouble is None:
            return data
        assert probe.hint, "every failure says what to do next"
        kind = _CALLED[probe.trouble]
        error = next(c for c in TargetError.__subclasses__() if c.kind is kind)
        raise error(self.target.id, probe.reason or "", hint=probe.hint)

    def abort(self) -> None:
        self._inner.abort()

    async def close(self) -> None:
        await self._inner.close()


class HttpRig:
    """An endpoint that wants a token, a proxy in front of it, and a collector that has the token."""

    deadline_s = 1.5

    def __init__(self, server: Server, proxy: Proxy, patch: pytest.MonkeyPatch) -> None:
        self.server, self.proxy, self.patch = server, proxy, patch
        self.answers(200)
        patch.setenv("OPSDASH_TEST_TOKEN", SECRET)
        target = Target(
            id=TargetId("http", "api"),
            environment=Environment(name="test", production=False),
            interval_s=2.0,
            settings=HttpSettings(
                url=f"http://localhost:{proxy.port}/health",
                headers={"Authorization": HeaderSource(env="OPSDASH_TEST_TOKEN", prefix="Bearer ")},
                timeout_s=1.0,
            ),
            source="a test",
        )
        self.collector = Told(HttpCollector(target, Clock(), look_up=look_up))

    def answers(self, status: int) -> None:
        """From now on; a right answer repeats the token, as careless services do."""
        self.server.says("/health", answer(status, {"status": "ok", "token": SECRET}, phrase=SECRET))

    async def cut(self) -> None:
        """There is no connection between two probes."""

    async def read_everything(self) -> None:
        """Probe twice."""
        for _ in range(2):
            await self.collector.collect()

    def foreign_statements(self) -> set[str]:
        """Requests that are no plain reading of the path in the configuration."""
        assert self.server.asked, "the server saw what was asked"
        assert all(asked.headers["authorization"] == f"Bearer {SECRET}" for asked in self.server.asked)
        return {f"{asked.method} {asked.path}" for asked in self.server.asked} - {"GET /health"}


def answered(status: int, kind: FailureKind) -> Cell:
    """A status that says it."""

    @asynccontextmanager
    async def cell(rig: HttpRig) -> AsyncIterator[Expected]:
        rig.answers(status)
        yield always(kind)
        rig.answers(200)

    return cell


@asynccontextmanager
async def garbage(rig: HttpRig) -> AsyncIterator[Expected]:
    """The proxy's noise is HTTP: here Redis answers."""
    rig.server.says("/health", raw(b"-ERR unknown command \x1b[2J\r\n\r\n" * 8))
    yield always(FailureKind.BAD_REPLY)
    rig.answers(200)


@asynccontextmanager
async def server_frozen(rig: HttpRig) -> AsyncIterator[Expected]:
    """The kernel takes the connection, and nobody answers."""
    rig.server.refuse()
    with socket.create_server(("127.0.0.1", rig.server.port)):
        yield always(FailureKind.TIMED_OUT)
    await rig.server.listen()


_NO_CONNECTION = NotApplicable("no connection is kept: every probe opens its own")
_NO_WORD = NotApplicable("HTTP has no word for it: it refuses, or answers 503, which is told as that")

CELLS: dict[str, Cell | NotApplicable] = {
    **faults_on_the_way(is_kept=False),
    "garbage": garbage,
    "restart": _NO_CONNECTION,
    "limits reached": answered(429, FailureKind.TOO_MANY_CLIENTS),
    "rights revoked": answered(403, FailureKind.NO_PERMISSION),
    "wrong password": answered(401, FailureKind.AUTHENTICATION),
    "connection frozen": _NO_CONNECTION,
    "server frozen": server_frozen,
    "starting up": _NO_WORD,
    "in recovery": _NO_WORD,
    "shutting down": _NO_WORD,
}


@asynccontextmanager
async def _start(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    async with Server() as server, Proxy(server.port) as proxy:
        rig = HttpRig(server, proxy, request.getfixturevalue("monkeypatch"))
        yield rig
        await rig.collector.close()


TRIAL = Trial(start=_start, cells=CELLS)
