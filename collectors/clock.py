"""Time as a parameter: one object for monotonic and wall time, which tests replace."""

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """The machine's clocks. Nothing else in opsdash reads the time."""

    def mono_s(self) -> float:
        """Monotonic seconds: for differences only."""
        return time.monotonic()

    def now(self) -> datetime:
        """This moment, aware, in UTC."""
        return datetime.now(UTC)

    def cpu_s(self) -> float:
        """CPU seconds that this process has used."""
        return time.process_time()

    async def sleep(self, delay_s: float) -> None:
        """Wait for `delay_s` seconds."""
        await asyncio.sleep(delay_s)
