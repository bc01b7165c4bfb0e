"""What a table shows of a row."""

from collections.abc import Callable
from typing import Any, Generic, Literal, TypeVar

import msgspec

from opsdash.widgets.status import Tone

Row = TypeVar("Row")
Value = TypeVar("Value")

Cell = str | tuple[str, Tone]
"""The text of a cell, with its tone where it is not the row's."""


Unit = Literal["s", "ms", "bytes", "ratio"]
"""What a number sorted by counts; a ratio is shown and typed in percent."""


class Column(msgspec.Struct, Generic[Row], frozen=True, kw_only=True):
    """One column of a table of `Row`."""

    key: str
    title: str
    cell: Callable[[Row], Cell]
    """Called for visible rows only, so it may format."""
    sort: Callable[[Row], Any] | None = None
    """A comparable value; None of it sorts last in both directions. No function: not sortable."""
    compare: Callable[[Row], Any] | None = None
    """The same for filters alone, where rows keep their order (a tree)."""
    unit: Unit | None = None
    """Of this value, so that `age>5m` can be compared with it; None: a plain number, or text."""
    width: int
    """Cells, without the gap between columns. What does not fit is cut with an ellipsis."""
    grow: int = 0
    """Share of the width that is left over; 0: keeps its width."""
    align: Literal["left", "right"] = "left"
    priority: int = 0
    """0 is always shown; of the others the highest number is dropped first when the width is short."""
    descending_first: bool = False
    """Whether choosing it sorts the largest first (ages, counts)."""


def figure(
    key: str,
    title: str,
    value: Callable[[Row], Value],
    words: Callable[[Value], str],
    *,
    width: int,
    unit: Unit | None = None,
    tone: Callable[[Row], Tone] | None = None,
    priority: int = 0,
) -> Column[Row]:
    """A number, to the right, that the table can be sorted by, the largest first.

    >>> from opsdash.collectors.format import age
    >>> idle = figure("idle", "IDLE", lambda row: row, age, width=7, unit="s")
    >>> idle.cell(372), idle.cell(None), idle.align
    ('6m12s', '-', 'right')

    Args:
        key: As in `Column`, as is all that is not told here.
        title: Above it.
        value: None: unknown.
        words: How the value is shown, known or not.
        width: Cells.
        unit: Of the value.
        tone: Of the cell; None: the row's.
        priority: Dropped before those of lower numbers.
    """

    def toned(row: Row) -> Cell:
        shown = words(value(row))
        return shown if tone is None else (shown, tone(row))

    return Column(
        key=key,
        title=title,
        cell=toned,
        sort=value,
        unit=unit,
        width=width,
        align="right",
        priority=priority,
        descending_first=True,
    )


def lowest_first(column: Column[Row]) -> Column[Row]:
    """The same, sorted from the lowest on when it is chosen: for ids, what is left, what is bad when low."""
    return msgspec.structs.replace(column, descending_first=False)


def text(
    key: str,
    title: str,
    value: Callable[[Row], str | None],
    *,
    width: int,
    grow: int = 0,
    priority: int = 0,
) -> Column[Row]:
    """A name or a word that the table can be sorted by; None is unknown, and shown as `-`.

    >>> user = text("user", "USER", lambda row: row, width=10)
    >>> user.cell("shop"), user.cell(None), user.cell("")
    ('shop', '-', '')
    """

    def shown(row: Row) -> Cell:
        known = value(row)
        return "-" if known is None else known

    return Column(key=key, title=title, cell=shown, sort=value, width=width, grow=grow, priority=priority)
