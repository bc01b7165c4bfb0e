"""Lines of a table drawn as strips: columns placed, texts cut, tones looked up."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, Generic

import msgspec
from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

from opsdash.widgets.cells import GAP, Place, cut, fitted, places
from opsdash.widgets.columns import Column, Row
from opsdash.widgets.safe import cell_text
from opsdash.widgets.status import Tone

_NO_MARK = "  "
_GUTTER = {(False, False): _NO_MARK, (True, False): "▸ ", (False, True): " *", (True, True): "▸*"}
"""Left of the first column: whether the cursor is here and whether the row is marked, told without colour."""

_BOLD = Style(bold=True)

_KEPT = 128
"""Drawn lines that are kept: a few screens of rows."""


class RowLine(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides how a row looks, apart from width, columns and theme."""

    cursor: bool
    marked: bool = False
    cells: tuple[tuple[str, Tone], ...]
    """Of the columns that are shown."""


class TableLines(Generic[Row]):
    """Draws lines of one width and theme; equal lines are drawn once.

    `clear` when columns or theme changed.
    """

    def __init__(self, style: Callable[[Tone, bool], Style]) -> None:
        """Args: style: of a tone, and whether it is under the cursor."""
        self._style = lru_cache(64)(style)
        self._width = 0
        self._strips: LRUCache[RowLine, Strip] = LRUCache(_KEPT)
        self.places: tuple[Place, ...] = ()
        """The columns that are shown, as of the last `fit`."""

    def clear(self) -> None:
        """Forget what was drawn and where the columns are."""
        self._strips.clear()
        self._style.cache_clear()
        self._width = 0

    def fit(self, columns: Sequence[Column[Row]], width: int) -> None:
        """Place the columns in lines of `width` cells."""
        if width != self._width:
            self._strips.clear()
            self._width = width
            self.places = places(columns, max(0, width - len(_NO_MARK)))

    def line_of(self, row: Row, plain: Tone, *, cursor: bool, marked: bool = False) -> RowLine:
        """What the shown cells of a row say; `plain` is the tone of those that have none."""
        cells = [place.column.cell(row) for place in self.places]
        told = tuple([c if isinstance(c, tuple) else (c, plain) for c in cells])
        return RowLine(cursor=cursor, marked=marked, cells=told)

    def row(self, line: RowLine) -> Strip:
        """Draw a row."""
        strip = self._strips.get(line)
        if strip is None:
            strip = self._strips[line] = self._draw(line)
        return strip

    def header(self, sort: str | None, largest_first: bool) -> Strip:
        """Draw the titles, with an arrow at the column sorted by."""
        texts = []
        for place in self.places:
            column: Column[Any] = place.column
            arrow = "" if column.key != sort else "▼" if largest_first else "▲"
            title = cut(cell_text(column.title), place.width - len(arrow)) + arrow
            texts.append(fitted(title, place.width, right=column.align == "right"))
        style = self._style(Tone.MUTED, False) + _BOLD
        return self._filled([Segment(_NO_MARK + (" " * GAP).join(texts), style)], style)

    def note(self, text: str) -> Strip:
        """Draw a line that stands in place of rows."""
        style = self._style(Tone.MUTED, False)
        return self._filled([Segment(cut(_NO_MARK + cell_text(text), self._width), style)], style)

    def _draw(self, line: RowLine) -> Strip:
        # cells of one tone in a row are one segment, with the gaps between them: what Textual does with a
        # line afterwards costs by the segment
        texts = [
            fitted(cell_text(text), place.width, right=place.column.align == "right")
            for place, (text, _) in zip(self.places, line.cells, strict=True)
        ]
        plain = self._style(Tone.NORMAL, line.cursor)
        segments = [Segment(_GUTTER[line.cursor, line.marked], plain)]
        for tone, run in groupby(zip(line.cells, texts, strict=True), key=lambda cell: cell[0][1]):
            shown = (" " * GAP).join(text for _, text in run)
            segments += [Segment(shown, self._style(tone, line.cursor)), Segment(" " * GAP, plain)]
        return self._filled(segments[:-1], plain)

    def _filled(self, segments: Sequence[Segment], rest: Style) -> Strip:
        """A line of exactly the width."""
        return Strip(Segment.simplify(segments)).adjust_cell_length(self._width, rest)
