"""How soon the next lines of a log are fetched."""

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.pace import LOOKED_AT_TICK_S, TICK_S, Pace


class Resting(Clock):
    """Stands still, and tells how long was slept."""

    def __init__(self, mono_s: float) -> None:
        self._mono_s = mono_s
        self.slept_s = 0.0

    def mono_s(self) -> float:
        return self._mono_s

    async def sleep(self, seconds: float) -> None:
        self.slept_s = seconds


async def rest_s(clock: Resting, *, lines: int, gathered_s: float, is_looked_at: bool) -> float:
    await Pace(clock).rest(100 * lines, lines, gathered_s, 0.0005, is_looked_at=is_looked_at)
    return round(clock.slept_s, 6)


async def test_quiet_logs_are_fetched_at_the_same_moments_and_sooner_while_looked_at() -> None:
    for mono_s in (7.1, 7.7):
        clock = Resting(mono_s)
        unseen_s = await rest_s(clock, lines=5, gathered_s=1.0, is_looked_at=False)
        seen_s = await rest_s(clock, lines=5, gathered_s=1.0, is_looked_at=True)
        assert (mono_s + unseen_s) % TICK_S in (0.0, TICK_S)
        assert round((mono_s + seen_s) % LOOKED_AT_TICK_S, 6) in (0.0, LOOKED_AT_TICK_S)
        assert 0 < seen_s <= LOOKED_AT_TICK_S


async def test_a_log_that_fills_its_socket_before_the_tick_is_fetched_before() -> None:
    assert await rest_s(Resting(7.1), lines=140, gathered_s=0.1, is_looked_at=False) == 0.1
    assert await rest_s(Resting(7.1), lines=140, gathered_s=0.1, is_looked_at=True) == 0.1
