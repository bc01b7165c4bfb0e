"""Only cells that changed are written to the terminal.

Textual writes every line that may have changed from its beginning, with all its colours: some kB for a table
whose ages move, where a few hundred bytes differ. Here each frame is compared with what the terminal shows.

It hangs on private parts of Textual 8 (`textual_frames.py`). Where they look different, Textual writes as it
always does; a test compares the screens of both ways.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from rich.control import Control
from textual import events
from textual.app import App, ReturnType
from textual.geometry import Size

from opsdash.tui.terminal_cells import Row, TerminalCells

try:
    from opsdash.tui import textual_frames
except ImportError:  # another Textual
    _KNOWN = False
else:
    _KNOWN = textual_frames.is_known()


class ChangedCells(App[ReturnType]):
    """An app that writes only changed cells."""

    changed_cells_only: ClassVar[bool] = _KNOWN
    """False: Textual writes by itself."""

    _terminal: TerminalCells | None = None
    """None: what the terminal shows is not known."""

    def redraw_terminal(self) -> None:
        """Write the whole screen anew: something else may have written to the terminal."""
        self._terminal = None
        if self.screen_stack:
            self.screen.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Write all anew: also sent, with the same size, when the process goes on after being stopped."""
        self.redraw_terminal()

    def _display(self, *args: Any, **kwargs: Any) -> None:
        """Textual's, with a frame replaced by its changes; whether and when it is written stays Textual's."""
        if self.changed_cells_only:
            args = tuple(self._changes(argument) for argument in args)
            kwargs = {name: self._changes(argument) for name, argument in kwargs.items()}
        super()._display(*args, **kwargs)

    def _begin_update(self) -> None:
        """Not here: whether a frame is worth marks is known once it is compared."""
        if not self.changed_cells_only:
            super()._begin_update()

    def _end_update(self) -> None:
        """See `_begin_update`."""
        if not self.changed_cells_only:
            super()._end_update()

    def _changes(self, argument: Any) -> Any:
        if textual_frames.is_frame(argument):
            return textual_frames.Rewritten(argument, self._write_changes)
        return argument

    def _write_changes(self, size: Size, rows: Iterable[Row], console: Console) -> str:
        if self._terminal is None or self._terminal.size != size:
            color_system = COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
            self._terminal = TerminalCells(size, color_system)
        text = self._terminal.show(rows)
        if self.cursor_position:  # a text field has it: input methods open their windows there
            text += Control.move_to(*self.cursor_position).segment.text
        return textual_frames.drawn_at_once(text, self)
