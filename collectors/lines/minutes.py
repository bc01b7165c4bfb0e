"""What was in a source before it was followed, cut into minutes by the lines' own times."""

from collections.abc import Iterator
from datetime import tzinfo

from opsdash.collectors.lines.multiline import is_continuation
from opsdash.collectors.lines.parse import read_line
from opsdash.collectors.lines.record import Format

_MOST = 200
"""Minutes that are told apart."""
_TRIES = 50
"""Lines below a place among which one that states a time is looked for."""


class _Tail:
    """Lines in the order of their times, found by halving: few of them are read."""

    def __init__(self, data: bytes, format: Format | None, near: float, zone: tzinfo | None) -> None:
        self._data = data
        self._format = format
        self._near = near
        self._zone = zone

    def time_below(self, place: int) -> tuple[float, int] | None:
        """The time of the first line from `place` on that states one, and where it begins."""
        start = 0 if place <= 0 else self._data.find(b"\n", place - 1) + 1
        if place > 0 and start == 0:
            return None
        for _ in range(_TRIES):
            end = self._data.find(b"\n", start)
            if end < 0:
                return None
            raw = self._data[start:end]
            if not is_continuation(raw, self._format):
                at = read_line(raw, self._format, near=self._near, zone=self._zone).at
                if at is not None:
                    return at, start
            start = end + 1
        return None

    def last_time(self) -> float | None:
        """The time of the last line that states one."""
        end = len(self._data)
        for _ in range(_TRIES):
            start = self._data.rfind(b"\n", 0, max(end - 1, 0)) + 1
            raw = self._data[start : end - 1]
            if not is_continuation(raw, self._format):
                at = read_line(raw, self._format, near=self._near, zone=self._zone).at
                if at is not None:
                    return at
            if start == 0:
                return None
            end = start
        return None

    def first_at(self, at: float, low: int) -> int:
        """Where the first line from `low` on begins that is not before `at`; the end: there is none."""
        high = len(self._data)
        best = high
        while low < high:
            middle = (low + high) // 2
            found = self.time_below(middle)
            if found is None or found[0] >= at:
                high = middle
                best = best if found is None else found[1]
            else:
                low = max(found[1] + 1, middle + 1)
        return best


def minutes_of(
    data: bytes, format: Format | None, *, near: float, zone: tzinfo | None, oldest: int
) -> Iterator[tuple[int | None, bytes]]:
    r"""Cut lines into minutes.

    Args:
        data: Whole lines, oldest first.
        format: Of the source.
        near: Unix time at which they were read.
        zone: Of times that state none.
        oldest: Minute since 1970 before which nothing is told apart.

    Yields:
        (minute since 1970, lines), oldest first, all lines together; None for the minute of lines before
        `oldest`, and of all of them where the lines state no times.

    >>> data = b"2026-11-22T03:11:59Z a\n  more\n2026-11-22T03:12:40Z b\n"
    >>> list(minutes_of(data, None, near=1795317170.0, zone=None, oldest=0))
    [(29921951, b'2026-11-22T03:11:59Z a\n  more\n'), (29921952, b'2026-11-22T03:12:40Z b\n')]
    >>> list(minutes_of(b"a\nb\n", None, near=1795317170.0, zone=None, oldest=0))
    [(None, b'a\nb\n')]
    """
    tail = _Tail(data, format, near, zone)
    first, last = tail.time_below(0), tail.last_time()
    if first is None or last is None:
        yield None, data
        return
    start = tail.first_at(oldest * 60.0, 0)
    if start:
        yield None, data[:start]
    begins = tail.time_below(start)
    for _ in range(_MOST):  # in no order there would be no end of it
        if begins is None or start == len(data):
            break
        minute = int(begins[0] // 60)
        end = tail.first_at((minute + 1) * 60.0, start)
        yield minute, data[start:end]
        start, begins = end, tail.time_below(end)
    if start < len(data):
        yield None, data[start:]
