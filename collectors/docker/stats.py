"""What a container used so far, as one sample; two samples give its usage. Pure."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from opsdash.collectors.docker.rows import Usage
from opsdash.collectors.rates import per_second


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Counters of one run of a container, since that run began, and what it holds now."""

    at_s: float
    """When the counters were taken, in seconds of the sampled machine's clock: for differences only."""
    taken_mono_s: float
    """When we had them."""
    run: str = ""
    """Changes when the container was started again in between; empty: its source cannot tell."""
    cpu_s: float | None = None
    periods: int | None = None
    """Of the CPU quota; it stands still while there is no quota."""
    throttled_periods: int | None = None
    memory_bytes: int | None = None
    pids: int | None = None
    received_bytes: int | None = None
    sent_bytes: int | None = None
    """None: it has the machine's own network, or none that could be read."""
    read_bytes: int | None = None
    written_bytes: int | None = None


def usage(before: Sample | None, after: Sample) -> Usage:
    """What was used between two samples of one container.

    Without an earlier sample of the same run nothing is known as a rate, and no window is named.

    >>> first = Sample(at_s=10.0, taken_mono_s=1.0, cpu_s=4.0, memory_bytes=7)
    >>> later = Sample(at_s=12.0, taken_mono_s=3.0, cpu_s=5.0, memory_bytes=9)
    >>> found = usage(first, later)
    >>> found.window_s, found.cpu_ratio, found.memory_bytes
    (2.0, 0.5, 9)
    >>> restarted = usage(later, first)
    >>> restarted.window_s is None, restarted.cpu_ratio is None, restarted.memory_bytes
    (True, True, 7)
    """
    window_s = _window_s(before, after)
    if before is None or window_s is None:
        return Usage(taken_mono_s=after.taken_mono_s, memory_bytes=after.memory_bytes, pids=after.pids)
    return Usage(
        window_s=window_s,
        taken_mono_s=after.taken_mono_s,
        cpu_ratio=per_second(before.cpu_s, after.cpu_s, window_s),
        throttled_ratio=_throttled_ratio(before, after),
        memory_bytes=after.memory_bytes,
        memory_before_bytes=before.memory_bytes,
        pids=after.pids,
        received_per_s=per_second(before.received_bytes, after.received_bytes, window_s),
        sent_per_s=per_second(before.sent_bytes, after.sent_bytes, window_s),
        read_per_s=per_second(before.read_bytes, after.read_bytes, window_s),
        written_per_s=per_second(before.written_bytes, after.written_bytes, window_s),
    )


def _window_s(before: Sample | None, after: Sample) -> float | None:
    """The seconds between two samples of one run; None: they are not, or not in this order."""
    if before is None or after.at_s <= before.at_s or after.run != before.run:
        return None
    if before.cpu_s is not None and after.cpu_s is not None and after.cpu_s < before.cpu_s:
        return None  # it was started again: every counter began anew, also those that are larger by now
    return after.at_s - before.at_s


def _throttled_ratio(before: Sample, after: Sample) -> float | None:
    """Share of the quota's periods in which it was held back; None: there were none."""
    if before.periods is None or after.periods is None or after.periods <= before.periods:
        return None
    if before.throttled_periods is None or after.throttled_periods is None:
        return None
    held_back = after.throttled_periods - before.throttled_periods
    return min(held_back / (after.periods - before.periods), 1.0) if held_back >= 0 else None


def in_use(usage_bytes: int | None, inactive_file_bytes: int | None) -> int | None:
    """Memory without the page cache that could be given back, as `docker stats` counts it; never below 0.

    >>> in_use(100, 30), in_use(10, 30), in_use(100, None), in_use(None, 3)
    (70, 0, 100, None)
    """
    if usage_bytes is None:
        return None
    return max(usage_bytes - (inactive_file_bytes or 0), 0)


class _CpuUsage(msgspec.Struct):
    total_usage: int | None = None
    """Nanoseconds."""


class _Throttling(msgspec.Struct):
    periods: int | None = None
    throttled_periods: int | None = None


class _Cpu(msgspec.Struct):
    cpu_usage: _CpuUsage = msgspec.field(default_factory=_CpuUsage)
    throttling_data: _Throttling = msgspec.field(default_factory=_Throttling)


class _Memory(msgspec.Struct):
    usage: int | None = None
    stats: Mapping[str, int] | None = None


class _Pids(msgspec.Struct):
    current: int | None = None


class _Network(msgspec.Struct):
    rx_bytes: int = 0
    tx_bytes: int = 0


class _BlockCount(msgspec.Struct):
    op: str = ""
    value: int = 0


class _Block(msgspec.Struct):
    io_service_bytes_recursive: list[_BlockCount] | None = None


class EngineStats(msgspec.Struct):
    """One answer of `/containers/{id}/stats`, as far as it is used.

    Source:
        https://docs.docker.com/reference/api/engine/ (ContainerStats); calculations as the docker
        client's `stats` does them, but with the time between two samples in place of the machine's CPU time.
    """

    read: datetime | None = None
    """The engine's clock; year 1 when the container does not run."""
    cpu_stats: _Cpu = msgspec.field(default_factory=_Cpu)
    memory_stats: _Memory = msgspec.field(default_factory=_Memory)
    pids_stats: _Pids = msgspec.field(default_factory=_Pids)
    networks: Mapping[str, _Network] | None = None
    blkio_stats: _Block = msgspec.field(default_factory=_Block)


def sample_of(stats: EngineStats, *, started_at: datetime | None, taken_mono_s: float) -> Sample | None:
    """The sample in an engine's answer.

    Args:
        stats: The decoded answer.
        started_at: When the run began that is asked for.
        taken_mono_s: When the answer came.

    Returns:
        None when the container did not run, or the answer is from before this run.
    """
    if stats.read is None or stats.read.year < 1970 or stats.cpu_stats.cpu_usage.total_usage is None:
        return None
    if started_at is not None and stats.read < started_at:
        return None
    read, written = _block_bytes(stats.blkio_stats)
    networks = None if stats.networks is None else list(stats.networks.values())
    return Sample(
        at_s=stats.read.timestamp(),
        taken_mono_s=taken_mono_s,
        run="" if started_at is None else started_at.isoformat(),
        cpu_s=stats.cpu_stats.cpu_usage.total_usage / 1e9,
        periods=stats.cpu_stats.throttling_data.periods,
        throttled_periods=stats.cpu_stats.throttling_data.throttled_periods,
        memory_bytes=_memory_bytes(stats.memory_stats),
        pids=stats.pids_stats.current,
        received_bytes=None if networks is None else sum(each.rx_bytes for each in networks),
        sent_bytes=None if networks is None else sum(each.tx_bytes for each in networks),
        read_bytes=read,
        written_bytes=written,
    )


def _memory_bytes(memory: _Memory) -> int | None:
    """Cgroup v1 counts the cache of the whole tree as `total_inactive_file`; v2 has no total_ names."""
    stats = memory.stats or {}
    return in_use(memory.usage, stats.get("total_inactive_file", stats.get("inactive_file")))


def _block_bytes(block: _Block) -> tuple[int | None, int | None]:
    """Read and written, over all devices; an empty list means that there was no I/O yet."""
    counts = block.io_service_bytes_recursive
    if counts is None:
        return None, None
    read = sum(count.value for count in counts if count.op.lower() == "read")
    return read, sum(count.value for count in counts if count.op.lower() == "write")
