"""What the databases did between two readings of pg_stat_database. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from opsdash.collectors.postgres.rows import DatabaseRates
from opsdash.collectors.rates import per_second, share

Work = tuple[int | None, ...]
"""How much each counter grew, in the order of `COUNTERS`; None where it was reset."""

COUNTERS = (
    "xact_commit",
    "xact_rollback",
    "tup_returned",
    "tup_written",
    "blks_hit",
    "blks_read",
    "temp_bytes",
    "deadlocks",
    "conflicts",
)


class DatabaseCounters(msgspec.Struct, frozen=True, gc=False):
    """One row of `queries/databases.sql`."""

    name: str
    stats_reset: datetime | None
    counters: tuple[int, ...]
    """In the order of `COUNTERS`."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """The counters of all databases at one moment."""

    mono_s: float
    started_at: datetime
    """When the server was started: counters of another run are not comparable."""
    databases: Mapping[int, DatabaseCounters]
    """By the database's oid."""


def database_rates(before: Sample | None, now: Sample) -> tuple[DatabaseRates, tuple[DatabaseRates, ...]]:
    """The rates since `before`: the sum of all databases, and each by name.

    All are None where there is nothing to compare with, and in the sum wherever a part of it is unknown.
    A database that was not there before has done all of its work since.
    """
    if before is None or before.started_at != now.started_at:
        return DatabaseRates(name="all"), tuple(
            _by_name(DatabaseRates(name=d.name) for d in now.databases.values())
        )
    span_s = now.mono_s - before.mono_s
    work = {oid: _work(before.databases.get(oid), after) for oid, after in now.databases.items()}
    each = _by_name(_rates(now.databases[oid].name, done, span_s) for oid, done in work.items())
    return _rates("all", _sum(work.values()), span_s), tuple(each)


def _by_name(rates: Iterable[DatabaseRates]) -> list[DatabaseRates]:
    return sorted(rates, key=lambda r: r.name)


def _work(before: DatabaseCounters | None, after: DatabaseCounters) -> Work:
    """How much the counters grew.

    >>> _work(None, DatabaseCounters("a", None, (7, 0)))
    (7, 0)
    >>> _work(DatabaseCounters("a", None, (7, 5)), DatabaseCounters("a", None, (9, 1)))
    (2, None)
    """
    if before is None:
        return after.counters
    if before.stats_reset != after.stats_reset:
        return (None,) * len(after.counters)
    return tuple(
        new - old if new >= old else None for old, new in zip(before.counters, after.counters, strict=True)
    )


def _sum(work: Iterable[Work]) -> Work:
    """Counter by counter; None where one is.

    >>> _sum([(1, 2), (3, None)])
    (4, None)
    """
    columns = zip(*work, strict=True)
    return tuple(
        sum(known) if len(known := [n for n in column if n is not None]) == len(column) else None
        for column in columns
    )


def _rates(name: str, work: Work, span_s: float) -> DatabaseRates:
    done = dict(zip(COUNTERS, work, strict=True))

    def rate(counter: str) -> float | None:
        return per_second(0, done[counter], span_s)

    return DatabaseRates(
        name=name,
        span_s=span_s,
        commits_per_s=rate("xact_commit"),
        rollbacks_per_s=rate("xact_rollback"),
        rows_read_per_s=rate("tup_returned"),
        rows_written_per_s=rate("tup_written"),
        cache_hit_ratio=share(done["blks_hit"], done["blks_read"]),
        temp_bytes_per_s=rate("temp_bytes"),
        deadlocks=done["deadlocks"],
        conflicts=done["conflicts"],
    )
