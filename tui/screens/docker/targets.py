"""The containers area's first screen: the list of Docker engines."""

from collections.abc import Iterable

from textual.widget import Widget

from opsdash.collectors.target import TargetId
from opsdash.tui.screens.place import Place
from opsdash.widgets.lines import Line
from opsdash.widgets.messages import DrillDown
from opsdash.widgets.panels.docker.targets import TARGET_COLUMNS, TargetLine, target_lines
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table


class EngineListScreen(Place):
    """All engines, in the order of the configuration."""

    called = "Docker engines"
    lists = "docker"

    def crumbs(self) -> tuple[Line, Line]:
        """Where we are."""
        return (("Overview › ", ("4 Containers", Tone.ACCENT)), ())

    @property
    def target(self) -> TargetId | None:
        """The engine under the cursor."""
        row: TargetLine | None = self.query_one("#targets", Table).cursor_row
        return row.id if row else None

    def body(self) -> Iterable[Widget]:
        """The list."""
        yield Table(TARGET_COLUMNS, key=lambda r: r.id, tone=lambda r: Tone.NORMAL, id="targets")

    def on_mount(self) -> None:
        """Start in the list."""
        super().on_mount()
        self.query_one("#targets").focus()

    def show_feed(self) -> None:
        """Every engine with its newest reading."""
        watch = self.watch_over
        lines = target_lines(watch.feed.views("docker"), watch.findings, watch.clock.mono_s())
        self.query_one("#targets", Table).show(lines)
        for line in lines:
            watch.look_at(line.id, ())  # nothing here says what containers use

    def on_table_chosen(self, message: Table.Chosen[TargetLine]) -> None:
        """Enter: into the engine."""
        self.post_message(DrillDown(message.row.id, "containers"))
