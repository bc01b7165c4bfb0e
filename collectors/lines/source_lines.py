"""One source opened for reading: its lines read, and where each of them stands in time.

Lines are read when somebody looks at them, and kept for a while. Whatever goes through many of them (a
filter, a search) looks at their bytes first.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from opsdash.collectors.lines.buffer import LogBuffer
from opsdash.collectors.lines.formats import Format, recognise
from opsdash.collectors.lines.levels import may_be_bad, settled_levels
from opsdash.collectors.lines.multiline import is_continuation
from opsdash.collectors.lines.parse import read_line
from opsdash.collectors.lines.record import Level, Record
from opsdash.collectors.lines.source import LogSource

REORDER_LINES = 8
"""How many lines later than a younger one a line may be printed and still be put into its place between those
of other sources: what the threads of one program do to each other."""
LONGEST_RECORD = 400
"""Lines of one record, beyond which a line that continues it stands for itself."""
_SAMPLE = 50
"""Lines from which the format is recognised."""
_KEPT = 4096
"""Lines that are kept read."""
_FUTURE_S = 86_400.0
"""How far ahead of the time of reading a line's own time may be: a zone that it does not state."""
_BEGINNINGS = frozenset(bytes([code]) for code in b"0123456789{<")
"""No line of a stack trace begins so; nearly all others do."""


class SourceLines:
    """Reads lines of one source by their numbers.

    A line that states no time has that of the line before it; where none does, the time at which it was read
    by opsdash counts.
    """

    def __init__(self, source: LogSource) -> None:
        self.source = source
        self._format: Format | None = None
        self._sampled = 0
        """Lines that the format rests on."""
        self._records: dict[int, Record] = {}
        self._times: dict[int, float | None] = {}
        self._moments: dict[int, float] = {}

    @property
    def buffer(self) -> LogBuffer:
        """What is held of it."""
        return self.source.buffer

    @property
    def key(self) -> Hashable:
        """What stays the same while the source is watched."""
        return (self.source.target, self.source.identity)

    @property
    def format(self) -> Format | None:
        """The recognised format; None while there are no lines."""
        if self._sampled < _SAMPLE:
            buffer = self.buffer
            held = min(buffer.end - buffer.first, _SAMPLE)
            # the first line may be a banner: looked at again when there are twice as many
            if held == _SAMPLE or held >= max(1, 2 * self._sampled):
                self._format = recognise(buffer.lines(buffer.end - held, buffer.end))
                self._sampled = held
                self._forget()
        return self._format

    def record(self, number: int) -> Record:
        """One line, read. Raises IndexError when it is not held."""
        form = self.format
        found = self._records.get(number)
        if found is None:
            if len(self._records) >= _KEPT:
                self._forget()
            found = self._records[number] = self._read(number, self.buffer.line(number), form)
        return found

    def continues(self, number: int) -> bool:
        """Whether a line belongs to the record of the line before it."""
        raw, form = self.buffer.line(number), self.format
        return (raw[:1] not in _BEGINNINGS or form is Format.POSTGRES) and is_continuation(raw, form)

    def continuing(self, raws: Sequence[bytes]) -> set[int]:
        """The places of those among several lines that belong to the record of the line before them."""
        form = self.format
        suspects: Iterable[tuple[int, bytes]] = enumerate(raws)
        if form is not Format.POSTGRES:
            suspects = [(place, raw) for place, raw in enumerate(raws) if raw[:1] not in _BEGINNINGS]
        return {place for place, raw in suspects if is_continuation(raw, form)}

    def at_least(self, level: Level, numbers: Sequence[int], records: Sequence[bytes]) -> list[int]:
        """The places of those among several records whose first line says at least this level.

        Args:
            level: The least level that is kept.
            numbers: Of their first lines.
            records: Their text.
        """
        form, kept = self.format, list[int]()
        for place, known in enumerate(settled_levels(records, form)):
            if known is None and (level < Level.WARN or may_be_bad(records[place], form)):
                raw = records[place].partition(b"\n")[0]
                known = self._read(numbers[place], raw, form).level
            if known is not None and known >= level:
                kept.append(place)
        return kept

    def head(self, number: int) -> int:
        """The first line of the record that a line belongs to, as far as it is held."""
        first = max(self.buffer.first, number - LONGEST_RECORD)
        head = number
        while head > first and self.continues(head):
            head -= 1
        is_endless = head == first > self.buffer.first and self.continues(head)
        return number if is_endless else head

    def end_of_record(self, number: int) -> int:
        """One more than the last line of the record that a line belongs to, as far as it is held."""
        end = min(self.buffer.end, number + LONGEST_RECORD)
        after = number + 1
        while after < end and self.continues(after):
            after += 1
        return after

    def moment(self, number: int) -> float:
        """Where a line stands in time: Unix seconds, and not before any of the few lines above it."""
        found = self._moments.get(number)
        if found is None:
            first = max(self.buffer.first, number - REORDER_LINES)
            found = self._moments[number] = max(self.stated(n) for n in range(first, number + 1))
        return found

    def stated(self, number: int) -> float:
        """The time that a line states, else that of the nearest line above, else that of its reading."""
        for near in range(number, max(self.buffer.first, number - LONGEST_RECORD) - 1, -1):
            at = self._own_time(near)
            if at is not None:
                return at
        return self.buffer.arrived_at(number)

    def _own_time(self, number: int) -> float | None:
        if number not in self._times:
            at = self.record(number).at
            # a time long after its reading is no time of its printing: it would hold up all that follows
            is_sound = at is not None and at <= self.buffer.arrived_at(number) + _FUTURE_S
            self._times[number] = at if is_sound and not self.continues(number) else None
        return self._times[number]

    def _read(self, number: int, raw: bytes, form: Format | None) -> Record:
        read_at = self.buffer.arrived_at(number)
        record = read_line(raw, form, near=read_at, zone=self.source.zone)
        if record.at is None and self.source.is_timed and not is_continuation(raw, form):
            return msgspec.structs.replace(record, at=read_at)
        return record

    def _forget(self) -> None:
        self._records.clear()
        self._times.clear()
        self._moments.clear()


class LineRef(NamedTuple):
    """One line of one source; stays the same while others come and go."""

    lines: SourceLines
    number: int

    @property
    def is_held(self) -> bool:
        """Whether it can still be read."""
        return self.lines.buffer.first <= self.number < self.lines.buffer.end

    @property
    def record(self) -> Record:
        """What it says. Raises IndexError when it is not held."""
        return self.lines.record(self.number)
