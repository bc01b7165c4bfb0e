"""The panel below the lines with one of them in full."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from opsdash.collectors.lines.source_lines import LineRef
from opsdash.widgets.lines import Lines
from opsdash.widgets.panels.log.fields import field_lines

_MOST_LINES = 60
"""Of one record that are shown as they were printed."""


class FieldsPanel(VerticalScroll, can_focus=False):
    """Half of the screen at the most; not there while it shows nothing."""

    DEFAULT_CSS = """
    FieldsPanel { height: auto; max-height: 50%; display: none; }
    FieldsPanel Lines { height: auto; }
    FieldsPanel.-open { display: block; }
    """

    line: LineRef | None = None
    """The line that is shown; None: none."""

    def compose(self) -> ComposeResult:
        """Labelled lines."""
        yield Lines(id="field-lines")

    def show(self, line: LineRef | None) -> None:
        """Show the record of a line; None: nothing."""
        self.line = line if line is not None and line.is_held else None
        self.set_class(self.line is not None, "-open")
        if self.line is None:
            return
        lines, number = self.line
        head = lines.head(number)
        end = min(lines.end_of_record(number), head + _MOST_LINES)
        shown = field_lines(
            lines.record(head),
            source=lines.source.name,
            raw=tuple(lines.buffer.lines(head, end)),
            arrived_at=lines.buffer.arrived_at(head),
            width=max(self.screen.size.width - 2, 20),
        )
        self.query_one("#field-lines", Lines).show(shown)
        self.scroll_home(animate=False)
