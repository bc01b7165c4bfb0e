"""The first lines of an engine's own screen."""

from collections.abc import Sequence

from opsdash.collectors.docker.rows import EngineData
from opsdash.collectors.feed import TargetView
from opsdash.collectors.format import age, plural, size
from opsdash.widgets.lines import Line
from opsdash.widgets.panel import fit
from opsdash.widgets.panels.docker.overview import counts_line
from opsdash.widgets.panels.docker.words import THROTTLED, title_of, usage_words
from opsdash.widgets.status import Tone


def head_lines(
    data: EngineData, view: TargetView, shown: Sequence[str], *, mono_s: float, width: int
) -> tuple[Line, Line]:
    """What its containers are, and what it is itself.

    Args:
        data: The reading.
        view: What the feed holds of the engine.
        shown: Ids of the containers whose usage is shown.
        mono_s: Now.
        width: Cells at hand.
    """
    engine = data.engine
    cpus = "CPUs not known" if engine.cpus is None else plural(engine.cpus, "CPU")
    taken_mono_s = view.good.taken_mono_s if view.good else mono_s
    usage = usage_words(data, shown, taken_mono_s)
    listed = "" if data.listed_mono_s is None else f"full list {age(mono_s - data.listed_mono_s)} ago"
    unread = sum(1 for c in data.containers if not c.is_inspected)
    parts: list[tuple[int, Line]] = [
        (0, (title_of(data),)),
        (1, ((usage, Tone.MUTED),)),
        (3, (engine.name,)),
        (4, (f"{cpus}, {size(engine.memory_bytes)}",)),
        (5, (f"cgroup v{engine.cgroup_version}" if engine.cgroup_version else "",)),
        (6, (engine.storage_driver,)),
        (6, (f"API {engine.api_version}",)),
        (5, ((listed, Tone.MUTED),)),
    ]
    if unread:
        parts.insert(1, (2, ((f"{plural(unread, 'container')} not inspected yet", Tone.UNKNOWN),)))
    said = [part for part in parts if part[1][0] not in ("", ("", Tone.MUTED))]
    return counts_line(data, width), fit(said, width, " · ")


LEGEND: Line = ((f"{THROTTLED} beside CPU: held back by its CPU limit; CPU 100% is one core", Tone.MUTED),)
"""Below the table of containers."""
