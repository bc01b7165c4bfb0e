"""The list of hosts: only the local one can be looked at, under the names that the configuration gives it."""

from collections.abc import Iterable

from textual.widget import Widget

from opsdash.collectors.target import TargetId
from opsdash.tui.screens.place import Place
from opsdash.widgets.lines import Line
from opsdash.widgets.messages import DrillDown
from opsdash.widgets.panels.host.tables import HOST_COLUMNS, HostLine, host_lines
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table


class TargetsScreen(Place):
    """The hosts, in the order of the configuration."""

    called = "the local host"
    lists = "host"

    def crumbs(self) -> tuple[Line, Line]:
        """Where we are."""
        return (("Overview › ", ("1 Health", Tone.ACCENT), " › host"), ())

    @property
    def target(self) -> TargetId | None:
        """The host under the cursor."""
        row: HostLine | None = self.query_one("#targets", Table).cursor_row
        return row.id if row else None

    def body(self) -> Iterable[Widget]:
        """The list."""
        yield Table(HOST_COLUMNS, key=lambda r: r.id, tone=lambda r: Tone.NORMAL, id="targets")

    def on_mount(self) -> None:
        """Start in the list."""
        super().on_mount()
        self.query_one("#targets").focus()

    def show_feed(self) -> None:
        """Every host with its newest reading."""
        watch = self.watch_over
        lines = host_lines(watch.feed.views("host"), watch.findings, watch.clock.mono_s())
        self.query_one("#targets", Table).show(lines)

    def on_table_chosen(self, message: Table.Chosen[HostLine]) -> None:
        """Enter: into the host."""
        self.post_message(DrillDown(message.row.id, "disks"))
