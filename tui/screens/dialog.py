"""The frame of everything that opens over a screen: a title, lines, and keys that are dropped at first."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget

from opsdash.collectors.clock import Clock
from opsdash.widgets.lines import Line, Lines, line_width
from opsdash.widgets.status import Tone

DEAF_S = 0.4
"""Keys in the first moments are dropped: they were meant for the screen below."""

ResultT = TypeVar("ResultT")


class Dialog(ModalScreen[ResultT], Generic[ResultT], inherit_bindings=False):
    """A box in the middle, as wide as needed."""

    BINDINGS: ClassVar[list[BindingType]] = []

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 40%; }
    Dialog > Vertical {
        width: auto; height: auto; max-height: 100%;
        border: round $primary; padding: 0 1; background: $surface;
    }
    Dialog.-danger > Vertical { border: round $error; }
    Dialog Lines { height: auto; max-height: 100%; }
    """

    max_width = 100

    def __init__(self, clock: Clock, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self.clock = clock
        self._opened_mono_s = clock.mono_s()

    @property
    def is_deaf(self) -> bool:
        """Whether keys are still dropped."""
        return self.clock.mono_s() - self._opened_mono_s < DEAF_S

    @property
    def inner_width(self) -> int:
        """Cells between the sides of the box when it is as wide as can be."""
        return min(self.app.size.width - 4, self.max_width)

    def title_text(self) -> str:
        """What the box is about."""
        return ""

    def content(self, width: int) -> Sequence[Line]:
        """The lines of the box, wrapped at `width` cells."""
        return ()

    def extra(self) -> Iterable[Widget]:
        """Widgets below the lines."""
        return ()

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical():
            yield Lines(id="title")
            yield Lines(id="lines")
            yield from self.extra()

    def on_mount(self) -> None:
        """Draw it."""
        self.redraw()

    def on_resize(self) -> None:
        """Wrap anew."""
        self.redraw()

    def redraw(self) -> None:
        """Draw the lines at the width at hand."""
        inner = self.inner_width
        title: Line = ((self.title_text(), self.title_tone),)
        lines = tuple(self.content(inner))
        width = max([line_width(title), *(line_width(line) for line in lines), 24])
        for name, shown in (("title", (title,)), ("lines", lines)):
            block = self.query_one(f"#{name}", Lines)
            block.styles.width = min(width, inner)
            block.show(shown)

    @property
    def title_tone(self) -> Tone:
        """Red where the dialog is about something dangerous."""
        return Tone.CRIT if self.has_class("-danger") else Tone.ACCENT
