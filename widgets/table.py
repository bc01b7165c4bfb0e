"""The one table: rows in columns, moved through by keys, with a cursor that stays on its thing.

What a row is, what its cells say and what Enter means belong to whoever uses it.
"""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from opsdash.collectors.lines.bounded import TooSlow, bounded
from opsdash.widgets.columns import Column, Row
from opsdash.widgets.row_filter import RowFilter
from opsdash.widgets.status import Tone
from opsdash.widgets.table_view import TableView

Shown = TypeVar("Shown")

WRONG = (Tone.WARN, Tone.CRIT)
"""Tones of what `f` leaves."""


class Table(TableView[Row], Generic[Row], can_focus=True, inherit_bindings=False):
    """Rows of one kind in columns.

    Keys of rows are unique and hashable: identities, not positions. Rows stay in the order in which they are
    given unless a sort column is chosen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "drill in", id="table.choose"),
        Binding("up,k", "move(-1)", "up", show=False, id="table.up"),
        Binding("down,j", "move(1)", "down", show=False, id="table.down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="table.page_up"),
        Binding("pagedown", "page(1)", "page down", show=False, id="table.page_down"),
        Binding("ctrl+u", "page(-0.5)", "half a page up", show=False, id="table.half_page_up"),
        Binding("ctrl+d", "page(0.5)", "half a page down", show=False, id="table.half_page_down"),
        Binding("g,home", "first", "first row", show=False, id="table.first"),
        Binding("G,end", "last", "last row", show=False, id="table.last"),
        Binding("s", "sort_next", "sort by the next column", show=False, id="table.sort"),
        Binding("S", "sort_reverse", "reverse the sort", show=False, id="table.sort_reverse"),
        Binding("f", "only_wrong", "only what is wrong", show=False, id="table.only_wrong"),
        Binding("space", "mark", "mark", show=False, id="table.mark"),
        Binding("u", "clear_marks", "clear marks", show=False, id="table.clear_marks"),
    ]

    class Chosen(Message, Generic[Shown]):
        """Enter on a row, or a click on the row under the cursor."""

        def __init__(self, table: "Table[Shown]", row: Shown) -> None:
            self.table = table
            self.row = row
            super().__init__()

        @property
        def control(self) -> "Table[Shown]":
            """The table, for `@on(Table.Chosen, "#id")`."""
            return self.table

    class CursorMoved(Message, Generic[Shown]):
        """The cursor is on another thing than before, by a key or because its thing has gone."""

        def __init__(self, table: "Table[Shown]", row: Shown | None) -> None:
            """Args: the table, and the row now under the cursor; None when there are no rows."""
            self.table = table
            self.row = row
            super().__init__()

        @property
        def control(self) -> "Table[Shown]":
            """The table, for `@on(Table.CursorMoved, "#id")`."""
            return self.table

    class SelectionChanged(Message):
        """Other rows are shown or marked than before, because of a filter or a mark."""

        def __init__(self, table: "Table[Any]") -> None:
            self.table = table
            super().__init__()

    row_filter: RowFilter[Row] | None = None
    """What was typed to keep rows; None: nothing."""
    is_too_slow = False
    """Whether the last filter was given up because its regular expression took too long."""
    is_only_wrong = False
    """Whether only rows with something marked as wrong are shown."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows in the order shown."""
        return self.arrangement.rows

    @property
    def cursor_row(self) -> Row | None:
        """The row under the cursor; None when there are no rows."""
        return self.rows[self.arrangement.cursor] if self.rows else None

    @property
    def is_narrowed(self) -> bool:
        """Whether some rows may be hidden by a filter."""
        return self.row_filter is not None or self.is_only_wrong

    @property
    def chosen_rows(self) -> tuple[Row, ...]:
        """What an action would work on: the marked rows, as given; else the one under the cursor."""
        here = self.arrangement
        if here.marked:
            return tuple(row for row in here.given if here.key(row) in here.marked)
        return () if self.cursor_row is None else (self.cursor_row,)

    @property
    def cursor_key(self) -> Hashable | None:
        """The identity of the row under the cursor; None when there are no rows."""
        return self.arrangement.cursor_key

    @property
    def sort(self) -> tuple[str, bool] | None:
        """The sorted column's key and whether the largest is first; None: the given order."""
        here = self.arrangement
        return None if here.sort is None else (here.sort, here.largest_first)

    def show(self, rows: Sequence[Row]) -> None:
        """Replace the rows.

        The cursor stays on its thing, and on the same line of the screen; where the thing has gone, on the
        neighbour in its place.
        """
        if self.arrangement.is_given(rows):
            return
        with self._telling(), self.rearranging(), self._within_bounds():
            self.arrangement.replace(rows)

    def set_columns(self, columns: Sequence[Column[Row]]) -> None:
        """Replace the columns; the sort stays where its column does, else it is the given order."""
        with self._telling(), self.rearranging():
            self.arrangement.replace_columns(columns)
            self.forget_lines()

    def narrow(self, row_filter: RowFilter[Row] | None, *, only_wrong: bool) -> None:
        """Show only rows that the filter keeps and, if asked, only what is wrong."""
        self.row_filter, self.is_only_wrong, self.is_too_slow = row_filter, only_wrong, False
        with self._telling(), self.rearranging(), self._within_bounds():
            self.arrangement.filter(self._keeps if self.is_narrowed else None)
        self.refresh()
        self.post_message(self.SelectionChanged(self))

    def go_to(self, key: Hashable) -> bool:
        """Put the cursor on the row of this identity and bring it into view; False when it is not here."""
        index = self.arrangement.index(key)
        if index is not None:
            self._move_to(index)
        return index is not None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Sorting is only there where a visible column can be sorted by."""
        if action == "clear_marks":
            return bool(self.arrangement.marked)
        return bool(self._sortable()) if action in ("sort_next", "sort_reverse") else True

    def action_move(self, lines: int) -> None:
        """Move the cursor by lines."""
        if self.rows:
            self._move_to(max(0, min(self.arrangement.cursor + lines, len(self.rows) - 1)))

    def action_page(self, pages: float) -> None:
        """Move the cursor by pages."""
        self.action_move(int(pages * self.body_height) or (1 if pages > 0 else -1))

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        self.action_move(-len(self.rows))

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self.action_move(len(self.rows))

    def action_choose(self) -> None:
        """Drill into the row under the cursor."""
        if self.rows:
            self.post_message(self.Chosen(self, self.rows[self.arrangement.cursor]))

    def action_sort_next(self) -> None:
        """Sort by the next column; after the last comes the given order, where that was the beginning."""
        with self.rearranging():
            self.arrangement.sort_next(self._sortable())
        self._after_sort()

    def action_sort_reverse(self) -> None:
        """Turn the order round."""
        with self.rearranging():
            self.arrangement.reverse()
        self._after_sort()

    def action_only_wrong(self) -> None:
        """Only rows that have something wrong, or all again."""
        self.narrow(self.row_filter, only_wrong=not self.is_only_wrong)

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away; then the next row."""
        key = self.cursor_key
        if key is not None:
            self.arrangement.mark(key, key not in self.arrangement.marked)
            self.action_move(1)
            self._after_marks()

    def action_clear_marks(self) -> None:
        """Take all marks away."""
        for key in self.arrangement.marked:
            self.arrangement.mark(key, False)
        self._after_marks()

    def _after_marks(self) -> None:
        self.repaint()
        self.refresh_bindings()
        self.post_message(self.SelectionChanged(self))

    def _keeps(self, row: Row) -> bool:
        if self.row_filter is not None and not self.row_filter.keeps(row):
            return False
        return not self.is_only_wrong or self._is_wrong(row)

    def _is_wrong(self, row: Row) -> bool:
        """Whether the row, or one of its cells, is told in the tone of a warning or worse."""
        if self.tone_of(row) in WRONG:
            return True
        cells = (column.cell(row) for column in self.arrangement.columns)
        return any(isinstance(cell, tuple) and cell[1] in WRONG for cell in cells)

    def _sortable(self) -> tuple[str, ...]:
        return tuple(column.key for column in self.visible_columns if column.sort is not None)

    def _after_sort(self) -> None:
        self.reveal_cursor()
        self.refresh_header()

    def _move_to(self, index: int) -> None:
        """Put the cursor on a row that is there, and bring it into view."""
        with self._telling():
            self.arrangement.cursor = index
            self.reveal_cursor()
            self.repaint()

    @contextmanager
    def _within_bounds(self) -> Iterator[None]:
        """Give up a filter whose regular expression takes too long, rather than the keys."""
        if self.row_filter is None or not self.row_filter.has_pattern:
            yield
            return
        try:
            with bounded():
                yield
        except TooSlow:
            self.is_too_slow = True
            self.row_filter = None
            self.arrangement.filter(self._keeps if self.is_narrowed else None)
            self.post_message(self.SelectionChanged(self))

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Say so when the cursor is on another thing afterwards."""
        before = self.cursor_key
        yield
        if self.cursor_key != before:
            self.post_message(self.CursorMoved(self, self.cursor_row))

    async def _on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        index = -1 if offset is None else self.row_index(offset.y)
        if not 0 <= index < len(self.rows):
            return
        if index == self.arrangement.cursor:
            self.action_choose()
        else:
            self._move_to(index)


class LeafTable(Table[Row]):
    """A table of things that have no more to them than their row: Enter leads nowhere, and is not offered."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """All keys but Enter."""
        return False if action == "choose" else super().check_action(action, parameters)
