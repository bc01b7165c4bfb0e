"""The last line: the keys that work here, or for a moment a notice."""

from collections.abc import Sequence

from opsdash.widgets.lines import Line, Lines, Span, line_width
from opsdash.widgets.status import Tone


def key_line(keys: Sequence[tuple[str, str]], width: int) -> Line:
    """Keys and what they do, as many as fit, in the order given.

    >>> key_line((("q", "quit"), ("?", "keys")), 8)
    (('q', <Tone.ACCENT: 'accent'>), ' quit')
    """
    spans: list[Span] = []
    for key, does in keys:
        part: list[Span] = [(key, Tone.ACCENT), f" {does}"]
        gap: list[Span] = ["  "] if spans else []
        if line_width((*spans, *gap, *part)) > width:
            break
        spans += gap + part
    return tuple(spans)


class KeyLine(Lines):
    """One line high; a notice replaces the keys until it is taken away."""

    DEFAULT_CSS = """
    KeyLine { height: 1; background: $panel; }
    """

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._keys: tuple[tuple[str, str], ...] = ()
        self._notice: Line | None = None

    def show_keys(self, keys: Sequence[tuple[str, str]]) -> None:
        """The keys that work now, most useful first."""
        self._keys = tuple(keys)
        self._draw()

    def show_notice(self, notice: Line | None) -> None:
        """Show a notice, or the keys again."""
        self._notice = notice
        self._draw()

    def on_resize(self) -> None:
        """Other keys may fit now."""
        self._draw()

    def _draw(self) -> None:
        self.show((self._notice or key_line(self._keys, self.size.width),))
