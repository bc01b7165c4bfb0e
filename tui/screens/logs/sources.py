"""The list of the sources of lines; Enter shows the lines of one, or of those that are marked."""

from collections.abc import Iterable

from textual.widget import Widget

from opsdash.collectors.target import TargetId
from opsdash.tui.screens.logs.lines import open_logs
from opsdash.tui.screens.place import Place
from opsdash.widgets.lines import Line
from opsdash.widgets.panels.log.sources import SOURCE_COLUMNS, SourceLine, source_lines
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table


class SourcesScreen(Place):
    """Every file and container whose lines are read."""

    called = "log sources"

    def crumbs(self) -> tuple[Line, Line]:
        """Where we are."""
        return (("Overview › ", ("5 Logs", Tone.ACCENT), " › sources"), ())

    @property
    def target(self) -> TargetId | None:
        """The target of the source under the cursor."""
        row: SourceLine | None = self.query_one("#sources", Table).cursor_row
        return row.target if row else None

    def body(self) -> Iterable[Widget]:
        """The list."""
        yield Table(
            SOURCE_COLUMNS,
            key=lambda r: r.key,
            empty="? no source of lines is known yet",
            id="sources",
        )

    def on_mount(self) -> None:
        """Start in the list."""
        super().on_mount()
        self.query_one("#sources").focus()

    def show_feed(self) -> None:
        """Every source with its newest reading."""
        watch = self.watch_over
        rows = source_lines(watch.feed.views(), watch.findings, watch.clock.now().timestamp())
        self.query_one("#sources", Table).show(rows)

    def on_table_chosen(self, message: Table.Chosen[SourceLine]) -> None:
        """Enter: the lines of this source, or of all that are marked."""
        rows: tuple[SourceLine, ...] = self.query_one("#sources", Table).chosen_rows
        self.app.push_screen(open_logs(self.watch_over, tuple(row.summary.identity for row in rows)))
