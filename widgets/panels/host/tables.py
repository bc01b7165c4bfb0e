"""The list of hosts, and the disks of one. Pure."""

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.format import duration, percent, size
from opsdash.collectors.host.rows import Disk, HostData
from opsdash.collectors.host.settings import HostThresholds
from opsdash.widgets.chart import bar
from opsdash.widgets.columns import Cell, Column, figure, lowest_first
from opsdash.widgets.lines import Line, span_text
from opsdash.widgets.panel import fit
from opsdash.widgets.panels.host.overview import worst_disks
from opsdash.widgets.panels.host.words import (
    above,
    disk_tone,
    disk_words,
    limits_of,
    load_words,
    memory_words,
    oom_words,
    swap_words,
)
from opsdash.widgets.panels.targets import NAME, STATUS, Listing, TargetLine
from opsdash.widgets.status import GLYPHS, Tone

HostLine = TargetLine[HostData]


def _worst_disk(row: HostLine) -> Cell:
    limits = limits_of(row.view)
    disks = worst_disks(row.data, limits) if row.data else []
    return (_text(disk_words(disks[0], limits)), disk_tone(disks[0], limits)) if disks else "-"


def _text(line: Line) -> str:
    return "".join(span_text(span) for span in line)


_COLUMNS: tuple[Column[HostLine], ...] = (
    msgspec.structs.replace(NAME, title="HOST"),
    Column(key="disk", title="FULLEST DISK", width=26, cell=_worst_disk),
    Column(
        key="memory",
        title="MEMORY",
        width=32,
        cell=lambda r: _text(memory_words(r.data, limits_of(r.view))) if r.data else "-",
        priority=1,
    ),
    Column(
        key="load",
        title="LOAD 1 5 15 MIN",
        width=30,
        cell=lambda r: _text(load_words(r.data, limits_of(r.view))) if r.data else "-",
        priority=2,
    ),
    msgspec.structs.replace(STATUS, width=8),
)

HOSTS = Listing(columns=_COLUMNS)


def head_lines(data: HostData, view: TargetView, width: int) -> tuple[Line, Line]:
    """Load and memory; OOM kills and how long the machine has been up."""
    limits = limits_of(view)
    up = f"up {duration(data.uptime_s)}" if data.uptime_s is not None else "uptime not available here"
    return (
        fit(
            [(0, load_words(data, limits)), (0, memory_words(data, limits)), (1, swap_words(data))],
            width,
            "   ",
        ),
        fit([(0, oom_words(data)), (1, (up,)), (2, (data.hostname,))], width, "   "),
    )


class DiskLine(msgspec.Struct, frozen=True, kw_only=True):
    """One disk in the table."""

    disk: Disk
    tone: Tone
    limits: HostThresholds


def disk_lines(data: HostData, limits: HostThresholds) -> tuple[DiskLine, ...]:
    """The disks, the worst first."""
    return tuple(
        DiskLine(disk=disk, tone=disk_tone(disk, limits), limits=limits) for disk in worst_disks(data, limits)
    )


def _used(row: DiskLine) -> float | None:
    return row.disk.space.used_ratio if row.disk.space else None


def _used_cell(row: DiskLine) -> Cell:
    if row.disk.space is None:
        return row.disk.failure or "-", row.tone
    ratio = row.disk.space.used_ratio
    tone = above(ratio, row.limits.disk_warn_ratio, row.limits.disk_crit_ratio)
    return f"{bar(ratio, 16)} {percent(ratio):>5}", Tone.OK if row.disk.mount.is_read_only else tone


def _inodes_cell(row: DiskLine) -> Cell:
    ratio = row.disk.space.inodes_used_ratio if row.disk.space else None
    if ratio is None:
        return "-"
    return percent(ratio), above(ratio, row.limits.inodes_warn_ratio, row.limits.inodes_crit_ratio)


def _filling(row: DiskLine) -> str:
    """How fast it fills, and over how long that was seen."""
    rate, span_s = row.disk.filling_bytes_per_s, row.disk.filling_span_s
    if rate is None or span_s is None:
        return "-"
    words = (
        f"{'-' if rate < 0 else ''}{size(abs(rate))}/s over {duration(span_s)}"
        if abs(rate) >= 1
        else "steady"
    )
    full_s = row.disk.full_in_s
    return f"{words}, full in {duration(full_s)}" if full_s is not None and full_s < 86400 else words


DISK_COLUMNS: tuple[Column[DiskLine], ...] = (
    Column(
        key="point",
        title="MOUNTED AT",
        width=22,
        cell=lambda r: (f"{GLYPHS[r.tone]} {r.disk.mount.point}", r.tone),
        sort=lambda r: r.disk.mount.point,
    ),
    Column(
        key="used", title="USED", width=25, cell=_used_cell, sort=_used, unit="ratio", descending_first=True
    ),
    lowest_first(
        figure(
            "available",
            "LEFT",
            lambda r: r.disk.space.available_bytes if r.disk.space else None,
            size,
            unit="bytes",
            width=9,
        )
    ),
    figure(
        "total",
        "SIZE",
        lambda r: r.disk.space.total_bytes if r.disk.space else None,
        size,
        unit="bytes",
        width=9,
        priority=3,
    ),
    Column(
        key="inodes",
        title="INODES",
        width=7,
        align="right",
        cell=_inodes_cell,
        sort=lambda r: r.disk.space.inodes_used_ratio if r.disk.space else None,
        unit="ratio",
        descending_first=True,
        priority=1,
    ),
    Column(key="filling", title="FILLING", width=24, grow=1, cell=_filling, priority=2),
    Column(
        key="device",
        title="DEVICE",
        width=20,
        cell=lambda r: (
            f"{r.disk.mount.device} ({r.disk.mount.type})" + (" ro" if r.disk.mount.is_read_only else "")
        ),
        priority=4,
    ),
)
