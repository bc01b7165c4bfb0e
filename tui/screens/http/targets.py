"""The list of HTTP endpoints, the first screen of the health area."""

from collections.abc import Iterable

from textual.widget import Widget

from opsdash.collectors.target import TargetId
from opsdash.tui.screens.place import Place
from opsdash.widgets.lines import Line
from opsdash.widgets.messages import DrillDown
from opsdash.widgets.panels.http.targets import ENDPOINT_COLUMNS, EndpointLine, endpoint_lines
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table


class TargetsScreen(Place):
    """All endpoints, those of one service together."""

    called = "HTTP endpoints"
    lists = "http"

    def crumbs(self) -> tuple[Line, Line]:
        """Where we are."""
        return (("Overview › ", ("1 Health", Tone.ACCENT), " › endpoints"), ())

    @property
    def target(self) -> TargetId | None:
        """The endpoint under the cursor."""
        row: EndpointLine | None = self.query_one("#targets", Table).cursor_row
        return row.id if row else None

    def body(self) -> Iterable[Widget]:
        """The list."""
        yield Table(ENDPOINT_COLUMNS, key=lambda r: r.id, tone=lambda r: Tone.NORMAL, id="targets")

    def on_mount(self) -> None:
        """Start in the list."""
        super().on_mount()
        self.query_one("#targets").focus()

    def show_feed(self) -> None:
        """Every endpoint with its newest probe."""
        watch = self.watch_over
        lines = endpoint_lines(watch.feed.views("http"), watch.findings, watch.clock.mono_s())
        self.query_one("#targets", Table).show(lines)

    def on_table_chosen(self, message: Table.Chosen[EndpointLine]) -> None:
        """Enter: into the endpoint."""
        self.post_message(DrillDown(message.row.id, "probes"))
