"""The list of Docker engines."""

from collections.abc import Sequence

import msgspec

from opsdash.collectors.docker.rows import EngineData
from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import size
from opsdash.collectors.target import TargetId
from opsdash.widgets.columns import Cell, Column
from opsdash.widgets.lines import span_text
from opsdash.widgets.panel import freshness, view_tone
from opsdash.widgets.panels.docker.words import condition, title_of
from opsdash.widgets.status import GLYPHS, Tone


class TargetLine(msgspec.Struct, frozen=True, kw_only=True):
    """One engine in the list."""

    id: TargetId
    tone: Tone
    environment: str
    status: str
    """Its age, or why it could not be read."""
    data: EngineData | None

    def count(self, *conditions: str) -> int | None:
        """How many of its containers are in one of these conditions; None: not read yet."""
        if self.data is None:
            return None
        return sum(1 for c in self.data.containers if condition(c) in conditions or c.state in conditions)


def target_lines(
    views: Sequence[TargetView], findings: Sequence[Finding], mono_s: float
) -> tuple[TargetLine, ...]:
    """One line per engine, in the order of the configuration."""
    return tuple(
        TargetLine(
            id=view.target.id,
            tone=view_tone(view, findings),
            environment=view.target.environment.label,
            status=_status(view, mono_s),
            data=view.data,
        )
        for view in views
    )


def _status(view: TargetView, mono_s: float) -> str:
    words = "".join(span_text(span) for span in freshness(view, mono_s))
    return f"{words} · {view.failure.reason}" if view.failure else words


def _count_column(
    key: str, title: str, conditions: tuple[str, ...], tone: Tone, priority: int = 0
) -> Column[TargetLine]:
    """How many containers are in these conditions, toned where there are any."""

    def cell(line: TargetLine) -> Cell:
        count = line.count(*conditions)
        return "-" if count is None else (str(count), tone if count else Tone.MUTED)

    return Column(
        key=key,
        title=title,
        width=len(title),
        align="right",
        cell=cell,
        sort=lambda r: r.count(*conditions),
        descending_first=True,
        priority=priority,
    )


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
        key="version",
        title="VERSION",
        width=16,
        cell=lambda r: title_of(r.data) if r.data else "-",
        priority=4,
    ),
    _count_column("running", "RUNNING", ("running",), Tone.NORMAL),
    _count_column("unhealthy", "UNHEALTHY", ("unhealthy",), Tone.WARN, priority=1),
    _count_column("restarting", "RESTARTING", ("restarting", "dead"), Tone.WARN, priority=1),
    _count_column("ended", "ENDED", ("exited", "created"), Tone.NORMAL, priority=2),
    Column(
        key="machine",
        title="MACHINE",
        width=18,
        cell=lambda r: _machine(r.data) if r.data else "-",
        priority=6,
    ),
    Column(key="status", title="STATUS", width=16, grow=1, cell=lambda r: (r.status, r.tone)),
)


def _machine(data: EngineData) -> str:
    cpus = "-" if data.engine.cpus is None else str(data.engine.cpus)
    return f"{cpus} CPU, {size(data.engine.memory_bytes)}"
