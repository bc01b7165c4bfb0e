"""The local host in the suite: nothing of the network's faults can happen to it."""

import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.host.collector import HostCollector
from opsdash.collectors.host.settings import HostSettings
from opsdash.collectors.target import Environment, Target, TargetId
from tests.contract.fault import FAULTS, NotApplicable, Trial

_opened: list[tuple[str, str]] = []
"""Thread and file, for each file that was opened to be written."""


def _look(event: str, details: tuple[object, ...]) -> None:
    """Python's own record of what it opens; it cannot be taken off again, so it is cheap."""
    if event == "open" and len(details) == 3:
        flags = details[2]
        if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR):
            _opened.append((threading.current_thread().name, str(details[0])))


class HostRig:
    """This machine."""

    deadline_s = 5.0

    def __init__(self) -> None:
        target = Target(
            id=TargetId("host", "here"),
            environment=Environment(name="test", production=False),
            interval_s=2.0,
            settings=HostSettings(),
            source="a test",
        )
        self.collector = HostCollector(target, Clock())

    async def cut(self) -> None:
        """There is no connection."""

    async def read_everything(self) -> None:
        """Look twice, so that rates are there too."""
        sys.addaudithook(_look)
        _opened.clear()
        for _ in range(2):
            await self.collector.collect()

    def foreign_statements(self) -> set[str]:
        """Files that the collector's threads opened to write."""
        return {path for thread, path in _opened if thread.startswith("opsdash ")}


@asynccontextmanager
async def _start(request: pytest.FixtureRequest) -> AsyncIterator[HostRig]:
    yield HostRig()


_LOCAL = NotApplicable("it is this machine: no connection, no login, no name; a hung disk is in tests/host")

TRIAL = Trial(start=_start, cells=dict.fromkeys(FAULTS, _LOCAL))
