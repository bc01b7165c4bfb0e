"""Keys are heard at once, and nobody wakes while none is pressed."""

import asyncio
import os
import pty
import select
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.app import App
from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key
from textual.message import Message

from opsdash.tui.waiting_driver import WaitingDriver, waiting
from tests.support.waiting import wait_until

WAIT_S = 30.0


class Heard(WaitingDriver):
    """Keeps what it hears."""

    def __init__(self, terminal: int) -> None:
        super().__init__(App())
        self.fileno = terminal
        self.keys: list[str] = []

    def process_message(self, message: Message) -> None:
        if isinstance(message, Key):
            self.keys.append(message.key)


@contextmanager
def listening() -> Iterator[tuple[Heard, int, threading.Thread]]:
    """A driver whose input thread runs, the keyboard to type on, and the thread."""
    keyboard, terminal = pty.openpty()
    tty.setraw(terminal)
    driver = Heard(terminal)
    thread = threading.Thread(target=driver.run_input_thread, daemon=True)
    thread.start()
    try:
        yield driver, keyboard, thread
    finally:
        driver.exit_event.set()
        thread.join(WAIT_S)
        os.close(keyboard)
        os.close(terminal)


def hears(driver: Heard, *keys: str) -> None:
    wait_until(lambda: driver.keys == list(keys), WAIT_S, f"{keys} heard, not {driver.keys}")


@pytest.fixture(autouse=True)
def in_a_loop() -> Iterator[None]:
    """Drivers ask for the running loop when they are made."""
    loop = asyncio.new_event_loop()
    asyncio._set_running_loop(loop)
    yield
    asyncio._set_running_loop(None)
    loop.close()


def test_keys_are_heard_in_order() -> None:
    with listening() as (driver, keyboard, _):
        os.write(keyboard, b"ab\x1b[A")
        hears(driver, "a", "b", "up")


def test_escape_alone_is_a_key_though_nothing_follows() -> None:
    with listening() as (driver, keyboard, _):
        os.write(keyboard, b"\x1b")
        hears(driver, "escape")


def test_character_that_comes_in_two_parts_is_one() -> None:
    with listening() as (driver, keyboard, _):
        first, *rest = "é".encode()
        os.write(keyboard, bytes([first]))
        wait_until(lambda: not select.select([driver.fileno], [], [], 0)[0], WAIT_S, "the first part is read")
        os.write(keyboard, bytes([*rest, ord("x")]))
        wait_until(lambda: len(driver.keys) == 2, WAIT_S, "two keys")
        assert driver.keys[1] == "x"


def test_bytes_that_are_no_text_do_not_end_listening() -> None:
    with listening() as (driver, keyboard, _):
        os.write(keyboard, b"\xff\xfe")
        os.write(keyboard, b"q")
        wait_until(lambda: driver.keys[-1:] == ["q"], WAIT_S, "the key after them")


def test_it_ends_when_told_while_nothing_is_typed() -> None:
    with listening() as (driver, _, thread):
        driver.exit_event.set()
        thread.join(WAIT_S)
        assert not thread.is_alive()


def test_it_hears_again_after_it_was_stopped() -> None:
    with listening() as (driver, keyboard, thread):
        driver.exit_event.set()
        thread.join(WAIT_S)
        driver.exit_event.clear()
        again = threading.Thread(target=driver.run_input_thread, daemon=True)
        again.start()
        os.write(keyboard, b"j")
        hears(driver, "j")
        driver.exit_event.set()
        again.join(WAIT_S)
        assert not again.is_alive()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="tells by /proc how often a thread woke")
def test_nobody_wakes_while_nothing_is_typed() -> None:
    with listening() as (_, _, thread):
        wait_until(lambda: "S (sleeping)" in _status(thread), WAIT_S, "asleep")
        before = _wakes(thread)
        thread.join(1.0)  # lets a second pass; it does not end
        assert thread.is_alive()
        assert _wakes(thread) - before <= 1  # one may fall between falling asleep and the first look


def _status(thread: threading.Thread) -> str:
    return Path(f"/proc/self/task/{thread.native_id}/status").read_text()


def _wakes(thread: threading.Thread) -> int:
    (line,) = (each for each in _status(thread).splitlines() if each.startswith("voluntary_ctxt_switches"))
    return int(line.split()[1])


@pytest.mark.parametrize(("usual", "used"), [(LinuxDriver, WaitingDriver), (HeadlessDriver, HeadlessDriver)])
def test_only_the_usual_driver_is_replaced(usual: type[Driver], used: type[Driver]) -> None:
    assert waiting(usual) is used
