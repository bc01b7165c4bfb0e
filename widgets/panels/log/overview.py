"""Logs on the overview: how many errors a minute, and the newest lines that matter."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import moment, number, plural
from opsdash.collectors.lines.record import Level
from opsdash.collectors.lines.summary import (
    LATEST,
    LATEST_TROUBLE,
    LatestLine,
    SourceSummary,
    errors_by_minute,
)
from opsdash.widgets.cells import cut, fitted
from opsdash.widgets.chart import spark
from opsdash.widgets.lines import Line, line_width, rule, spread
from opsdash.widgets.panel import freshness
from opsdash.widgets.status import GLYPHS, Tone, severity_tone

TITLE = "5 Logs"
_FOLDED_BELOW = 3
"""With fewer lines the area is one line."""
_BAR_MIN = 20
"""Minutes of the bar."""
_RECENT_S = 15 * 60.0
"""Bad lines older than this are no news."""
_NAME_SHARE = 6
"""A source's name has this part of the width at most."""
_LEAST_NAME = 14
_RULES = "log."
"""How the names of the rules on lines begin: containers have others as well."""

Row = tuple[SourceSummary, LatestLine]


def overview_lines(
    views: Sequence[TargetView], findings: Sequence[Finding], *, mono_s: float, width: int, height: int
) -> tuple[Line, ...]:
    """The panel of all sources of lines, of files and containers, in `height` lines; with few of them in one.

    Args:
        views: Of every kind whose data has `logs`.
        findings: All of these targets.
        mono_s: Now.
        width: Cells.
        height: Lines at hand; fewer may come back.
    """
    sources = _sources(views)
    told = [f for f in findings if f.rule.startswith(_RULES)]
    if height < _FOLDED_BELOW:
        return (_folded(sources, views, told, width),)[:height]
    title: Line = ((TITLE, Tone.ACCENT),)
    if not any(view.data is not None for view in views):
        return (rule(title, (("? waiting for the first reading", Tone.UNKNOWN),), width),)
    head = rule((*title, f" · {plural(len(sources), 'source')}"), _rate(sources, told), width)
    notes = tuple(_notes(views, sources, mono_s, width))[: max(height - 2, 1)]
    rows = _rows(sources, _now(views, mono_s), height - 1 - len(notes))
    names = min(max((len(s.name) for s, _ in rows), default=0), max(width // _NAME_SHARE, _LEAST_NAME))
    return (head, *notes, *(_line(source, line, names, width) for source, line in rows))


def errors_per_min(sources: Sequence[SourceSummary]) -> int:
    """Errors of all sources in the worse of the newest two minutes: the last one is still running."""
    sums: dict[float, int] = {}
    for minute in (m for source in sources for m in source.minutes[-2:]):
        sums[minute.at] = sums.get(minute.at, 0) + minute.errors
    return max((sums[at] for at in sorted(sums)[-2:]), default=0)


def _sources(views: Sequence[TargetView]) -> tuple[SourceSummary, ...]:
    return tuple(source for view in views if view.data is not None for source in view.data.logs)


def _now(views: Sequence[TargetView], mono_s: float) -> float:
    """Unix time, by the newest reading."""
    read = [view.good for view in views if view.good is not None]
    return max((g.taken_at.timestamp() + mono_s - g.taken_mono_s for g in read), default=0.0)


def _rate(sources: Sequence[SourceSummary], told: Sequence[Finding]) -> Line:
    """`ERROR 38/min` and a bar of the last minutes."""
    if not any(source.minutes for source in sources):
        return ()
    tone = severity_tone(max((f.severity for f in told), default=None))
    bar = spark(errors_by_minute(sources, _BAR_MIN), _BAR_MIN)
    errors = errors_per_min(sources)
    return ((f"ERROR {number(errors)}/min", tone), " ", (bar, tone if errors else Tone.MUTED))


def _notes(
    views: Sequence[TargetView], sources: Sequence[SourceSummary], mono_s: float, width: int
) -> Iterator[Line]:
    """What cannot be read now, a line each: nothing of it can be among the lines below."""
    for view in views:
        if view.failure is not None:
            said: Line = (*freshness(view, mono_s), f"  {view.failure.reason}")
            yield ((f"{view.target.name}  ", Tone.NORMAL), *said)
    failing = [source for source in sources if source.failure is not None]
    for source in failing[:1]:
        more = f"  (+{len(failing) - 1} more)" if len(failing) > 1 else ""
        text = f"{source.name} not followed: {source.failure.reason if source.failure else ''}"
        yield (
            (f"{GLYPHS[Tone.UNKNOWN]} {cut(text, width - 2 - len(more))}", Tone.UNKNOWN),
            (more, Tone.MUTED),
        )


def _rows(sources: Sequence[SourceSummary], now: float, count: int) -> list[Row]:
    """The newest bad lines, and where there is room the newest others, oldest first.

    Of a source only the newest few are known here. Lines from before the oldest of these would stand as if
    nothing had been printed between them, so they are left out.
    """
    bad = [(s, line) for s in sources for line in s.latest_trouble if line.at >= now - _RECENT_S]
    complete_from = max(
        (s.latest_trouble[0].at for s in sources if len(s.latest_trouble) == LATEST_TROUBLE), default=0.0
    )
    chosen = sorted((row for row in bad if row[1].at >= complete_from), key=_when)[-count:]
    room = count - len(chosen)
    if room > 0:
        seen = {(source.identity, line.number) for source, line in chosen}
        complete_from = max((s.latest[0].at for s in sources if len(s.latest) == LATEST), default=0.0)
        others = [
            (s, line)
            for s in sources
            for line in s.latest
            if line.at >= complete_from and (s.identity, line.number) not in seen
        ]
        chosen += sorted(others, key=_when)[-room:]
    return sorted(chosen, key=_when)


def _when(row: Row) -> tuple[float, str, int]:
    return (row[1].at, row[0].identity, row[1].number)


def _line(source: SourceSummary, line: LatestLine, names: int, width: int) -> Line:
    tone = _tone(line.level)
    word = "-" if line.level is None else line.level.word
    head: Line = (
        (moment(datetime.fromtimestamp(line.at, UTC)), Tone.MUTED),
        f" {fitted(source.name, names, right=False)} ",
        (f"{word:<5}", tone),
        "  ",
    )
    room = width - line_width(head)
    return (*head, (cut(line.text, room), tone if line.level == Level.FATAL else Tone.NORMAL))


def _tone(level: Level | None) -> Tone:
    if level is None or level < Level.WARN:
        return Tone.MUTED
    return Tone.WARN if level == Level.WARN else Tone.CRIT


def _folded(
    sources: Sequence[SourceSummary], views: Sequence[TargetView], told: Sequence[Finding], width: int
) -> Line:
    """All in one line: the worst finding, else how many errors there are."""
    failing = next((view for view in views if view.failure is not None), None)
    worst = max(told, key=lambda f: (f.severity, f.weight), default=None)
    tone = severity_tone(None if worst is None else worst.severity)
    says = f"ERROR {number(errors_per_min(sources))}/min"
    if worst is not None:
        says = worst.short
    elif failing is not None and failing.failure is not None:
        tone, says = Tone.UNKNOWN, f"{failing.target.name}: {failing.failure.kind.value}"
    elif not any(source.minutes for source in sources):
        tone, says = Tone.UNKNOWN, "waiting for the first lines"
    head: Line = ((f"{TITLE:<14}", Tone.ACCENT), (f"{GLYPHS[tone]} ", tone))
    right: Line = ((plural(len(sources), "source"), Tone.MUTED),)
    return spread((*head, cut(says, width - line_width(head))), right, width)
