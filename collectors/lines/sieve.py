"""The lines of one source that filters leave over, found slice by slice while a person already reads.

The newest are looked through first. Lines of one record stay together: a stack trace is there with the line
that it belongs to, whichever of its lines is looked for.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence

from opsdash.collectors.clock import Clock
from opsdash.collectors.lines.filter import Filter, Keep, keeps, least_level
from opsdash.collectors.lines.source_lines import SourceLines

SLICE_LINES = 2048
"""Looked through at a time: a millisecond or two."""


class _Kept:
    """Numbers of lines in rising order, growing at both ends and shrinking at the lower one."""

    def __init__(self) -> None:
        self._runs: list[array[int]] = []
        self._starts: list[int] = []
        """The first number of each run."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def extend_below(self, numbers: Sequence[int]) -> None:
        """Add numbers that are larger than all."""
        if not numbers:
            return
        self._count += len(numbers)
        if self._runs and len(self._runs[-1]) < SLICE_LINES:
            self._runs[-1].extend(numbers)
        else:
            self._runs.append(array("q", numbers))
            self._starts.append(numbers[0])

    def extend_above(self, numbers: Sequence[int]) -> None:
        """Add numbers that are smaller than all."""
        if numbers:
            self._count += len(numbers)
            self._runs.insert(0, array("q", numbers))
            self._starts.insert(0, numbers[0])

    def cut_from(self, number: int) -> None:
        """Forget those that are not smaller."""
        while self._runs and self._starts[-1] >= number:
            self._count -= len(self._runs.pop())
            self._starts.pop()
        if self._runs:
            run = self._runs[-1]
            keep = bisect_left(run, number)
            self._count -= len(run) - keep
            del run[keep:]

    def cut_before(self, number: int) -> None:
        """Forget those that are smaller: their lines are not held any more."""
        while self._runs and self._runs[0][-1] < number:
            self._count -= len(self._runs.pop(0))
            self._starts.pop(0)
        if self._runs and self._starts[0] < number:
            run = self._runs[0]
            gone = bisect_left(run, number)
            self._count -= gone
            del run[:gone]
            self._starts[0] = run[0]

    def rank(self, number: int) -> int:
        """How many are smaller."""
        run = bisect_left(self._starts, number) - 1
        if run < 0:
            return 0
        return sum(map(len, self._runs[:run])) + bisect_left(self._runs[run], number)

    def at_or_after(self, number: int) -> int | None:
        """The smallest one that is not smaller."""
        run = max(bisect_left(self._starts, number) - 1, 0)
        for place in range(run, len(self._runs)):
            within = bisect_left(self._runs[place], number)
            if within < len(self._runs[place]):
                return self._runs[place][within]
        return None

    def before(self, number: int) -> int | None:
        """The largest one that is smaller."""
        run = bisect_left(self._starts, number) - 1
        return self._runs[run][bisect_left(self._runs[run], number) - 1] if run >= 0 else None


class Sieve:
    """A `Lane` of what is left over; complete as soon as `step` has nothing more to do."""

    def __init__(self, lines: SourceLines, filters: Sequence[Filter]) -> None:
        self.lines = lines
        self._keep: Keep = keeps(filters)
        self._least = least_level(filters)
        self._kept = _Kept()
        self._top = self._bottom = lines.buffer.end
        """Looked through: lines from `_top` up to but not including `_bottom`."""

    def __len__(self) -> int:
        self._kept.cut_before(self.lines.buffer.first)
        return len(self._kept)

    def before(self, number: int) -> int | None:
        """The last line left over whose number is smaller."""
        found = self._kept.before(number)
        return found if found is not None and found >= self.lines.buffer.first else None

    def at_or_after(self, number: int) -> int | None:
        """The first line left over whose number is not smaller."""
        return self._kept.at_or_after(max(number, self.lines.buffer.first))

    def rank(self, number: int) -> int:
        """How many lines left over have a smaller number."""
        self._kept.cut_before(self.lines.buffer.first)
        return self._kept.rank(number)

    @property
    def unread(self) -> int:
        """Lines that were not looked through yet."""
        buffer = self.lines.buffer
        return max(self._top - buffer.first, 0) + max(buffer.end - max(self._bottom, buffer.first), 0)

    @property
    def frontier(self) -> int | None:
        """The newest line that was not looked through; None when all were."""
        buffer = self.lines.buffer
        if self._bottom < buffer.end:
            return buffer.end - 1
        return self._top - 1 if self._top > buffer.first else None

    def step(self) -> bool:
        """Look through a slice. False when there was nothing left to do."""
        buffer = self.lines.buffer
        if self._bottom < buffer.first:  # all that was looked through has gone
            self._kept = _Kept()
            self._top = self._bottom = buffer.end
        if self._bottom < buffer.end:
            self._look_below()
        elif self._top > buffer.first:
            self._look_above()
        else:
            return False
        return True

    def _look_below(self) -> None:
        buffer = self.lines.buffer
        start = self._bottom
        if self._top < start:  # what has come may continue the last record
            start = max(self.lines.head(start - 1), self._top, buffer.first)
            self._kept.cut_from(start)
        end = min(start + SLICE_LINES, buffer.end)
        if end < buffer.end:
            end = max(self._record_start(end), start + 1)
        self._kept.extend_below(self._look(start, end))
        self._bottom = end

    def _look_above(self) -> None:
        first = self.lines.buffer.first
        start = max(self._top - SLICE_LINES, first)
        if start > first:
            start = self._record_start(start)
        start = min(start, self._top - 1)
        self._kept.extend_above(self._look(start, self._top))
        self._top = start

    def _record_start(self, number: int) -> int:
        return self.lines.head(number)

    def _look(self, start: int, end: int) -> list[int]:
        """The lines of the kept records among these, which begin with a record's first line."""
        raws = self.lines.buffer.lines(start, end)
        continuing = self.lines.continuing(raws)
        if continuing:
            heads = [i for i in range(len(raws)) if i == 0 or i not in continuing]
            ends = [*heads[1:], len(raws)]
            records = [b"\n".join(raws[a:b]) for a, b in zip(heads, ends, strict=True)]
            kept = self._keep_level(records, [start + i for i in heads])
            return [start + i for place in kept for i in range(heads[place], ends[place])]
        return [start + i for i in self._keep_level(raws, range(start, end))]

    def _keep_level(self, records: Sequence[bytes], numbers: Sequence[int]) -> list[int]:
        places = self._keep(records)
        if self._least is None:
            return places
        bad = self.lines.at_least(self._least, [numbers[i] for i in places], [records[i] for i in places])
        return [places[i] for i in bad]


def sift(sieves: Sequence[Sieve], clock: Clock, budget_s: float) -> bool:
    """Look through what is unread, the newest lines of all sources first, for about so many seconds.

    Returns:
        Whether everything was looked through.
    """
    until = clock.mono_s() + budget_s
    due = [sieve for sieve in sieves if sieve.frontier is not None]
    while due:
        newest = max(due, key=_frontier_moment)
        newest.step()
        if newest.frontier is None:
            due.remove(newest)
        if clock.mono_s() >= until:
            return not due
    return True


def _frontier_moment(sieve: Sieve) -> float:
    frontier = sieve.frontier
    return float("-inf") if frontier is None else sieve.lines.stated(frontier)
