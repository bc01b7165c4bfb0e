"""The list of Docker engines."""

from opsdash.collectors.docker.rows import EngineData
from opsdash.collectors.format import size, whole
from opsdash.widgets.columns import Column, figure
from opsdash.widgets.panels.docker.words import condition, title_of
from opsdash.widgets.panels.targets import NAME, STATUS, Listing, TargetLine, environment
from opsdash.widgets.status import Tone

EngineLine = TargetLine[EngineData]


def _counted(
    key: str, title: str, conditions: tuple[str, ...], tone: Tone, priority: int = 0
) -> Column[EngineLine]:
    """How many containers are in one of these conditions, toned where there are any."""

    def count(line: EngineLine) -> int | None:
        if line.data is None:
            return None
        return sum(1 for c in line.data.containers if condition(c) in conditions or c.state in conditions)

    return figure(
        key,
        title,
        count,
        whole,
        tone=lambda line: tone if count(line) else Tone.MUTED,
        width=len(title),
        priority=priority,
    )


def _machine(data: EngineData) -> str:
    return f"{whole(data.engine.cpus)} CPU, {size(data.engine.memory_bytes)}"


_COLUMNS: tuple[Column[EngineLine], ...] = (
    NAME,
    environment(priority=4),
    Column(
        key="version",
        title="VERSION",
        width=16,
        cell=lambda r: title_of(r.data) if r.data else "-",
        priority=5,
    ),
    _counted("running", "RUNNING", ("running",), Tone.NORMAL),
    _counted("unhealthy", "UNHEALTHY", ("unhealthy",), Tone.WARN, priority=1),
    _counted("restarting", "RESTARTING", ("restarting", "dead"), Tone.WARN, priority=1),
    _counted("ended", "ENDED", ("exited", "created"), Tone.NORMAL, priority=2),
    Column(
        key="machine",
        title="MACHINE",
        width=18,
        cell=lambda r: _machine(r.data) if r.data else "-",
        priority=6,
    ),
    STATUS,
)

ENGINES = Listing(columns=_COLUMNS)
