"""The last line: the keys that work here, or for a moment a notice, whole."""

import textwrap
from collections.abc import Sequence

from opsdash.widgets.lines import Line, Lines
from opsdash.widgets.panel import fit
from opsdash.widgets.status import Tone


def key_line(keys: Sequence[tuple[str, str]], width: int) -> Line:
    """Keys and what they do, in the order given.

    What does not fit is left out from behind, but the last two stay: help and the way back.

    >>> from opsdash.widgets.lines import span_text
    >>> def words(width: int) -> str:
    ...     keys = (("Enter", "open"), ("a", "actions"), ("?", "keys"), ("q", "quit"))
    ...     return "".join(map(span_text, key_line(keys, width)))
    >>> words(40), words(30)
    ('Enter open  a actions  ? keys  q quit', 'Enter open  ? keys  q quit')
    """
    parts: list[tuple[int, Line]] = []
    for index, (key, does) in enumerate(keys):
        stays = index >= len(keys) - 2
        parts.append((0 if stays else index + 1, ((key, Tone.ACCENT), f" {does}")))
    return fit(parts, width)


class KeyLine(Lines):
    """One line high; a notice replaces the keys until it is taken away, and has the lines that it needs."""

    DEFAULT_CSS = """
    KeyLine { height: auto; min-height: 1; max-height: 4; background: $panel; }
    """

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._keys: tuple[tuple[str, str], ...] = ()
        self._notice: tuple[str, Tone] | None = None

    def show_keys(self, keys: Sequence[tuple[str, str]]) -> None:
        """The keys that work now, most useful first."""
        self._keys = tuple(keys)
        self._draw()

    def show_notice(self, text: str, tone: Tone = Tone.NORMAL) -> None:
        """Show a notice; nothing: the keys again."""
        self._notice = (text, tone) if text else None
        self._draw()

    def on_resize(self) -> None:
        """Other keys may fit now."""
        self._draw()

    def _draw(self) -> None:
        if self._notice is None:
            self.show((key_line(self._keys, self.size.width),))
            return
        text, tone = self._notice
        parts = textwrap.wrap(text, max(self.size.width, 20), break_on_hyphens=False)
        self.show([((part, tone),) for part in parts])
