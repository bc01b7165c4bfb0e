"""Docker on the overview: the worst engine with its containers, a line for every other."""

from collections.abc import Mapping, Sequence
from typing import Any

from opsdash.collectors.docker.rows import EngineData
from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.target import TargetId
from opsdash.widgets.cells import GAP, Place, fitted, places
from opsdash.widgets.lines import Line, Span, line_width, rule
from opsdash.widgets.panel import (
    FOLDED_BELOW,
    Room,
    Telling,
    fit,
    freshness,
    view_tone,
    worst_first,
    worst_in_full,
    worst_read,
)
from opsdash.widgets.panels.docker.containers import (
    OVERVIEW_COLUMNS,
    ContainerLine,
    container_lines,
    visible_ids,
    worst_lines,
)
from opsdash.widgets.panels.docker.words import condition_counts, condition_tone, title_of
from opsdash.widgets.safe import cell_text
from opsdash.widgets.status import Tone

TITLE = "4 Containers"
_VERSION_FROM = 100
"""In a narrower heading the counts matter more."""
_RULE_AND_GAPS = 13
"""Cells of a heading that are neither title nor figures."""
_HEADER_FROM = 4
"""With fewer lines the columns are not named: what is wrong comes first."""


def overview_lines(
    views: Sequence[TargetView], findings: Sequence[Finding], *, mono_s: float, width: int, height: int
) -> tuple[Line, ...]:
    """The panel of all engines in `height` lines; with too few of them it is folded into one."""
    room = Room(width=width, height=height, mono_s=mono_s)
    return worst_in_full(_TELLING, views, findings, room)


def _full(view: TargetView, findings: Sequence[Finding], room: Room) -> tuple[Line, ...]:
    heading = _heading(view, view_tone(view, findings), room.mono_s, room.width)
    return (heading, *_table(view, findings, room.width, _table_height(room.height)))


def _parts(view: TargetView, cells: int) -> list[tuple[int, Line]]:
    return [(2, (f"{title_of(view.data):<16}",)), (0, counts_line(view.data, cells))]


_TELLING = Telling(
    title=TITLE,
    full=_full,
    brief=lambda view, _, cells: counts_line(view.data, cells),
    parts=_parts,
)


def containers_in_view(
    views: Sequence[TargetView], findings: Sequence[Finding], *, height: int
) -> Mapping[TargetId, tuple[str, ...]]:
    """Ids of the containers that `overview_lines` draws in so many lines, by target.

    Targets of which nothing is drawn are in it too, with none: nothing needs to be read of them.
    """
    found: dict[TargetId, tuple[str, ...]] = {view.target.id: () for view in views}
    full = worst_read(worst_first(views, findings))
    if height >= FOLDED_BELOW and full is not None:
        shown, _ = _shown(full, findings, _table_height(height - (len(views) - 1)))
        found[full.target.id] = visible_ids(shown)
    return found


def _table_height(room: int) -> int:
    """Lines for the containers of an engine that has `room` lines."""
    return max(room - 1, 2)


def _heading(view: TargetView, tone: Tone, mono_s: float, width: int) -> Line:
    """Which engine, as many of the counts as fit, and how old all is."""
    fresh = freshness(view, mono_s)
    title: Line = ((TITLE, Tone.ACCENT), " · ", (view.target.name, tone))
    if width >= _VERSION_FROM:
        title += (f" · {title_of(view.data)}",)
    counts = counts_line(view.data, width - line_width(title) - line_width(fresh) - _RULE_AND_GAPS)
    return rule(title, (*counts, " · ", *fresh) if counts else fresh, width)


def _shown(
    view: TargetView, findings: Sequence[Finding], height: int
) -> tuple[tuple[ContainerLine, ...], int]:
    """The containers that are drawn in so many lines, header included, and how many are not."""
    lines = worst_lines(container_lines(view.data, view, findings))
    room = height - (1 if height >= _HEADER_FROM - 1 else 0)
    if len(lines) > room:
        room = max(room - 1, 1)
    return lines[:room], len(lines) - len(lines[:room])


def _table(view: TargetView, findings: Sequence[Finding], width: int, height: int) -> tuple[Line, ...]:
    lines, left_out = _shown(view, findings, height)
    if not lines:
        return ((("  ● the engine has no containers", Tone.MUTED),),)
    columns = places(OVERVIEW_COLUMNS, width)
    drawn = [_row(columns, line) for line in lines]
    if height >= _HEADER_FROM - 1:
        drawn.insert(0, _header(columns))
    if left_out and len(drawn) < height:
        drawn.append(((f"  +{left_out} more", Tone.MUTED),))
    return tuple(drawn[:height])


def _header(columns: Sequence[Place]) -> Line:
    titles = (fitted(p.column.title, p.width, right=p.column.align == "right") for p in columns)
    return (((" " * GAP).join(titles).rstrip(), Tone.MUTED),)


def _row(columns: Sequence[Place], line: Any) -> Line:
    spans: list[Span] = []
    for place in columns:
        cell = place.column.cell(line)
        text, tone = (cell, Tone.NORMAL) if isinstance(cell, str) else cell
        gap = " " * GAP if spans else ""
        right = place.column.align == "right"
        spans.append((gap + fitted(cell_text(text), place.width, right=right), tone))
    return tuple(spans)


def counts_line(data: EngineData, width: int) -> Line:
    """How many containers are in which condition, worst first, without the least bad that do not fit."""
    counts = condition_counts(data.containers)
    if not counts:
        return (("no containers", Tone.MUTED),)
    parts: list[tuple[int, Line]] = [
        (place + 1, (f"{count} ", (word, condition_tone(word)))) for place, (word, count) in enumerate(counts)
    ]
    whole = fit(parts, sum(line_width(part) + 2 for _, part in parts))
    if line_width(whole) <= width:
        return whole
    some = fit(parts, width - 2)
    return (*some, (" …", Tone.MUTED)) if some else ()
