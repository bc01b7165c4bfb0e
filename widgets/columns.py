"""What a table shows of a row."""

from collections.abc import Callable
from typing import Any, Generic, Literal, TypeVar

import msgspec

from opsdash.widgets.status import Tone

Row = TypeVar("Row")

Cell = str | tuple[str, Tone]
"""The text of a cell, with its tone where it is not the row's."""


Unit = Literal["s", "ms", "us", "bytes", "ratio"]
"""What a number sorted by counts; a ratio is shown and typed in percent."""


class Column(msgspec.Struct, Generic[Row], frozen=True, kw_only=True):
    """One column of a table of `Row`."""

    key: str
    title: str
    cell: Callable[[Row], Cell]
    """Called for visible rows only, so it may format."""
    sort: Callable[[Row], Any] | None = None
    """A comparable value; None of it sorts last in both directions. No function: not sortable."""
    unit: Unit | None = None
    """Of the value sorted by, so that `age>5m` can be compared with it; None: a plain number, or text."""
    width: int
    """Cells, without the gap between columns. What does not fit is cut with an ellipsis."""
    grow: int = 0
    """Share of the width that is left over; 0: keeps its width."""
    align: Literal["left", "right"] = "left"
    priority: int = 0
    """0 is always shown; of the others the highest number is dropped first when the width is short."""
    descending_first: bool = False
    """Whether choosing it sorts the largest first (ages, counts)."""
