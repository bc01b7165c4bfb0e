"""Only cells that changed are written to the terminal.

Textual writes every line that may have changed from its beginning, with all its colours: some kB for a table
whose ages move, where a few hundred bytes differ. Here each frame is compared with what the terminal shows.

It hangs on private parts of Textual 8 (`App._display` and the compositor's updates). Where they look
different, Textual writes as it always does; a test compares the screens of both ways.
"""

import inspect
from collections.abc import Iterator
from typing import Any, ClassVar

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from textual import events
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App, ReturnType
from textual.geometry import Size
from textual.strip import Strip

from opsdash.tui.terminal_cells import TerminalCells

_Rows = Iterator[tuple[int, list[tuple[int, Strip]]]]


def _parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def textual_is_known() -> bool:
    """Whether the private parts of Textual used here look as they did when this was written."""
    return (
        _parameters(getattr(App, "_display", None) or (lambda: None)) == ["self", "screen", "renderable"]
        and _parameters(CompositorUpdate.render_segments) == ["self", "console"]
        and _parameters(ChopsUpdate) == ["chops", "spans", "chop_ends"]
        and _parameters(LayoutUpdate) == ["strips", "region"]
    )


class ChangedCells(App[ReturnType]):
    """An app that writes only changed cells."""

    changed_cells_only: ClassVar[bool] = textual_is_known()
    """False: Textual writes by itself."""

    _terminal: TerminalCells | None = None
    """None: what the terminal shows is not known."""

    def _display(self, *args: Any, **kwargs: Any) -> None:
        if self.changed_cells_only:
            args = tuple(self._changes(argument) for argument in args)
            kwargs = {name: self._changes(argument) for name, argument in kwargs.items()}
        super()._display(*args, **kwargs)

    def _changes(self, argument: Any) -> Any:
        """A frame as its changes; other things as they are."""
        return _Changes(self, argument) if isinstance(argument, LayoutUpdate | ChopsUpdate) else argument

    def terminal_cells(self, size: Size, console: Console) -> TerminalCells:
        """What the terminal shows; nothing is known when its size is another than it was."""
        if self._terminal is None or self._terminal.size != size:
            color_system = COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
            self._terminal = TerminalCells(size, color_system)
        return self._terminal

    def redraw(self) -> None:
        """Write the whole screen anew: something else may have written to the terminal."""
        self._terminal = None
        if self.screen_stack:
            self.screen.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Write all anew: also sent, with the same size, when the process goes on after being stopped."""
        self.redraw()


class _Changes(CompositorUpdate):
    """Stands in for a frame, and is compared only when it is really written."""

    def __init__(self, app: ChangedCells[Any], update: LayoutUpdate | ChopsUpdate) -> None:
        self._app = app
        self._update = update

    def render_segments(self, console: Console) -> str:
        update = self._update
        if isinstance(update, LayoutUpdate):
            size, rows = update.region.size, _layout_rows(update)
        else:
            width = max((ends[-1] for ends in update.chop_ends if ends), default=0)
            size, rows = Size(width, len(update.chops)), _chop_rows(update)
        terminal = self._app.terminal_cells(size, console)
        return "".join([terminal.show(y, parts) for y, parts in rows])


def _layout_rows(update: LayoutUpdate) -> _Rows:
    """All rows of a whole frame."""
    for y, strips in enumerate(update.strips, update.region.y):
        parts, x = [], update.region.x
        for strip in strips:
            parts.append((x, strip))
            x += strip.cell_length
        yield y, parts


def _chop_rows(update: ChopsUpdate) -> _Rows:
    """The rows of a partial frame.

    Only strips that overlap a span are right: beside the spans, what lies above may not have been drawn.
    """
    for y, start, end in update.spans:
        strips = zip(update.chops[y].items(), update.chop_ends[y], strict=False)
        yield (
            y,
            [(x, strip) for (x, strip), x_end in strips if strip is not None and x < end and x_end > start],
        )
