"""What a tone looks like: the theme's colour for it, on the ground that a widget stands on.

Component classes would say the same in CSS. But Textual makes a node of each class of each widget, anew when
the focus moves: two hundred of them for seven colours. That was 2 MB, and more than half of the time that
such a widget takes to open.
"""

from collections.abc import Mapping

from rich.style import Style
from textual.color import Color
from textual.widget import Widget

from opsdash.widgets.status import Tone

_VARIABLES: Mapping[Tone, str] = {
    Tone.NORMAL: "foreground",
    Tone.MUTED: "foreground-muted",
    Tone.OK: "text-success",
    Tone.WARN: "text-warning",
    Tone.CRIT: "text-error",
    Tone.UNKNOWN: "text-accent",
    Tone.ACCENT: "text-primary",
}
"""The theme's variable for each tone."""


def tone_style(widget: Widget, tone: Tone, *, bold: bool = False, reverse: bool = False) -> Style:
    """The style of text in `tone` on `widget`; another one after the theme has changed."""
    name, _, percent = widget.app.theme_variables[_VARIABLES[tone]].partition(" ")  # ansi_default 50%
    colour = Color.parse(name)
    if percent:
        colour = colour.multiply_alpha(float(percent.rstrip("%")) / 100)
    seen = (widget.background_colors[1] + colour).rich_color
    return widget.rich_style + Style(color=seen, bold=bold or None, reverse=reverse or None)
