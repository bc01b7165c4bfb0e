"""One run of a terminal program in a pty, and what it costs."""

import fcntl
import os
import pty
import queue
import signal
import struct
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Self

import psutil

from tests.bench.floor import Floor
from tests.bench.terminal import Terminal

COLUMNS, LINES = 200, 50

KEY_LIMIT_S = 2.0
"""A key that shows no effect within this time counts as this time."""

_QUIT_LIMIT_S = 10.0

_FRAME_S = 0.015
"""What comes within this time of what came before is one frame."""


class Usage(NamedTuple):
    """What a program and all its children have used."""

    cpu_s: float
    rss_bytes: int


class Written(NamedTuple):
    """What came from a program, in bytes."""

    size: int
    floor: int
    """The least that would have done; see `floor.py`."""


class ProgramError(Exception):
    """A measured program did not do what it was asked; the text has its screen."""


class Program:
    """A program that runs in a terminal of 200x50. Leaving the context kills it if it still runs.

    A thread only reads and notes the time, so that a slow look at the screen never holds up the program.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self.terminal = Terminal(COLUMNS, LINES)
        self._name = os.path.basename(argv[0])
        self._output: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        self._status: int | None = None
        self.started_mono_s = time.monotonic()
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
                os.execve(argv[0], [*argv], env)
            finally:
                os._exit(127)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._fd, 65536)
            except OSError:  # Linux says so when the program has ended; macOS gives b""
                data = b""
            self._output.put((time.monotonic(), data))
            if not data:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is None:
            for process in reversed(self._tree()):
                process.send_signal(signal.SIGKILL)
            os.waitpid(self._pid, 0)
        self._reader.join()
        os.close(self._fd)

    def _tree(self) -> list[psutil.Process]:
        try:
            first = psutil.Process(self._pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def usage(self) -> Usage:
        """What it has used so far; a child that has been waited for counts in its parent."""
        cpu_s, rss_bytes = 0.0, 0
        for process in self._tree():
            try:
                cpu_s += sum(process.cpu_times()[:4])
                rss_bytes += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return Usage(cpu_s, rss_bytes)

    # -- the screen -----------------------------------------------------------------------------------

    def _show_next(self, until_mono_s: float) -> tuple[float, int] | None:
        """Take the next piece of output onto the screen: when it came, and its size; None: there is none."""
        try:
            came_mono_s, data = self._output.get(timeout=max(0.0, until_mono_s - time.monotonic()))
        except queue.Empty:
            return None
        self._show(data)
        return came_mono_s, len(data)

    def _show(self, data: bytes) -> None:
        if not data:
            raise ProgramError(f"{self._name} ended by itself:\n{self.terminal.text.rstrip()}")
        answer = self.terminal.feed(data)
        if answer:
            os.write(self._fd, answer)

    def until(self, is_there: Callable[[], bool], limit_s: float) -> float | None:
        """The moment (monotonic) of the output that made `is_there` true; None: not within the limit."""
        deadline = time.monotonic() + limit_s
        while (shown := self._show_next(deadline)) is not None:
            if is_there():
                return shown[0]
        return None

    def expect(self, is_there: Callable[[], bool], what: str, limit_s: float = 60.0) -> float:
        """The same, where it must come.

        Raises:
            ProgramError: It did not.
        """
        came_mono_s = time.monotonic() if is_there() else self.until(is_there, limit_s)
        if came_mono_s is None:
            raise ProgramError(
                f"{self._name}: no {what} within {limit_s:g} s:\n{self.terminal.text.rstrip()}"
            )
        return came_mono_s

    def watch(self, for_s: float) -> int:
        """Let it run undisturbed, then look; returns how many bytes it wrote in that time."""
        self._catch_up()
        end = time.monotonic() + for_s
        time.sleep(for_s)
        size = 0
        while self._output.qsize() and (shown := self._show_next(0.0)) is not None:
            size += shown[1] if shown[0] <= end else 0
        return size

    def watch_frames(self, for_s: float) -> Written:
        """The same, with the least that the same frames could have been written with."""
        self._catch_up()
        end = time.monotonic() + for_s
        time.sleep(for_s)
        floor, size, before_mono_s = Floor(self.terminal), 0, 0.0
        while self._output.qsize():
            came_mono_s, data = self._output.get()
            if came_mono_s - before_mono_s > _FRAME_S:
                floor.frame()
            self._show(data)
            before_mono_s = came_mono_s
            size += len(data) if came_mono_s <= end else 0
        floor.frame()
        return Written(size, floor.size)

    def _catch_up(self) -> None:
        while self._output.qsize():
            self._show_next(0.0)

    # -- keys -----------------------------------------------------------------------------------------

    def press(self, key: str) -> None:
        """Press a key (or several at once)."""
        os.write(self._fd, key.encode())

    def move(self, key: str) -> float:
        """Press a key that moves a list's cursor: seconds until another line is the highlighted one.

        Only that counts: text that changes meanwhile, as ages do, is no answer to a key.
        """
        self._catch_up()
        before = self.terminal.highlights(range(LINES))
        self.terminal.take_touched()
        pressed_mono_s = time.monotonic()
        self.press(key)

        def has_moved() -> bool:
            now = self.terminal.highlights(self.terminal.take_touched())
            return any(before[y] != highlight for y, highlight in now.items())

        came_mono_s = self.until(has_moved, KEY_LIMIT_S)
        return KEY_LIMIT_S if came_mono_s is None else came_mono_s - pressed_mono_s

    def quit(self, keys: Sequence[str]) -> float:
        """Press the keys that end it: seconds from the last one until the process is gone."""
        for key in keys[:-1]:
            self.press(key)
            time.sleep(0.1)
        pressed_mono_s = time.monotonic()
        self.press(keys[-1])
        while time.monotonic() < pressed_mono_s + _QUIT_LIMIT_S:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._status = status
                return time.monotonic() - pressed_mono_s
            time.sleep(0.001)
        self._catch_up()
        raise ProgramError(
            f"{self._name} runs on {_QUIT_LIMIT_S:g} s after {keys}:\n{self.terminal.text.rstrip()}"
        )
