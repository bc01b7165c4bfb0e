"""The table of sources of lines: what each prints, what of it is held, whether it is followed."""

from collections.abc import Sequence

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import age, number, size
from opsdash.collectors.lines.summary import Minute, SourceSummary
from opsdash.collectors.target import TargetId
from opsdash.widgets.chart import spark
from opsdash.widgets.columns import Cell, Column, figure, text
from opsdash.widgets.status import GLYPHS, Tone

_WINDOW = 5
"""Whole minutes that rates are counted over."""


class SourceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One source."""

    target: TargetId
    summary: SourceSummary
    now: float
    """Unix time."""
    has_finding: bool = False

    @property
    def key(self) -> tuple[TargetId, str]:
        """What stays the same across readings."""
        return (self.target, self.summary.identity)

    @property
    def whole_minutes(self) -> tuple[Minute, ...]:
        """The last minutes that are over."""
        return self.summary.minutes[:-1][-_WINDOW:]

    @property
    def lines_per_minute(self) -> float | None:
        """Over the last whole minutes; None before the first is over."""
        minutes = self.whole_minutes
        return sum(m.lines for m in minutes) / len(minutes) if minutes else None

    @property
    def errors_per_minute(self) -> float | None:
        """Over the last whole minutes; None before the first is over."""
        minutes = self.whole_minutes
        return sum(m.errors for m in minutes) / len(minutes) if minutes else None

    @property
    def quiet_s(self) -> float | None:
        """Seconds since the newest line was read; None: there was none."""
        at = self.summary.last_arrived_at
        return None if at is None else max(self.now - at, 0.0)


def source_lines(
    views: Sequence[TargetView], findings: Sequence[Finding], now: float
) -> tuple[SourceLine, ...]:
    """A row per source of all targets, in the order of the configuration."""
    found = {(f.target, getattr(f.identity, "source", f.subject)) for f in findings}
    return tuple(
        SourceLine(
            target=view.target.id,
            summary=summary,
            now=now,
            has_finding=(view.target.id, summary.identity) in found,
        )
        for view in views
        for summary in getattr(view.data, "logs", ())
    )


def _name(line: SourceLine) -> Cell:
    if line.summary.failure is not None:
        return f"{GLYPHS[Tone.CRIT]} {line.summary.name}", Tone.CRIT
    if line.has_finding:
        return f"{GLYPHS[Tone.WARN]} {line.summary.name}", Tone.WARN
    return f"{GLYPHS[Tone.OK]} {line.summary.name}", Tone.OK


def _errors_tone(line: SourceLine) -> Tone:
    return Tone.CRIT if line.errors_per_minute else Tone.MUTED


def _state(line: SourceLine) -> Cell:
    failure = line.summary.failure
    if failure is not None:
        return f"not followed: {failure.kind.value}: {failure.reason}", Tone.CRIT
    if line.quiet_s is None:
        return "followed, nothing new yet", Tone.MUTED
    return f"followed, last line {age(line.quiet_s)} ago", Tone.NORMAL


def _missed(count: int) -> Tone:
    return Tone.WARN if count else Tone.MUTED


SOURCE_COLUMNS: tuple[Column[SourceLine], ...] = (
    Column(key="source", title="SOURCE", width=18, grow=1, cell=_name, sort=lambda r: r.summary.name),
    text("target", "TARGET", lambda r: str(r.target), width=16, priority=4),
    figure("lines", "LINES/MIN", lambda r: r.lines_per_minute, number, width=9, priority=1),
    figure("errors", "ERR/MIN", lambda r: r.errors_per_minute, number, tone=_errors_tone, width=7),
    Column(
        key="bars",
        title="ERRORS, 30 MIN",
        width=30,
        cell=lambda r: (spark([m.errors for m in r.summary.minutes], 30), Tone.CRIT),
        priority=6,
    ),
    figure("held", "HELD", lambda r: r.summary.end - r.summary.first, number, width=8, priority=3),
    figure("bytes", "SIZE", lambda r: r.summary.held_bytes, size, unit="bytes", width=8, priority=7),
    figure(
        "dropped",
        "DROPPED",
        lambda r: r.summary.dropped,
        number,
        tone=lambda r: _missed(r.summary.dropped),
        width=7,
        priority=5,
    ),
    figure(
        "gaps",
        "GAPS",
        lambda r: len(r.summary.gaps),
        str,
        tone=lambda r: _missed(len(r.summary.gaps)),
        width=4,
        priority=5,
    ),
    Column(key="format", title="FORMAT", width=8, cell=lambda r: (r.summary.format, Tone.MUTED), priority=8),
    Column(key="state", title="STATE", width=24, grow=1, cell=_state, priority=2),
)
