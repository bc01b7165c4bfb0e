"""A program on a terminal of its own: what it writes, byte by byte, and what a person sees of it."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

import pyte

_READ_BYTES = 1 << 16


class PtyProgram:
    """Runs a command on a pseudo terminal; ends it, by its pid, when the block is left."""

    def __init__(
        self, command: Sequence[str], *, environ: Mapping[str, str], columns: int = 180, lines: int = 46
    ) -> None:
        self.written = b""
        """Everything since the start."""
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._terminal, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._process = subprocess.Popen(
            command,
            env=environ,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
            close_fds=True,
        )
        os.close(inside)

    def __enter__(self) -> "PtyProgram":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(30)
        os.close(self._terminal)

    def text(self) -> str:
        """What can be read on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def press(self, keys: str) -> None:
        """Type `keys`."""
        os.write(self._terminal, keys.encode())

    def wait_for(self, *texts: str, timeout_s: float = 30) -> str:
        """Wait until all `texts` are on the screen; returns what is on it."""
        return self._wait(lambda: all(text in self.text() for text in texts), f"showing {texts}", timeout_s)

    def wait_until_gone(self, text: str, timeout_s: float = 30) -> str:
        """Wait until `text` is not on the screen; returns what is on it."""
        return self._wait(lambda: text not in self.text(), f"not showing {text!r}", timeout_s)

    def wait_for_end(self, timeout_s: float = 30) -> int:
        """Wait until the program ends; returns its status."""
        self._wait(lambda: self._process.poll() is not None, "ended", timeout_s)
        self._read()
        return self._process.returncode

    def _wait(self, condition: Callable[[], bool], wanted: str, timeout_s: float) -> str:
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not {wanted} within {timeout_s:g} s:\n{self.text()}")
            self._read()
        return self.text()

    def _read(self) -> None:
        if not select.select([self._terminal], [], [], 0.1)[0]:
            return
        try:
            data = os.read(self._terminal, _READ_BYTES)
        except OSError:  # the other end is closed: the program has ended
            return
        self.written += data
        self._stream.feed(data)
