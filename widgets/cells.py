"""Texts fitted into cells, and columns into a width. Pure."""

from collections.abc import Sequence
from typing import Any

import msgspec
from rich.cells import cell_len, set_cell_size

from opsdash.widgets.columns import Column

GAP = 1
"""Cells between two columns."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a column is drawn."""

    column: Column[Any]
    width: int
    """Cells that it takes, without the gap."""


def cut(text: str, width: int) -> str:
    """`text` in at most `width` cells, with an ellipsis where something is missing.

    >>> cut("checkout", 8), cut("checkout", 5), cut("日本語", 4), cut("x", 0)
    ('checkout', 'chec…', '日…', '')
    """
    if (len(text) if text.isascii() else cell_len(text)) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip(" ") + "…" if width > 0 else ""


def fitted(text: str, width: int, *, right: bool) -> str:
    """`text` in exactly `width` cells.

    A right-aligned text is a number: part of one would be another number, so what does not fit is
    shown as `>` alone.

    >>> fitted("api", 5, right=False), fitted("412", 5, right=True)
    ('api  ', '  412')
    >>> fitted("checkout", 5, right=False), fitted("1234567", 5, right=True)
    ('chec…', '>>>>>')
    """
    length = len(text) if text.isascii() else cell_len(text)
    if right:
        return " " * (width - length) + text if length <= width else ">" * width
    if length > width:
        text = cut(text, width)
        length = cell_len(text)
    return text + " " * (width - length)


def places(columns: Sequence[Column[Any]], width: int) -> tuple[Place, ...]:
    """Fit columns into `width` cells; together with their gaps they never take more.

    Those of the highest priority number are dropped first, the last of them first. What is left over is
    shared by `grow`. When even the columns of priority 0 do not fit, the widest text is narrowed first.

    >>> from opsdash.widgets.columns import Column
    >>> def column(key: str, width: int, **more: Any) -> Column[str]:
    ...     return Column(key=key, title=key, cell=str, width=width, **more)
    >>> trio = [column("pid", 5, align="right"), column("app", 8, priority=2), column("query", 10, grow=1)]
    >>> [(p.column.key, p.width) for p in places(trio, 40)]
    [('pid', 5), ('app', 8), ('query', 25)]
    >>> [(p.column.key, p.width) for p in places(trio, 20)]
    [('pid', 5), ('query', 14)]
    >>> [(p.column.key, p.width) for p in places(trio, 12)]
    [('pid', 5), ('query', 6)]
    """
    kept = list(columns)
    while len(kept) > 1 and _taken(kept) > width:
        droppable = max(column.priority for column in kept)
        if droppable == 0:
            break
        del kept[max(i for i, column in enumerate(kept) if column.priority == droppable)]
    widths = [column.width for column in kept]
    left_over = width - _taken(kept)
    if left_over > 0:
        _share(widths, [column.grow for column in kept], left_over)
    elif left_over < 0:
        _narrow(widths, [column.align == "right" for column in kept], -left_over)
    return tuple(Place(column=c, width=w) for c, w in zip(kept, widths, strict=True))


def _taken(columns: Sequence[Column[Any]]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)


def _share(widths: list[int], grow: Sequence[int], extra: int) -> None:
    shares = sum(grow)
    for i, share in enumerate(grow):
        if share:
            part = extra * share // shares
            widths[i] += part
            extra, shares = extra - part, shares - share


def _narrow(widths: list[int], numbers: Sequence[bool], excess: int) -> None:
    while excess > 0 and any(widths):
        texts = [i for i, number in enumerate(numbers) if not number and widths[i] > 1]
        widest = max(texts or range(len(widths)), key=lambda i: widths[i])
        widths[widest] -= 1
        excess -= 1
