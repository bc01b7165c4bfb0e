"""Waiting for a condition, with a hard limit: tests never sleep for a guessed time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_STEP_S = 0.02


def _fail(message: str, timeout_s: float, last: object) -> AssertionError:
    return AssertionError(f"not within {timeout_s:g} s: {message} (last seen: {last!r})")


def wait_until(condition: Callable[[], T], timeout_s: float, message: str) -> T:
    """Call `condition` until it gives something true, and return that; else fail with `message`."""
    deadline = time.monotonic() + timeout_s
    while not (last := condition()):
        if time.monotonic() > deadline:
            raise _fail(message, timeout_s, last)
        time.sleep(_STEP_S)
    return last


async def wait_until_async(
    condition: Callable[[], T] | Callable[[], Awaitable[T]], timeout_s: float, message: str
) -> T:
    """The same on an event loop, which goes on running; `condition` may be a coroutine function."""
    deadline = time.monotonic() + timeout_s
    while True:
        last = condition()
        if isinstance(last, Awaitable):
            last = await last
        if last:
            return last
        if time.monotonic() > deadline:
            raise _fail(message, timeout_s, last)
        await asyncio.sleep(_STEP_S)
