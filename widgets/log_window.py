"""Which lines of a timeline are in view: following the end, or standing still and moved through. Pure."""

from collections.abc import Callable, Sequence

from opsdash.collectors.lines.merge import Position, Timeline
from opsdash.collectors.lines.source_lines import LineRef


class LogWindow:
    """A view of some rows on a timeline.

    Either it follows the end, or it stands where a person left it while lines come and go around.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.is_following = True
        """Whether the newest line is kept in view."""
        self.paused: Position | None = None
        """The place below which lines wait; None: not paused."""
        self.cursor: LineRef | None = None
        self.shown: tuple[LineRef, ...] = ()
        """The lines in view, from the top; the last one may be cut at its end, the first at its beginning."""
        self.is_bottom_aligned = False
        """Whether the last line ends at the last row, because there is nothing below."""
        self.has_lost = False
        """Whether the lines that were read have gone since, because newer ones needed the room."""
        self._top: Position = timeline.first()
        self._left: Position | None = None
        """The end when following was left."""
        self._held: tuple[LineRef, int] | None = None
        """A line and its row that are held on to while a filter still finds lines around it."""
        self._row: int | None = None
        """Where in view the cursor is wanted after a jump, counted in lines."""
        self._height = 1
        self._rows_of: Callable[[LineRef], int] = lambda line: 1

    @property
    def end(self) -> Position:
        """The place below all lines that may be shown."""
        return self.paused or self.timeline.end()

    @property
    def waiting(self) -> int:
        """Lines that have come since the end was left."""
        since = self.paused or (None if self.is_following else self._left)
        return 0 if since is None else max(len(self.timeline) - self.timeline.rank(since), 0)

    @property
    def lines_above(self) -> int:
        """Lines above those in view."""
        return self.timeline.rank(self._top)

    # -- what is in view ------------------------------------------------------------------------------

    def arrange(self, height: int, rows_of: Callable[[LineRef], int]) -> None:
        """Find out what is in view now.

        Args:
            height: Rows at hand.
            rows_of: How many rows a line takes.
        """
        self._height, self._rows_of = max(height, 1), rows_of
        if self.is_following:
            self._fill_upward(self.end)
            self.cursor = self.shown[-1] if self.shown else None
            return
        if self._held is not None:
            self._jump(*self._held)
        else:
            self._stand()
        lines, after = self.timeline.below(self._top, self._height, self.end)
        fitting = self._fitting(lines)
        if fitting is None:  # the end is in view: what is above fills the rest
            self._fill_upward(after)
        else:
            self.shown, self.is_bottom_aligned = fitting, False
        self._keep_cursor()

    def _stand(self) -> None:
        """Stay where we are, though lines were dropped above or have come late."""
        anchor = self.shown[0] if self.shown else None
        if anchor is not None and not anchor.is_held:
            self.has_lost = True
        if anchor is not None and anchor.is_held and self.timeline.knows(anchor):
            self._top = self.timeline.settled(self._top, anchor)

    def _fitting(self, lines: Sequence[LineRef]) -> tuple[LineRef, ...] | None:
        """As many of the lines as fill the view; None when they do not."""
        rows = 0
        for count, line in enumerate(lines, start=1):
            rows += self._rows_of(line)
            if rows >= self._height:
                return tuple(lines[:count])
        return None

    def _fill_upward(self, end: Position) -> None:
        """Show what is just above a place."""
        lines, _ = self.timeline.above(end, self._height)
        taken = self._fitting(lines) or tuple(lines)
        _, self._top = self.timeline.above(end, len(taken))
        self.shown, self.is_bottom_aligned = tuple(reversed(taken)), True

    def _keep_cursor(self) -> None:
        """The cursor is always in view: on its line, else on the nearest."""
        if not self.shown:
            self.cursor = None
        elif self._row is not None:
            self.cursor = self.shown[max(0, min(self._row, len(self.shown) - 1))]
        elif self.cursor not in self.shown and not self._reveal():
            self.cursor = self._nearest()
        self._row = None

    def _reveal(self) -> bool:
        """Have the cursor's line in view again (the view has become smaller); False when it is not there."""
        cursor = self.cursor
        if cursor is None or not self.timeline.shows(cursor) or not self.timeline.is_above(cursor, self.end):
            return False
        place = self.timeline.near(cursor)
        _, below = self.timeline.below(place, 1)
        self._fill_upward(below)
        return cursor in self.shown

    def _nearest(self) -> LineRef:
        cursor = self.cursor
        if cursor is None or not cursor.is_held or not self.timeline.knows(cursor):
            return self.shown[0]
        order = self.timeline.order(cursor)
        below = (line for line in self.shown if self.timeline.order(line) >= order)
        return next(below, self.shown[-1])

    # -- other lines ----------------------------------------------------------------------------------

    def replace(self, timeline: Timeline) -> None:
        """Look at another timeline (other sources, another filter) from the same place."""
        old, row = self.timeline, self._cursor_row()
        paused, left = self.paused, self._left
        self.timeline = timeline
        self._top = timeline.moved(old, self._top)
        self.paused = None if paused is None else timeline.moved(old, paused)
        self._left = None if left is None else timeline.moved(old, left)
        if not self.is_following and self.cursor is not None:
            self._held = self._held or (self.cursor, row)
        self.shown = ()

    def rest(self) -> None:
        """The timeline is complete: from now on lines only come at its end and go at its beginning."""
        self._held = None

    def _cursor_row(self) -> int:
        return self.shown.index(self.cursor) if self.cursor in self.shown else 0

    def _jump(self, line: LineRef, row: int) -> None:
        """Have a line, or the one that comes after its place, at a row of the view."""
        place = self.timeline.near(line)
        there, _ = self.timeline.below(place, 1, self.end)
        _, self._top = self.timeline.above(place, row)
        self.cursor = there[0] if there else line

    # -- moving ---------------------------------------------------------------------------------------

    def leave_end(self) -> None:
        """Stand still from now on."""
        if self.is_following:
            self.is_following = False
            self._left = self.timeline.end()
        self.has_lost = False
        self._held = None

    def follow(self) -> None:
        """Keep the newest line in view."""
        self.is_following, self._left, self.has_lost, self._held = True, None, False, None

    def pause(self) -> None:
        """Leave out what comes from now on."""
        self.paused = self.timeline.end()

    def go_on(self) -> None:
        """Show what has come."""
        self.paused = None

    def move(self, count: int) -> None:
        """Move the cursor by lines, and the view as little as that needs. Below the last line: follow."""
        if not self.shown or self.cursor is None:
            return
        self.leave_end()
        target = self._cursor_row() + count
        if target < 0:
            lines, place = self.timeline.above(self._top, -target)
            self._top = place
            self.cursor = lines[-1] if lines else self.shown[0]
            self.shown = ()
        elif target < len(self.shown) - 1 or (target == len(self.shown) - 1 and self._is_last_whole()):
            self.cursor = self.shown[target]
        else:
            self._move_below(target)

    def _is_last_whole(self) -> bool:
        return self.is_bottom_aligned or sum(map(self._rows_of, self.shown)) <= self._height

    def _move_below(self, target: int) -> None:
        _, bottom = self.timeline.below(self._top, len(self.shown) - 1, self.end)
        lines, after = self.timeline.below(bottom, target - len(self.shown) + 2, self.end)
        if not lines or (lines[-1] == self.cursor and self._is_last_whole()):
            self.follow()
            return
        self.cursor = lines[-1]
        self._fill_upward(after)

    def page(self, pages: float) -> None:
        """Move view and cursor by pages. Beyond the last line: follow."""
        if not self.shown:
            return
        self.leave_end()
        row, count = self._cursor_row(), max(1, int(abs(pages) * len(self.shown)))
        if pages < 0:
            lines, self._top = self.timeline.above(self._top, count)
            self._row = row if len(lines) == count else max(0, row - (count - len(lines)))
        elif self.is_bottom_aligned and row == len(self.shown) - 1:
            self.follow()
            return
        elif self.is_bottom_aligned:
            self._row = len(self.shown) - 1
        else:
            _, self._top = self.timeline.below(self._top, count, self.end)
            self._row = row
        self.shown = ()

    def go_first(self) -> None:
        """To the oldest line held."""
        self.leave_end()
        self._top, self._row, self.shown = self.timeline.first(), 0, ()

    def go_to(self, line: LineRef) -> None:
        """Put the cursor on a line and have it in view."""
        self.leave_end()
        if line in self.shown and (line != self.shown[-1] or self._is_last_whole()):
            self.cursor = line
            return
        self._jump(line, self._height // 3)
        self.shown = ()
