"""Medians of the runs, the table that people read, and the JSON that programs read."""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from tests.bench.measure import Figures


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` (0 to 1) of `values` do not exceed; None when there are none.

    >>> percentile([5, 1, 3, 2, 4], 0.5), percentile(range(1, 101), 0.95), percentile([], 0.5)
    (3, 95, None)
    """
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * share // 1) - 1)] if ordered else None


def _keys(runs: Sequence[Figures]) -> list[float]:
    return [taken for run in runs for taken in run.key_s]


def _scans(runs: Sequence[Figures]) -> list[float]:
    return [taken for run in runs for taken in run.scan_s]


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the table. Ratios are to what is measured beside it, in the same run."""

    key: str
    title: str
    unit: str
    scale: float
    """Shown = measured x scale."""
    digits: int
    value: Callable[[Sequence[Figures]], float | None]
    ratio_goal: float | None = None
    goal: float | None = None
    """In the shown unit."""


def _of(field: str) -> Callable[[Sequence[Figures]], float | None]:
    return lambda runs: _median([getattr(run, field) for run in runs])


def _ms(key: str, title: str, **rest: Any) -> Measure:
    return Measure(key=key, title=title, unit="ms", scale=1e3, digits=1, **rest)


def _percent(key: str, title: str, **rest: Any) -> Measure:
    return Measure(key=key, title=title, unit="%", scale=100, digits=2, **rest)


def _mb(key: str, title: str, **rest: Any) -> Measure:
    return Measure(key=key, title=title, unit="MB", scale=1e-6, digits=1, **rest)


def _bytes_per_s(key: str, **rest: Any) -> Measure:
    title, value = "to the terminal", _of("bytes_per_s")
    return Measure(key=key, title=title, unit="B/s", scale=1, digits=0, value=value, **rest)


def _times(key: str, title: str, **rest: Any) -> Measure:
    return Measure(key=key, title=title, unit="x", scale=1, digits=2, **rest)


_FLOOR = _times("floor_ratio", "of what changed cells need", value=_of("floor_ratio"), goal=1.4)

LIVE = (
    _ms("first_paint_ms", "first paint", value=_of("first_paint_s"), ratio_goal=0.8),
    _ms("first_data_ms", "first data", value=_of("first_data_s"), ratio_goal=1.2),
    _ms("start_cpu_ms", "CPU until first data", value=_of("start_cpu_s")),
    _ms("cpu_per_refresh_ms", "CPU per refresh", value=_of("cpu_per_refresh_s"), ratio_goal=0.2),
    _ms("server_per_refresh_ms", "server, per refresh", value=_of("server_s_per_refresh"), ratio_goal=0.6),
    Measure(
        key="statements_per_refresh",
        title="statements, per refresh",
        unit="n",
        scale=1,
        digits=1,
        value=_of("statements_per_refresh"),
    ),
    _mb("rss_mb", "memory (RSS)", value=_of("rss_bytes"), ratio_goal=1.1),
    _bytes_per_s("bytes_per_s", ratio_goal=0.1),
    _FLOOR,
    _ms("key_p50_ms", "key, half within", value=lambda runs: percentile(_keys(runs), 0.5)),
    _ms("key_p95_ms", "key, 95 % within", value=lambda runs: percentile(_keys(runs), 0.95), goal=15),
    _ms("quit_ms", "quit", value=_of("quit_s"), goal=300),
)

FEWER = tuple(
    replace(each, ratio_goal=None) if each.key in ("cpu_per_refresh_ms",) else each for each in LIVE
)
"""With fewer than the most sessions: there what a refresh costs is mostly the clock and the ages."""

GROWTH = (_times("cpu_growth", "CPU per refresh grows", value=_of("growth_ratio"), goal=1.5),)

IDLE = (
    _percent("idle_cpu_percent", "CPU", value=_of("cpu_ratio"), goal=1),
    _bytes_per_s("idle_bytes_per_s", goal=50),
    _FLOOR,
    _ms("idle_quit_ms", "quit", value=_of("quit_s"), goal=300),
)

FROZEN = (
    _ms("frozen_key_p50_ms", "key, half within", value=lambda runs: percentile(_keys(runs), 0.5)),
    _ms("frozen_key_p95_ms", "key, 95 % within", value=lambda runs: percentile(_keys(runs), 0.95), goal=25),
    _ms("frozen_quit_ms", "quit", value=_of("quit_s"), goal=1000),
)

NEVER_ANSWERED = (
    _ms("unanswered_first_paint_ms", "first paint", value=_of("first_paint_s")),
    _ms("unanswered_quit_ms", "quit", value=_of("quit_s"), goal=1000),
)

OVERVIEW = (
    _ms("overview_first_paint_ms", "first paint", value=_of("first_paint_s")),
    _ms("overview_first_data_ms", "all targets read", value=_of("first_data_s")),
    Measure(
        key="overview_cpu_percent", title="CPU", unit="%", scale=100, digits=1, value=_of("cpu_ratio"), goal=5
    ),
    Measure(
        key="overview_rss_mb", title="memory (RSS)", unit="MB", scale=1e-6, digits=1, value=_of("rss_bytes")
    ),
    Measure(
        key="overview_bytes_per_s",
        title="to the terminal",
        unit="B/s",
        scale=1,
        digits=0,
        value=_of("bytes_per_s"),
    ),
    _ms("overview_key_p50_ms", "key, half within", value=lambda runs: percentile(_keys(runs), 0.5)),
    _ms("overview_key_p95_ms", "key, 95 % within", value=lambda runs: percentile(_keys(runs), 0.95), goal=25),
    _ms("overview_quit_ms", "quit", value=_of("quit_s"), goal=400),
)

PURGE = (
    _ms("purge_plan_ms", "plan with its sample", value=_of("planned_s")),
    _ms("purge_command_ms", "longest command", value=_of("command_s"), goal=5),
    _ms("purge_scan_p50_ms", "SCAN, half within", value=lambda runs: percentile(_scans(runs), 0.5)),
    _ms("purge_scan_p99_ms", "SCAN, 99 % within", value=lambda runs: percentile(_scans(runs), 0.99)),
    _ms("purge_scan_ms", "longest SCAN", value=lambda runs: percentile(_scans(runs), 1.0)),
    _ms("purge_unlink_ms", "longest UNLINK", value=_of("unlink_s")),
    _ms("purge_info_ms", "longest INFO", value=_of("info_s")),
    _ms("purge_event_ms", "longest latency event", value=_of("event_s"), goal=5),
)

FLOOD = (
    Measure(
        key="flood_cpu_percent",
        title="CPU",
        unit="%",
        scale=100,
        digits=1,
        value=_of("cpu_ratio"),
        ratio_goal=0.5,
    ),
    _ms("flood_lag_ms", "lag of the last line", value=_of("lag_s"), goal=300),
    Measure(
        key="flood_growth_mb",
        title="memory grew by",
        unit="MB",
        scale=1e-6,
        digits=1,
        value=_of("growth_bytes"),
        goal=15,
    ),
    Measure(key="flood_lost", title="lost", unit="lines", scale=1, digits=0, value=_of("lost"), goal=0),
    Measure(
        key="flood_bytes_per_s",
        title="to the terminal",
        unit="B/s",
        scale=1,
        digits=0,
        value=_of("bytes_per_s"),
    ),
)

OPENING = (
    _ms("opening_ms", "its end is on the screen", value=_of("first_data_s"), ratio_goal=0.6),
    _ms("opening_cpu_ms", "CPU until then", value=_of("start_cpu_s")),
    Measure(
        key="opening_rss_mb", title="memory (RSS)", unit="MB", scale=1e-6, digits=1, value=_of("rss_bytes")
    ),
)

FILTER = (
    _ms("filter_ms", "all are filtered", value=_of("filter_s"), goal=1000),
    _ms("filter_cpu_ms", "CPU until then", value=_of("start_cpu_s")),
    _ms(
        "filter_key_p95_ms", "key meanwhile, 95 %", value=lambda runs: percentile(_keys(runs), 0.95), goal=100
    ),
    Measure(
        key="filter_rss_mb", title="memory (RSS)", unit="MB", scale=1e-6, digits=1, value=_of("rss_bytes")
    ),
)


def of_containers(
    key: str, *, cpu: float | None = None, engine: float | None = None, terminal: float | None = None
) -> tuple[Measure, ...]:
    """What is measured of programs that show containers: `key` begins each measure's, the rest are ratios."""
    return (
        _percent(f"{key}_cpu_percent", "CPU", value=_of("cpu_ratio"), ratio_goal=cpu),
        _percent(
            f"{key}_engine_cpu_percent", "CPU of dockerd", value=_of("engine_cpu_ratio"), ratio_goal=engine
        ),
        _percent(f"{key}_runtime_cpu_percent", "containerd and shims", value=_of("runtime_cpu_ratio")),
        _percent(f"{key}_idle_percent", "dockerd idle (taken off)", value=_of("engine_idle_ratio")),
        Measure(
            key=f"{key}_bytes_per_s",
            title="to the terminal",
            unit="B/s",
            scale=1,
            digits=0,
            value=_of("bytes_per_s"),
            ratio_goal=terminal,
        ),
        Measure(
            key=f"{key}_rss_mb", title="memory (RSS)", unit="MB", scale=1e-6, digits=1, value=_of("rss_bytes")
        ),
        _ms(f"{key}_first_data_ms", "first data", value=_of("first_data_s")),
    )


SOAK = (
    Measure(
        key="soak_growth_mb",
        title="memory grew by",
        unit="MB",
        scale=1e-6,
        digits=1,
        value=_of("growth_bytes"),
        goal=10,
    ),
    _ms("soak_refresh_ms", "CPU per refresh, slowest", value=_of("cpu_per_refresh_s")),
)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Runs under one condition: of opsdash, and of what it is compared with, where that was measured too."""

    title: str
    key: str = ""
    """Goes before the keys of the measures, where other parts have the same."""
    measures: tuple[Measure, ...]
    ours: tuple[Figures, ...]
    peers: tuple[Figures, ...] = ()
    subject: str = "opsdash"
    """What `ours` are of."""
    peer: str = "pg_activity"
    """What `peers` are of."""


def table(part: Part) -> str:
    """The part as lines of text."""
    lines = [f"{part.title:<32}{part.subject:>12}{part.peer:>14}{'ratio':>8}   goal"]
    for measure in part.measures:
        ours, peers = measure.value(part.ours), measure.value(part.peers)
        title = f"  {measure.title}, {measure.unit}"
        ratio = ours / peers if ours is not None and peers else None
        told = f"{'-' if ratio is None else f'{ratio:.2f}':>8}"
        values = f"{_told(measure, ours):>12}{_told(measure, peers):>14}{told}"
        lines.append(f"{title:<32}{values}   {_goal(measure, ours, ratio)}".rstrip())
    return "\n".join(lines)


def _told(measure: Measure, value: float | None) -> str:
    return "-" if value is None else f"{value * measure.scale:.{measure.digits}f}"


def _goal(measure: Measure, value: float | None, ratio: float | None) -> str:
    if measure.ratio_goal is not None:
        met = None if ratio is None else ratio <= measure.ratio_goal
        goal = f"<= {measure.ratio_goal:g}x"
    elif measure.goal is not None:
        met = None if value is None else value * measure.scale <= measure.goal
        goal = f"<= {measure.goal:g} {measure.unit}"
    else:
        return ""
    return f"{goal:<11}{'' if met is None else 'met' if met else 'MISSED'}"


def as_values(part: Part) -> dict[str, dict[str, float | None]]:
    """The part for JSON: measure -> subject, peer, ratio; None is not measured."""
    values = {}
    for measure in part.measures:
        ours, peers = measure.value(part.ours), measure.value(part.peers)
        values[part.key + measure.key] = {
            part.subject: None if ours is None else ours * measure.scale,
            part.peer: None if peers is None else peers * measure.scale,
            "ratio": ours / peers if ours is not None and peers else None,
        }
    return values
