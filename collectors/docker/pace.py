"""How fast logs are read, so that neither many quiet ones nor a flood takes the processor."""

import asyncio

from opsdash.collectors.clock import Clock

TICK_S = 1.0
"""After a line the next ones are fetched together at the end of this: a fetch costs as much as many lines."""
LOOKED_AT_TICK_S = 0.25
"""The same of a log whose lines are on the screen."""

_GOOD_LINES = 140
_GOOD_BYTES = 64 * 1024
"""What is worth a fetch: about half of what a Unix socket holds. An engine writes line by line, and of that
it takes no more than 280, however short they are.
"""
_SHORTEST_REST_S = 0.004
_REST = 3.0
"""In a flood, the seconds of rest for each second of work: at most a quarter of a core over all sources.
What is not read meanwhile waits in the engine, which writes logs to disk first."""


class Pace:
    """Shared by all logs of an engine."""

    def __init__(self, clock: Clock) -> None:
        """Args: the clock."""
        self._clock = clock
        self._turn = asyncio.Lock()

    async def rest(
        self, size_bytes: int, lines: int, gathered_s: float, spent_s: float, *, is_looked_at: bool
    ) -> None:
        """Wait before the next piece is fetched.

        Args:
            size_bytes: Of the piece that was just fetched.
            lines: How many ended in it.
            gathered_s: The time in which it had come together.
            spent_s: What it took to take it in.
            is_looked_at: Whether somebody waits for the lines.
        """
        tick_s = LOOKED_AT_TICK_S if is_looked_at else TICK_S
        until_full_s = gathered_s / max(size_bytes / _GOOD_BYTES, lines / _GOOD_LINES)
        if until_full_s >= tick_s:
            # all wake at the same moments, and so share one turn of the event loop
            await self._clock.sleep(tick_s - self._clock.mono_s() % tick_s)
            return
        async with self._turn:
            await self._clock.sleep(max(until_full_s, spent_s * _REST, _SHORTEST_REST_S))
