"""What panels say alike: how old their data is, why a read failed, the worst in full, others in a line."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec
from rich.cells import cell_len

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.format import age
from opsdash.widgets.cells import cut, fitted
from opsdash.widgets.lines import Line, Span, labelled, line_width, rule, spread
from opsdash.widgets.status import GLYPHS, Tone, severity_tone

FOLDED_BELOW = 3
"""With fewer lines an area is one line."""


FRESH_S = 2.0
"""Younger data is told as such: a count from 0 to 1 and back, each second on every line, says nothing."""


def freshness(view: TargetView, now_mono_s: float) -> Line:
    """The age of what is shown, and the failure in the target's words where reads fail."""
    seconds = view.age_s(now_mono_s)
    if seconds is None:
        tone = Tone.UNKNOWN if view.failure is None else Tone.CRIT
        return ((f"{GLYPHS[tone]} {_without_data(view)}", tone),)
    if view.failure is not None:
        return ((f"▲ stale {age(seconds)}: {view.failure.kind.value}", Tone.WARN),)
    if view.is_stale(now_mono_s):
        return ((f"▲ stale {age(seconds)}: no answer yet", Tone.WARN),)
    return ((f"● <{age(FRESH_S)}" if seconds < FRESH_S else f"● {age(seconds)}", Tone.OK),)


def freshness_beside(view: TargetView, now_mono_s: float, tone: Tone) -> Line:
    """The same on a line that begins with the target's glyph, in `tone`: that is not said again."""
    if view.age_s(now_mono_s) is None:
        return ((_without_data(view), tone),)
    return freshness(view, now_mono_s)


def _without_data(view: TargetView) -> str:
    if view.failure is None:
        return "waiting for the first reading"
    return f"{view.failure.kind.value}, no data yet"


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


def more_counts(views: Sequence[TargetView], findings: Sequence[Finding], word: str = " more") -> Line:
    """How many targets have no line of their own, and their states: `+3 more: ✖ 1 ● 2`; empty for none."""
    return ((f"+{len(views)}{word}:", Tone.MUTED), *tone_counts(views, findings)) if views else ()


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
    return (*map(line, shown), ("  ", *more_counts(rest, findings)))


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


_NAME = 14
"""Cells that a target's name has at least: names of one area stand below each other."""


def name_cells(names: Iterable[str], width: int) -> int:
    """Cells for names that stand below each other in `width`: room for the longest, but a quarter at most.

    >>> name_cells(["api"], 132), name_cells(["payments-eu-west-1"], 132), name_cells(["x" * 99], 132)
    (14, 18, 33)
    """
    return max(_NAME, min(max(map(cell_len, names), default=0), width // 4))


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """How an area of the overview tells of its targets, where the worst is told in full."""

    title: str
    full: Callable[[TargetView, Sequence[Finding], "Room"], Sequence[Line]]
    """Heading and more of the worst target that was read; what is too much is cut."""
    brief: Callable[[TargetView, Sequence[Finding], int], Line]
    """What is told of the worst, in so many cells, where all are in one line."""
    parts: Callable[[TargetView, int], Sequence[tuple[int, Line]]]
    """What is told of a target with a line of its own, in so many cells; see `fit`."""
    full_lines: int | None = None
    """How many lines the full telling always has; None: as many as there is room for."""


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to draw in, and when."""

    width: int
    height: int
    mono_s: float
    names: int = _NAME
    """Cells of the targets' names."""
    is_first: bool = True
    """Whether the area begins here: its name is in the first heading only."""


def worst_in_full(
    telling: Telling, views: Sequence[TargetView], findings: Sequence[Finding], room: Room
) -> tuple[Line, ...]:
    """The worst target that was read in full, a line for every other; with too few lines all are in one.

    Args:
        telling: What to tell.
        views: Its targets, at least one.
        findings: Of these targets, and others.
        room: For the whole area.
    """
    ordered = worst_first(views, findings)
    names = name_cells((view.target.name for view in views), room.width)
    room = msgspec.structs.replace(room, names=names)
    if room.height < FOLDED_BELOW:
        return (_folded_line(telling, ordered, findings, room),)[: room.height]
    worst = worst_read(ordered)
    others = [view for view in ordered if view is not worst]

    def line(view: TargetView) -> Line:
        return _target_line(telling, view, findings, room)

    if worst is None:
        heading = rule(((telling.title, Tone.ACCENT),), (), room.width)
        return (heading, *one_line_each(others, line, findings, room.height - 1))
    if telling.full_lines is not None and room.height >= telling.full_lines * len(views):
        return _all_in_full(telling, worst, others, line, findings, room)
    left = msgspec.structs.replace(room, height=room.height - len(others))
    return with_others(telling.full(worst, findings, left), others, line, findings, room.height)


def _all_in_full(
    telling: Telling,
    worst: TargetView,
    others: Sequence[TargetView],
    line: Callable[[TargetView], Line],
    findings: Sequence[Finding],
    room: Room,
) -> tuple[Line, ...]:
    """The worst and every other that was read, each below its heading; those that were not have a line."""
    below = msgspec.structs.replace(room, is_first=False)
    read = [telling.full(view, findings, below) for view in others if view.good is not None]
    unread = [line(view) for view in others if view.good is None]
    told = (*telling.full(worst, findings, room), *unread, *(one for lines in read for one in lines))
    return told[: room.height]


def worst_read(ordered: Sequence[TargetView]) -> TargetView | None:
    """The first of which something is known: the one that is told in full."""
    return next((view for view in ordered if view.good is not None), None)


def area_heading(title: str, view: TargetView, findings: Sequence[Finding], what: str, room: Room) -> Line:
    """The heading above the target that is told in full: the area, its name, what it is, how old all is."""
    name = (view.target.name, view_tone(view, findings))
    area: Line = ((title, Tone.ACCENT), " · ") if room.is_first else ()
    head: Line = (*area, name, f" · {what}")
    return rule(head, freshness(view, room.mono_s), room.width)


def _folded_line(
    telling: Telling, ordered: Sequence[TargetView], findings: Sequence[Finding], room: Room
) -> Line:
    """All in one line: the worst by name and what is told of it, the others counted by their state."""
    worst = ordered[0]
    tone = view_tone(worst, findings)
    rest = more_counts(ordered[1:], findings, "")
    head: Line = ((f"{telling.title:<14}", Tone.ACCENT), (f"{GLYPHS[tone]} {worst.target.name}", tone), "  ")
    stale = stale_mark(worst, room.mono_s)
    head = (*head, *stale, "  ") if stale else head
    left = room.width - line_width(head) - line_width(rest) - 1
    if worst.failure is not None:
        told: Line = (cut(worst.failure.kind.value, left),)
    elif worst.good is None:
        told = ((cut("not read yet", left), Tone.MUTED),)
    else:
        told = telling.brief(worst, findings, left)
    return spread((*head, *told), rest, room.width)


def _target_line(telling: Telling, view: TargetView, findings: Sequence[Finding], room: Room) -> Line:
    """One target in one line: its name, how it fares, the age of that."""
    tone = view_tone(view, findings)
    name: Line = ((f"{GLYPHS[tone]} {fitted(view.target.name, room.names, right=False)}", tone),)
    fresh = freshness_beside(view, room.mono_s, tone)
    if view.failure is not None:
        return (*name, "  ", *fresh, (f"  {view.failure.reason}", Tone.NORMAL))
    if view.good is None:
        return (*name, "  ", *fresh)
    left = room.width - line_width(fresh) - 1
    parts = telling.parts(view, left - line_width(name) - 2)
    return spread(fit([(0, name), *parts], left), fresh, room.width)


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


def reason_lines(findings: Iterable[Finding], width: int, *, titled: bool = True) -> tuple[Line, ...]:
    """What is wrong, why it is likely so and what was seen of it; without titles where a row tells that."""
    lines: list[Line] = []
    for finding in findings:
        if titled:
            tone = severity_tone(finding.severity)
            lines += labelled(finding.severity.word, finding.title, width=width, tone=tone)
        if finding.cause:
            lines += labelled("likely", finding.cause, width=width)
        for fact in finding.evidence:
            lines += labelled("seen", fact, width=width)
    return tuple(lines)
