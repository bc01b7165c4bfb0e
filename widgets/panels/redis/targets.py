"""The list of Redis servers."""

from opsdash.collectors.format import number, percent
from opsdash.collectors.redis.rows import RedisData
from opsdash.widgets.columns import Cell, Column, figure, lowest_first
from opsdash.widgets.panels.redis.words import hit_ratio, memory_tone, thresholds_of
from opsdash.widgets.panels.targets import NAME, STATUS, Listing, TargetLine, environment

ServerLine = TargetLine[RedisData]


def _memory(row: ServerLine) -> Cell:
    return (row.data.memory.word, memory_tone(row.data, thresholds_of(row.view))) if row.data else "-"


def _policy(row: ServerLine) -> str | None:
    return row.data.memory.maxmemory_policy if row.data else None


_COLUMNS: tuple[Column[ServerLine], ...] = (
    NAME,
    environment(priority=4),
    Column(
        key="version", title="VERSION", width=22, cell=lambda r: r.data.title if r.data else "-", priority=5
    ),
    Column(
        key="memory",
        title="MEMORY",
        width=17,
        align="right",
        cell=_memory,
        sort=lambda r: r.data.memory.used_ratio if r.data else None,
        unit="ratio",
        descending_first=True,
    ),
    Column(key="policy", title="POLICY", width=15, cell=lambda r: _policy(r) or "-", priority=3),
    lowest_first(
        figure(
            "hit",
            "HIT",
            lambda r: hit_ratio(r.data) if r.data else None,
            percent,
            unit="ratio",
            width=6,
            priority=2,
        )
    ),
    figure("ops", "OPS/S", lambda r: r.data.rates.ops_per_s if r.data else None, number, width=7, priority=1),
    figure(
        "clients",
        "CLIENTS",
        lambda r: r.data.connected_clients if r.data else None,
        number,
        width=7,
        priority=3,
    ),
    STATUS,
)

SERVERS = Listing(columns=_COLUMNS)
