"""The local host: load, memory, OOM kills, and its disks."""

from collections.abc import Iterable

from textual.widget import Widget

from opsdash.collectors.host.rows import HostData
from opsdash.tui.screens.one_target import OneTarget
from opsdash.widgets.lines import Lines, labelled
from opsdash.widgets.panel import reason_lines
from opsdash.widgets.panels.host.tables import DISK_COLUMNS, disk_lines, head_lines
from opsdash.widgets.panels.host.words import limits_of
from opsdash.widgets.status import Tone
from opsdash.widgets.table import LeafTable, Table


class HostScreen(OneTarget):
    """One host."""

    called = "the local host"
    views = ("disks",)

    def body(self) -> Iterable[Widget]:
        """Figures, disks, and why."""
        yield Lines(id="head")
        yield LeafTable(DISK_COLUMNS, key=lambda r: r.disk.mount.point, id="disks")
        yield Lines(id="why")

    def show_feed(self) -> None:
        """The newest good reading, whatever its age; the path line says how old it is."""
        seen = self._seen
        data: HostData | None = seen.data
        table = self.query_one("#disks", Table)
        if data is None:
            table.empty = self._nothing_known()
            return
        width = self.size.width
        table.empty = "no disk of a real file system is mounted here"
        self.query_one("#head", Lines).show(head_lines(data, seen, width))
        table.show(disk_lines(data, limits_of(seen)))
        lines = [*reason_lines(self.watch_over.findings_of(self._target), width)]
        for missing in data.missing:
            lines += labelled("not seen", missing, width=width, tone=Tone.WARN)
        self.query_one("#why", Lines).show(lines)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is one view: Tab leads nowhere."""
        return action != "turn" and super().check_action(action, parameters)
