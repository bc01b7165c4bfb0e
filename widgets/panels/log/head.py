"""The lines above a log view: what of how much is shown, and the errors of the last minutes. Pure."""

from collections.abc import Sequence

import msgspec

from opsdash.collectors.format import plural
from opsdash.collectors.lines.summary import SourceSummary, errors_by_minute
from opsdash.widgets.chart import spark
from opsdash.widgets.lines import Line
from opsdash.widgets.panel import fit
from opsdash.widgets.status import Tone

MINUTES = 30
"""Of the errors per minute that are drawn."""


class HeadState(msgspec.Struct, frozen=True, kw_only=True):
    """What the first line above the log says."""

    sources: int
    of_sources: int
    failing: int = 0
    """Sources among them that are not followed now."""
    filters: tuple[str, ...] = ()
    is_only_bad: bool = False
    lines: int
    of_lines: int
    sifted_ratio: float = 1.0
    """How much of what is held the filters have gone through."""
    dropped: int = 0
    marked: int = 0
    times: str = "UTC"


def thousands(count: int) -> str:
    """A count with thin groups.

    >>> thousands(84020), thousands(312)
    ('84 020', '312')
    """
    return f"{count:,}".replace(",", " ")


def head_line(state: HeadState, width: int) -> Line:
    """Sources, filters, how many lines; what matters least goes first when the width is short.

    >>> from opsdash.widgets.lines import span_text
    >>> state = HeadState(sources=6, of_sources=9, filters=("-healthz",), lines=1213, of_lines=84020)
    >>> "".join(map(span_text, head_line(state, 120)))
    '6 of 9 sources  filter: -healthz  1 213 of 84 020 lines  0 dropped  times UTC'
    """
    narrowed = bool(state.filters) or state.is_only_bad
    parts: list[tuple[int, Line]] = [(3, (_sources(state),))]
    if state.failing:
        parts.append((1, ((f"▲ {state.failing} not followed", Tone.WARN),)))
    if state.is_only_bad:
        parts.append((0, (("level ≥ WARN", Tone.ACCENT),)))
    if state.filters:
        parts.append((0, ("filter: ", (" ".join(state.filters), Tone.ACCENT))))
    count = thousands(state.of_lines)
    lines = f"{thousands(state.lines)} of {count} lines" if narrowed else f"{count} lines"
    parts.append((2, (lines,)))
    if state.sifted_ratio < 1:
        parts.append((1, ((f"filtering {state.sifted_ratio * 100:.0f}%", Tone.UNKNOWN),)))
    if state.marked:
        parts.append((1, ((f"{state.marked} marked", Tone.ACCENT),)))
    parts.append((4, ((f"{thousands(state.dropped)} dropped", Tone.MUTED),)))
    parts.append((5, ((f"times {state.times}", Tone.MUTED),)))
    return fit(parts, width)


def _sources(state: HeadState) -> str:
    if state.sources == state.of_sources:
        return plural(state.sources, "source")
    return f"{state.sources} of {plural(state.of_sources, 'source')}"


def errors_line(summaries: Sequence[SourceSummary], width: int) -> Line:
    """Errors per minute of all sources together, oldest first; the last minute is still running."""
    minutes = errors_by_minute(summaries, MINUTES)
    if not minutes:
        return (("errors per minute: not known yet", Tone.MUTED),)
    bars = spark(minutes, min(MINUTES, max(width // 3, 10)))
    now, before = minutes[-1], minutes[:-1]
    parts: list[tuple[int, Line]] = [
        (0, ((bars, Tone.CRIT if any(minutes) else Tone.MUTED),)),
        (0, (("errors per minute", Tone.MUTED),)),
        (2, ((f"last {len(minutes)} min", Tone.MUTED),)),
    ]
    if before and before[-1] is not None:
        parts.append((1, ((f"{before[-1]:.0f} in the last one", Tone.CRIT if before[-1] else Tone.MUTED),)))
    if now is not None:
        parts.append((1, ((f"{now:.0f} so far in this one", Tone.CRIT if now else Tone.MUTED),)))
    return fit(parts, width)
