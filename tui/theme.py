"""The look: themes of our own, and the terminal's own colours where few or none are wanted."""

from collections.abc import Mapping

from textual.theme import Theme

from opsdash.tui.screen_settings import ThemeChoice


def _theme(name: str, *, dark: bool, muted: str, **colours: str) -> Theme:
    """A theme whose texts have the very colours given, not shades of them."""
    texts = {
        "text-success": colours["success"],
        "text-warning": colours["warning"],
        "text-error": colours["error"],
        "text-accent": colours["accent"],
        "text-primary": colours["primary"],
    }
    return Theme(name=name, dark=dark, variables={"foreground-muted": muted, **texts}, **colours)  # type: ignore[arg-type]  # all of them are colours


DARK = _theme(
    "opsdash-dark",
    dark=True,
    muted="#8b93a1",
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
)
LIGHT = _theme(
    "opsdash-light",
    dark=False,
    muted="#5c6370",
    primary="#1d4fc4",
    secondary="#0b6e8a",
    accent="#7330b8",
    foreground="#16181d",
    background="#ffffff",
    surface="#f3f4f6",
    panel="#e7e9ee",
    success="#1f6f1f",
    warning="#8a5200",
    error="#b81414",
)
HIGH_CONTRAST = _theme(
    "opsdash-high-contrast",
    dark=True,
    muted="#d0d0d0",
    primary="#80d0ff",
    secondary="#80ffff",
    accent="#ffb0ff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    success="#66ff66",
    warning="#ffff55",
    error="#ff7777",
)
THEMES = (DARK, LIGHT, HIGH_CONTRAST)
ANSI = "ansi-dark"
"""Textual's; its foreground and background are the terminal's, so it does for a light terminal as well."""

NAMES: dict[ThemeChoice, str] = {
    "dark": DARK.name,
    "light": LIGHT.name,
    "high-contrast": HIGH_CONTRAST.name,
    "ansi": ANSI,
}


def wants_colour(environ: Mapping[str, str]) -> bool:
    """Whether colours may be used; see no-color.org."""
    return not environ.get("NO_COLOR")


def theme_name(choice: ThemeChoice, environ: Mapping[str, str], *, is_slow: bool = False) -> str:
    """The theme for this terminal.

    With NO_COLOR Textual turns its colours to greys, which are colours still; only its ansi theme leaves
    the terminal's own. Over a slow link the short codes of the sixteen colours are half the bytes.
    Where nobody says that there are more than sixteen, a theme's would become the nearest: grey on black.

    >>> theme_name("auto", {"TERM": "xterm-256color"}), theme_name("auto", {"TERM": "linux"})
    ('opsdash-dark', 'ansi-dark')
    >>> theme_name("auto", {"TERM": "vt100"}), theme_name("auto", {"TERM": "xterm", "COLORTERM": "truecolor"})
    ('ansi-dark', 'opsdash-dark')
    >>> theme_name("light", {}), theme_name("light", {"NO_COLOR": "1"})
    ('opsdash-light', 'ansi-dark')
    >>> theme_name("auto", {}, is_slow=True), theme_name("dark", {}, is_slow=True)
    ('ansi-dark', 'opsdash-dark')
    """
    if not wants_colour(environ):
        return ANSI
    if choice != "auto":
        return NAMES[choice]
    colours = environ.get("TERM", "").rpartition("-")[2]
    # as Rich tells it; without a terminal there are pictures only, which have all
    has_many = colours in ("256color", "kitty", "", "dumb", "unknown")
    has_all = environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit")
    return DARK.name if (has_many or has_all) and not is_slow else ANSI
