"""Where the areas stand on the overview: in two columns, one below the other, or a line each.

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
"""Lines that a panel beside another needs."""
_LEAST_ALONE = 4
"""Lines with which one below the other says more than folded into a line."""


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
    left, right, below = columns(areas, width=width, sure=sure)
    if right:
        sides = [
            [partial(_column, area, draw, cells) for area in side]
            for side, cells in zip((left, right), halves(width), strict=True)
        ]
        return _beside(sides, [partial(_column, area, draw, width) for area in below], width, height)
    kinds = [kind for area in areas for kind in area.kinds]
    blocks: list[Block] = [partial(draw, kind, width) for kind in kinds]
    if height >= _LEAST_ALONE * len(kinds):
        return shared(blocks, height)
    folded = [line for block in blocks[:-1] for line in block(1)]
    last = blocks[-1](max(height - len(folded), 1)) if blocks else ()
    return (*folded, *last)[:height]


def columns(
    areas: Sequence[Area], *, width: int, sure: int
) -> tuple[tuple[Area, ...], tuple[Area, ...], tuple[Area, ...]]:
    """The areas of the left side, those of the right, and those below with the whole width.

    Nothing is on the right where all stand one below the other.

    >>> five = [Area(kinds=(kind,)) for kind in "abcd"] + [Area(kinds=("log",), needs_width=True)]
    >>> [[area.kinds[0] for area in side] for side in columns(five, width=132, sure=15)]
    [['a', 'c'], ['b', 'd'], ['log']]
    >>> [len(side) for side in columns(five, width=80, sure=15)]
    [0, 0, 5]
    """
    beside = [area for area in areas if not area.needs_width]
    below = tuple(area for area in areas if area.needs_width)
    left, right = tuple(beside[::2]), tuple(beside[1::2])
    is_roomy = sure >= _ROOMY * len(areas)
    if width < TWO_FROM or is_roomy or not right or sure < _LEAST * (len(left) + len(below)):
        return (), (), tuple(areas)
    return left, right, below


def _beside(
    sides: Sequence[Sequence[Block]], below: Sequence[Block], width: int, height: int
) -> tuple[Line, ...]:
    """Two columns, and blocks below them.

    The right column has what grows, sessions and containers: where the left one is short, it gets no more
    than half of its share, unless nothing below needs the lines.
    """
    share = height * len(sides[0]) // (len(sides[0]) + len(below))
    left = shared(sides[0], share)
    beside = max(len(left), share // 2)
    right = shared(sides[1], beside)
    rest = shared(below, height - max(len(left), len(right)))
    room = height - len(rest)
    left = _refit(sides[0], left, share, room)
    right = _refit(sides[1], right, beside, room)
    return (*side_by_side(left, right, width), *rest)


def _refit(side: Sequence[Block], lines: tuple[Line, ...], had: int, room: int) -> tuple[Line, ...]:
    """A column drawn with `had` lines at hand, in `room` of them: as it is where that makes no difference."""
    is_all = len(lines) < had and len(lines) <= room
    return lines if is_all or had == room else shared(side, room)


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
