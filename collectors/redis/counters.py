"""What a Redis did between readings of its counters. Pure."""

from collections import deque
from collections.abc import Iterator, Mapping

import msgspec

from opsdash.collectors.rates import per_second, share
from opsdash.collectors.redis.info import Info, fields, integer, number
from opsdash.collectors.redis.rows import Command, ErrorCount, Rates, Recent

RECENT_S = 60.0
"""How far back `Recent` goes at most."""

_COUNTERS = (
    "total_commands_processed",
    "total_connections_received",
    "total_net_input_bytes",
    "total_net_output_bytes",
    "keyspace_hits",
    "keyspace_misses",
    "evicted_keys",
    "expired_keys",
    "rejected_connections",
)


class Stat(msgspec.Struct, frozen=True, gc=False):
    """One line of INFO commandstats."""

    calls: int
    usec: int
    usec_per_call: float
    rejected_calls: int
    failed_calls: int


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """All counters at one moment."""

    mono_s: float
    run_id: str
    counters: Mapping[str, int]
    commands: Mapping[str, Stat]
    errors: Mapping[str, int]

    def follows(self, before: "Sample") -> bool:
        """Whether it counts on from `before`: the same run, and no CONFIG RESETSTAT since.

        A reset also resets the count of commands, which our own readings alone keep growing.
        """
        if self.run_id != before.run_id:
            return False
        return all(count >= before.counters.get(name, 0) for name, count in self.counters.items())


def sample(info: Info, mono_s: float) -> Sample:
    """The counters of one INFO."""
    commands = {
        name.removeprefix("cmdstat_"): _stat(fields(value))
        for name, value in info.items()
        if name.startswith("cmdstat_")
    }
    errors = {
        name.removeprefix("errorstat_"): integer(fields(value), "count") or 0
        for name, value in info.items()
        if name.startswith("errorstat_")
    }
    found = {name: integer(info, name) for name in _COUNTERS}
    return Sample(
        mono_s=mono_s,
        run_id=info.get("run_id", ""),
        counters={name: count for name, count in found.items() if count is not None},
        commands=commands,
        errors=errors,
    )


def _stat(told: Mapping[str, str]) -> Stat:
    return Stat(
        calls=integer(told, "calls") or 0,
        usec=integer(told, "usec") or 0,
        usec_per_call=number(told, "usec_per_call") or 0.0,
        rejected_calls=integer(told, "rejected_calls") or 0,
        failed_calls=integer(told, "failed_calls") or 0,
    )


class History:
    """The samples of the last minute."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque()

    def add(self, now: Sample) -> None:
        """Take in a sample; older ones that it does not follow are of no use any more."""
        if self._samples and not now.follows(self._samples[-1]):
            self._samples.clear()
        self._samples.append(now)
        while len(self._samples) > 2 and now.mono_s - self._samples[1].mono_s >= RECENT_S:
            self._samples.popleft()

    @property
    def now(self) -> Sample:
        """The newest."""
        return self._samples[-1]

    @property
    def before(self) -> Sample | None:
        """The one before the newest."""
        return self._samples[-2] if len(self._samples) > 1 else None

    @property
    def oldest(self) -> Sample | None:
        """The one that a minute ago is nearest to; None when there is one only."""
        return self._samples[0] if len(self._samples) > 1 else None


def _grown(before: Sample, now: Sample, name: str) -> int | None:
    if name not in now.counters or name not in before.counters:
        return None
    return now.counters[name] - before.counters[name]


def rates(history: History) -> Rates:
    """Since the reading before."""
    before, now = history.before, history.now
    if before is None:
        return Rates()
    span_s = now.mono_s - before.mono_s

    def rate(name: str) -> float | None:
        return per_second(before.counters.get(name), now.counters.get(name), span_s)

    hits, misses = rate("keyspace_hits"), rate("keyspace_misses")
    return Rates(
        span_s=span_s,
        ops_per_s=rate("total_commands_processed"),
        hit_ratio=share(hits, misses),
        lookups_per_s=None if hits is None or misses is None else hits + misses,
        evicted_per_s=rate("evicted_keys"),
        expired_per_s=rate("expired_keys"),
        connections_per_s=rate("total_connections_received"),
        input_bytes_per_s=rate("total_net_input_bytes"),
        output_bytes_per_s=rate("total_net_output_bytes"),
    )


def recent(history: History) -> Recent:
    """Over the last minute."""
    oldest, now = history.oldest, history.now
    if oldest is None:
        return Recent()
    hits, misses = _grown(oldest, now, "keyspace_hits"), _grown(oldest, now, "keyspace_misses")
    return Recent(
        span_s=now.mono_s - oldest.mono_s,
        lookups=None if hits is None or misses is None else hits + misses,
        hit_ratio=share(hits, misses),
        evicted_keys=_grown(oldest, now, "evicted_keys"),
        rejected_connections=_grown(oldest, now, "rejected_connections"),
    )


def hit_ratio(now: Sample) -> float | None:
    """Since start, or since somebody reset the counters."""
    return share(now.counters.get("keyspace_hits"), now.counters.get("keyspace_misses"))


def errors(history: History) -> tuple[ErrorCount, ...]:
    """What clients were answered with, most first; recent over the last minute."""
    oldest = history.oldest
    counts = [
        ErrorCount(
            name=name,
            count=count,
            recent=None if oldest is None else max(0, count - oldest.errors.get(name, 0)),
        )
        for name, count in history.now.errors.items()
    ]
    return tuple(sorted(counts, key=lambda e: (-(e.recent or 0), -e.count, e.name)))


def commands(history: History, info: Info) -> tuple[Command, ...]:
    """What took most of the time since the reading before comes first, then what is called most."""
    return tuple(
        sorted(_commands(history, info), key=lambda c: (-(c.share or 0.0), -(c.calls_per_s or 0.0), -c.calls))
    )


def _commands(history: History, info: Info) -> Iterator[Command]:
    before, now = history.before, history.now
    known = {} if before is None else before.commands
    none = Stat(0, 0, 0.0, 0, 0)
    spent = {name: stat.usec - known.get(name, none).usec for name, stat in now.commands.items()}
    total = sum(spent.values())
    for name, stat in now.commands.items():
        p99 = number(fields(info.get(f"latency_percentiles_usec_{name}", "")), "p99")
        yield Command(
            name=name,
            calls=stat.calls,
            usec_per_call=stat.usec_per_call,
            failed_calls=stat.failed_calls,
            rejected_calls=stat.rejected_calls,
            calls_per_s=None
            if before is None
            else per_second(known.get(name, none).calls, stat.calls, now.mono_s - before.mono_s),
            share=spent[name] / total if before is not None and total > 0 else None,
            p99_ms=None if p99 is None else p99 / 1000,
        )
