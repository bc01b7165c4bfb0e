"""Counts lines, errors and warnings of a source per minute, at the pace of a flood.

Not every line is read: whole blocks are searched for the few words of which a bad line holds one, and only
lines that hold one are looked at. Of very many in one block the newest are looked at, and what they turn out
to be is taken for all.
"""

from collections import deque
from collections.abc import Sequence
from datetime import tzinfo
from functools import cache
from itertools import islice

import msgspec

from opsdash.collectors.lines.buffer import LogBuffer
from opsdash.collectors.lines.formats import recognise
from opsdash.collectors.lines.minutes import minutes_of
from opsdash.collectors.lines.multiline import is_continuation
from opsdash.collectors.lines.parse import read_line
from opsdash.collectors.lines.record import Format, Level
from opsdash.collectors.lines.summary import LATEST, LATEST_TROUBLE, LatestLine, Minute, SourceSummary
from opsdash.collectors.lines.trouble_words import WORDS_OF_ANY_FORMAT, trouble_words
from opsdash.collectors.snapshot import Failure

MINUTES = 60
"""Minutes that are kept."""
_LONGEST = 500
"""Characters of a line in a summary."""
_LOOK_BACK = 40
"""Lines above the end among which the newest heads of records are looked for."""
_LOOKED_AT_PER_S = 60
_LOOKED_AT_LEAST = 4
"""Lines looked at per second of arrival, and per word and block when that is used up."""
_WINDOWS = 16
_WINDOW_BYTES = 4 * 1024
_FLOOD_BYTES = 64 * 1024
"""Larger blocks are searched for the words that the source's format uses, and no others."""
_SMALL_BYTES = 4 * 1024
"""In smaller ones it is cheaper to look for each word than for its letters."""
_SHOWN_BYTES = 256 * 1024
_SAMPLE = 50
_SAMPLE_BYTES = 16 * 1024
_RECOGNISE_EVERY_S = 60.0


class _Counts:
    """What was counted in one minute; a part of a flood is estimated, so not only whole numbers."""

    def __init__(self) -> None:
        self.lines = 0
        self.errors = 0.0
        self.warnings = 0.0
        self.is_complete = True
        self._told: Minute | None = None

    def told(self, minute: int) -> Minute:
        """As a summary has it; the same value as before while nothing was counted: there are sixty."""
        told = self._told
        errors, warnings = round(self.errors), round(self.warnings)
        now = (self.lines, errors, warnings, self.is_complete)
        if told is None or now != (told.lines, told.errors, told.warnings, told.is_complete):
            told = self._told = Minute(minute * 60.0, *now)
        return told


class _Kept(msgspec.Struct, frozen=True):
    """A bad line, and what it was read from: more is known about the format later."""

    line: LatestLine
    raw: bytes
    arrived_at: float


class Tally:
    """Counts one source. It is given the same blocks as the source's buffer, in the same order."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        self.format: Format | None = None
        """Recognised; None: there were no lines yet."""
        self._words: tuple[bytes, ...] = ()
        self._all_words: tuple[bytes, ...] = ()
        self._zone = zone
        self._end = 0
        """Lines seen: the number in the buffer of the next one."""
        self._minutes: dict[int, _Counts] = {}
        """Whole minutes since 1970 -> counts."""
        self._trouble: deque[_Kept] = deque(maxlen=LATEST_TROUBLE)
        self._last_arrived_at: float | None = None
        self._sample: deque[bytes] = deque(maxlen=_SAMPLE)
        self._recognised_by = 0
        """Lines."""
        self._recognised_at = 0.0
        self._second = 0
        self._looked_at = 0
        self._summary: tuple[object, SourceSummary] | None = None

    def add(self, data: bytes, arrived_at: float, *, lines: int | None = None) -> None:
        """Count lines that were printed just now.

        Args:
            data: Whole lines, each with its newline.
            arrived_at: Unix time; the minute that they count for. A container's engine states it.
            lines: How many they are, where the buffer has counted them; None: not known.
        """
        if data:
            self._learn(data, arrived_at)
            self._count(data, arrived_at, self._minute(int(arrived_at // 60)), lines)
            self._last_arrived_at = arrived_at

    def add_tail(self, data: bytes, read_at: float) -> None:
        """Count lines that were there before: by their own times, where they state any.

        Args:
            data: Whole lines, each with its newline.
            read_at: Unix time.
        """
        if not data:
            return
        self._learn(data, read_at)
        oldest = int(read_at // 60) - MINUTES + 1
        for minute, part in minutes_of(data, self.format, near=read_at, zone=self._zone, oldest=oldest):
            self._count(part, read_at, None if minute is None else self._minute(minute))

    def mark_partial(self, at: float) -> None:
        """Note that of the minute of `at` (Unix time) there were lines that are not counted."""
        self._minute(int(at // 60)).is_complete = False

    def summary(
        self,
        name: str,
        identity: str,
        buffer: LogBuffer,
        *,
        now: float,
        watched_since: float,
        failure: Failure | None = None,
    ) -> SourceSummary:
        """What rules and panels are told; the same value as before while nothing changed.

        Args:
            name: Of the source.
            identity: Of the source.
            buffer: Of the source.
            now: Unix time: minutes without a line are counted up to it.
            watched_since: Unix time since when the source is followed.
            failure: Why it cannot be read now.
        """
        minute = int(now // 60)
        if failure is not None:
            self._minute(minute).is_complete = False
        state = (name, identity, buffer.end, buffer.first, buffer.gaps, failure, minute)
        if self._summary is not None and self._summary[0] == state:
            return self._summary[1]
        made = SourceSummary(
            name=name,
            identity=identity,
            format=(self.format or Format.PLAIN).value,
            first=buffer.first,
            end=buffer.end,
            dropped=buffer.dropped,
            held_bytes=buffer.held_bytes,
            gaps=buffer.gaps,
            minutes=self._told(minute, int(watched_since // 60)),
            latest=self._latest(buffer),
            latest_trouble=tuple(kept.line for kept in self._trouble),
            last_arrived_at=self._last_arrived_at,
            watched_since=watched_since,
            failure=failure,
        )
        self._summary = (state, made)
        return made

    def _learn(self, data: bytes, at: float) -> None:
        """Recognise the format while few lines are known whenever they doubled, and every minute."""
        self._sample.extend(data[-_SAMPLE_BYTES:].split(b"\n")[:-1])
        has_doubled = len(self._sample) >= 2 * self._recognised_by
        if has_doubled or at - self._recognised_at >= _RECOGNISE_EVERY_S:
            before, self.format = self.format, recognise(tuple(self._sample))
            if self.format is not before:
                self._read_again()
            self._words = trouble_words(self.format, self._sample)
            self._all_words = (*(word.lower() for word in self._words), *WORDS_OF_ANY_FORMAT)
            self._recognised_by = len(self._sample)
            self._recognised_at = at

    def _read_again(self) -> None:
        """Read the bad lines that are kept in the format that is known now; some may turn out to be good."""
        for kept in tuple(self._trouble):
            self._trouble.popleft()
            line = self._bad_line(kept.raw, kept.arrived_at)
            if line is not None:
                line = msgspec.structs.replace(line, number=kept.line.number)
                self._trouble.append(_Kept(line, kept.raw, kept.arrived_at))

    def _minute(self, minute: int) -> _Counts:
        counts = self._minutes.get(minute)
        if counts is None:
            counts = self._minutes[minute] = _Counts()
            for old in [m for m in self._minutes if m <= max(self._minutes) - MINUTES]:
                del self._minutes[old]
        return counts

    def _count(self, data: bytes, at: float, counts: _Counts | None, lines: int | None = None) -> None:
        """Count the lines of a block, and keep its newest bad lines; None: its minute is not known."""
        lines = data.count(b"\n") if lines is None else lines
        self._end += lines
        if counts is None:  # looked at for show
            data = data[data.rfind(b"\n", 0, -_SHOWN_BYTES) + 1 :]
        is_flood = len(data) > _FLOOD_BYTES
        words = self._words if is_flood else self._all_words
        if any(word.startswith(b"\n") for word in words):
            data = b"\n" + data  # the first line, too, begins after one
        errors = warnings = 0.0
        trouble: dict[int, _Kept] = {}
        searched = data if is_flood else data.lower()
        if len(data) <= _SMALL_BYTES:
            words = tuple([word for word in words if word in searched])
        for place, word in enumerate(words):
            share, bad, worse = self._look_for(word, words[:place], data, searched, at, trouble)
            warnings += bad * share
            errors += worse * share
        if counts is not None:
            counts.lines += lines
            counts.errors += min(errors, lines)
            counts.warnings += min(warnings, lines)
        for start in sorted(trouble)[-LATEST_TROUBLE:]:
            number = self._end - data.count(b"\n", start)
            kept = trouble[start]
            line = msgspec.structs.replace(kept.line, number=number)
            self._trouble.append(msgspec.structs.replace(kept, line=line))

    def _look_for(
        self,
        word: bytes,
        before: Sequence[bytes],
        data: bytes,
        searched: bytes,
        at: float,
        trouble: dict[int, _Kept],
    ) -> tuple[float, int, int]:
        """Look at the newest lines that hold a word, but for those that hold one of `before` as well.

        Returns:
            By how much to multiply (more lines hold it than were looked at), warnings and errors found.
        """
        seen = bad = worse = 0
        if not all(
            letter in searched for letter in _letters(word)
        ):  # ten times as fast as to look for the word
            return 0.0, 0, 0
        limit = self._may_look_at(at)
        end = len(data)
        while seen < limit and (place := searched.rfind(word, 0, end)) >= 0:
            start = data.rfind(b"\n", 0, place + 1) + 1
            end = min(start, place)
            seen += 1
            below = data.find(b"\n", start)
            is_counted = _holds_one(before, searched[max(start - 1, 0) : below])
            line = None if is_counted else self._bad_line(data[start:below], at)
            if line is not None:
                trouble[start] = _Kept(line, data[start:below], at)
                is_error = line.level is not None and line.level >= Level.ERROR
                worse += is_error
                bad += not is_error
        self._looked_at += seen
        rest = _about(word, searched, end) if seen >= limit else 0.0
        return (seen + rest) / seen if seen else 0.0, bad, worse

    def _may_look_at(self, at: float) -> int:
        if int(at) != self._second:
            self._second = int(at)
            self._looked_at = 0
        return max(_LOOKED_AT_PER_S - self._looked_at, _LOOKED_AT_LEAST)

    def _bad_line(self, raw: bytes, at: float) -> LatestLine | None:
        """A line when it is a warning or worse, and not a part of the record above."""
        if is_continuation(raw, self.format):
            return None
        line = self._read(0, raw, at)
        return line if line.level is not None and line.level >= Level.WARN else None

    def _read(self, number: int, raw: bytes, at: float) -> LatestLine:
        record = read_line(raw, self.format, near=at, zone=self._zone)
        text = record.message
        if len(text) > _LONGEST:
            text = text[: _LONGEST - 1] + "…"
        return LatestLine(
            number=number, at=at if record.at is None else record.at, level=record.level, text=text
        )

    def _latest(self, buffer: LogBuffer) -> tuple[LatestLine, ...]:
        found: list[LatestLine] = []
        for number, raw in islice(buffer.newest(), _LOOK_BACK):
            if not is_continuation(raw, self.format):
                found.append(self._read(number, raw, buffer.arrived_at(number)))
                if len(found) == LATEST:
                    break
        return tuple(reversed(found))

    def _told(self, last: int, since: int) -> tuple[Minute, ...]:
        """Every minute from the first that is known to `last`."""
        first = max(min([*self._minutes, since]), last - MINUTES + 1)
        return tuple(
            [
                counts.told(minute)
                if (counts := self._minutes.get(minute))
                else Minute(minute * 60.0, 0, 0, 0)
                for minute in range(first, last + 1)
            ]
        )


@cache
def _letters(word: bytes) -> tuple[bytes, ...]:
    """The bytes of a word, each once, capitals and signs first: they are the rarest."""
    return tuple(bytes([byte]) for byte in sorted(set(word)))


def _about(word: bytes, data: bytes, end: int) -> float:
    """How often a word stands in `data` before `end`: counted in windows spread over it when it is long."""
    if end <= _WINDOWS * _WINDOW_BYTES:
        return data.count(word, 0, end)
    step = end // _WINDOWS
    found = sum(data.count(word, start, start + _WINDOW_BYTES) for start in range(0, step * _WINDOWS, step))
    return found * end / (_WINDOWS * _WINDOW_BYTES)


def _holds_one(words: Sequence[bytes], line: bytes) -> bool:
    """Whether a line, with the newline before it, holds one of `words`."""
    return any(word in line for word in words)
