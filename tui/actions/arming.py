"""Whether actions are armed: for ten minutes by both clocks, then not."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from opsdash.collectors.clock import Clock

ARMED_S = 600.0
"""How long arming lasts."""


class Arming:
    """Holds the armed state; expires by itself.

    Both clocks count: the monotonic one stands still while a laptop sleeps, the wall clock can be set back.
    """

    def __init__(self, clock: Clock, on_expiry: Callable[[], None]) -> None:
        self._clock = clock
        self._on_expiry = on_expiry
        self._until: tuple[float, datetime] | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def left_s(self) -> float:
        """Seconds until it expires; 0 when not armed."""
        if self._until is None:
            return 0.0
        by_mono = self._until[0] - self._clock.mono_s()
        by_wall = (self._until[1] - self._clock.now()).total_seconds()
        return max(0.0, min(by_mono, by_wall))

    def start(self) -> None:
        """Arm, from now on."""
        self.stop()
        self._until = (self._clock.mono_s() + ARMED_S, self._clock.now() + timedelta(seconds=ARMED_S))
        self._watch = asyncio.create_task(self._expire(), name="arming expires")

    def stop(self) -> bool:
        """Disarm now. Returns whether it was armed."""
        was_armed = self.left_s > 0
        self._until = None
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        return was_armed

    async def _expire(self) -> None:
        while (left := self.left_s) > 0:
            await self._clock.sleep(min(left, 10.0))  # in short steps, so that a sleeping machine is noticed
        self._until, self._watch = None, None
        self._on_expiry()
