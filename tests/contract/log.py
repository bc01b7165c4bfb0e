"""Log files in the suite: a file system that hangs, while it is looked at and while it is read."""

import os
import sys
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.logs.collector import LogCollector
from opsdash.collectors.logs.files import LocalFiles, Status
from opsdash.collectors.logs.settings import LogSettings
from opsdash.collectors.snapshot import FailureKind
from opsdash.collectors.target import Environment, Target, TargetId
from tests.contract.fault import FAULTS, SECRET, Cell, Expected, NotApplicable, Trial
from tests.support.faults import NOISE
from tests.support.waiting import wait_until_async

LIMIT_S = 30.0
NAME = "contract"

_opened: list[tuple[str, str]] = []
"""Thread and file, for each file that was opened to be written."""


def _look(event: str, details: tuple[object, ...]) -> None:
    """Python's own record of what it opens; it cannot be taken off again, so it is cheap."""
    if event == "open" and len(details) == 3:
        flags = details[2]
        if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR):
            _opened.append((threading.current_thread().name, str(details[0])))


class FrozenFiles(LocalFiles):
    """Real files on a server that can be stopped: then whoever asks for the state or the text waits."""

    def __init__(self) -> None:
        self.state_comes = threading.Event()
        self.text_comes = threading.Event()
        self.state_comes.set()
        self.text_comes.set()

    def status(self, path: str) -> Status:
        self.state_comes.wait(LIMIT_S)
        return super().status(path)

    def read(self, fd: int, count: int, offset: int) -> bytes:
        self.text_comes.wait(LIMIT_S)
        return super().read(fd, count, offset)


class LogRig:
    """A folder with a log that holds a password and bytes that are no text."""

    deadline_s = 5.0

    def __init__(self, folder: Path) -> None:
        self.files = FrozenFiles()
        self.log = folder / "app.log"
        self.log.write_bytes(f"ERROR login failed: password={SECRET}\n".encode() + NOISE + b"\n")
        target = Target(
            id=TargetId("log", NAME),
            environment=Environment(name="test", production=False),
            interval_s=0.25,
            settings=LogSettings(path=f"{folder}/*.log"),
            source="a test",
        )
        self.collector = LogCollector(target, Clock(), files=self.files)

    def add(self) -> None:
        """Something to be read."""
        with self.log.open("ab") as file:
            file.write(b"one more line\n")

    async def cut(self) -> None:
        """There is no connection."""

    async def read_everything(self) -> None:
        """Look while it grows and while it is rotated."""
        sys.addaudithook(_look)
        _opened.clear()
        for _ in range(2):
            await self.collector.collect()
            self.log.rename(self.log.with_name("app.log.1"))
            self.log.write_bytes(b"a new file\n")
        await self.collector.collect()
        _opened[:] = [(thread, path) for thread, path in _opened if thread.startswith("opsdash ")]

    def foreign_statements(self) -> set[str]:
        """Files that the collector's threads opened to write."""
        return {path for _, path in _opened}


@asynccontextmanager
async def _start(request: pytest.FixtureRequest) -> AsyncIterator[LogRig]:
    with tempfile.TemporaryDirectory() as folder:
        rig = LogRig(Path(folder))
        yield rig
        await rig.collector.close()


def _hung(event: str) -> Cell:
    """Nothing comes while the block lasts; then whoever waited gets what it asked for."""

    @asynccontextmanager
    async def cell(rig: LogRig) -> AsyncIterator[Expected]:
        rig.add()
        getattr(rig.files, event).clear()
        hung = frozenset({FailureKind.TIMED_OUT})
        try:
            yield Expected(open=hung, fresh=hung)
        finally:
            getattr(rig.files, event).set()
        await wait_until_async(lambda: not _threads(), LIMIT_S, "nobody waits any more")

    return cell


def _threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("opsdash ") and NAME in t.name]


_NO_NETWORK = NotApplicable("files: no connection, no login, no name")
_OF_A_FILE = NotApplicable("told of the file while the others go on: tests/logs/test_collector.py")

TRIAL = Trial(
    start=_start,
    cells={
        **dict.fromkeys(FAULTS, _NO_NETWORK),
        "hang mid-answer": _hung("text_comes"),
        "server frozen": _hung("state_comes"),
        "garbage": NotApplicable("any bytes may stand in a file: those of every test here are no text"),
        "restart": NotApplicable("a file that goes and comes back is followed: tests/logs/test_tail.py"),
        "rights revoked": _OF_A_FILE,
        "limits reached": _OF_A_FILE,
    },
)
