"""The list of all targets of a kind: Enter leads into one."""

from collections.abc import Iterable
from typing import Any, ClassVar

from textual.widget import Widget

from opsdash.collectors.target import TargetId
from opsdash.tui.kinds import AREAS, KINDS
from opsdash.tui.screens.place import Place
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line
from opsdash.widgets.messages import DrillDown
from opsdash.widgets.panel import name_cells
from opsdash.widgets.panels.targets import Listing, TargetLine, named_in
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table


class TargetList(Place):
    """The targets of the kind that it `lists`, with the newest reading of each."""

    listing: ClassVar[Listing]
    """What is told of each."""
    path_end: ClassVar[str] = ""
    """The last step of the path, where an area has several lists."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(watch)
        self._names = 0
        """Cells of the targets' names; 0 before the first are drawn."""

    def crumbs(self) -> tuple[Line, Line]:
        """Where we are."""
        area = KINDS[self.lists].area
        return (("Overview › ", (f"{area} {AREAS[area]}", Tone.ACCENT), self.path_end), ())

    @property
    def line(self) -> TargetLine[Any] | None:
        """The line under the cursor; None when there are no targets."""
        line: TargetLine[Any] | None = self.query_one("#targets", Table).cursor_row
        return line

    @property
    def target(self) -> TargetId | None:
        """The target under the cursor."""
        return self.line.id if self.line else None

    def body(self) -> Iterable[Widget]:
        """The list."""
        yield Table(self.listing.columns, key=lambda r: r.id, id="targets")

    def on_mount(self) -> None:
        """Start in the list."""
        super().on_mount()
        self.query_one("#targets").focus()

    def show_feed(self) -> None:
        """Every target with its newest reading, the worst first."""
        watch, table = self.watch_over, self.query_one("#targets", Table)
        lines = self.listing.lines(watch.feed.views(self.lists), watch.findings, watch.clock.mono_s())
        names = name_cells((line.id.name for line in lines), self.size.width)
        if names != self._names:
            self._names = names
            table.set_columns(named_in(self.listing.columns, names))
        table.show(lines)

    def on_table_chosen(self, message: Table.Chosen[TargetLine[Any]]) -> None:
        """Enter: into the target, to what its kind shows first."""
        self.post_message(DrillDown(message.row.id, ""))
