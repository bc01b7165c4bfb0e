"""A read that is repeated while somebody looks at what it brings."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import TargetError

T = TypeVar("T")


class Repeated(Generic[T]):
    """The newest answer to one question; never asked twice at once."""

    def __init__(self, ask: Callable[[], Awaitable[T | None]], every_s: float, clock: Clock) -> None:
        """Args: the question (None: there is no answer any more), how often, the clock."""
        self.value: T | None = None
        """The newest answer; stays while later questions fail."""
        self.failure: TargetError | None = None
        """Why the newest question was not answered; None: it was, or was not asked yet."""
        self.is_answered = False
        """Whether there was an answer at all, be it that there is nothing."""
        self._ask = ask
        self._every_s = every_s
        self._clock = clock
        self._begun_mono_s: float | None = None
        self._is_asking = False

    @property
    def is_due(self) -> bool:
        """Whether it is time to ask."""
        if self._is_asking:
            return False
        return self._begun_mono_s is None or self._clock.mono_s() - self._begun_mono_s >= self._every_s

    def ask_again(self) -> None:
        """What is known is out of date: the next look asks."""
        self._begun_mono_s = None

    async def read(self) -> None:
        """Ask, and keep the answer or why there is none."""
        self._is_asking, self._begun_mono_s = True, self._clock.mono_s()
        try:
            self.value = await self._ask()
            self.failure, self.is_answered = None, True
        except TargetError as error:
            self.failure = error
        finally:
            self._is_asking = False
