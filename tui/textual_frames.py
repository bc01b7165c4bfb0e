"""The private parts of Textual 8 that `changed_cells.py` hangs on, all in one place.

Importing this fails where they are not there; `is_known` says whether they look as they did.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.geometry import Size

from opsdash.tui.terminal_cells import Row

IN_ONE_PIECE = 500
"""Characters that arrive at once, and are drawn at once: they need no marks around them."""


def _parameters(owner: Any, name: str) -> list[str]:
    function = getattr(owner, name, None)
    return list(inspect.signature(function).parameters) if function is not None else []


def is_known(app_class: type[Any] = App) -> bool:
    """Whether Textual writes frames the way it did when this was written."""
    return (
        _parameters(app_class, "_display") == ["self", "screen", "renderable"]
        and _parameters(app_class, "_begin_update") == _parameters(app_class, "_end_update") == ["self"]
        and _parameters(CompositorUpdate, "render_segments") == ["self", "console"]
        and _parameters(ChopsUpdate, "__init__") == ["self", "chops", "spans", "chop_ends"]
        and _parameters(LayoutUpdate, "__init__") == ["self", "strips", "region"]
    )


class Rewritten:
    """Stands in for a frame: is asked for what to write only when that is really written.

    To Textual it is any other thing to draw: behind a frame of its own it writes where the cursor is, too.
    """

    def __init__(
        self, frame: LayoutUpdate | ChopsUpdate, write: Callable[[Size, Iterator[Row], Console], str]
    ) -> None:
        """Args: the frame, and what makes the text to write of its size and rows."""
        self._frame = frame
        self._write = write

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """What is written in place of the whole frame."""
        frame = self._frame
        if isinstance(frame, LayoutUpdate):
            yield Segment(self._write(frame.region.size, _layout_rows(frame), console))
        else:
            width = max((ends[-1] for ends in frame.chop_ends if ends), default=0)
            yield Segment(self._write(Size(width, len(frame.chops)), _chop_rows(frame), console))


def drawn_at_once(text: str, app: App[Any]) -> str:
    """`text` between marks that make the terminal draw all of it at once, where it knows and needs them."""
    return f"{SYNC_START}{text}{SYNC_END}" if app._sync_available and len(text) > IN_ONE_PIECE else text


def is_frame(argument: object) -> TypeGuard[LayoutUpdate | ChopsUpdate]:
    """Whether this is a frame, whole or in parts, whose cells can be told."""
    return isinstance(argument, LayoutUpdate | ChopsUpdate)


def _layout_rows(update: LayoutUpdate) -> Iterator[Row]:
    """All rows of a whole frame."""
    for y, strips in enumerate(update.strips, update.region.y):
        parts, x = [], update.region.x
        for strip in strips:
            parts.append((x, strip))
            x += strip.cell_length
        yield y, parts


def _chop_rows(update: ChopsUpdate) -> Iterator[Row]:
    """The rows of a partial frame.

    Only strips that overlap a span are right: beside the spans, what lies above may not have been drawn.
    """
    for y, start, end in update.spans:
        strips = zip(update.chops[y].items(), update.chop_ends[y], strict=False)
        parts = [
            (x, strip) for (x, strip), x_end in strips if strip is not None and x < end and x_end > start
        ]
        yield y, parts
