"""The cache area's first screen: the list of Redis servers."""

from collections.abc import Iterable

from textual.widget import Widget

from opsdash.collectors.target import TargetId
from opsdash.tui.screens.place import Place
from opsdash.widgets.lines import Line
from opsdash.widgets.messages import ActionRequested, DrillDown
from opsdash.widgets.panels.redis.targets import TARGET_COLUMNS, TargetLine, target_lines
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table


class RedisListScreen(Place):
    """All Redis servers, in the order of the configuration."""

    called = "Redis servers"
    lists = "redis"

    def crumbs(self) -> tuple[Line, Line]:
        """Where we are."""
        return (("Overview › ", ("3 Cache", Tone.ACCENT)), ())

    @property
    def _row(self) -> TargetLine | None:
        row: TargetLine | None = self.query_one("#targets", Table).cursor_row
        return row

    @property
    def target(self) -> TargetId | None:
        """The server under the cursor."""
        row = self._row
        return row.id if row else None

    def body(self) -> Iterable[Widget]:
        """The list."""
        yield Table(TARGET_COLUMNS, key=lambda r: r.id, tone=lambda r: Tone.NORMAL, id="targets")

    def on_mount(self) -> None:
        """Start in the list."""
        super().on_mount()
        self.query_one("#targets").focus()

    def show_feed(self) -> None:
        """Every server with its newest reading."""
        watch = self.watch_over
        lines = target_lines(watch.feed.views("redis"), watch.findings, watch.clock.mono_s())
        self.query_one("#targets", Table).show(lines)

    def on_table_chosen(self, message: Table.Chosen[TargetLine]) -> None:
        """Enter: into the server."""
        self.post_message(DrillDown(message.row.id, "figures"))

    def suggestions(self) -> ActionRequested | None:
        """What `a` offers here: every action on the server under the cursor."""
        row = self._row
        if row is None or row.data is None:
            return None
        return ActionRequested("", row.id, (row.data.default_database,))
