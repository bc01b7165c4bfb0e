"""What a widget that draws lines shows, without a terminal."""

from rich.style import Style
from textual.widget import Widget


def lines_of(widget: Widget) -> list[str]:
    """The text of every line, from the left edge to the right one."""
    return [widget.render_line(y).text for y in range(widget.size.height)]


def style_of(widget: Widget, y: int, text: str) -> Style:
    """The style of the segment of line `y` that holds `text`."""
    return next(s.style for s in widget.render_line(y) if text in s.text and s.style is not None)
