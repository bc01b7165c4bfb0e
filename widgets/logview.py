"""The one view of log lines: any number of them, merged by time, moved through by keys.

How they are drawn is in `log_painting.py`. What they are filtered by, and what happens with the chosen ones,
belongs to whoever uses it.
"""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from opsdash.collectors.lines.source_lines import LineRef
from opsdash.widgets.log_painting import LogPainting, mark_of
from opsdash.widgets.log_rows import TIMES

_MOST_MARKS = 10_000


class LogView(LogPainting, can_focus=True, inherit_bindings=False):
    """Lines of a timeline with a cursor, which keys move."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "fields", id="log.choose"),
        Binding("up,k", "move(-1)", "up", show=False, id="log.up"),
        Binding("down,j", "move(1)", "down", show=False, id="log.down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="log.page_up"),
        Binding("pagedown", "page(1)", "page down", show=False, id="log.page_down"),
        Binding("ctrl+u", "page(-0.5)", "half a page up", show=False, id="log.half_page_up"),
        Binding("ctrl+d", "page(0.5)", "half a page down", show=False, id="log.half_page_down"),
        Binding("g,home", "first", "oldest line", show=False, id="log.first"),
        Binding("G,end", "follow", "follow", id="log.follow"),
        Binding("w", "wrap", "wrap", id="log.wrap"),
        Binding("t", "times", "times", show=False, id="log.times"),
        Binding("space", "mark", "mark", show=False, id="log.mark"),
        Binding("u", "clear_marks", "clear marks", show=False, id="log.clear_marks"),
    ]

    class Chosen(Message):
        """Enter on a line."""

        def __init__(self, line: LineRef) -> None:
            self.line = line
            super().__init__()

    class Moved(Message):
        """A key changed which lines are in view, how they look, or where the cursor is."""

    def go_to(self, line: LineRef) -> None:
        """Put the cursor on a line, and stand still there."""
        self.window.go_to(line)
        self._after_key()

    def action_move(self, count: int) -> None:
        """Move the cursor by lines."""
        self.window.move(count)
        self._after_key()

    def action_page(self, pages: float) -> None:
        """Move by pages."""
        self.window.page(pages)
        self._after_key()

    def action_first(self) -> None:
        """To the oldest line held."""
        self.window.go_first()
        self._after_key()

    def action_follow(self) -> None:
        """To the newest line, and stay with it."""
        self.window.follow()
        self._after_key()

    def action_choose(self) -> None:
        """Open the line under the cursor."""
        if self.cursor is not None:
            self.post_message(self.Chosen(self.cursor))

    def action_wrap(self) -> None:
        """Long lines in several rows, or cut."""
        self._wrap = not self._wrap
        self._after_key()

    def action_times(self) -> None:
        """Times in the next way."""
        self._times = TIMES[(TIMES.index(self._times) + 1) % len(TIMES)]
        self._after_key()

    def action_mark(self) -> None:
        """Mark the line under the cursor, or take its mark away; then to the next one."""
        if self.cursor is None:
            return
        mark = mark_of(self.cursor)
        if mark in self.marks:
            self.marks.discard(mark)
        elif len(self.marks) < _MOST_MARKS:
            self.marks.add(mark)
        self.window.leave_end()
        if self.cursor != self.window.shown[-1]:
            self.window.move(1)
        self._after_key()

    def action_clear_marks(self) -> None:
        """Take all marks away."""
        self.marks.clear()
        self._after_key()

    def marked(self) -> tuple[LineRef, ...]:
        """The marked lines that are still held, in order; of sources that are shown."""
        by_key = {lane.lines.key: lane.lines for lane in self.window.timeline.lanes}
        refs = [LineRef(by_key[key], number) for key, number in self.marks if key in by_key]
        return tuple(sorted((ref for ref in refs if ref.is_held), key=self.window.timeline.order))

    def _after_key(self) -> None:
        self.repaint()
        self.post_message(self.Moved())

    def _on_resize(self, event: events.Resize) -> None:
        self.repaint()

    async def _on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        line = None if offset is None else self.line_at(offset.y)
        if line is None:
            return
        if line == self.cursor:
            self.action_choose()
        else:
            self.window.go_to(line)
            self._after_key()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three lines up."""
        self.action_move(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three lines down."""
        self.action_move(3)
