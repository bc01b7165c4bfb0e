"""Where the areas stand on the overview: two beside each other, one below the other, or a line each.

Which of them it is depends on the terminal and on what is configured; what is wrong at the moment only
decides whether there is room. Nothing jumps from side to side when a finding comes or goes. Pure.
"""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from opsdash.widgets.lines import Line, halves, side_by_side

Draw = Callable[[str, int, int], tuple[Line, ...]]
"""(kind, width, height) -> its lines; fewer than `height` where there is no more to say."""

Block = Callable[[int], tuple[Line, ...]]
"""The same of anything with its width settled."""

TWO_FROM = 120
"""Cells from which two areas fit beside each other."""
_ROOMY = 7
"""Lines with which a panel is better off with the whole width."""
_LEAST = 3
"""Lines that a panel needs; with fewer it is folded into one."""


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """One area of the overview."""

    kinds: tuple[str, ...]
    """What stands in it, one below the other."""
    needs_width: bool = False
    """Whether it is never beside another."""


def arranged(areas: Sequence[Area], draw: Draw, *, width: int, height: int, sure: int) -> tuple[Line, ...]:
    """The lines of all areas, at most `height` of them.

    Args:
        areas: From the first to the last.
        draw: Draws one kind.
        width: Cells.
        height: Lines at hand now.
        sure: Lines at hand however much is wrong.
    """
    rows = bands(areas, width=width, sure=sure)
    if len(rows) < len(areas):
        return shared([partial(_band, row, draw, width) for row in rows], height)
    kinds = [kind for area in areas for kind in area.kinds]
    blocks: list[Block] = [partial(draw, kind, width) for kind in kinds]
    if height >= _LEAST * len(kinds):
        return shared(blocks, height)
    folded = [line for block in blocks[:-1] for line in block(1)]
    last = blocks[-1](max(height - len(folded), 1)) if blocks else ()
    return (*folded, *last)[:height]


def bands(areas: Sequence[Area], *, width: int, sure: int) -> tuple[tuple[Area, ...], ...]:
    """The areas, those that stand beside each other together.

    >>> five = [Area(kinds=(kind,)) for kind in "abcd"] + [Area(kinds=("log",), needs_width=True)]
    >>> [len(band) for band in bands(five, width=132, sure=15)]
    [2, 2, 1]
    >>> [len(band) for band in bands(five, width=80, sure=15)]
    [1, 1, 1, 1, 1]
    """
    single = tuple((area,) for area in areas)
    if width < TWO_FROM or sure >= _ROOMY * len(areas):
        return single
    paired: list[tuple[Area, ...]] = []
    for area in areas:
        before = paired[-1] if paired else ()
        if len(before) == 1 and not before[0].needs_width and not area.needs_width:
            paired[-1] = (*before, area)
        else:
            paired.append((area,))
    return tuple(paired) if sure >= _LEAST * len(paired) else single


def _band(row: tuple[Area, ...], draw: Draw, width: int, height: int) -> tuple[Line, ...]:
    if len(row) == 1:
        return _column(row[0], draw, width, height)
    left, right = halves(width)
    return side_by_side(_column(row[0], draw, left, height), _column(row[1], draw, right, height), width)


def _column(area: Area, draw: Draw, width: int, height: int) -> tuple[Line, ...]:
    """The kinds of an area; where there is little room the first has it, and the others a line each."""
    first, *others = area.kinds
    if height >= _LEAST * len(area.kinds):
        return shared([partial(draw, kind, width) for kind in area.kinds], height)
    below = [line for kind in others for line in draw(kind, width, 1)]
    return (*draw(first, width, max(height - len(below), 1)), *below)[:height]


def shared(blocks: Sequence[Block], height: int) -> tuple[Line, ...]:
    """Blocks one below the other, with equal shares of `height`; what one leaves goes to the next.

    What is left in the end goes to the first that filled its share.

    >>> def says(*words: str) -> Block:
    ...     return lambda height: tuple((word,) for word in words[:height])
    >>> shared([says(*"abc"), says("d")], 4), shared([says("a"), says(*"bcd")], 4)
    ((('a',), ('b',), ('c',), ('d',)), (('a',), ('b',), ('c',), ('d',)))
    """
    drawn: list[tuple[Line, ...]] = []
    filled: int | None = None
    left = height
    for index, block in enumerate(blocks):
        share = left // (len(blocks) - index)
        lines = block(share)
        drawn.append(lines)
        left -= len(lines)
        if filled is None and len(lines) == share:
            filled = index
    if left > 0 and filled is not None and filled < len(blocks) - 1:
        drawn[filled] = blocks[filled](len(drawn[filled]) + left)
    return tuple(line for lines in drawn for line in lines)
