"""One slow question asked once, however many wait for its answer or gave up waiting."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_tasks: dict[str, asyncio.Task[Any]] = {}


async def shared(key: str, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The answer to `ask()`, or to the one of the same key that is under way.

    Whoever is cancelled leaves it running: the next caller gets its answer, so a password command that takes
    longer than one reading may still serves the reading after it. An answer is given once it is there, and
    then forgotten.
    """
    task = _tasks.get(key)
    if task is None or task.get_loop() is not asyncio.get_running_loop():
        task = asyncio.get_running_loop().create_task(ask(), name=key)
        task.add_done_callback(_look_at_result)
        _tasks[key] = task
    try:
        answer: T = await asyncio.shield(task)
    finally:
        if task.done() and _tasks.get(key) is task:
            del _tasks[key]
    return answer


def _look_at_result(task: asyncio.Task[Any]) -> None:
    """Fetch the exception, so that asyncio does not print the one nobody came back for."""
    if not task.cancelled():
        task.exception()
