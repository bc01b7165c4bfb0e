"""The figures of a host as toned words. Pure."""

from opsdash.collectors.feed import TargetView
from opsdash.collectors.format import duration, percent, plural, size
from opsdash.collectors.host.rows import Disk, HostData
from opsdash.collectors.host.settings import HostSettings, HostThresholds
from opsdash.widgets.lines import Line
from opsdash.widgets.status import Tone


def limits_of(view: TargetView) -> HostThresholds:
    """The thresholds of a target."""
    settings = view.target.settings
    return settings.thresholds if isinstance(settings, HostSettings) else HostThresholds()


def above(value: float | None, warn: float, crit: float) -> Tone:
    """The tone of a figure that is worse the larger it is.

    >>> [above(value, 0.8, 0.85).value for value in (None, 0.5, 0.82, 0.9)]
    ['unknown', 'ok', 'warn', 'crit']
    """
    if value is None:
        return Tone.UNKNOWN
    return Tone.CRIT if value > crit else Tone.WARN if value > warn else Tone.OK


def disk_tone(disk: Disk, limits: HostThresholds) -> Tone:
    """By space and by inodes, whichever is worse; what hangs or is not mounted is critical."""
    if disk.space is None:
        return Tone.CRIT if (disk.failure or "").startswith(("hangs", "not mounted")) else Tone.UNKNOWN
    if disk.mount.is_read_only:
        return Tone.OK
    tones = [above(disk.space.used_ratio, limits.disk_warn_ratio, limits.disk_crit_ratio)]
    if disk.space.inodes_used_ratio is not None:
        tones.append(above(disk.space.inodes_used_ratio, limits.inodes_warn_ratio, limits.inodes_crit_ratio))
    return next((tone for tone in (Tone.CRIT, Tone.WARN, Tone.UNKNOWN) if tone in tones), Tone.OK)


def disk_words(disk: Disk, limits: HostThresholds) -> Line:
    """One disk in a few words."""
    tone = disk_tone(disk, limits)
    if disk.space is None:
        return ((f"{disk.mount.point} {disk.failure}", tone),)
    return (
        (f"{disk.mount.point} {percent(disk.space.used_ratio)}", tone),
        f" {size(disk.space.available_bytes)} left",
    )


def memory_words(data: HostData, limits: HostThresholds) -> Line:
    """What is available of the memory."""
    memory = data.memory
    if memory is None:
        return (("memory not available here", Tone.MUTED),)
    ratio = memory.available_ratio
    is_low = ratio is not None and ratio < limits.memory_warn_ratio
    is_very_low = ratio is not None and ratio < limits.memory_crit_ratio
    tone = Tone.CRIT if is_very_low else Tone.WARN if is_low else Tone.NORMAL
    return ("memory ", (percent(ratio), tone), f" available of {size(memory.total_bytes)}")


def swap_words(data: HostData) -> Line:
    """How much of the swap is used."""
    memory = data.memory
    if memory is None:
        return ()
    if not memory.swap_total_bytes:
        return (("no swap", Tone.MUTED),)
    return (
        f"swap {size(memory.swap_total_bytes - memory.swap_free_bytes)} of {size(memory.swap_total_bytes)}",
    )


def load_words(data: HostData, limits: HostThresholds) -> Line:
    """Load averages against the cores."""
    if data.load is None:
        return (("load not available here", Tone.MUTED),)
    tone = above(data.load_per_core, limits.load_warn_per_core, limits.load_crit_per_core)
    one, five, fifteen = data.load
    return (
        "load ",
        (f"{one:.2f}", Tone.NORMAL if tone is Tone.OK else tone),
        f" {five:.2f} {fifteen:.2f} on {plural(data.cores, 'core')}",
    )


def oom_words(data: HostData) -> Line:
    """Kernel OOM kills, with the time they were counted in."""
    if data.oom_kills is None:
        return (("OOM kills not available here", Tone.MUTED),)
    tone = Tone.CRIT if data.oom_kill_at is not None else Tone.NORMAL
    return (
        (f"OOM kills {data.oom_kills_seen}", tone),
        (f" in {duration(data.watched_s)}, {data.oom_kills} since start", Tone.MUTED),
    )
