"""The lines of many sources in the order of their times, read from any place in either direction.

Nothing is merged before somebody looks: a place between lines is one number per source, and the neighbours of
a place are found by comparing one line of each.
"""

from collections.abc import Sequence
from typing import Protocol

from opsdash.collectors.lines.source_lines import LineRef, SourceLines

Position = tuple[int, ...]
"""A place between lines: for each source the number of its first line below."""

_Order = tuple[float, int, int]


class Lane(Protocol):
    """The lines of one source that are shown."""

    @property
    def lines(self) -> SourceLines:
        """The source."""

    def before(self, number: int) -> int | None:
        """The last line shown whose number is smaller."""

    def at_or_after(self, number: int) -> int | None:
        """The first line shown whose number is not smaller."""

    def rank(self, number: int) -> int:
        """How many lines shown have a smaller number."""

    def __len__(self) -> int:
        """How many lines are shown."""


class WholeLane:
    """All that is held of a source."""

    def __init__(self, lines: SourceLines) -> None:
        self.lines = lines

    def before(self, number: int) -> int | None:
        """The line above."""
        found = min(number, self.lines.buffer.end) - 1
        return found if found >= self.lines.buffer.first else None

    def at_or_after(self, number: int) -> int | None:
        """The line itself, or the oldest one held."""
        found = max(number, self.lines.buffer.first)
        return found if found < self.lines.buffer.end else None

    def rank(self, number: int) -> int:
        """Counted from the oldest one held."""
        return max(0, min(number, self.lines.buffer.end) - self.lines.buffer.first)

    def __len__(self) -> int:
        """How many are held."""
        return self.lines.buffer.end - self.lines.buffer.first


class Timeline:
    """Lanes merged by time.

    Lines of one source never change places; those of one moment keep the order of the lanes.
    """

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self.lanes = tuple(lanes)
        self._index = {lane.lines: place for place, lane in enumerate(self.lanes)}

    def __len__(self) -> int:
        """Lines shown."""
        return sum(map(len, self.lanes))

    def first(self) -> Position:
        """The place above all lines."""
        return tuple(lane.lines.buffer.first for lane in self.lanes)

    def end(self) -> Position:
        """The place below all lines that there are by now."""
        return tuple(lane.lines.buffer.end for lane in self.lanes)

    def rank(self, position: Position) -> int:
        """How many lines are above a place."""
        return sum(lane.rank(number) for lane, number in zip(self.lanes, position, strict=True))

    def knows(self, line: LineRef) -> bool:
        """Whether the source of a line is one of these."""
        return line.lines in self._index

    def shows(self, line: LineRef) -> bool:
        """Whether a line is one of those shown."""
        place = self._index.get(line.lines)
        return (
            line.is_held and place is not None and self.lanes[place].at_or_after(line.number) == line.number
        )

    def below(
        self, start: Position, count: int, end: Position | None = None
    ) -> tuple[list[LineRef], Position]:
        """The next lines below a place, and the place behind them.

        Args:
            start: Where to begin.
            count: At most so many.
            end: Lines from this place on are not there; None: all are.
        """
        numbers, found = list(start), list[LineRef]()
        heads = [self._below(place, numbers[place], end) for place in range(len(numbers))]
        while len(found) < count:
            best = min((head for head in heads if head is not None), default=None)
            if best is None:
                break
            _, place, number = best
            found.append(LineRef(self.lanes[place].lines, number))
            numbers[place] = number + 1
            heads[place] = self._below(place, number + 1, end)
        return found, tuple(numbers)

    def above(self, start: Position, count: int) -> tuple[list[LineRef], Position]:
        """The next lines above a place, the nearest first, and the place above them."""
        numbers, found = list(start), list[LineRef]()
        heads = [self._above(place, numbers[place]) for place in range(len(numbers))]
        while len(found) < count:
            best = max((head for head in heads if head is not None), default=None)
            if best is None:
                break
            _, place, number = best
            found.append(LineRef(self.lanes[place].lines, number))
            numbers[place] = number
            heads[place] = self._above(place, number)
        return found, tuple(numbers)

    def near(self, line: LineRef) -> Position:
        """The place just above a line, shown or not, and even if its source is none of these."""
        home = self._index.get(line.lines)
        buffer = line.lines.buffer
        if line.number >= buffer.end:
            return self.end()
        number = max(line.number, buffer.first)
        if home is not None and len(self.lanes) == 1:
            return (number,)
        order = (line.lines.moment(number), -1, 0) if home is None else self._order(home, number)
        return tuple(
            number if place == home else self._first_not_before(place, order)
            for place in range(len(self.lanes))
        )

    def moved(self, other: "Timeline", position: Position) -> Position:
        """A place of another timeline in this one; of sources that the other does not have, the end."""
        numbers = {lane.lines: number for lane, number in zip(other.lanes, position, strict=True)}
        return tuple(numbers.get(lane.lines, lane.lines.buffer.end) for lane in self.lanes)

    def settled(self, position: Position, anchor: LineRef) -> Position:
        """A place above `anchor`, when further lines have come that belong above it, and old ones have gone.

        Without this a source that is late would push its lines into what a person reads.
        """
        home = self._index[anchor.lines]
        numbers = [
            max(number, lane.lines.buffer.first) for number, lane in zip(position, self.lanes, strict=True)
        ]
        if anchor.number < anchor.lines.buffer.first or len(numbers) == 1:
            return tuple(numbers)
        order = self._order(home, anchor.number)
        for place, lane in enumerate(self.lanes):
            head = lane.lines.buffer.end > numbers[place]
            if place != home and head and self._order(place, numbers[place]) < order:
                numbers[place] = self._first_not_before(place, order)
        return tuple(numbers)

    def is_above(self, line: LineRef, position: Position) -> bool:
        """Whether a line is above a place. Raises KeyError when its source is none of these."""
        return line.number < position[self._index[line.lines]]

    def order(self, line: LineRef) -> tuple[float, int, int]:
        """What lines are sorted by. Raises KeyError when its source is none of these."""
        return self._order(self._index[line.lines], line.number)

    def _below(self, place: int, number: int, end: Position | None) -> _Order | None:
        found = self.lanes[place].at_or_after(number)
        if found is None or (end is not None and found >= end[place]):
            return None
        return self._order(place, found)

    def _above(self, place: int, number: int) -> _Order | None:
        found = self.lanes[place].before(number)
        return None if found is None else self._order(place, found)

    def _order(self, place: int, number: int) -> _Order:
        # of one source alone the numbers say it all: a flood is not read for its times
        return self._timed(place, number) if len(self.lanes) > 1 else (0.0, place, number)

    def _timed(self, place: int, number: int) -> _Order:
        return (self.lanes[place].lines.moment(number), place, number)

    def _first_not_before(self, place: int, order: _Order) -> int:
        """The first line of a source that does not stand before `order`, or its end."""
        buffer = self.lanes[place].lines.buffer
        low, high = buffer.first, buffer.end
        while low < high:
            middle = (low + high) // 2
            if self._timed(place, middle) < order:
                low = middle + 1
            else:
                high = middle
        return low
