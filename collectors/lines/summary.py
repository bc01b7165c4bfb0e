"""What a snapshot carries of a source of lines: counters, range and gaps, and a few of its newest lines."""

from collections.abc import Sequence

import msgspec

from opsdash.collectors.lines.buffer import Gap
from opsdash.collectors.lines.record import Level
from opsdash.collectors.snapshot import Failure

LATEST = 5
"""The newest lines that a summary has of a source."""
LATEST_TROUBLE = 15
"""The newest bad ones: as many as a panel has room for where most of the trouble is in one source."""


class Minute(msgspec.Struct, frozen=True):
    """One minute of a source."""

    at: float
    """Unix time at which it begins."""
    lines: int
    errors: int
    """ERROR or worse."""
    warnings: int
    is_complete: bool = True
    """False: for a part of it the source could not be read, and there may have been more."""


class LatestLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line, cleaned and masked."""

    number: int
    """In its buffer."""
    at: float
    """Unix time: the line's own, else when it arrived."""
    level: Level | None
    text: str
    """The message without time and level, on one line, cut at 500 characters."""


class SourceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One source, as far as rules and panels need it."""

    name: str
    identity: str
    """As in `LogSource`."""
    format: str
    """The recognised format's name; plain until one is."""
    first: int
    end: int
    """Range of line numbers held."""
    dropped: int
    held_bytes: int
    gaps: tuple[Gap, ...] = ()
    minutes: tuple[Minute, ...] = ()
    """Oldest first, without holes, up to 60; the last one is still running. The tail that was there at the
    beginning is counted by the lines' own times."""
    latest: tuple[LatestLine, ...] = ()
    """The newest heads of records, oldest first."""
    latest_trouble: tuple[LatestLine, ...] = ()
    """The newest lines of WARN or worse, oldest first."""
    last_arrived_at: float | None = None
    """Unix time at which the newest line was read; None: there was none yet."""
    watched_since: float
    """Unix time since when opsdash follows it."""
    failure: Failure | None = None
    """Why it is not followed now; None: it is."""


def errors_by_minute(sources: Sequence[SourceSummary], most: int) -> tuple[float | None, ...]:
    """Errors of all sources together in up to `most` of the last minutes, oldest first.

    The last one is still running. A minute that no source knows, or that one could not be read in to its end,
    is None: more may have been printed.
    """
    sums: dict[float, float] = {}
    unknown: set[float] = set()
    for minute in (m for source in sources for m in source.minutes[-most:]):
        sums[minute.at] = sums.get(minute.at, 0.0) + minute.errors
        if not minute.is_complete:
            unknown.add(minute.at)
    if not sums:
        return ()
    first, last = min(sums), max(sums)
    count = min(round((last - first) / 60.0) + 1, most)
    ats = (last - 60.0 * back for back in range(count - 1, -1, -1))
    return tuple(None if at in unknown else sums.get(at) for at in ats)
