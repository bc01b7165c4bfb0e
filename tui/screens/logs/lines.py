"""The lines of logs, all sources in one view: followed, filtered, searched, looked into, carried away."""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.worker import Worker

from opsdash.tui.screens.logs.carry import Carrier
from opsdash.tui.screens.logs.fields import FieldsPanel
from opsdash.tui.screens.logs.narrowing import Narrowing
from opsdash.tui.screens.logs.telling import state_line
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line
from opsdash.widgets.logview import LogView
from opsdash.widgets.status import Tone

_ORDER = {key: place for place, key in enumerate((*"/FfEe", "Enter", "i", "Tab", "w", "p", "G"))}
"""Of the keys in the last line: what is needed most goes first."""


def open_logs(watch: Watch, sources: tuple[str, ...] | None = None, number: int | None = None) -> "LogScreen":
    """The lines of sources.

    Args:
        watch: What is watched.
        sources: Identities of the sources; None: all.
        number: Line of the first of them to stand on; None: the newest lines are followed.
    """
    return LogScreen(watch, sources, number)


class LogScreen(Narrowing):
    """The whole screen."""

    called = "log lines"
    lists = "log"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "sources", "sources", id="log.sources"),
        Binding("y", "copy_lines", "copy", id="log.copy"),
        Binding("x", "export_lines", "export", id="log.export"),
        Binding("p", "pause", "pause", id="log.pause"),
    ]

    def __init__(self, watch: Watch, sources: tuple[str, ...] | None, number: int | None) -> None:
        super().__init__(watch, sources, number)
        self._fields = FieldsPanel()
        self._carrier = Carrier(self, self._view, watch.clock)
        self._export: Worker[None] | None = None

    def crumbs(self) -> tuple[Line, Line]:
        """The path, and whether the end is followed."""
        names = [lane.lines.source.name for lane in self._scope.lanes]
        one = f" › {names[0]}" if self._scope.chosen is not None and len(names) == 1 else ""
        state = state_line(self._view.window, self._carrier.progress)
        return ("Overview › ", ("5 Logs", Tone.ACCENT), one), state

    def body(self) -> Iterable[Widget]:
        """Below the lines, the fields of one."""
        *above, prompt = super().body()
        yield from (*above, self._fields, prompt)

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Nothing in a log can be acted upon; the order is that of need."""
        found = super().keys()
        shown = (pair for pair in found if pair[0] != "a")
        return tuple(sorted(shown, key=lambda pair: _ORDER.get(pair[0], 99 if pair[0] == "Esc" else 50)))

    def action_pause(self) -> None:
        """Leave out what comes, or show it again."""
        window = self._view.window
        if window.paused is None:
            window.pause()
        else:
            window.go_on()
        self._view.repaint()
        self.redraw()

    def action_sources(self) -> None:
        """The list of the sources."""
        from opsdash.tui.screens.logs.sources import SourcesScreen  # it opens this screen in turn

        self.app.push_screen(SourcesScreen(self.watch_over))

    # -- one line -------------------------------------------------------------------------------------

    def on_log_view_moved(self) -> None:
        """Say where we are now, and show the fields of the line under the cursor."""
        if self._fields.line is not None:
            self._fields.show(self._view.cursor)
        self.redraw()

    def on_log_view_chosen(self, message: LogView.Chosen) -> None:
        """Enter: the fields of the line; again: away with them."""
        self._fields.show(None if self._fields.line is not None else message.line)

    async def action_show_all_or_back(self) -> None:
        """Esc: break an export off, close the fields, show what filters hide, else one level back."""
        if self._export is not None and self._export.is_running:
            self._export.cancel()
        elif self._fields.line is not None:
            self._fields.show(None)
        elif self._scope.in_force:
            self._scope.show_all()
            self.filters_changed()
        else:
            await self.app.run_action("back")

    # -- carrying away --------------------------------------------------------------------------------

    def action_copy_lines(self) -> None:
        """The marked lines, or the record under the cursor, to the clipboard."""
        self.begin(self._carrier.copy, "copy")

    def action_export_lines(self) -> None:
        """The marked lines, or all that the filters leave, into a file."""
        if self._export is not None and self._export.is_running:
            self.notice("an export is under way: Esc breaks it off")
            return
        names = ", ".join(lane.lines.source.name for lane in self._scope.lanes)
        filters = " ".join(map(str, self._scope.in_force)) or "none"
        about = (f"sources: {names}", f"filters: {filters}")
        self._export = self.begin(partial(self._carrier.export, about), "export")
