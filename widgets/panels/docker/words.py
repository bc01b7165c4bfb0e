"""The parts of a line about a container: each a few words with its tone."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from opsdash.collectors.docker.concern import concerned
from opsdash.collectors.docker.rows import Container, EngineData, Usage
from opsdash.collectors.docker.services import serves
from opsdash.collectors.docker.settings import DockerSettings, DockerThresholds
from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import age, number, percent, size
from opsdash.collectors.target import TargetId
from opsdash.widgets.columns import Cell
from opsdash.widgets.status import GLYPHS, Tone, severity_tone

WORST_TONES = (Tone.CRIT, Tone.UNKNOWN, Tone.WARN, Tone.NORMAL, Tone.OK, Tone.MUTED)
"""The tones of containers, worst first."""

TROUBLED = (Tone.CRIT, Tone.UNKNOWN, Tone.WARN)
"""Those of them on which something was found."""

_WORST_STATES = (
    "dead",
    "restarting",
    "unhealthy",
    "removing",
    "paused",
    "starting",
    "healthy",
    "running",
    "created",
    "exited",
)
_NOT_WELL = ("dead", "restarting", "unhealthy")
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
THROTTLED = "▾"
"""Beside a CPU figure: its limit held it back."""


def thresholds_of(view: TargetView) -> DockerThresholds:
    """The thresholds of an engine's target."""
    settings = view.target.settings
    assert isinstance(settings, DockerSettings)
    return settings.thresholds


def title_of(data: EngineData) -> str:
    """What kind of engine it is."""
    return f"Docker {data.engine.version}"


def tones_of(target: TargetId, findings: Iterable[Finding]) -> Mapping[str, Tone]:
    """Id -> tone, for every container of a target on which something was found."""
    worst: dict[str, Finding] = {}
    for finding in findings:
        if finding.target == target:
            for id in concerned(finding):
                if id not in worst or finding.severity > worst[id].severity:
                    worst[id] = finding
    return {id: severity_tone(finding.severity) for id, finding in worst.items()}


def container_tone(container: Container, tones: Mapping[str, Tone]) -> Tone:
    """What was found on it; where nothing was: whether it serves, is about to, or is not meant to."""
    found = tones.get(container.id)
    if found is not None:
        return found
    if serves(container):
        return Tone.OK
    return Tone.NORMAL if container.state in ("running", "restarting") else Tone.MUTED


def glyph(tone: Tone) -> str:
    """The mark before a name; a ring for what is not in service.

    >>> glyph(Tone.CRIT), glyph(Tone.MUTED)
    ('✖', '○')
    """
    return GLYPHS.get(tone, "○")


def condition(container: Container) -> str:
    """State and health in one word: health where it runs and has a check, else the state."""
    return container.health or "running" if container.state == "running" else container.state


def condition_tone(word: str) -> Tone:
    """How such a word is meant."""
    if word in _NOT_WELL:
        return Tone.CRIT if word == "dead" else Tone.WARN
    return Tone.OK if word in ("healthy", "running") else Tone.NORMAL


def condition_counts(containers: Iterable[Container]) -> tuple[tuple[str, int], ...]:
    """How many containers are in which condition, worst first; also of states that are new to us."""
    counts = Counter(map(condition, containers))
    return tuple(sorted(counts.items(), key=lambda item: (condition_rank(item[0]), item[0])))


def trouble_rank(tone: Tone) -> int:
    """Place of a tone among those of trouble, worst first; one place for all on which nothing was found.

    >>> trouble_rank(Tone.CRIT) < trouble_rank(Tone.WARN) < trouble_rank(Tone.OK) == trouble_rank(Tone.MUTED)
    True
    """
    return TROUBLED.index(tone) if tone in TROUBLED else len(TROUBLED)


def condition_rank(word: str) -> int:
    """Its place among the conditions, worst first; a state that is new to us is as bad as any.

    >>> condition_rank("unhealthy") < condition_rank("healthy") < condition_rank("exited")
    True
    """
    return _WORST_STATES.index(word) if word in _WORST_STATES else 0


def age_s(container: Container, now: datetime) -> float | None:
    """Seconds since it started; where it does not run, since it ended or was made. None: unknown."""
    since = container.started_at
    if container.state in ("exited", "dead", "removing", "restarting"):
        since = container.finished_at
    elif container.state == "created":
        since = container.created_at
    return None if since is None else max(0.0, (now - since).total_seconds())


def when(at: datetime | None, now: datetime) -> str:
    """A moment in UTC, with its day where that is not today's last; `-` when unknown.

    >>> from datetime import UTC, timedelta
    >>> now = datetime(2026, 3, 14, 3, 12, 41, tzinfo=UTC)
    >>> when(now - timedelta(hours=4), now), when(now - timedelta(days=3), now)
    ('23:12:41 UTC', '2026-03-11 03:12 UTC')
    """
    if at is None:
        return "-"
    return f"{at:%H:%M:%S} UTC" if (now - at).total_seconds() < _DAY_S else f"{at:%Y-%m-%d %H:%M} UTC"


def amount_of(used: float | None, limit: float | None) -> str:
    """Bytes in use of a limit, with one unit where both have the same.

    >>> amount_of(201 * 2**20, 256 * 2**20), amount_of(2**29, 2**30), amount_of(None, 2**28)
    ('201/256 MiB', '512 MiB/1 GiB', '-/256 MiB')
    >>> amount_of(2**20, None), amount_of(None, None)
    ('1 MiB', '-')
    """
    if limit is None:
        return size(used)
    most, most_unit = size(limit).split()
    if used is None:
        return f"-/{most} {most_unit}"
    amount, unit = size(used).split()
    return f"{amount}/{most} {unit}" if unit == most_unit else f"{amount} {unit}/{most} {most_unit}"


def memory_cell(container: Container, usage: Usage | None, limits: DockerThresholds) -> Cell:
    """Memory against the container's limit; the limit is left out where there is none."""
    ratio = memory_ratio(container, usage)
    word = amount_of(usage.memory_bytes if usage else None, container.memory_limit_bytes)
    if ratio is None or ratio < limits.memory_warn_ratio:
        return word
    return word, Tone.CRIT if ratio >= limits.memory_crit_ratio else Tone.WARN


def memory_ratio(container: Container, usage: Usage | None) -> float | None:
    """Share of its memory limit in use; None: unknown, or no limit."""
    used = usage.memory_bytes if usage else None
    return used / container.memory_limit_bytes if used is not None and container.memory_limit_bytes else None


def is_throttled(usage: Usage | None, limits: DockerThresholds) -> bool:
    """Whether its CPU limit held it back enough to be told."""
    ratio = usage.throttled_ratio if usage else None
    return ratio is not None and ratio >= limits.throttled_warn_ratio


def cpu_cell(usage: Usage | None, limits: DockerThresholds) -> Cell:
    """CPU as a share of one core, marked where its limit holds it back."""
    word = percent(usage.cpu_ratio if usage else None)
    return (f"{word}{THROTTLED}", Tone.WARN) if is_throttled(usage, limits) else word


def age_cell(seconds: float | None) -> str:
    """An age that changes once a minute: a table in which each row changes every second is hard to read.

    >>> [age_cell(s) for s in (42.9, 89.0, 7260.0)], age_cell(None)
    (['42s', '1m', '2h01m'], '-')
    """
    if seconds is None or not _MINUTE_S <= seconds < _HOUR_S:
        return age(seconds)
    return f"{int(seconds // _MINUTE_S)}m"


def rate_pair(first: float | None, second: float | None, marks: str) -> str:
    """Two rates in bytes per second, each behind its mark.

    >>> rate_pair(1200, 0, "↓↑"), rate_pair(None, None, "↓↑")
    ('↓1.2k ↑0', '-')
    """
    if first is None and second is None:
        return "-"
    return f"{marks[0]}{number(first)} {marks[1]}{number(second)}"


def usage_words(data: EngineData, shown: Sequence[str], taken_mono_s: float) -> str:
    """Where the usage that is shown comes from, over what time, and how old the oldest of it is.

    Args:
        data: The reading.
        shown: Ids of the containers shown.
        taken_mono_s: When the reading was taken.
    """
    known = [data.usage[id] for id in shown if id in data.usage]
    if not known:
        return ""
    spans = [usage.window_s for usage in known if usage.window_s is not None]
    over = f" over {age(max(spans))}" if spans else ""
    old_s = taken_mono_s - min(usage.taken_mono_s for usage in known)
    old = f", up to {age(old_s)} older than the list" if old_s >= 2 else ""
    return f"usage{over}{old} ({data.usage_source})" if data.usage_source else f"usage{over}{old}"
