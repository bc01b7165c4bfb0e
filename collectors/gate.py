"""How many reads start per second, and how many run at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncio_throttle.throttler import Throttler


class RateGate:
    """Bounds starts per second, first come first served, and reads under way.

    asyncio-throttle polls and lets newcomers overtake; behind the lock one task polls at a time, in order.
    """

    def __init__(self, *, starts_per_s: int, at_once: int) -> None:
        self._throttle = Throttler(rate_limit=starts_per_s, period=1.0, retry_interval=0.05)
        self._queue = asyncio.Lock()
        self._places = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn; the place is given back on leaving."""
        async with self._places:
            async with self._queue, self._throttle:
                pass
            yield
