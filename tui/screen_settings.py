"""How the screen is to be: `[screen]` and `[keys]` of the configuration. Values only."""

from collections.abc import Mapping
from typing import Literal

import msgspec

ThemeChoice = Literal["auto", "dark", "light", "high-contrast", "ansi"]


class ScreenTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[screen]`."""

    theme: ThemeChoice = "auto"
    """auto: dark, or the terminal's own colours with NO_COLOR, sixteen colours or --slow-link;
    ansi: the terminal's own sixteen colours and background."""
    notice: Literal["none", "bell", "osc9"] = "none"
    """What the terminal is told when something new is critical: nothing, its bell, or a desktop notice
    (OSC 9: iTerm2, kitty, WezTerm, Windows Terminal; in tmux with allow-passthrough on)."""


class ScreenSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What one run's screen works with."""

    table: ScreenTable = ScreenTable()
    keys: Mapping[str, str] = {}
    """Id of a binding -> its keys, as in `K` or `ctrl+k,f5`; checked when the screen starts."""
    is_slow: bool = False
    """--slow-link: fewer frames, fewer colours."""
    file: str = ""
    """The configuration file that says so, for mistakes."""
