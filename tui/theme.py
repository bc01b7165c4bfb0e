"""The look: one theme of our own, and the terminal's own colours where no colour is wanted."""

import os

from textual.theme import Theme

OPSDASH_DARK = Theme(
    name="opsdash-dark",
    dark=True,
    primary="#7aa2f7",
    secondary="#7dcfff",
    accent="#bb9af7",
    foreground="#d5d9e0",
    background="#101216",
    surface="#181b21",
    panel="#20242c",
    success="#8fce6a",
    warning="#f0c050",
    error="#ff6b6b",
    variables={
        "foreground-muted": "#8b93a1",
        "text-success": "#8fce6a",
        "text-warning": "#f0c050",
        "text-error": "#ff6b6b",
        "text-accent": "#bb9af7",
        "text-primary": "#7aa2f7",
    },
)


def wants_colour() -> bool:
    """Whether colours may be used; see no-color.org."""
    return not os.environ.get("NO_COLOR")


def theme_name() -> str:
    """The theme for this terminal.

    With NO_COLOR Textual turns its colours to greys, which are colours still; only its ansi theme leaves
    the terminal's own.
    """
    return OPSDASH_DARK.name if wants_colour() else "ansi-dark"
