"""The local host: load, memory, OOM kills, and its disks."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from opsdash.collectors.feed import TargetView
from opsdash.collectors.host.rows import HostData
from opsdash.collectors.target import TargetId
from opsdash.tui.screens.place import Place
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line, Lines, labelled
from opsdash.widgets.panel import freshness
from opsdash.widgets.panels.host.tables import DISK_COLUMNS, disk_lines, head_lines
from opsdash.widgets.panels.host.words import limits_of
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table


class HostScreen(Place):
    """One host."""

    called = "the local host"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "neighbour(-1)", "host before", show=False, id="target.previous"),
        Binding("right_square_bracket", "neighbour(1)", "next host", show=False, id="target.next"),
    ]

    DEFAULT_CSS = """
    HostScreen #head { height: 2; }
    HostScreen #why { height: auto; max-height: 40%; }
    """

    def __init__(self, watch: Watch, target: TargetId) -> None:
        super().__init__(watch)
        self._target = target

    @property
    def target(self) -> TargetId:
        """The host shown."""
        return self._target

    @property
    def _seen(self) -> TargetView:
        return self.watch_over.feed.view(self._target)

    def crumbs(self) -> tuple[Line, Line]:
        """The path, the environment and how fresh it is."""
        seen = self._seen
        environment = seen.target.environment
        path: Line = (
            "Overview › 1 Health › ",
            (seen.target.name, Tone.ACCENT),
            (f" ({environment.label})", Tone.CRIT if environment.production else Tone.NORMAL),
            " › disks",
        )
        return path, freshness(seen, self.watch_over.clock.mono_s())

    def body(self) -> Iterable[Widget]:
        """Figures, disks, and why."""
        yield Lines(id="head")
        yield Table(DISK_COLUMNS, key=lambda r: r.disk.mount.point, id="disks")
        yield Lines(id="why")

    def on_mount(self) -> None:
        """Start in the table."""
        super().on_mount()
        self.query_one("#disks").focus()

    def show_feed(self) -> None:
        """The newest good reading, whatever its age; the path line says how old it is."""
        seen = self._seen
        data: HostData | None = seen.data
        table = self.query_one("#disks", Table)
        if data is None:
            failure = seen.failure
            table.empty = "? waiting for the first reading" if failure is None else f"✖ {failure.reason}"
            return
        width = self.size.width
        table.empty = "no disk of a real file system is mounted here"
        self.query_one("#head", Lines).show(head_lines(data, seen, width))
        table.show(disk_lines(data, limits_of(seen)))
        lines: list[Line] = []
        for finding in self.watch_over.findings_of(self._target):
            lines += labelled("seen", finding.title, width=width)
            if finding.cause:
                lines += labelled("likely", finding.cause, width=width)
        for missing in data.missing:
            lines += labelled("not seen", missing, width=width, tone=Tone.WARN)
        self.query_one("#why", Lines).show(lines)

    def action_neighbour(self, step: int) -> None:
        """The next or the previous host."""
        ids = [view.target.id for view in self.watch_over.feed.views("host")]
        self._target = ids[(ids.index(self._target) + step) % len(ids)]
        self.query_one("#disks", Table).show(())
        self.query_one("#head", Lines).show(())
        self.redraw()
