"""A bound for regular expressions that a person typed: some would take for ever over a harmless line.

`re` cannot be told to stop, and holds up every other thread. But it heeds signals, and a timer of processor
time sends one: on a busy machine a sound pattern is not taken for a slow one.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LIMIT_S = 0.5
"""Processor time for a slice of lines, or one line of the screen; a sound pattern takes milliseconds."""


class TooSlow(Exception):
    """The time is up."""


@contextmanager
def bounded(limit_s: float = LIMIT_S) -> Iterator[None]:
    """Let what is inside use so much processor time, then break it off. For the main thread; not nested.

    Raises:
        TooSlow: It took longer.
    """
    if signal.getsignal(signal.SIGVTALRM) is not _ring:
        signal.signal(signal.SIGVTALRM, _ring)  # stays: it takes longer than to set the timer
    signal.setitimer(signal.ITIMER_VIRTUAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)


def _ring(number: int, frame: FrameType | None) -> None:
    raise TooSlow
