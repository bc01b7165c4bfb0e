"""Reading keys without looking for them ten times a second.

Textual's input thread wakes every 0.1 s to see whether it is to end, or whether an escape that was typed is
a key of its own. While nothing is typed that was an eighth of what opsdash cost, and each quit waited for it.
"""

import os
import selectors
import signal
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import TextIOWrapper
from threading import Event
from typing import IO, Any, cast

from textual import constants
from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

_POLL_S = 0.1
_AFTER_INPUT_S = 1.0 + constants.ESCAPE_DELAY
"""For so long after something was typed the parser is asked whether an unfinished sequence is one."""
_READ_BYTES = 4096


class _Ending(Event):
    """Set when the input thread is to end; wakes it."""

    def __init__(self) -> None:
        super().__init__()
        self.told, self._tell = os.pipe()
        os.set_blocking(self.told, False)

    def set(self) -> None:
        super().set()
        os.write(self._tell, b"!")

    def clear(self) -> None:
        super().clear()
        with suppress(BlockingIOError):  # nothing was told
            os.read(self.told, _READ_BYTES)


class _Terminal:
    """The terminal to write to. Once it is gone, what is written is dropped, and opsdash hangs up.

    The error would end Textual's writing thread, and who draws would wait without end for room in its queue:
    a line that stalled and was cut would leave a process, and its sessions, behind.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._is_gone = False
        self.fileno = file.fileno

    def write(self, text: str) -> None:
        """Write, or drop it."""
        self._do(lambda: self._file.write(text))

    def flush(self) -> None:
        """Flush where there is something to flush to."""
        self._do(self._file.flush)

    def _do(self, work: Callable[[], object]) -> None:
        if self._is_gone:
            return
        try:
            work()
        except OSError:
            self._is_gone = True
            os.kill(os.getpid(), signal.SIGHUP)


class WaitingDriver(LinuxDriver):
    """Textual's driver, whose input thread sleeps until there is something to do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Args: Textual's."""
        super().__init__(*args, **kwargs)
        self.exit_event: Event = _Ending()
        assert self._file is not None  # stderr: without a terminal there it is told before
        self._file = cast(TextIOWrapper, _Terminal(self._file))

    def run_input_thread(self) -> None:
        """Pass on what is typed until the thread is to end, or the terminal is gone."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        for data in self._typed():
            text = decode(
                data
            )  # nothing, where only a part of a character has come: that would end the parser
            for event in parser.feed(text) if text else ():
                self.process_message(event)
            for event in parser.tick():
                self.process_message(event)

    def _typed(self) -> Iterator[bytes]:
        """What comes; empty when it is time to look for what a pause has completed."""
        assert isinstance(self.exit_event, _Ending)
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self.exit_event.told, selectors.EVENT_READ)
            awake_until = 0.0
            while not self.exit_event.is_set():
                ready = selector.select(_POLL_S if time.monotonic() < awake_until else None)
                if any(key.fd == self.fileno for key, _ in ready):
                    data = os.read(self.fileno, _READ_BYTES)
                    if not data:
                        return
                    awake_until = time.monotonic() + _AFTER_INPUT_S
                    yield data
                elif not self.exit_event.is_set():
                    yield b""


def waiting(driver: type[Driver]) -> type[Driver]:
    """The driver to use in place of `driver`: another one than the usual (a test's) stays."""
    return WaitingDriver if driver is LinuxDriver else driver
