"""The database area's first screen: the list of PostgreSQL servers."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from opsdash.collectors.postgres.rows import PostgresData
from opsdash.collectors.target import TargetId
from opsdash.tui.screens.place import Place
from opsdash.widgets.lines import Line
from opsdash.widgets.messages import DrillDown
from opsdash.widgets.panels.postgres.statements import Scope, nothing_to_show, worst
from opsdash.widgets.panels.postgres.targets import TARGET_COLUMNS, TargetLine, target_lines
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table


class TargetsScreen(Place):
    """All PostgreSQL servers, in the order of the configuration."""

    called = "PostgreSQL servers"
    lists = "postgres"

    def crumbs(self) -> tuple[Line, Line]:
        """Where we are."""
        return (("Overview › ", ("2 Database", Tone.ACCENT)), ())

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "explain_worst", "worst statement", id="explain"),
    ]

    @property
    def target(self) -> TargetId | None:
        """The server under the cursor."""
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
        """Every server with its newest reading."""
        watch = self.watch_over
        lines = target_lines(watch.feed.views("postgres"), watch.findings, watch.clock.mono_s())
        self.query_one("#targets", Table).show(lines)

    def action_explain_worst(self) -> None:
        """To the plan of the statement that took most of the time of late."""
        target = self.target
        data: PostgresData | None = self.watch_over.feed.view(target).data if target is not None else None
        if target is None or data is None:
            return
        identity = worst(data)
        if identity is None:
            self.notice(nothing_to_show(data.statements, Scope.TOTAL))
            return
        self.post_message(DrillDown(target, "statement", identity))

    def on_table_chosen(self, message: Table.Chosen[TargetLine]) -> None:
        """Enter: into the server."""
        self.post_message(DrillDown(message.row.id, "sessions"))
