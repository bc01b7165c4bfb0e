"""Lines of a timeline on Textual's line API: which are in view, how they look, which rows to draw again.

Only lines in view are read, and only rows that changed are drawn. Nothing here listens to keys: that is
`logview.py`.
"""

import re
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import ClassVar

import msgspec
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from opsdash.collectors.lines.bounded import TooSlow
from opsdash.collectors.lines.merge import Timeline
from opsdash.collectors.lines.source_lines import LineRef
from opsdash.widgets.log_rows import SOURCE_COLOURS, TIMES, Entry, Layout, Row, row_count, rows, text_cells
from opsdash.widgets.log_window import LogWindow
from opsdash.widgets.plain_lines import PlainLines

_GUTTER = {(False, False): "  ", (True, False): "▸ ", (False, True): " *", (True, True): "▸*"}
"""Left of a line: whether the cursor is here and whether it is marked, told without colour."""

Mark = tuple[Hashable, int]
"""A line as it is remembered: its source's key and its number."""


class _Painted(msgspec.Struct, frozen=True):
    """All that decides how a row of the view looks."""

    spans: Row
    gutter: str
    is_cursor: bool


class LogPainting(PlainLines, inherit_bindings=False):
    """A view of lines, the newest at the bottom."""

    class SearchTooSlow(Message):
        """What is marked in the lines would take for ever to find there, and is marked no longer."""

        def __init__(self, pattern: str) -> None:
            self.pattern = pattern
            super().__init__()

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "logview--cursor",
        *(f"logview--{name}" for name in ("normal", "muted", "warn", "crit", "match")),
        *(f"logview--source{number}" for number in range(SOURCE_COLOURS)),
    }

    DEFAULT_CSS = """
    LogPainting {
        height: 1fr;
        .logview--normal { color: $foreground; }
        .logview--muted { color: $foreground-muted; }
        .logview--warn { color: $text-warning; text-style: bold; }
        .logview--crit { color: $text-error; text-style: bold; }
        .logview--match { color: $background; background: $text-warning; }
        .logview--cursor { text-style: bold; }
        &:focus .logview--cursor { text-style: bold reverse; }
        .logview--source0 { color: $primary; }
        .logview--source1 { color: $secondary; }
        .logview--source2 { color: $accent; }
        .logview--source3 { color: $primary-lighten-2; }
        .logview--source4 { color: $secondary-darken-2; }
        .logview--source5 { color: $accent-lighten-2; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.window = LogWindow(Timeline(()))
        self.marks: set[Mark] = set()
        self.empty = ""
        """Said when there are no lines; may have several lines."""
        self.today: datetime | None = None
        """Now, for telling times of another day; None: not known."""
        self._times = TIMES[0]
        self._wrap = False
        self._search: re.Pattern[str] | None = None
        self._names: dict[Hashable, str] = {}
        self._colours: dict[Hashable, int] = {}
        self._rows: list[_Painted | None] = []
        self._styles_of: dict[tuple[str, bool], Style] = {}

    # -- what is shown --------------------------------------------------------------------------------

    @property
    def cursor(self) -> LineRef | None:
        """The line under the cursor; None when there are none."""
        return self.window.cursor

    @property
    def times(self) -> str:
        """How times are shown."""
        return self._times

    def show(self, timeline: Timeline) -> None:
        """Show other lines, from the same place in time."""
        for lane in timeline.lanes:
            key = lane.lines.key
            self._names[key] = lane.lines.source.name
            self._colours.setdefault(key, len(self._colours) % SOURCE_COLOURS)
        self.window.replace(timeline)
        self.repaint()

    def search_for(self, pattern: re.Pattern[str] | None) -> None:
        """Mark what matches in the lines in view; None: nothing."""
        self._search = pattern
        self.repaint()

    def repaint(self) -> None:
        """Look which lines are in view now, and draw the rows that are different."""
        if not self.size.height or not self.is_attached:
            return
        try:
            new = self._painted()
        except TooSlow:
            search, self._search = self._search, None
            self.post_message(self.SearchTooSlow(search.pattern if search is not None else ""))
            new = self._painted()
        old, self._rows = self._rows, new
        changed = [y for y in range(len(new)) if y >= len(old) or old[y] != new[y]]
        if len(changed) > len(new) // 2:  # one region costs less than many
            self.refresh()
        elif changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    # -- drawing --------------------------------------------------------------------------------------

    def _layout(self) -> Layout:
        width, lanes = self.size.width, self.window.timeline.lanes
        longest = max((len(lane.lines.source.name) for lane in lanes), default=0)
        most = 20 if width >= 120 else 12 if width >= 80 else 8
        return Layout(
            width=width - 2,
            times=self._times,
            source_width=min(longest, most) if len(lanes) > 1 else 0,
            wrap=self._wrap,
            search=self._search,
            day=self._day(),
        )

    def _day(self) -> str:
        if self.today is None:
            return ""
        return (self.today.astimezone() if self._times == "local" else self.today).strftime("%Y-%m-%d")

    def _painted(self) -> list[_Painted | None]:
        """Every row of the view."""
        height, layout, window = self.size.height, self._layout(), self.window
        window.arrange(height, self._rows_of(layout))
        painted: list[_Painted | None] = []
        above = self._moment_above() if layout.times == "delta" else None
        for line in window.shown:
            entry = self._entry(line, above)
            above = entry.at if entry.at is not None else above
            is_cursor, is_marked = line == window.cursor, mark_of(line) in self.marks
            for place, spans in enumerate(rows(entry, layout)):
                is_head = place == len(entry.gaps)
                gutter = _GUTTER[is_cursor and is_head, is_marked and is_head]
                painted.append(_Painted(spans, gutter, is_cursor and place >= len(entry.gaps)))
        if window.is_bottom_aligned and len(painted) > height:
            painted = painted[len(painted) - height :]
        return [*painted[:height], *[None] * (height - len(painted))]

    def _rows_of(self, layout: Layout) -> Callable[[LineRef], int]:
        """How many rows a line takes; without wrapping that needs no look at it."""
        if layout.wrap:
            return lambda line: row_count(self._entry(line, None), layout)
        return lambda line: 1 + len(self._gaps(line))

    def _entry(self, line: LineRef, above: float | None) -> Entry:
        lines, number = line
        record, key = line.record, lines.key
        continues = number > lines.buffer.first and lines.continues(number)
        return Entry(
            record=record,
            at=record.at,
            since_s=None if above is None or record.at is None else record.at - above,
            source=self._names.get(key, ""),
            colour=self._colours.get(key, 0),
            continues=continues,
            gaps=self._gaps(line),
        )

    def _gaps(self, line: LineRef) -> tuple[str, ...]:
        """Why lines are missing between this one and the one of its source that is shown above it."""
        gaps = line.lines.buffer.gaps
        if not gaps:
            return ()
        lane = next(lane for lane in self.window.timeline.lanes if lane.lines is line.lines)
        above = lane.before(line.number)
        name = f"{line.lines.source.name}: " if len(self.window.timeline.lanes) > 1 else ""
        return tuple(
            f"{name}{gap.reason}"
            for gap in gaps
            if gap.before <= line.number and (above is None or gap.before > above)
        )

    def _moment_above(self) -> float | None:
        shown = self.window.shown
        if not shown:
            return None
        lines, _ = self.window.timeline.above(self.window.timeline.near(shown[0]), 1)
        return lines[0].record.at if lines else None

    def line_at(self, y: int) -> LineRef | None:
        """The line on row `y` of the view; None where there is none."""
        count, row = self._rows_of(self._layout()), 0
        if self.window.is_bottom_aligned:
            row = min(self.size.height - sum(map(count, self.window.shown)), 0)
        for line in self.window.shown:
            row += count(line)
            if y < row:
                return line
        return None

    def notify_style_update(self) -> None:
        """Theme, focus or classes changed."""
        self._styles_of.clear()
        super().notify_style_update()

    def _style(self, name: str, is_cursor: bool) -> Style:
        style = self._styles_of.get((name, is_cursor))
        if style is None:
            style = self.get_component_rich_style(f"logview--{name}")
            if is_cursor:
                style += self.get_component_rich_style("logview--cursor", partial=True)
            self._styles_of[name, is_cursor] = style
        return style

    def render_line(self, y: int) -> Strip:
        """Draw row `y`."""
        width = self.size.width
        painted = self._rows[y] if y < len(self._rows) else None
        if painted is None:
            notes = self.empty.split("\n") if not self.window.shown else []
            note = f"  {notes[y]}" if y < len(notes) else ""
            base = self._style("muted", False)
            return Strip([Segment(note, base)]).adjust_cell_length(width, base)
        plain = self._style("normal", painted.is_cursor)
        segments = [Segment(painted.gutter, plain)]
        segments += [Segment(text, self._style(name, painted.is_cursor)) for text, name in painted.spans]
        left = width - sum(text_cells(text) for text, *_ in segments)
        if left < 0:
            return Strip(segments).adjust_cell_length(width, plain)
        return Strip(Segment.simplify([*segments, Segment(" " * left, plain)]), width)


def mark_of(line: LineRef) -> Mark:
    """How a line is remembered."""
    return (line.lines.key, line.number)
