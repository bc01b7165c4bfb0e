"""What is wrong in lines that sources print, of files as of containers. Pure."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from statistics import median

import msgspec

from opsdash.collectors.finding import Finding, Severity, below_one
from opsdash.collectors.format import duration, moment, number, plural
from opsdash.collectors.lines.place import LogPlace
from opsdash.collectors.lines.record import Level
from opsdash.collectors.lines.summary import LatestLine, Minute, SourceSummary
from opsdash.collectors.logs.rows import LogData
from opsdash.collectors.logs.settings import LogSettings, LogThresholds
from opsdash.collectors.snapshot import FailureKind
from opsdash.collectors.target import Target

PLACE = "lines"

_MINUTE_S = 60.0
_HISTORY_MIN = 5
"""Minutes that must have been seen before there is a usual count to compare with."""
_USUAL_MIN = 30
"""Minutes after which errors that were there from the first minute seen are what is usual."""
_PRINTING_MIN = 10
"""Minutes over which a source must have printed before its silence means something."""
_NEWEST_LINES = 3
_QUOTED = 120
"""Characters of a line that a title repeats."""
_BLIND = (FailureKind.NO_PERMISSION, FailureKind.TIMED_OUT, FailureKind.LOST, FailureKind.NOT_SUPPORTED)
"""Failures that hide what a file says; one that is not there says nothing."""


def findings(data: LogData, target: Target) -> tuple[Finding, ...]:
    """All findings of one look at a group of files, in no particular order.

    Args:
        data: The reading.
        target: Its target; the settings are `LogSettings`.
    """
    return (*log_findings(data.logs, target), *_unread(data, target), *_absent(data, target))


def log_findings(
    logs: Sequence[SourceSummary], target: Target, *, ended: Collection[str] = ()
) -> tuple[Finding, ...]:
    """Bursts of errors, and sources that fell silent.

    Args:
        logs: The sources of one reading.
        target: What they belong to; other kinds than log files are judged by the default thresholds.
        ended: Identities of sources that have a reason to be silent: containers that do not run.
    """
    settings = target.settings
    limits = settings.thresholds if isinstance(settings, LogSettings) else LogThresholds()
    found: list[Finding] = []
    for source in logs:
        found.extend(_burst(source, target, limits))
        if source.identity not in ended:
            found.extend(_silent(source, target, limits))
    return tuple(found)


class _Burst(msgspec.Struct, frozen=True, kw_only=True):
    """A run of minutes with many errors."""

    per_min: int
    """Errors in the worse of the newest two minutes: the last one is still running."""
    since: float
    """Unix time at which its first minute began."""
    usual: float | None
    """Median of the minutes before it; None: too few were seen."""
    seen_min: int
    """Minutes seen before it."""


def _find_burst(minutes: Sequence[Minute], least: int, factor: float) -> _Burst | None:
    """The burst that goes on now; None where there is none.

    It begins where the errors of a minute rose above what was usual before. Where nothing was seen before it,
    the count alone is told, until it has gone on for so long that it is what is usual.
    """
    newest = max((m.errors for m in minutes[-2:]), default=0)
    if newest < least:
        return None
    # what could not be read to its end says how bad it was at least, not what is usual
    minutes = [m for m in minutes if m.is_complete or m.errors >= least]
    last = len(minutes) - (1 if minutes[-1].errors >= least else 2)
    first = last
    while first > 0 and minutes[first - 1].errors >= least:
        first -= 1
    for begin in range(first, last + 1):
        before = [m.errors for m in minutes[:begin]]
        usual = median(before) if len(before) >= _HISTORY_MIN else None
        if usual is not None and min(newest, minutes[begin].errors) >= factor * usual:
            return _Burst(per_min=newest, since=minutes[begin].at, usual=usual, seen_min=begin)
    if first >= _HISTORY_MIN or len(minutes) >= _USUAL_MIN:
        return None
    return _Burst(per_min=newest, since=minutes[first].at, usual=None, seen_min=first)


def _burst(source: SourceSummary, target: Target, limits: LogThresholds) -> Iterator[Finding]:
    """Many more errors a minute than before."""
    burst = _find_burst(source.minutes, limits.burst_warn_per_min, limits.burst_warn_factor)
    if burst is None:
        return
    is_crit = (
        burst.usual is not None
        and burst.per_min >= limits.burst_crit_per_min
        and burst.per_min >= limits.burst_crit_factor * burst.usual
    )
    rate = f"ERROR {number(burst.per_min)}/min"
    if burst.usual is None:
        compared = f"only {plural(burst.seen_min, 'minute')} seen before, so what is usual is not known"
    else:
        compared = f"{number(burst.usual)}/min in the {burst.seen_min} min before"
    errors = [line for line in source.latest_trouble if (line.level or 0) >= Level.ERROR]
    quoted = f' · "{_cut(errors[-1].text)}"' if errors else ""
    yield Finding(
        severity=Severity.CRIT if is_crit else Severity.WARN,
        target=target.id,
        rule="log.burst",
        subject=source.identity,
        title=f"{_named(source, target)}{rate}{'' if burst.usual is None else ', ' + compared}{quoted}",
        short=f"{_named(source, target)}{rate}",
        evidence=(
            f"{plural(burst.per_min, 'line')} of ERROR or worse in a minute, since {_clock(burst.since)} UTC",
            compared
            if burst.usual is None
            else f"{number(burst.usual)}/min is the median of the minutes before",
            *(_quoted_line(line) for line in errors[-_NEWEST_LINES:]),
        ),
        basis=f"counts of {plural(len(source.minutes), 'minute')}",
        place=PLACE,
        identity=LogPlace(source=source.identity, number=errors[-1].number if errors else None),
        weight=below_one(burst.per_min, 1),  # below what the thing that prints them has itself
    )


def _silent(source: SourceSummary, target: Target, limits: LogThresholds) -> Iterator[Finding]:
    """A source that used to print and does not any more."""
    if source.failure is not None:
        return
    minutes = source.minutes
    quiet = _run(minutes, len(minutes))
    before = minutes[: len(minutes) - quiet]
    lines = sum(m.lines for m in before)
    if len(before) < _PRINTING_MIN or lines < len(before):
        return
    silent_s = (quiet - 1) * _MINUTE_S  # the last minute is still running
    gap_s = max(len(before) * _MINUTE_S / lines, _longest_run(before) * _MINUTE_S)
    if silent_s < max(limits.silent_s, limits.silent_factor * len(before) * _MINUTE_S / lines, 2 * gap_s):
        return
    if any(not m.is_complete for m in minutes[len(before) :]):
        return
    rate = number(round(lines / len(before), 1))
    yield Finding(
        severity=Severity.WARN,
        target=target.id,
        rule="log.silent",
        subject=source.identity,
        title=f"{_named(source, target)}silent for {duration(silent_s)}, {rate} lines/min in the "
        f"{len(before)} min before",
        short=f"{_named(source, target)}silent for {duration(silent_s)}",
        evidence=(
            f"no line since {_clock(before[-1].at + _MINUTE_S)} UTC",
            f"{plural(lines, 'line')} in the {len(before)} minutes before, "
            + (
                f"never silent for more than {plural(_longest_run(before), 'minute')}"
                if _longest_run(before)
                else "some in every minute"
            ),
            *(_quoted_line(line) for line in source.latest[-1:]),
        ),
        cause="whatever prints it hangs, has nothing to do, ended, or prints somewhere else now",
        basis=f"counts of {plural(len(minutes), 'minute')}",
        place=PLACE,
        identity=LogPlace(source=source.identity),
        weight=below_one(silent_s, 600),
    )


def _unread(data: LogData, target: Target) -> Iterator[Finding]:
    """Files that cannot be read: what they say is not known."""
    by_reason: dict[tuple[FailureKind, str], list[SourceSummary]] = {}
    for source in data.logs:
        if source.failure is not None and source.failure.kind in _BLIND:
            by_reason.setdefault((source.failure.kind, source.failure.reason), []).append(source)
    for (kind, reason), sources in by_reason.items():
        names = [source.name for source in sources]
        what = names[0] if len(names) == 1 else plural(len(names), "file")
        hint = sources[0].failure.hint if sources[0].failure else None
        yield Finding(
            severity=Severity.UNKNOWN,
            target=target.id,
            rule="log.unread",
            subject=f"{kind.value}: {reason}",
            title=f"{what} cannot be read: {reason}",
            short=f"{what}: {reason}",
            evidence=(", ".join(names[:10]) + (" …" if len(names) > 10 else ""), *((hint,) if hint else ())),
            place=PLACE,
            identity=LogPlace(source=sources[0].identity),
            weight=float(len(sources)),
        )


def _absent(data: LogData, target: Target) -> Iterator[Finding]:
    """Patterns that no file matches: a path that is mistyped would never say anything."""
    for pattern, failure in data.absent:
        yield Finding(
            severity=Severity.WARN,
            target=target.id,
            rule="log.absent",
            subject=pattern,
            title=f"{pattern}: {failure.reason}",
            short=f"{failure.reason}: {pattern}",
            evidence=(failure.hint,) if failure.hint else (),
            cause="the path is mistyped, or what writes the file is not there, or writes somewhere else",
            place=PLACE,
            identity=LogPlace(source=pattern),
        )


def _run(minutes: Sequence[Minute], end: int) -> int:
    """How many minutes without a line stand right before place `end`."""
    count = 0
    while count < end and minutes[end - 1 - count].lines == 0:
        count += 1
    return count


def _longest_run(minutes: Sequence[Minute]) -> int:
    return max((_run(minutes, end) for end in range(1, len(minutes) + 1)), default=0)


def _named(source: SourceSummary, target: Target) -> str:
    """The source's name in front, unless it is the target's own, as a file's or as it is."""
    return "" if source.name.removesuffix(".log") == target.name else f"{source.name}: "


def _quoted_line(line: LatestLine) -> str:
    word = line.level.word if line.level is not None else "-"
    return f"{_clock(line.at)} {word} {line.text}"


def _cut(text: str) -> str:
    return text if len(text) <= _QUOTED else text[: _QUOTED - 1] + "…"


def _clock(at: float) -> str:
    return moment(datetime.fromtimestamp(at, UTC))
