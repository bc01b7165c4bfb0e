"""A terminal that stops taking what is drawn and then goes away, as a dead SSH connection does."""

import contextlib
import fcntl
import itertools
import os
import pty
import select
import shlex
import signal
import struct
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.program import configuration, environ, opsdash, silent_targets
from tests.support.waiting import wait_until

SIZES = ((180, 46), (179, 45))
RESIZES = 80
"""Some kilobytes each: the terminal holds a few of them, and thirty more may wait behind it."""


class Line:
    """The far end of a terminal in which opsdash runs."""

    def __init__(self, command: str, environ: dict[str, str]) -> None:
        self.pid, self.far_end = pty.fork()
        if self.pid == 0:
            words = shlex.split(command)
            os.execve(words[0], words, environ)
        self.resize(SIZES[0])

    def resize(self, size: tuple[int, int]) -> None:
        """Make the terminal another size, for which everything is drawn anew."""
        width, height = size
        fcntl.ioctl(self.far_end, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read_until(self, text: bytes) -> None:
        """Take what is drawn, up to `text`."""
        seen = b""
        deadline = time.monotonic() + 60
        while text not in seen:
            assert time.monotonic() < deadline, seen
            ready, _, _ = select.select([self.far_end], [], [], 1.0)
            seen += os.read(self.far_end, 65_536) if ready else b""

    def has_ended(self) -> bool:
        return os.waitpid(self.pid, os.WNOHANG)[0] == self.pid


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with silent_targets(1) as targets:
        config = configuration(tmp_path, targets)
        opened = Line(opsdash("--config", str(config)), environ(tmp_path, TERM="xterm-256color"))
        try:
            yield opened
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(opened.pid, signal.SIGKILL)


def test_a_line_that_stalls_and_is_cut_leaves_no_process(line: Line) -> None:
    line.read_until(b"What is wrong")
    sizes = itertools.islice(itertools.cycle(SIZES), RESIZES)

    def drawn_anew() -> bool:
        size = next(sizes, None)
        if size is not None:
            line.resize(size)
        return size is None

    wait_until(drawn_anew, 60, "more is drawn than a terminal holds that nobody reads from")
    os.close(line.far_end)
    wait_until(line.has_ended, 30, "it has ended with its terminal")
