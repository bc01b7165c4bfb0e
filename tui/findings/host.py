"""What is wrong with the local host. Pure."""

from collections.abc import Iterator

from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.format import age, duration, moment, percent, plural, size
from opsdash.collectors.host.rows import Disk, HostData, Space
from opsdash.collectors.host.settings import HostSettings, HostThresholds
from opsdash.collectors.target import Target

PLACE = "disks"


def findings(data: HostData, target: Target) -> tuple[Finding, ...]:
    """All findings of one reading, in no particular order.

    Args:
        data: The reading.
        target: Its target; the settings are `HostSettings`.
    """
    settings = target.settings
    limits = settings.thresholds if isinstance(settings, HostSettings) else HostThresholds()
    return (
        *(finding for disk in data.disks for finding in _disk(disk, target, limits)),
        *_memory(data, target, limits),
        *_load(data, target, limits),
        *_oom(data, target, limits),
    )


def _above(value: float | None, warn: float, crit: float) -> Severity | None:
    """Which threshold is passed upwards; None: neither, or unknown."""
    if value is None or value <= warn:
        return None
    return Severity.CRIT if value > crit else Severity.WARN


def _disk(disk: Disk, target: Target, limits: HostThresholds) -> Iterator[Finding]:
    if disk.space is None:
        yield _unknown_disk(disk, target)
        return
    space, point = disk.space, disk.mount.point
    if disk.mount.is_read_only:
        return  # nothing can fill it
    severity = _above(space.used_ratio, limits.disk_warn_ratio, limits.disk_crit_ratio)
    if severity is not None:
        used = percent(space.used_ratio)
        soon = _full_words(disk)
        yield Finding(
            severity=severity,
            target=target.id,
            rule="host.disk",
            subject=point,
            title=f"disk {point} {used} used, {size(space.available_bytes)} left"
            + (f" · {soon}" if soon else ""),
            short=f"disk {point} {used}, {size(space.available_bytes)} left",
            evidence=tuple(_disk_evidence(disk, space)),
            cause=f"it fills: {soon}" if soon else None,
            place=PLACE,
            weight=space.used_ratio or 0.0,
        )
    severity = _above(space.inodes_used_ratio, limits.inodes_warn_ratio, limits.inodes_crit_ratio)
    if severity is not None:
        used = percent(space.inodes_used_ratio)
        yield Finding(
            severity=severity,
            target=target.id,
            rule="host.inodes",
            subject=point,
            title=f"disk {point} {used} of its inodes used: new files fail although there is room",
            short=f"disk {point} inodes {used}",
            evidence=(f"{space.inodes_used} of {space.inodes} inodes used", *_disk_evidence(disk, space)),
            cause="very many small files: sessions, mail queues, caches",
            place=PLACE,
            weight=space.inodes_used_ratio or 0.0,
        )


def _unknown_disk(disk: Disk, target: Target) -> Finding:
    """It hangs or is not there: whoever touches it waits."""
    failure = disk.failure or "cannot be looked at"
    is_bad = failure.startswith(("hangs", "not mounted"))
    return Finding(
        severity=Severity.CRIT if is_bad else Severity.UNKNOWN,
        target=target.id,
        rule="host.disk_unknown",
        subject=disk.mount.point,
        title=f"disk {disk.mount.point} {failure}",
        short=f"disk {disk.mount.point} {failure}",
        evidence=(f"{disk.mount.device} ({disk.mount.type}) at {disk.mount.point}",),
        cause="its file server or device does not answer: processes that touch it hang too"
        if failure.startswith("hangs")
        else None,
        place=PLACE,
        weight=2.0,  # worse than any share that is used
    )


def _full_words(disk: Disk) -> str | None:
    """When it is full if it goes on like that; None where that cannot be said."""
    if disk.full_in_s is None or disk.full_in_s > 86400:
        return None
    rate = size(disk.filling_bytes_per_s)
    return f"full in {duration(disk.full_in_s)} at {rate}/s (over {age(disk.filling_span_s)})"


def _disk_evidence(disk: Disk, space: Space) -> Iterator[str]:
    yield f"{disk.mount.device} ({disk.mount.type}) at {disk.mount.point}"
    reserved = space.total_bytes - space.used_bytes - space.available_bytes
    yield (
        f"{size(space.used_bytes)} of {size(space.total_bytes)} used, {size(space.available_bytes)} left"
        + (f", {size(reserved)} for root alone" if reserved > 0 else "")
    )


def _memory(data: HostData, target: Target, limits: HostThresholds) -> Iterator[Finding]:
    memory = data.memory
    ratio = memory.available_ratio if memory is not None else None
    if memory is None or ratio is None or ratio >= limits.memory_warn_ratio:
        return
    swap_used = memory.swap_total_bytes - memory.swap_free_bytes
    yield Finding(
        severity=Severity.CRIT if ratio < limits.memory_crit_ratio else Severity.WARN,
        target=target.id,
        rule="host.memory",
        title=f"memory {size(memory.available_bytes)} of {size(memory.total_bytes)} available"
        f" ({percent(ratio)})",
        short=f"memory {percent(ratio)} available",
        evidence=(
            f"{size(memory.available_bytes)} can be had without swapping, by the kernel's estimate",
            f"swap {size(swap_used)} of {size(memory.swap_total_bytes)} used"
            if memory.swap_total_bytes
            else "there is no swap: the next step is the OOM killer",
        ),
        place=PLACE,
        weight=1.0 - ratio,
    )


def _load(data: HostData, target: Target, limits: HostThresholds) -> Iterator[Finding]:
    severity = _above(data.load_per_core, limits.load_warn_per_core, limits.load_crit_per_core)
    if severity is None or data.load is None:
        return
    one, five, fifteen = data.load
    yield Finding(
        severity=severity,
        target=target.id,
        rule="host.load",
        title=f"load {one:.1f} on {plural(data.cores, 'core')} over 1 min"
        f" ({five:.1f} over 5, {fifteen:.1f} over 15)",
        short=f"load {one:.1f} on {plural(data.cores, 'core')}",
        evidence=("on Linux it counts what runs and what waits for a disk",),
        cause="it is rising" if one > five > fifteen else "it is falling already" if one < five else None,
        place=PLACE,
        weight=data.load_per_core or 0.0,
    )


def _oom(data: HostData, target: Target, limits: HostThresholds) -> Iterator[Finding]:
    """A kill that was seen while watching; what was killed stands in the kernel's log."""
    at = data.oom_kill_at
    if at is None or (data.taken_at - at).total_seconds() > limits.oom_recent_s:
        return
    ago = age((data.taken_at - at).total_seconds())
    yield Finding(
        severity=Severity.CRIT,
        target=target.id,
        rule="host.oom",
        title=f"the kernel killed {plural(data.oom_kills_seen, 'process', 'processes')} for memory, "
        f"the last {ago} ago, watching for {age(data.watched_s)}",
        short=f"{plural(data.oom_kills_seen, 'OOM kill')}, the last {ago} ago",
        evidence=(
            f"{plural(data.oom_kills_seen, 'OOM kill')} while opsdash watched ({age(data.watched_s)}), "
            f"{data.oom_kills} since the machine started",
            f"last seen at {moment(at)} UTC; which process: dmesg -T | grep -i 'killed process'",
        ),
        cause="the machine, or the memory limit of a control group, is too small for what runs in it",
        basis=f"watching for {age(data.watched_s)}",
        place=PLACE,
        weight=float(data.oom_kills_seen),
    )
