"""The newest lines of one source, within a fixed number of bytes.

Lines have numbers that only grow, so that a view can say where it is while old ones go. Nothing is read or
split before somebody asks: what arrives costs a copy and a count of line ends.
"""

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator

import msgspec

MAX_BYTES = 8 * 1024 * 1024
"""Held per source unless the configuration says otherwise: about 80,000 lines of 100 bytes."""
_BLOCK_BYTES = 128 * 1024
"""Blocks are dropped as a whole, and split into lines as a whole."""
_SPLIT_BLOCKS = 4
"""Blocks whose lines are kept ready."""
_TELL_APART_S = 0.05
"""Lines of one block that were read further apart than that keep times of their own."""
_MOST_GAPS = 100
"""Marks that are kept: a file that is truncated all the time must not fill the memory with them."""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A place where lines are missing that were printed."""

    before: int
    """Number of the first line after the gap."""
    reason: str
    """For people: "truncated", "12 s without a connection"."""


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Whole lines that stand together, for searching."""

    first: int
    """Number of its first line."""
    data: bytes
    """Each line ends with a newline."""
    arrived_at: float
    """Unix time at which its first line was read."""


class _Held:
    """A block; it grows until it is full, and is bytes from then on."""

    __slots__ = ("arrivals", "count", "data", "first", "since")

    def __init__(self, first: int, arrived_at: float) -> None:
        self.first = first
        self.since = array("q", [first])
        """Numbers of lines; from each on counts the time at the same place in `arrivals`."""
        self.arrivals = array("d", [arrived_at])
        self.data: bytearray | bytes = bytearray()
        self.count = 0

    @property
    def end(self) -> int:
        """One more than the number of its last line."""
        return self.first + self.count

    @property
    def is_full(self) -> bool:
        """Whether nothing more can be added."""
        return isinstance(self.data, bytes)

    @property
    def arrived_at(self) -> float:
        """When its first line was read."""
        return self.arrivals[0]

    def arrival_of(self, number: int) -> float:
        """When one of its lines was read."""
        return self.arrivals[max(bisect_right(self.since, number) - 1, 0)]

    def add(self, data: bytes, arrived_at: float) -> None:
        """Take in whole lines; the block must not be full."""
        assert isinstance(self.data, bytearray)
        if abs(arrived_at - self.arrivals[-1]) >= _TELL_APART_S:
            self.since.append(self.end)
            self.arrivals.append(arrived_at)
        if not self.data and len(data) >= _BLOCK_BYTES:
            self.data = data  # no copy of what comes in bulk
        else:
            self.data += data
            if len(self.data) >= _BLOCK_BYTES:
                self.close()
        self.count += data.count(b"\n")

    def close(self) -> None:
        """Make it full as it is; gives back what a bytearray keeps in reserve."""
        self.data = bytes(self.data)


class LogBuffer:
    """A ring of lines. Not thread-safe: everything runs on one event loop."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        """May be changed; what is too much goes with the next lines."""
        self.first = 0
        """Number of the oldest line held; equal to `end` when there is none."""
        self.end = 0
        """Number that the next line gets."""
        self.held_bytes = 0
        self.gaps: tuple[Gap, ...] = ()
        """Those within what is held, oldest first; of very many the newest hundred."""
        self.listeners: set[Callable[[], None]] = set()
        """Called after lines were taken in: a view need not look whether there are some."""
        self._blocks: deque[_Held] = deque()
        self._split: dict[int, list[bytes]] = {}
        """First number of a block -> its lines."""

    @property
    def dropped(self) -> int:
        """Lines that had to go since the source was opened, because the ring was full."""
        return self.first

    def append(self, data: bytes, arrived_at: float) -> None:
        """Take in whole lines.

        Args:
            data: Each line ends with a newline; sources cut overlong lines before.
            arrived_at: Unix time of reading.
        """
        for piece in _pieces(data):
            block = self._blocks[-1] if self._blocks else None
            if block is not None and len(piece) >= _BLOCK_BYTES:
                block.close()
            if block is None or block.is_full:
                block = _Held(self.end, arrived_at)
                self._blocks.append(block)
            block.add(piece, arrived_at)
            self.end = block.end
            self.held_bytes += len(piece)
            while self.held_bytes > self.max_bytes and len(self._blocks) > 1:
                self._drop()
        for listener in self.listeners if data else ():
            listener()

    def mark_gap(self, reason: str) -> None:
        """Note that lines between the last one and the next are missing.

        A second mark at the same place takes the place of the first.
        """
        kept = self.gaps[:-1] if self.gaps and self.gaps[-1].before == self.end else self.gaps
        self.gaps = (*kept[-_MOST_GAPS + 1 :], Gap(before=self.end, reason=reason))

    def line(self, number: int) -> bytes:
        """One line without its newline. Raises IndexError when it is not held."""
        if not self.first <= number < self.end:
            raise IndexError(f"line {number} of {self.first}..{self.end}")
        block = self._blocks[self._index(number)]
        return self._lines_of(block)[number - block.first]

    def lines(self, first: int, end: int) -> list[bytes]:
        """Lines `first` up to but not including `end`, without newlines.

        Raises:
            IndexError: One of them is not held: dropped already, or not there yet.
        """
        if first < self.first or end > self.end:
            raise IndexError(f"lines {first}..{end} of {self.first}..{self.end}")
        found: list[bytes] = []
        for index in range(max(0, self._index(first)), len(self._blocks)):
            block = self._blocks[index]
            if block.first >= end:
                break
            found += self._lines_of(block)[max(first - block.first, 0) : end - block.first]
        return found

    def newest(self) -> Iterator[tuple[int, bytes]]:
        """Lines with their numbers, the newest first, without newlines; no block is split for them."""
        number = self.end
        for block in reversed(self._blocks):
            end = len(block.data) - 1
            while end >= 0:
                start = block.data.rfind(b"\n", 0, end) + 1
                number -= 1
                yield number, bytes(block.data[start:end])
                end = start - 1

    def arrived_at(self, number: int) -> float:
        """Unix time at which a line was read, right to hundredths of a second; 0.0 when nothing is held."""
        if not self._blocks:
            return 0.0
        return self._blocks[max(0, self._index(number))].arrival_of(number)

    def blocks(self, first: int | None = None) -> Iterator[Block]:
        """What is held from line `first` on, oldest first, block by block; the first may begin before it."""
        for block in tuple(self._blocks):
            if first is None or block.end > first:
                yield Block(first=block.first, data=bytes(block.data), arrived_at=block.arrived_at)

    def _index(self, number: int) -> int:
        """Place of the block that a line is in; -1 for a line before all that is held."""
        return bisect_right(self._blocks, number, key=lambda block: block.first) - 1

    def _lines_of(self, block: _Held) -> list[bytes]:
        ready = self._split.get(block.first)
        if ready is None or len(ready) != block.count:
            ready = bytes(block.data).split(b"\n")[:-1]
            self._split[block.first] = ready
            while len(self._split) > _SPLIT_BLOCKS:
                del self._split[next(iter(self._split))]
        return ready

    def _drop(self) -> None:
        block = self._blocks.popleft()
        self._split.pop(block.first, None)
        self.first = block.end
        self.held_bytes -= len(block.data)
        self.gaps = tuple(gap for gap in self.gaps if gap.before > self.first)


def _pieces(data: bytes) -> Iterator[bytes]:
    """Whole lines in pieces of about a block, so that the ring drops little at a time."""
    start = 0
    while len(data) - start > 2 * _BLOCK_BYTES:
        cut = data.find(b"\n", start + _BLOCK_BYTES - 1) + 1
        if not cut:
            break
        yield data[start:cut]
        start = cut
    if start < len(data):
        yield data[start:] if start else data
