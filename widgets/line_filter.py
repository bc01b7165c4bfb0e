"""The last layer against hostile text: whatever a widget drew, no control character reaches the terminal.

Text is cleaned where it enters opsdash, and again where it becomes cells. This is for what slips through.
"""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from opsdash.collectors.text import clean

_LINE_BREAKERS = str.maketrans("\t\n", "  ")


def _harmless(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    cleaned = clean(text).translate(_LINE_BREAKERS)
    # what it replaces had no width: the line must not grow into the widget beside it
    return text if cleaned == text else set_cell_size(cleaned, cell_len(text))


class HarmlessLines(LineFilter):
    """Replaces control, escape, bidirectional and invisible characters in drawn lines; widths stay.

    `App.get_line_filters` must always return the same instance: Textual keeps drawn lines by it.
    """

    def apply(self, segments: Sequence[Segment], background: Color) -> list[Segment]:
        """The same segments where all is well, which is nearly always."""
        texts = [_harmless(segment.text) for segment in segments]
        if all(text is segment.text for text, segment in zip(texts, segments, strict=True)):
            return list(segments)
        return [Segment(text, segment.style) for text, segment in zip(texts, segments, strict=True)]


HARMLESS_LINES = HarmlessLines()
"""For `App.get_line_filters`."""
