"""The list of Redis servers."""

from collections.abc import Sequence

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import number, percent
from opsdash.collectors.redis.rows import RedisData
from opsdash.collectors.target import TargetId
from opsdash.widgets.columns import Column
from opsdash.widgets.lines import span_text
from opsdash.widgets.panel import freshness, view_tone
from opsdash.widgets.panels.redis.words import hit_ratio, memory_tone, thresholds_of
from opsdash.widgets.status import GLYPHS, Tone


class TargetLine(msgspec.Struct, frozen=True, kw_only=True):
    """One server in the list."""

    id: TargetId
    tone: Tone
    memory_tone: Tone
    environment: str
    status: str
    """Its age, or why it could not be read."""
    data: RedisData | None


def target_lines(
    views: Sequence[TargetView], findings: Sequence[Finding], mono_s: float
) -> tuple[TargetLine, ...]:
    """One line per server, in the order of the configuration."""
    return tuple(
        TargetLine(
            id=view.target.id,
            tone=view_tone(view, findings),
            memory_tone=memory_tone(view.data, thresholds_of(view)) if view.good else Tone.MUTED,
            environment=view.target.environment.label,
            status=_status(view, mono_s),
            data=view.data,
        )
        for view in views
    )


def _status(view: TargetView, mono_s: float) -> str:
    words = "".join(span_text(span) for span in freshness(view, mono_s))
    return f"{words} · {view.failure.reason}" if view.failure else words


def _hit(line: TargetLine) -> float | None:
    return None if line.data is None else hit_ratio(line.data)


TARGET_COLUMNS: tuple[Column[TargetLine], ...] = (
    Column(
        key="name",
        title="TARGET",
        width=16,
        cell=lambda r: (f"{GLYPHS[r.tone]} {r.id.name}", r.tone),
        sort=lambda r: r.id.name,
    ),
    Column(key="environment", title="ENV", width=12, cell=lambda r: r.environment, priority=5),
    Column(
        key="version", title="VERSION", width=22, cell=lambda r: r.data.title if r.data else "-", priority=4
    ),
    Column(
        key="memory",
        title="MEMORY",
        width=17,
        align="right",
        cell=lambda r: (r.data.memory.word, r.memory_tone) if r.data else "-",
        sort=lambda r: r.data.memory.used_ratio if r.data else None,
        unit="ratio",
        descending_first=True,
    ),
    Column(
        key="policy",
        title="POLICY",
        width=15,
        cell=lambda r: (r.data.memory.maxmemory_policy or "-") if r.data else "-",
        priority=3,
    ),
    Column(
        key="hit",
        title="HIT",
        width=6,
        align="right",
        cell=lambda r: percent(_hit(r)),
        sort=_hit,
        unit="ratio",
        priority=2,
    ),
    Column(
        key="ops",
        title="OPS/S",
        width=7,
        align="right",
        cell=lambda r: number(r.data.rates.ops_per_s) if r.data else "-",
        sort=lambda r: r.data.rates.ops_per_s if r.data else None,
        descending_first=True,
        priority=1,
    ),
    Column(
        key="clients",
        title="CLIENTS",
        width=7,
        align="right",
        cell=lambda r: number(r.data.connected_clients) if r.data else "-",
        sort=lambda r: r.data.connected_clients if r.data else None,
        descending_first=True,
        priority=3,
    ),
    Column(key="status", title="STATUS", width=16, grow=1, cell=lambda r: (r.status, r.tone)),
)
