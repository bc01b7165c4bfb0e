"""Lines of toned text on Textual's line API: everything on the screen that is not a table.

Text is cleaned and never parsed as markup, so what a target says is always data.
"""

import textwrap
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from opsdash.collectors.text import clean
from opsdash.widgets.plain_lines import PlainLines
from opsdash.widgets.status import Tone
from opsdash.widgets.tones import tone_style

_BOLD = frozenset({Tone.WARN, Tone.CRIT, Tone.UNKNOWN, Tone.ACCENT})

Span = str | tuple[str, Tone]
Line = tuple[Span, ...]


def span_text(span: Span) -> str:
    """The text of a span without its tone."""
    return span if isinstance(span, str) else span[0]


def line_width(line: Line) -> int:
    """Cells that a line takes."""
    return sum(cell_len(span_text(span)) for span in line)


def spread(left: Line, right: Line, width: int) -> Line:
    """`left` and `right` at the two ends of a line; `right` goes when both do not fit.

    >>> spread(("a",), ("b",), 5), spread(("abc",), ("def",), 5)
    (('a', '   ', 'b'), ('abc',))
    """
    gap = width - line_width(left) - line_width(right)
    return (*left, " " * gap, *right) if right and gap >= 1 else left


def rule(title: Line, right: Line, width: int) -> Line:
    """A heading inside a horizontal line: `── title ───────── right ──`.

    `right` says how old all is: where both do not fit, the last parts of the title go.

    >>> rule(("Locks",), (), 14)
    (('── ', <Tone.MUTED: 'muted'>), 'Locks', (' ─────', <Tone.MUTED: 'muted'>))
    >>> "".join(map(span_text, rule(("Cache", " · sessions"), ("stale 9s",), 26)))
    '── Cache ───── stale 9s ──'
    """
    while right and len(title) > 1 and 3 + line_width(title) + 6 + line_width(right) > width:
        title = title[:-1]
    fill = width - 3 - line_width(title) - 1
    ending: Line = ()
    if right and fill - line_width(right) - 4 >= 1:
        fill -= line_width(right) + 4
        ending = ((" ", Tone.MUTED), *right, (" ──", Tone.MUTED))
    return (("── ", Tone.MUTED), *title, (" " + "─" * max(fill, 0), Tone.MUTED), *ending)


def exactly(line: Line, width: int) -> Line:
    """`line` in exactly `width` cells, harmless: cut with an ellipsis, or padded.

    >>> exactly(("checkout",), 5), exactly((("ok", Tone.OK),), 4)
    ((('chec…', <Tone.NORMAL: 'normal'>),), (('ok', <Tone.OK: 'ok'>), '  '))
    """
    spans: list[Span] = []
    left = width
    for span in line:
        if left <= 0:
            break
        text, tone = (span, Tone.NORMAL) if isinstance(span, str) else span
        text = clean(text).replace("\n", " ").replace("\t", " ")
        length = cell_len(text)
        if length > left:
            text, length = set_cell_size(text, left - 1) + "…", left
        if text:
            spans.append((text, tone))
        left -= length
    if left > 0:
        spans.append(" " * left)
    return tuple(spans)


def halves(width: int) -> tuple[int, int]:
    """Cells of the two sides of `side_by_side`.

    >>> halves(132), halves(133)
    ((64, 65), (65, 65))
    """
    left = (width - 3) // 2
    return left, width - 3 - left


_BORDERS = {(False, False): " │ ", (True, False): "─┤ ", (False, True): " ├─", (True, True): "─┼─"}
"""Between two lines: whether the left one ends as a heading, and whether the right one begins as one."""
_TOPS = {(False, False): " ┌ ", (True, False): "─┐ ", (False, True): " ┌─", (True, True): "─┬─"}


def side_by_side(left: Sequence[Line], right: Sequence[Line], width: int) -> tuple[Line, ...]:
    """Two blocks of lines with a border between them, which headings join.

    >>> for line in side_by_side((rule(("a",), (), 8),), (rule(("b",), (), 8), ("c",)), 19):
    ...     print("".join(map(span_text, line)))
    ── a ────┬─── b ───
             │ c
    """
    cells, _ = halves(width)
    joined: list[Line] = []
    for y in range(max(len(left), len(right))):
        one = exactly(left[y] if y < len(left) else (), cells)
        other = right[y] if y < len(right) else ()
        headings = (span_text(one[-1]).endswith("─"), bool(other) and span_text(other[0]).startswith("─"))
        border = (_BORDERS if y else _TOPS)[headings]
        joined.append((*one, (border, Tone.MUTED), *other))
    return tuple(joined)


def labelled(
    label: str, text: str, *, width: int, indent: int = 11, tone: Tone = Tone.NORMAL
) -> tuple[Line, ...]:
    """A label in a left column and its text wrapped beside it.

    >>> [[span_text(span) for span in line] for line in labelled("undo", "none at all", width=14, indent=6)]
    [['undo  ', 'none at'], ['      ', 'all']]
    """
    wrapped = textwrap.wrap(clean(text), max(width - indent, 8)) or [""]
    head: Line = ((label.ljust(indent), Tone.MUTED), (wrapped[0], tone))
    return (head, *((" " * indent, (part, tone)) for part in wrapped[1:]))


class Lines(PlainLines):
    """A block of lines; a line that did not change is not painted again."""

    DEFAULT_CSS = """
    Lines { height: 1fr; }
    """

    def __init__(
        self, lines: Sequence[Line] = (), *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: tuple[Line, ...] = tuple(lines)
        self._styles_of: dict[Tone, Style] = {}

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown."""
        return self._lines

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the lines."""
        old, self._lines = self._lines, tuple(lines)
        width = self.size.width
        changed = [
            y
            for y in range(max(len(old), len(self._lines)))
            if (old[y] if y < len(old) else None) != (self._lines[y] if y < len(self._lines) else None)
        ]
        if changed:
            height = self.styles.height
            grows = len(old) != len(self._lines) and height is not None and height.is_auto
            self.refresh(*(Region(0, y, width, 1) for y in changed), layout=grows)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As many rows as there are lines, where the height is `auto`."""
        return len(self._lines)

    def notify_style_update(self) -> None:
        """Theme or classes changed."""
        if self._styles_of:
            self._styles_of.clear()
            self.refresh()
        super().notify_style_update()

    def _style(self, tone: Tone) -> Style:
        style = self._styles_of.get(tone)
        if style is None:
            style = self._styles_of[tone] = tone_style(self, tone, bold=tone in _BOLD)
        return style

    def render_line(self, y: int) -> Strip:
        """Draw row `y`, cut or padded to the widget's width."""
        width = self.size.width
        base = self._style(Tone.NORMAL)
        if y >= len(self._lines):
            return Strip([Segment(" " * width, base)], width)
        segments = [
            Segment(span, base) if isinstance(span, str) else Segment(span[0], self._style(span[1]))
            for span in exactly(self._lines[y], width)
        ]
        return Strip(segments, width)
