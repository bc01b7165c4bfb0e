"""The containers of an engine: rows in the order in which a person wants them, and their columns."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from opsdash.collectors.docker.rows import Container, EngineData, Usage
from opsdash.collectors.docker.services import group_word
from opsdash.collectors.docker.settings import DockerThresholds
from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import whole
from opsdash.widgets.chart import spark
from opsdash.widgets.columns import Cell, Column, figure, lowest_first, text
from opsdash.widgets.panels.docker.words import (
    TROUBLED,
    WORST_TONES,
    age_cell,
    age_s,
    condition,
    condition_rank,
    condition_tone,
    container_tone,
    cpu_cell,
    glyph,
    memory_cell,
    rate_pair,
    thresholds_of,
    tones_of,
    trouble_rank,
)
from opsdash.widgets.status import Tone

_SPARK = 12
CPU_LEAST_TOP = 0.1
"""A tenth of a core: below it, histories of CPU stay low."""
_ENDED = ("exited", "dead", "restarting")


class ContainerLine(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One container with what is needed to draw it."""

    container: Container
    usage: Usage | None
    """None: it was not looked at, or does not run."""
    tone: Tone
    now: datetime
    """The engine's clock."""
    limits: DockerThresholds
    view: TargetView
    """For its history."""

    @property
    def age_s(self) -> float | None:
        """Since it started; where it does not run, since it ended."""
        return age_s(self.container, self.now)

    @property
    def runs(self) -> bool:
        """Whether usage can be asked for."""
        return self.container.state in ("running", "paused")

    @property
    def ended_code(self) -> int | None:
        """The exit code worth a cell: of one that ended, or that the engine had to start again."""
        container = self.container
        if container.state in _ENDED or container.restart_count:
            return container.exit_code
        return None


def container_lines(
    data: EngineData, view: TargetView, findings: Sequence[Finding]
) -> tuple[ContainerLine, ...]:
    """Project by project, those with trouble first; in each the worst first, then by service and number."""
    tones = tones_of(view.target.id, findings)
    limits = thresholds_of(view)
    lines = [
        ContainerLine(
            container=container,
            usage=data.usage.get(container.id),
            tone=container_tone(container, tones),
            now=data.now,
            limits=limits,
            view=view,
        )
        for container in data.containers
    ]
    worst: dict[str | None, int] = {}
    for line in lines:
        project = line.container.project
        worst[project] = min(worst.get(project, len(TROUBLED)), trouble_rank(line.tone))

    def place(line: ContainerLine) -> tuple[object, ...]:
        container = line.container
        return (
            worst[container.project],
            container.project is None,
            container.project or "",
            *_badness(line),
            container.service or "",
            container.number or 0,
            container.name,
        )

    return tuple(sorted(lines, key=place))


def worst_lines(lines: Sequence[ContainerLine]) -> tuple[ContainerLine, ...]:
    """The same, the worst first over all projects; those that are well keep their order."""
    return tuple(sorted(lines, key=_badness))


def _badness(line: ContainerLine) -> tuple[int, int]:
    rank = condition_rank(condition(line.container)) if line.tone in TROUBLED else 0
    return (WORST_TONES.index(line.tone), rank)


def visible_ids(lines: Sequence[ContainerLine]) -> tuple[str, ...]:
    """Those of `lines` whose usage can be asked for."""
    return tuple(line.container.id for line in lines if line.runs)


def _cpu_history(line: ContainerLine) -> str:
    values = line.view.series(f"cpu {line.container.id}", _SPARK)
    return spark(values, _SPARK, least_top=CPU_LEAST_TOP).rjust(_SPARK)


def _exit(line: ContainerLine) -> Cell:
    code = line.ended_code
    if code is None:
        return ("-", Tone.MUTED)
    word = f"{code} OOM" if line.container.oom_killed else str(code)
    return (word, line.tone if code else Tone.MUTED)


def _health(line: ContainerLine) -> Cell:
    health = line.container.health
    if health is None or line.container.state != "running":
        return ("-", Tone.MUTED)
    return (health, condition_tone(health))


def _restarts_tone(line: ContainerLine) -> Tone:
    return line.tone if line.container.restart_count else Tone.MUTED


NAME: Column[ContainerLine] = Column(
    key="name",
    title="NAME",
    width=16,
    grow=1,
    cell=lambda r: (f"{glyph(r.tone)} {r.container.name}", r.tone),
    sort=lambda r: r.container.name,
)
CONDITION: Column[ContainerLine] = Column(
    key="condition",
    title="STATE",
    width=10,
    cell=lambda r: (condition(r.container), condition_tone(condition(r.container))),
    sort=lambda r: condition_rank(condition(r.container)),
)
GROUP: Column[ContainerLine] = Column(
    key="group",
    title="PROJECT/SERVICE",
    width=16,
    grow=1,
    cell=lambda r: group_word(r.container) or "-",
    sort=lambda r: group_word(r.container) or None,
    priority=5,
)
STATE: Column[ContainerLine] = Column(
    key="state",
    title="STATE",
    width=10,
    cell=lambda r: (r.container.state, condition_tone(r.container.state)),
    sort=lambda r: r.container.state,
)
HEALTH: Column[ContainerLine] = Column(
    key="health", title="HEALTH", width=9, cell=_health, sort=lambda r: r.container.health
)
CPU: Column[ContainerLine] = Column(
    key="cpu",
    title="CPU",
    width=7,
    align="right",
    cell=lambda r: cpu_cell(r.usage, r.limits),
    sort=lambda r: r.usage.cpu_ratio if r.usage else None,
    unit="ratio",
    descending_first=True,
    priority=1,
)
CPU_HISTORY: Column[ContainerLine] = Column(
    key="history",
    title="CPU BEFORE",
    width=_SPARK,
    cell=lambda r: (_cpu_history(r), Tone.ACCENT),
    priority=7,
)
MEMORY: Column[ContainerLine] = Column(
    key="memory",
    title="MEM/LIMIT",
    width=17,
    align="right",
    cell=lambda r: memory_cell(r.container, r.usage, r.limits),
    sort=lambda r: r.usage.memory_bytes if r.usage else None,
    unit="bytes",
    descending_first=True,
    priority=1,
)
RESTARTS: Column[ContainerLine] = figure(
    "restarts",
    "RESTARTS",
    lambda r: r.container.restart_count,
    whole,
    tone=_restarts_tone,
    width=8,
    priority=2,
)
AGE: Column[ContainerLine] = lowest_first(
    figure("age", "AGE", lambda r: r.age_s, age_cell, unit="s", width=7, priority=2)
)
IMAGE: Column[ContainerLine] = text(
    "image", "IMAGE", lambda r: r.container.image, width=20, grow=1, priority=6
)

CONTAINER_COLUMNS: tuple[Column[ContainerLine], ...] = (
    NAME,
    GROUP,
    STATE,
    HEALTH,
    CPU,
    CPU_HISTORY,
    MEMORY,
    figure("pids", "PIDS", lambda r: r.usage.pids if r.usage else None, whole, width=5, priority=8),
    Column(
        key="network",
        title="NET B/S",
        width=13,
        cell=lambda r: rate_pair(r.usage.received_per_s, r.usage.sent_per_s, "↓↑") if r.usage else "-",
        sort=lambda r: r.usage.received_per_s if r.usage else None,
        unit="bytes",
        descending_first=True,
        priority=6,
    ),
    Column(
        key="block",
        title="BLOCK B/S",
        width=13,
        cell=lambda r: rate_pair(r.usage.read_per_s, r.usage.written_per_s, "rw") if r.usage else "-",
        sort=lambda r: r.usage.written_per_s if r.usage else None,
        unit="bytes",
        descending_first=True,
        priority=8,
    ),
    RESTARTS,
    Column(
        key="exit",
        title="EXIT",
        width=7,
        align="right",
        cell=_exit,
        sort=lambda r: r.ended_code,
        descending_first=True,
        priority=3,
    ),
    AGE,
    IMAGE,
    Column(
        key="ports",
        title="PORTS",
        width=22,
        cell=lambda r: " ".join(r.container.ports) or "-",
        sort=lambda r: r.container.ports[0] if r.container.ports else None,
        priority=9,
    ),
)
"""Of the table of one engine."""

NARROW_COLUMNS: tuple[Column[ContainerLine], ...] = (
    NAME,
    CONDITION,
    *(column for column in CONTAINER_COLUMNS if column.key not in ("name", "state", "health")),
)
"""The same for a narrow screen: state and health in one column."""

OVERVIEW_COLUMNS: tuple[Column[ContainerLine], ...] = (
    NAME,
    GROUP,
    CONDITION,
    CPU,
    CPU_HISTORY,
    MEMORY,
    RESTARTS,
    AGE,
    IMAGE,
)
"""Of the panel on the overview."""
