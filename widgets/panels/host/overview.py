"""The local host on the overview: its figures in one line, and the disks that are worst."""

from collections.abc import Sequence

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.host.rows import Disk, HostData
from opsdash.collectors.host.settings import HostThresholds
from opsdash.widgets.lines import Line, rule
from opsdash.widgets.panel import fit, freshness, freshness_beside, stale_mark, view_tone, worst_first
from opsdash.widgets.panels.host.words import (
    disk_tone,
    disk_words,
    limits_of,
    load_words,
    memory_words,
    oom_words,
)
from opsdash.widgets.status import GLYPHS, Tone

_HANGS = 2.0
"""Worse than any share that is used."""

_ORDER = {Tone.CRIT: 0, Tone.UNKNOWN: 1, Tone.WARN: 2, Tone.OK: 3}


def overview_lines(
    views: Sequence[TargetView], findings: Sequence[Finding], *, mono_s: float, width: int, height: int
) -> tuple[Line, ...]:
    """The panel of the hosts in `height` lines; in one, the worst host alone."""
    if height <= 0:
        return ()
    ordered = worst_first(views, findings)
    if height == 1:
        return (host_line(ordered[0], findings, mono_s, width),)
    first = ordered[0]
    heading = rule((("1 Health", Tone.ACCENT), " · host"), freshness(first, mono_s), width)
    lines = [heading, *(host_line(view, findings, mono_s, width) for view in ordered)]
    if first.data is not None and len(first.data.disks) > 1 and len(lines) < height:
        lines.append(disks_line(first.data, limits_of(first), width))
    return tuple(lines[:height])


def host_line(view: TargetView, findings: Sequence[Finding], mono_s: float, width: int) -> Line:
    """One host: its worst disk, memory, load and OOM kills."""
    tone = view_tone(view, findings)
    head: Line = ((f"{GLYPHS[tone]} {view.target.name:<14} ", tone),)
    data: HostData | None = view.data
    if data is None or view.failure is not None:
        return (
            *head,
            *freshness_beside(view, mono_s, tone),
            f"  {view.failure.reason}" if view.failure else "",
        )
    limits = limits_of(view)
    disks = worst_disks(data, limits)
    parts: list[tuple[int, Line]] = [
        (0, head),
        (1, disk_words(disks[0], limits) if disks else (("no disks", Tone.MUTED),)),
        (1, memory_words(data, limits)),
        (2, load_words(data, limits)),
        (3, oom_words(data)),
    ]
    if view.is_stale(mono_s):
        parts.append((0, stale_mark(view, mono_s)))
    return fit(parts, width)


def disks_line(data: HostData, limits: HostThresholds, width: int) -> Line:
    """All disks, the worst first, as many as fit."""
    disks = worst_disks(data, limits)
    return fit([(index, disk_words(disk, limits)) for index, disk in enumerate(disks)], width - 2, "   ")


def worst_disks(data: HostData, limits: HostThresholds) -> list[Disk]:
    """The disks, those that hang first, then the fullest."""

    def badness(disk: Disk) -> tuple[int, float]:
        ratio = disk.space.used_ratio or 0.0 if disk.space else _HANGS
        return _ORDER[disk_tone(disk, limits)], -ratio

    return sorted(data.disks, key=badness)
