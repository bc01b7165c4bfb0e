"""Compose projects and services: a line for each, from the labels of their containers."""

from collections.abc import Sequence

import msgspec

from opsdash.collectors.docker.rows import Container, EngineData, ServiceIdentity
from opsdash.collectors.docker.services import serves, service_of
from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import percent, size, whole
from opsdash.widgets.columns import Column, figure, lowest_first
from opsdash.widgets.panels.docker.words import (
    WORST_TONES,
    age_cell,
    age_s,
    condition,
    condition_rank,
    condition_tone,
    container_tone,
    glyph,
    tones_of,
    trouble_rank,
)
from opsdash.widgets.status import Tone


class ServiceLine(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A service, or a whole project, and what its containers are."""

    identity: ServiceIdentity
    containers: tuple[Container, ...]
    tone: Tone
    """That of its worst container."""
    cpu_ratio: float | None
    """Of all its running containers; None: not known of every one."""
    memory_bytes: float | None
    age_s: float | None
    """Of its youngest container."""

    @property
    def is_project(self) -> bool:
        """Whether it stands for all services of a project."""
        return self.identity.service is None

    @property
    def running(self) -> int:
        """Containers that run."""
        return sum(1 for c in self.containers if c.state == "running")

    @property
    def serving(self) -> int:
        """Containers that run and are healthy, or have no check."""
        return sum(1 for c in self.containers if serves(c))

    @property
    def worst(self) -> str:
        """The worst condition among its containers."""
        return min(map(condition, self.containers), key=condition_rank)

    @property
    def images(self) -> str:
        """What they run; several while a new version replaces an old one."""
        return ", ".join(sorted({c.image for c in self.containers}))

    @property
    def restarts(self) -> int | None:
        """By their policies, all together; None: not known of every one."""
        counts = [c.restart_count for c in self.containers]
        return None if None in counts else sum(count or 0 for count in counts)


def service_lines(data: EngineData, view: TargetView, findings: Sequence[Finding]) -> tuple[ServiceLine, ...]:
    """Each project, those with trouble first, and below it its services by name."""
    by_identity: dict[ServiceIdentity, list[Container]] = {}
    for container in data.containers:
        service = service_of(container)
        if service is not None:
            by_identity.setdefault(ServiceIdentity(service.project), []).append(container)
            by_identity.setdefault(service, []).append(container)
    tones = tones_of(view.target.id, findings)
    lines = [
        ServiceLine(
            identity=identity,
            containers=tuple(containers),
            tone=min((container_tone(c, tones) for c in containers), key=WORST_TONES.index),
            cpu_ratio=_total(data, containers, "cpu_ratio"),
            memory_bytes=_total(data, containers, "memory_bytes"),
            age_s=min((s for c in containers if (s := age_s(c, data.now)) is not None), default=None),
        )
        for identity, containers in by_identity.items()
    ]
    worst = {line.identity.project: trouble_rank(line.tone) for line in lines if line.is_project}

    def place(line: ServiceLine) -> tuple[int, str, str]:
        project, service = line.identity.project, line.identity.service
        return worst[project], project, service or ""

    return tuple(sorted(lines, key=place))


def _total(data: EngineData, containers: Sequence[Container], what: str) -> float | None:
    """A figure of usage, summed; None unless it is known of every one that runs."""
    running = [c.id for c in containers if c.state == "running"]
    values = [getattr(data.usage[id], what) for id in running if id in data.usage]
    if not running or len(values) < len(running) or None in values:
        return None
    return float(sum(values))


def _name(line: ServiceLine) -> tuple[str, Tone]:
    name = line.identity.project if line.is_project else f"  {line.identity.service}"
    return f"{glyph(line.tone)} {name}", line.tone


def _of_all(line: ServiceLine, count: int) -> tuple[str, Tone]:
    total = len(line.containers)
    return f"{count}/{total}", Tone.NORMAL if count == total else line.tone


def _restarts_tone(line: ServiceLine) -> Tone:
    return line.tone if line.restarts else Tone.MUTED


SERVICE_COLUMNS: tuple[Column[ServiceLine], ...] = (
    Column(key="name", title="PROJECT, SERVICE", width=20, grow=1, cell=_name),
    Column(
        key="running",
        title="RUNNING",
        width=7,
        align="right",
        cell=lambda r: _of_all(r, r.running),
        sort=lambda r: r.running - len(r.containers),
    ),
    Column(
        key="serving",
        title="WELL",
        width=7,
        align="right",
        cell=lambda r: _of_all(r, r.serving),
        sort=lambda r: r.serving - len(r.containers),
        priority=1,
    ),
    Column(
        key="worst",
        title="WORST",
        width=10,
        cell=lambda r: (r.worst, condition_tone(r.worst)),
        sort=lambda r: condition_rank(r.worst),
    ),
    figure("cpu", "CPU", lambda r: r.cpu_ratio, percent, unit="ratio", width=6, priority=2),
    figure("memory", "MEMORY", lambda r: r.memory_bytes, size, unit="bytes", width=9, priority=2),
    figure("restarts", "RESTARTS", lambda r: r.restarts, whole, tone=_restarts_tone, width=8, priority=3),
    lowest_first(figure("age", "YOUNGEST", lambda r: r.age_s, age_cell, unit="s", width=8, priority=4)),
    Column(
        key="images",
        title="IMAGES",
        width=20,
        grow=1,
        cell=lambda r: "" if r.is_project else r.images,
        priority=5,
    ),
)
