"""The one table: virtual rows on Textual's line API, with a cursor that stays on its thing.

Only visible rows are formatted, and only lines whose content changed are drawn again. It owns keys and
scrolling; what a row is, what its cells say and what Enter means belong to whoever uses it.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import ClassVar, Generic, TypeVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from opsdash.widgets.arrangement import Arrangement
from opsdash.widgets.columns import Column, Row
from opsdash.widgets.status import Tone
from opsdash.widgets.table_lines import RowLine, TableLines

Shown = TypeVar("Shown")


class Table(ScrollView, Generic[Row], can_focus=True, inherit_bindings=False):
    """Rows of one kind in columns.

    Keys of rows are unique and hashable: identities, not positions. Rows stay in the order in which they are
    given unless a sort column is chosen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Drill in", id="table.choose"),
        Binding("up,k", "move(-1)", "Up", show=False, id="table.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="table.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="table.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="table.page_down"),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False, id="table.half_page_up"),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False, id="table.half_page_down"),
        Binding("g,home", "first", "First row", show=False, id="table.first"),
        Binding("G,end", "last", "Last row", show=False, id="table.last"),
        Binding("s", "sort_next", "Sort by the next column", show=False, id="table.sort"),
        Binding("S", "sort_reverse", "Reverse the sort", show=False, id="table.sort_reverse"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header",
        "table--cursor",
        "table--empty",
        *(f"table--{tone.value}" for tone in Tone),
    }

    DEFAULT_CSS = """
    Table {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        .table--header { color: $foreground-muted; text-style: bold; }
        .table--empty { color: $foreground-muted; }
        .table--cursor { text-style: bold; }
        &:focus .table--cursor { text-style: bold reverse; }
        .table--normal { color: $foreground; }
        .table--muted { color: $foreground-muted; }
        .table--ok { color: $text-success; }
        .table--warn { color: $text-warning; }
        .table--crit { color: $text-error; }
        .table--unknown { color: $text-accent; }
        .table--accent { color: $text-primary; }
    }
    """

    empty: reactive[str] = reactive("", layout=True)
    """Said in place of rows when there are none; may have several lines."""

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

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        *,
        key: Callable[[Row], Hashable],
        tone: Callable[[Row], Tone] | None = None,
        empty: str = "",
        show_header: bool = True,
        sort: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Make an empty table.

        Args:
            columns: In the order shown.
            key: The identity of a row, unique among the rows shown.
            tone: How a row is meant where a cell does not say; None: all normal.
            empty: Said when there are no rows.
            show_header: Whether the first line names the columns.
            sort: Key of the column to sort by at first; None: the given order.
            id: Textual's.
            classes: Textual's.
        """
        super().__init__(id=id, classes=classes)
        self._here = Arrangement(columns, key, sort)
        self._tone = tone
        self._header_height = 1 if show_header else 0
        self._lines: TableLines[Row] = TableLines(self._style)
        self._painted: dict[int, RowLine] = {}
        self.set_reactive(Table.empty, empty)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows in the order shown."""
        return self._here.rows

    @property
    def cursor_row(self) -> Row | None:
        """The row under the cursor; None when there are no rows."""
        return self.rows[self._here.cursor] if self.rows else None

    @property
    def cursor_key(self) -> Hashable | None:
        """The identity of the row under the cursor; None when there are no rows."""
        return self._here.cursor_key

    @property
    def sort(self) -> tuple[str, bool] | None:
        """The sorted column's key and whether the largest is first; None: the given order."""
        return None if self._here.sort is None else (self._here.sort, self._here.largest_first)

    def show(self, rows: Sequence[Row]) -> None:
        """Replace the rows.

        The cursor stays on its thing, and on the same line of the screen; where the thing has gone, on the
        neighbour in its place. A view that is at the top stays there as long as the cursor remains in it.
        """
        with self._rearranging():
            self._here.replace(rows)

    def set_columns(self, columns: Sequence[Column[Row]]) -> None:
        """Replace the columns; the sort stays where its column does, else it is the given order."""
        with self._rearranging():
            self._here.replace_columns(columns)
            self._forget()
        self.refresh()

    def repaint(self) -> None:
        """Format the visible rows again and draw those that now read differently (ages)."""
        changed = [
            y for y in range(self._header_height, self.size.height) if self._painted.get(y) != self._line(y)
        ]
        self._refresh_lines(changed)

    def go_to(self, key: Hashable) -> bool:
        """Put the cursor on the row of this identity and bring it into view; False when it is not here."""
        index = self._here.index(key)
        if index is not None:
            self._move_to(index)
        return index is not None

    # Cursor and scrolling

    @contextmanager
    def _rearranging(self) -> Iterator[None]:
        """Keep the cursor's thing on its line of the screen while rows come, go or change places."""
        here, top = self._here, round(self.scroll_y)
        key, line = here.cursor_key, here.cursor - top
        yield
        self._resize()
        if self.is_attached:
            stays = top == 0 and here.cursor < self._body_height
            self._scroll_top(0 if stays else here.cursor - line)
        self.repaint()
        if here.cursor_key != key:
            self.post_message(self.CursorMoved(self, self.cursor_row))

    @property
    def _body_height(self) -> int:
        return max(1, self.size.height - self._header_height)

    def _resize(self) -> None:
        lines = len(self.rows) or len(self.empty.split("\n"))
        size = Size(0, lines + self._header_height)
        if size != self.virtual_size:
            self.virtual_size = size

    def _scroll_top(self, top: int) -> None:
        self.scroll_to(y=max(0, min(top, self.max_scroll_y)), animate=False)

    def _move_to(self, index: int) -> None:
        """Put the cursor on a row that is there, and bring it into view."""
        old, self._here.cursor = self._here.cursor, index
        self._reveal()
        if old != index:
            self.repaint()
            self.post_message(self.CursorMoved(self, self.cursor_row))

    def _reveal(self) -> None:
        """Scroll as little as brings the cursor into view."""
        top, cursor = round(self.scroll_y), self._here.cursor
        lowest = cursor - self._body_height + 1
        if not lowest <= top <= cursor:
            self._scroll_top(cursor if cursor < top else lowest)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Sorting is only there where a visible column can be sorted by."""
        return bool(self._sortable()) if action in ("sort_next", "sort_reverse") else True

    def action_move(self, lines: int) -> None:
        """Move the cursor by lines."""
        if self.rows:
            self._move_to(max(0, min(self._here.cursor + lines, len(self.rows) - 1)))

    def action_page(self, pages: float) -> None:
        """Move the cursor by pages."""
        self.action_move(int(pages * self._body_height) or (1 if pages > 0 else -1))

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        self.action_move(-len(self.rows))

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self.action_move(len(self.rows))

    def action_choose(self) -> None:
        """Drill into the row under the cursor."""
        if self.rows:
            self.post_message(self.Chosen(self, self.rows[self._here.cursor]))

    def action_sort_next(self) -> None:
        """Sort by the next column; after the last comes the given order, where that was the beginning."""
        with self._rearranging():
            self._here.sort_next(self._sortable())
        self._after_sort()

    def action_sort_reverse(self) -> None:
        """Turn the order round."""
        with self._rearranging():
            self._here.reverse()
        self._after_sort()

    def _sortable(self) -> tuple[str, ...]:
        self._fit()
        return tuple(place.column.key for place in self._lines.places if place.column.sort is not None)

    def _after_sort(self) -> None:
        self._reveal()
        self._refresh_lines(range(self._header_height))

    async def _on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        index = -1 if offset is None else self._row_index(offset.y)
        if not 0 <= index < len(self.rows):
            return
        if index == self._here.cursor:
            self.action_choose()
        else:
            self._move_to(index)

    # Drawing

    def watch_empty(self) -> None:
        """Make room for the new text."""
        self._resize()

    def notify_style_update(self) -> None:
        """Forget drawn lines: theme, focus or classes changed."""
        self._forget()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """Draw line `y` of the view."""
        self._fit()
        if y < self._header_height:
            return self._lines.header(self._here.sort, self._here.largest_first)
        line = self._line(y)
        if line is not None:
            self._painted[y] = line
            return self._lines.row(line)
        self._painted.pop(y, None)
        notes = [] if self.rows else self.empty.split("\n")
        index = self._row_index(y)
        return self._lines.note(notes[index] if index < len(notes) else "")

    def _forget(self) -> None:
        self._lines.clear()
        self._painted.clear()

    def _fit(self) -> None:
        self._lines.fit(self._here.columns, self.size.width)

    def _style(self, names: tuple[str, ...]) -> Style:
        return self.get_component_rich_style(*(f"table--{name}" for name in names))

    def _row_index(self, y: int) -> int:
        return y - self._header_height + round(self.scroll_y)

    def _line(self, y: int) -> RowLine | None:
        """What line `y` of the view says; None where no row is."""
        index = self._row_index(y)
        if not 0 <= index < len(self.rows):
            return None
        self._fit()
        row = self.rows[index]
        plain = Tone.NORMAL if self._tone is None else self._tone(row)
        return self._lines.line_of(row, plain, cursor=index == self._here.cursor)

    def _refresh_lines(self, lines: Sequence[int]) -> None:
        """Have lines of the view drawn again, neighbours as one region."""
        regions, start = [], 0
        for i, (line, following) in enumerate(pairwise((*lines, -1))):
            if following != line + 1:
                regions.append(Region(0, lines[start], self.size.width, line + 1 - lines[start]))
                start = i + 1
        if regions:
            self.refresh(*regions)
