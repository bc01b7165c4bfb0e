"""The newest lines of one source, within a fixed number of bytes.

Lines have numbers that only grow, so that a view can say where it is while old ones go. Nothing is read or
split before somebody asks: what arrives costs a copy and a count of line ends.
"""

from collections import deque
from collections.abc import Iterator

import msgspec

MAX_BYTES = 8 * 1024 * 1024
"""Held per source unless the configuration says otherwise: about 80,000 lines of 100 bytes."""
_BLOCK_BYTES = 128 * 1024
"""Blocks are dropped as a whole, and split into lines as a whole."""
_SPLIT_BLOCKS = 4
"""Blocks whose lines are kept ready."""


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
    """A block that may still grow."""

    def __init__(self, first: int, arrived_at: float) -> None:
        self.first = first
        self.arrived_at = arrived_at
        self.data = bytearray()
        self.count = 0


class LogBuffer:
    """A ring of lines. Not thread-safe: everything runs on one event loop."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        self.first = 0
        """Number of the oldest line held; equal to `end` when there is none."""
        self.end = 0
        """Number that the next line gets."""
        self.held_bytes = 0
        self.gaps: tuple[Gap, ...] = ()
        """Those within what is held, oldest first."""
        self._blocks: deque[_Held] = deque()
        self._split: dict[int, list[bytes]] = {}
        """First number of a full block -> its lines."""

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
        if not data:
            return
        block = self._blocks[-1] if self._blocks else None
        if block is None or len(block.data) >= _BLOCK_BYTES:
            block = _Held(self.end, arrived_at)
            self._blocks.append(block)
        block.data += data
        count = data.count(b"\n")
        block.count += count
        self.end += count
        self.held_bytes += len(data)
        while self.held_bytes > self.max_bytes and len(self._blocks) > 1:
            self._drop()

    def mark_gap(self, reason: str) -> None:
        """Note that lines between the last one and the next are missing."""
        self.gaps = (*self.gaps, Gap(before=self.end, reason=reason))

    def line(self, number: int) -> bytes:
        """One line without its newline. Raises IndexError when it is not held."""
        return self.lines(number, number + 1)[0]

    def lines(self, first: int, end: int) -> list[bytes]:
        """Lines `first` up to but not including `end`, without newlines.

        Raises:
            IndexError: One of them is not held: dropped already, or not there yet.
        """
        if first < self.first or end > self.end:
            raise IndexError(f"lines {first}..{end} of {self.first}..{self.end}")
        found: list[bytes] = []
        for block in self._blocks:
            if block.first >= end:
                break
            if block.first + block.count > first:
                split = self._lines_of(block)
                found += split[max(first - block.first, 0) : end - block.first]
        return found

    def arrived_at(self, number: int) -> float:
        """About when a line was read: Unix time of the block that it is in."""
        return next((b.arrived_at for b in reversed(self._blocks) if b.first <= number), 0.0)

    def blocks(self, first: int | None = None) -> Iterator[Block]:
        """What is held from line `first` on, oldest first, block by block; the first may begin before it."""
        for block in tuple(self._blocks):
            if first is None or block.first + block.count > first:
                yield Block(first=block.first, data=bytes(block.data), arrived_at=block.arrived_at)

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
        self.first += block.count
        self.held_bytes -= len(block.data)
        self.gaps = tuple(gap for gap in self.gaps if gap.before > self.first)
