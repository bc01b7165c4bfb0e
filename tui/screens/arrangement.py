"""Where the areas stand on the overview: two beside each other, one below the other, or a line each.

Which of the three it is depends on the terminal and on what is configured, never on what is wrong at the
moment: nothing jumps from one side to the other when a finding comes or goes. Pure.
"""

from collections.abc import Callable, Sequence

import msgspec

from opsdash.widgets.lines import Line, halves, side_by_side

Draw = Callable[[str, int, int], tuple[Line, ...]]
"""(kind, width, height) -> its lines; fewer than `height` where there is no more to say."""

TWO_FROM = 120
"""Cells from which two areas fit beside each other."""
_ROOMY = 7
"""Lines with which a panel is better off with the whole width."""
_LEAST = 3
"""Lines that a panel needs; with fewer it is folded."""


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """One area of the overview."""

    kinds: tuple[str, ...]
    """What stands in it, one below the other."""
    needs_width: bool = False
    """Whether it is never beside another."""


def bands(areas: Sequence[Area], *, width: int, height: int, sure: int) -> tuple[tuple[Area, ...], ...]:
    """The areas, those that stand beside each other together.

    Args:
        areas: From the first to the last.
        width: Of the screen.
        height: Lines at hand now.
        sure: Lines at hand however much is wrong.

    >>> five = [Area(kinds=(kind,)) for kind in "abcd"] + [Area(kinds=("log",), needs_width=True)]
    >>> [len(band) for band in bands(five, width=132, height=23, sure=15)]
    [2, 2, 1]
    >>> [len(band) for band in bands(five, width=80, height=23, sure=15)]
    [1, 1, 1, 1, 1]
    """
    single = tuple((area,) for area in areas)
    if width < TWO_FROM or sure // max(len(areas), 1) >= _ROOMY:
        return single
    paired: list[tuple[Area, ...]] = []
    for area in areas:
        before = paired[-1] if paired else ()
        if len(before) == 1 and not before[0].needs_width and not area.needs_width:
            paired[-1] = (*before, area)
        else:
            paired.append((area,))
    return tuple(paired) if sure // len(paired) >= _LEAST else single
