"""What statements did between readings of pg_stat_statements. Pure."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import msgspec

from opsdash.collectors.postgres.statement_rows import (
    NOTHING,
    StatementId,
    StatementRow,
    StatementText,
    TrendPoint,
    Work,
)

KEPT_EVERY_S = 10.0
"""A reading is kept for comparison when the one kept before is older than this."""
KEPT = 12
"""How many: two minutes while somebody looks, six when it is read every half a minute."""


_UNREAD = StatementText()


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """All counters at one moment."""

    mono_s: float
    epoch: tuple[datetime | None, datetime | None]
    """When the server was started and its counters were reset: others are not comparable."""
    work: Mapping[StatementId, Work]
    is_complete: bool
    """Whether every entry of the server is in here: only then is one that was not here before a new one."""


def done_since(before: Counted | None, now: Counted, identity: StatementId) -> Work | None:
    """What a statement did since `before`; None: unknown.

    An entry that was not there has done all of its work since. One whose counters went down was reset, or
    was evicted and came back: what it did in between is partly lost.
    """
    after = now.work[identity]
    if before is None or before.epoch != now.epoch:
        return None
    earlier = before.work.get(identity)
    if earlier is None:
        return after if before.is_complete else None
    return difference(earlier, after)


def difference(earlier: Work, after: Work) -> Work | None:
    """Counter by counter; None when one of them went down.

    >>> difference(Work(3, 30.0), Work(5, 70.0)) == Work(2, 40.0)
    True
    >>> difference(Work(9, 90.0), Work(1, 4.0)) is None
    True
    >>> difference(Work(3, io_ms=8.0), Work(4, io_ms=9.5)).io_ms
    1.5
    >>> difference(Work(3), Work(4, io_ms=1.5)).io_ms is None
    True
    """
    if earlier is after:
        return NOTHING
    *counters_before, io_before = msgspec.structs.astuple(earlier)
    *counters_after, io_after = msgspec.structs.astuple(after)
    grown = [new - old for old, new in zip(counters_before, counters_after, strict=True)]
    if min(grown) < 0:
        return None
    grown.append(None if io_before is None or io_after is None else io_after - io_before)
    return Work(*grown)


def added(parts: Iterable[Work | None]) -> Work:
    """The sum of what is known.

    >>> added([Work(1, 2.0), None, Work(2, 3.0)]).exec_ms
    5.0
    >>> added([Work(io_ms=2.0), Work(io_ms=None), Work(io_ms=0.5)]).io_ms, added([Work(1), Work(2)]).io_ms
    (2.5, None)
    """
    busy = [msgspec.structs.astuple(part) for part in parts if part is not None and part is not NOTHING]
    if not busy:
        return NOTHING
    *counters, io_times = zip(*busy, strict=True)
    known = [time for time in io_times if time is not None]
    totals: list[Any] = [*map(sum, counters), sum(known) if known else None]
    return Work(*totals)


def rows_of(
    now: Counted,
    before: Counted | None,
    earlier: Counted | None,
    texts: Mapping[StatementId, StatementText],
) -> tuple[StatementRow, ...]:
    """All statements of a reading.

    Args:
        now: The reading, in its order.
        before: The one before it.
        earlier: One that is some minutes old.
        texts: Those that are known.
    """
    return tuple(
        StatementRow(
            identity=identity,
            query=(text := texts.get(identity, _UNREAD)).query,
            user=text.user,
            database=text.database,
            total=total,
            live=done_since(before, now, identity),
            recent=done_since(earlier, now, identity),
        )
        for identity, total in now.work.items()
    )


def span_s(before: Counted | None, now: Counted) -> float | None:
    """Seconds from `before` to `now`; None where they cannot be compared."""
    if before is None or before.epoch != now.epoch:
        return None
    return now.mono_s - before.mono_s


class History:
    """Readings kept for comparison: the newest, and some older ones."""

    def __init__(self) -> None:
        self._kept: deque[Counted] = deque(maxlen=KEPT)
        self.newest: Counted | None = None

    @property
    def earliest(self) -> Counted | None:
        """The oldest one kept; None before the first reading."""
        return self._kept[0] if self._kept else None

    def add(self, now: Counted) -> None:
        """Take in a reading; those of another epoch are dropped."""
        if self.newest is not None and self.newest.epoch != now.epoch:
            self._kept.clear()
        if not self._kept or now.mono_s - self._kept[-1].mono_s >= KEPT_EVERY_S:
            self._kept.append(now)
        self.newest = now

    def shared(self, work: Mapping[StatementId, Work]) -> dict[StatementId, Work]:
        """`work` with the very values of the newest reading where nothing changed."""
        known = self.newest.work if self.newest is not None else {}
        return {
            identity: old if (old := known.get(identity)) is not None and old == new else new
            for identity, new in work.items()
        }

    def trend(self, identity: StatementId) -> tuple[TrendPoint, ...]:
        """What one statement did from each reading kept to the next, and since."""
        readings = [*self._kept]
        if self.newest is not None and readings and self.newest is not readings[-1]:
            readings.append(self.newest)
        return _points(readings, identity)


def _points(readings: Sequence[Counted], identity: StatementId) -> tuple[TrendPoint, ...]:
    points = []
    for before, after in pairwise(readings):
        length_s = after.mono_s - before.mono_s
        done = done_since(before, after, identity) if identity in after.work else None
        if done is not None and length_s > 0:
            points.append(
                TrendPoint(span_s=length_s, calls_per_min=done.calls * 60 / length_s, mean_ms=done.mean_ms)
            )
    return tuple(points)
