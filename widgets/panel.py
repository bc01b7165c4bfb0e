"""What all panels say alike: how old their data is, whether it is stale, and why a read failed."""

from collections import Counter
from collections.abc import Callable, Sequence

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.format import age
from opsdash.widgets.lines import Line, Span, line_width
from opsdash.widgets.status import GLYPHS, Tone, severity_tone


def freshness(view: TargetView, now_mono_s: float) -> Line:
    """The age of what is shown, and the failure in the target's words where reads fail."""
    seconds = view.age_s(now_mono_s)
    if view.failure is not None:
        word = view.failure.kind.value
        if seconds is None:
            return ((f"{GLYPHS[Tone.CRIT]} {word}, no data yet", Tone.CRIT),)
        return ((f"▲ stale {age(seconds)}: {word}", Tone.WARN),)
    if seconds is None:
        return (("? waiting for the first reading", Tone.UNKNOWN),)
    if view.is_stale(now_mono_s):
        return ((f"▲ stale {age(seconds)}: no answer yet", Tone.WARN),)
    return ((f"● {age(seconds)}", Tone.OK),)


def stale_mark(view: TargetView, now_mono_s: float) -> Line:
    """The age of what is shown where that is too old or the last read failed; empty where it is fresh."""
    seconds = view.age_s(now_mono_s)
    if seconds is None or not (view.is_stale(now_mono_s) or view.failure is not None):
        return ()
    return ((f"▲ stale {age(seconds)}", Tone.WARN),)


def view_severity(view: TargetView, findings: Sequence[Finding]) -> Severity | None:
    """The worst that was found on a target; None when nothing was."""
    return max((f.severity for f in findings if f.target == view.target.id), default=None)


def view_tone(view: TargetView, findings: Sequence[Finding]) -> Tone:
    """The tone of a target as a whole; unknown before its first reading."""
    if view.latest is None:
        return Tone.UNKNOWN
    return severity_tone(view_severity(view, findings))


def worst_first(views: Sequence[TargetView], findings: Sequence[Finding]) -> tuple[TargetView, ...]:
    """Targets by what was found on them, heaviest finding first; equal ones keep their order."""

    def badness(view: TargetView) -> tuple[int, float]:
        mine = [f for f in findings if f.target == view.target.id]
        top = max((int(f.severity) for f in mine), default=0)
        return (-top, -max((f.weight for f in mine if f.severity == top), default=0.0))

    return tuple(sorted(views, key=badness))


def tone_counts(views: Sequence[TargetView], findings: Sequence[Finding]) -> Line:
    """How many targets are in which state, worst first: ` ✖ 1 ● 2`."""
    tones = Counter(view_tone(view, findings) for view in views)
    return tuple(
        (f" {GLYPHS[tone]} {tones[tone]}", tone)
        for tone in (Tone.CRIT, Tone.UNKNOWN, Tone.WARN, Tone.OK)
        if tones[tone]
    )


def one_line_each(
    views: Sequence[TargetView],
    line: Callable[[TargetView], Line],
    findings: Sequence[Finding],
    height: int,
) -> tuple[Line, ...]:
    """A line for each target, in their order; those that do not fit are counted in the last one."""
    if height <= 0:
        return ()
    if len(views) <= height:
        return tuple(map(line, views))
    shown, rest = views[: height - 1], views[height - 1 :]
    return (*map(line, shown), ((f"  +{len(rest)} more:", Tone.MUTED), *tone_counts(rest, findings)))


def with_others(
    head: Sequence[Line],
    views: Sequence[TargetView],
    line: Callable[[TargetView], Line],
    findings: Sequence[Finding],
    height: int,
) -> tuple[Line, ...]:
    """The worst target in full and a line for every other, in `height` lines, three at least.

    What is told of the worst gives way, down to its heading and one line: no other is left out unsaid.
    """
    kept = head[: max(height - len(views), 2)] if views else head[:height]
    return (*kept, *one_line_each(views, line, findings, height - len(kept)))


def fit(parts: Sequence[tuple[int, Line]], width: int, gap: str = "  ") -> Line:
    """Join parts with `gap`, leaving out those of the highest number first until the line fits.

    Args:
        parts: (priority, line); 0 is never left out.
        width: Cells at hand.
        gap: Between parts.
    """
    kept = list(parts)
    while kept and sum(line_width(p) for _, p in kept) + len(gap) * (len(kept) - 1) > width:
        worst = max(priority for priority, _ in kept)
        if worst == 0:
            break
        last = max(i for i, (priority, _) in enumerate(kept) if priority == worst)
        del kept[last]
    spans: list[Span] = []
    for index, (_, part) in enumerate(kept):
        if index:
            spans.append(gap)
        spans.extend(part)
    return tuple(spans)
