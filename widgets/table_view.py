"""Rows of an arrangement on Textual's line API: what of them is in view, and which lines to draw again.

Only visible rows are formatted, and only lines whose content changed are drawn again. Nothing here listens to
keys: that is `table.py`.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Generic

from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from opsdash.widgets.arrangement import Arrangement
from opsdash.widgets.columns import Column, Row
from opsdash.widgets.plain_lines import PlainLines
from opsdash.widgets.status import Tone
from opsdash.widgets.table_lines import RowLine, TableLines
from opsdash.widgets.tones import tone_style


class TableView(PlainLines, ScrollView, Generic[Row], inherit_bindings=False):
    """A frozen header and the visible ones of any number of rows, one of them under the cursor."""

    DEFAULT_CSS = """
    TableView {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
    }
    """

    empty: reactive[str] = reactive("", layout=True)
    """Said in place of rows when there are none; may have several lines."""

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
        self.arrangement = Arrangement(columns, key, sort)
        """Rows, order and cursor. To be changed only while `rearranging`."""
        self._tone = tone
        self._hidden: frozenset[str] = frozenset()
        self._header_height = 1 if show_header else 0
        self._lines: TableLines[Row] = TableLines(self._style)
        self._painted: dict[int, RowLine] = {}
        self._due: dict[int, RowLine | None] = {}
        """Lines made for a comparison and about to be drawn: they need not be made twice."""
        self.set_reactive(TableView.empty, empty)

    @property
    def body_height(self) -> int:
        """Lines for rows, at least one."""
        return max(1, self.size.height - self._header_height)

    @property
    def visible_columns(self) -> tuple[Column[Row], ...]:
        """The columns that fit into the width."""
        self._fit()
        return tuple(place.column for place in self._lines.places)

    @property
    def visible_rows(self) -> tuple[Row, ...]:
        """The rows in view, from the top."""
        top = round(self.scroll_y)
        return self.arrangement.rows[top : top + self.body_height]

    @property
    def hidden_columns(self) -> frozenset[str]:
        """Keys of the columns that a person does not want to see; filters still look into them."""
        return self._hidden

    def hide_columns(self, keys: Iterable[str]) -> None:
        """Show all columns but these, as far as they fit."""
        self._hidden = frozenset(keys)
        self.forget_lines()

    def tone_of(self, row: Row) -> Tone:
        """How the row is meant where a cell does not say."""
        return Tone.NORMAL if self._tone is None else self._tone(row)

    def repaint(self) -> None:
        """Format the visible rows again and draw those that now read differently (ages)."""
        self._fit()
        lines = {y: self._line(y) for y in range(self._header_height, self.size.height)}
        changed = {y: line for y, line in lines.items() if self._painted.get(y) != line}
        self._refresh_lines(tuple(changed))
        self._due = changed

    @contextmanager
    def rearranging(self) -> Iterator[None]:
        """Keep the cursor's thing on its line of the screen while rows come, go or change places.

        A view that is at the top stays there as long as the cursor remains in it.
        """
        here, top = self.arrangement, round(self.scroll_y)
        line = here.cursor - top
        yield
        self._resize()
        stays = top == 0 and here.cursor < self.body_height
        self._scroll_top(0 if stays else here.cursor - line)
        self.repaint()

    def forget_lines(self) -> None:
        """Draw every line anew, since columns or theme changed."""
        self._lines.clear()
        self._painted.clear()
        self.refresh()

    def refresh_header(self) -> None:
        """Draw the header again, since the sort changed."""
        self._refresh_lines(range(self._header_height))

    def reveal_cursor(self) -> None:
        """Scroll as little as brings the cursor into view."""
        top, cursor = round(self.scroll_y), self.arrangement.cursor
        lowest = cursor - self.body_height + 1
        if not lowest <= top <= cursor:
            self._scroll_top(cursor if cursor < top else lowest)

    def row_index(self, y: int) -> int:
        """Index of the row on line `y` of the view; may be beyond the rows."""
        return y - self._header_height + round(self.scroll_y)

    def watch_empty(self) -> None:
        """Make room for the new text."""
        self._resize()

    def notify_style_update(self) -> None:
        """Theme, focus or classes changed."""
        self.forget_lines()
        super().notify_style_update()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw some lines of the view; the columns are placed once for all of them."""
        self._fit()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draw line `y` of the view."""
        here = self.arrangement
        if y < self._header_height:
            return self._lines.header(here.sort, here.largest_first)
        line = self._due.pop(y, None) or self._line(y)
        if line is not None:
            self._painted[y] = line
            return self._lines.row(line)
        self._painted.pop(y, None)
        notes = [] if here.rows else self._notes()
        index = self.row_index(y)
        return self._lines.note(notes[index] if index < len(notes) else "")

    def _on_resize(self, event: events.Resize) -> None:
        self.reveal_cursor()

    def _resize(self) -> None:
        lines = len(self.arrangement.rows) or len(self._notes())
        size = Size(0, lines + self._header_height)
        if size != self.virtual_size:
            self.virtual_size = size

    def _scroll_top(self, top: int) -> None:
        if self.is_attached:
            # forced, since Textual refuses until the layout has made room for a scroll bar
            self.scroll_to(y=max(0, min(top, self.max_scroll_y)), animate=False, force=True)

    def _fit(self) -> None:
        shown = [column for column in self.arrangement.columns if column.key not in self._hidden]
        before = self._lines.places
        self._lines.fit(shown, self.scrollable_content_region.width)
        if self._lines.places is not before:
            self._due = {}  # made for other columns: the scroll bar came or went since

    def _style(self, tone: Tone, cursor: bool) -> Style:
        return tone_style(self, tone, bold=cursor, reverse=cursor and self.has_focus)

    def _line(self, y: int) -> RowLine | None:
        """What line `y` of the view says; None where no row is."""
        index, here = self.row_index(y), self.arrangement
        if not 0 <= index < len(here.rows):
            return None
        row = here.rows[index]
        plain = self.tone_of(row)
        marked = bool(here.marked) and here.key(row) in here.marked
        return self._lines.line_of(row, plain, cursor=index == here.cursor, marked=marked)

    def _notes(self) -> list[str]:
        """What is said in place of rows."""
        hidden = len(self.arrangement.given)
        return [f"none of {hidden} fits the filter"] if hidden else self.empty.split("\n")

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other rows are on the lines now."""
        self._due = {}
        super().watch_scroll_y(old_value, new_value)

    def _refresh_lines(self, lines: Sequence[int]) -> None:
        """Have lines of the view drawn again, neighbours as one region."""
        self._due = {}
        regions, start = [], 0
        for i, (line, following) in enumerate(pairwise((*lines, -1))):
            if following != line + 1:
                regions.append(Region(0, lines[start], self.size.width, line + 1 - lines[start]))
                start = i + 1
        if regions:
            self.refresh(*regions)
