"""The database area's first screen: the list of PostgreSQL servers."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from opsdash.collectors.postgres.rows import PostgresData
from opsdash.tui.screens.target_list import TargetList
from opsdash.widgets.messages import DrillDown
from opsdash.widgets.panels.postgres.statements import Scope, nothing_to_show, worst
from opsdash.widgets.panels.postgres.targets import SERVERS


class ServerListScreen(TargetList):
    """All PostgreSQL servers, the worst first."""

    called = "PostgreSQL servers"
    lists = "postgres"
    listing = SERVERS

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "explain_worst", "worst statement", id="explain"),
    ]

    def action_explain_worst(self) -> None:
        """To the plan of the statement that took most of the time of late."""
        line = self.line
        data: PostgresData | None = line.data if line is not None else None
        if line is None:
            return
        if data is None:
            self.notice(f"{line.id.name} is not read yet: it has no statements to explain")
            return
        identity = worst(data)
        if identity is None:
            self.notice(nothing_to_show(data.statements, Scope.TOTAL))
            return
        self.post_message(DrillDown(line.id, "statement", identity))
