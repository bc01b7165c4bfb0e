"""Blocking calls on daemon threads of our own, so that a hung one holds up nothing, not even the exit.

asyncio's default executor is joined when the loop closes: one `getaddrinfo` that hangs would delay quitting
for as long as it hangs. Daemon threads are simply left behind.
"""

import asyncio
import errno
import socket
import threading
from collections.abc import Callable
from typing import TypeVar

from opsdash.collectors.errors import NameLookupHangs, NameUnknown
from opsdash.collectors.target import TargetId

T = TypeVar("T")


class StillRunning(Exception):
    """The same call for the same key was started before and hangs still."""


_running: set[str] = set()


async def call_in_thread(function: Callable[[], T], *, key: str, timeout_s: float) -> T:
    """Run a blocking `function` on a daemon thread.

    Args:
        function: Takes no arguments; its exception is raised here.
        key: Names the call; at most one per key runs, so that hung ones cannot pile up.
        timeout_s: How long to wait; the thread itself cannot be stopped and is left behind.

    Raises:
        TimeoutError: It did not end in time.
        StillRunning: An earlier call of this key has not ended yet.
        BlockingIOError: The machine gives no more threads.
    """
    if key in _running:
        raise StillRunning(key)
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        _running.discard(key)
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # None only where T allows it

    def body() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = function()
        except Exception as caught:  # noqa: BLE001 - handed to the caller, who awaits it
            error = caught
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:  # the loop is gone: opsdash is quitting
            _running.discard(key)

    _running.add(key)
    try:
        threading.Thread(target=body, name=f"opsdash {key}", daemon=True).start()
    except RuntimeError as error:  # the machine is out of threads or memory
        _running.discard(key)
        raise BlockingIOError(errno.EAGAIN, f"no thread could be started ({error})") from error
    return await asyncio.wait_for(future, timeout_s)


async def resolve(target: TargetId, host: str, port: int, *, timeout_s: float) -> tuple[str, ...]:
    """The addresses of a host name, in the resolver's order.

    Raises:
        NameUnknown: There is no such name.
        NameLookupHangs: The name server did not answer in time.
    """

    def look_up() -> tuple[str, ...]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))

    try:
        return await call_in_thread(look_up, key=f"resolve {target} {host}", timeout_s=timeout_s)
    except socket.gaierror as error:
        raise NameUnknown(
            target, f'host name "{host}" is unknown: {error.strerror}', hint="check the name and the resolver"
        ) from error
    except (TimeoutError, StillRunning) as error:
        raise NameLookupHangs(
            target,
            f'looking up "{host}" got no answer',
            hint="the name server does not answer; an address instead of the name would work",
        ) from error
