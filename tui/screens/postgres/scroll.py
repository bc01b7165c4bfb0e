"""A part of a screen that may be longer than it."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll


class Scroll(VerticalScroll, inherit_bindings=False):
    """Moves as a table does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "up", show=False, id="scroll.up"),
        Binding("down,j", "scroll_down", "down", show=False, id="scroll.down"),
        Binding("pageup,ctrl+u", "page_up", "page up", show=False, id="scroll.page_up"),
        Binding("pagedown,ctrl+d", "page_down", "page down", show=False, id="scroll.page_down"),
        Binding("g,home", "scroll_home", "to the beginning", show=False, id="scroll.first"),
        Binding("G,end", "scroll_end", "to the end", show=False, id="scroll.last"),
    ]
