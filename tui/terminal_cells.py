"""What a terminal shows, cell by cell, and the least that must be written to change it. No App, no I/O."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import compress, groupby, repeat
from operator import itemgetter, ne

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

Cell = tuple[str, str]
"""A character with what combines with it, and its pen: the escape sequences that switch its style on.

The right half of a wide character has no text.
"""

Row = tuple[int, Sequence[tuple[int, Strip]]]
"""A row's number, and strips in it with the columns where they begin; both from 0."""

_UNKNOWN: Cell = ("unknown", "")
"""Equals no cell that is ever drawn."""

_PLAIN = "\x1b[m"
_LINK, _LINK_END = "\x1b]8;", "\x1b]8;;\x1b\\"

_SHORT_GAP = 5
"""Fewer unchanged cells than this are written again: moving the cursor over them costs as much."""


class TerminalCells:
    """Compares what is to be shown with what was written before.

    It knows only what went through it: after a resize, or when something else wrote to the terminal, make a
    new one.
    """

    def __init__(self, size: Size, color_system: ColorSystem) -> None:
        self.size = size
        self._color_system = color_system
        self._rows: list[list[Cell]] = [[_UNKNOWN] * size.width for _ in range(size.height)]
        self._drawn: list[dict[int, Strip]] = [{} for _ in range(size.height)]
        """Per row, the strips still shown whole, by their first column: a quick way to see no change."""
        self._pen_of = lru_cache(1024)(self._pen)

    def show(self, rows: Iterable[Row]) -> str:
        """Take over what rows are to show.

        Args:
            rows: What lies beyond the size is left out; what lies between the strips stays as it is.

        Returns:
            What to write: empty where nothing differs, else it begins by placing the cursor and ends with
            all styles off.
        """
        writer = _Writer()
        for y, parts in rows:
            if y < self.size.height:
                for x, strip in parts:
                    self._show(writer, y, x, strip)
        return writer.text()

    def _show(self, writer: "_Writer", y: int, x: int, strip: Strip) -> None:
        row, drawn = self._rows[y], self._drawn[y]
        old = drawn.get(x)
        if old is strip or old == strip:
            return
        cells = self._cells(strip)[: max(0, self.size.width - x)]
        for start, end in _changed(row[x : x + len(cells)], cells):
            writer.put(y, x + start, cells[start:end])
        _forget_overwritten(drawn, row, x, x + len(cells))
        row[x : x + len(cells)] = cells
        drawn[x] = strip

    def _cells(self, strip: Strip) -> list[Cell]:
        cells: list[Cell] = []
        for text, style, control in strip:
            if control:
                continue
            pen = _PLAIN if style is None else self._pen_of(style)
            if text.isascii():
                cells += zip(text, repeat(pen))
                continue
            for character in text:
                width = cell_len(character)
                if width:
                    cells += [(character, pen), ("", pen)][:width]
                elif cells:
                    _combine(cells, character)
        return cells

    def _pen(self, style: Style) -> str:
        codes = Strip.render_ansi(style, self._color_system)
        link = f"{_LINK}id={style.link_id};{style.link}\x1b\\" if style.link else ""
        return sys.intern(link + (f"\x1b[0;{codes}m" if codes else _PLAIN))


def _combine(cells: list[Cell], mark: str) -> None:
    """Put a character without width on the one before it, which may be a wide one."""
    at = -2 if len(cells) > 1 and not cells[-1][0] else -1
    text, pen = cells[at]
    cells[at] = (text + mark, pen)


@lru_cache(1024)
def _switch(before: str, pen: str) -> str:
    r"""The least that changes one pen into another; where something of it ends, all is said anew.

    >>> _switch("\x1b[0;1;32;40m", "\x1b[0;1;31;40m"), _switch("\x1b[0;1;32m", "\x1b[0;32m")
    ('\x1b[31m', '\x1b[0;32m')
    """
    if _LINK in before + pen:
        return _LINK_END + pen if before.startswith(_LINK) else pen
    was, now = _codes(before), _codes(pen)
    more = [code for kind, code in now.items() if was.get(kind) != code]
    return f"\x1b[{';'.join(more)}m" if was.keys() <= now.keys() and was else pen


def _codes(pen: str) -> Mapping[str, str]:
    """What a pen switches on, by what else it takes the place of: its colours, and each attribute alone."""
    found = re.findall(r"[34]8;5;\d+|[34]8;2;\d+;\d+;\d+|[1-9]\d*", pen)
    return {_KIND_OF_COLOUR.get(code[:-1] if len(code) < 4 else code[:2], code): code for code in found}


_KIND_OF_COLOUR = {"3": "text", "9": "text", "38": "text", "4": "ground", "10": "ground", "48": "ground"}


def _changed(old: Sequence[Cell], new: Sequence[Cell]) -> Iterator[tuple[int, int]]:
    """Ranges of `new` to be written, short gaps included."""
    start, end = 0, 0
    for at in compress(range(len(new)), map(ne, old, new)):
        if at - end >= _SHORT_GAP or not end:
            if end:
                yield start, end
            start = at
        end = at + 1
    if end:
        yield start, end


def _forget_overwritten(drawn: dict[int, Strip], row: list[Cell], start: int, end: int) -> None:
    """Drop what is no longer known once the columns from `start` to before `end` are written."""
    for x in [x for x, strip in drawn.items() if x < end and x + strip.cell_length > start]:
        del drawn[x]
    # half a wide character does not survive the loss of its other half
    if 0 < start < len(row) and not row[start][0]:
        row[start - 1] = _UNKNOWN
    if end < len(row) and not row[end][0]:
        row[end] = _UNKNOWN


class _Writer:
    """Collects what is written in a frame: knows where the cursor is and which pen is on."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._at: tuple[int, int | None] = (-1, None)
        self._pen = ""

    def put(self, y: int, x: int, cells: Sequence[Cell]) -> None:
        for pen, run in groupby(cells, itemgetter(1)):
            texts = [text for text, _ in run]
            together = "".join(texts)
            if together.isascii() and len(together) == len(texts):  # needs no look at each character
                self._write(y, x, pen, together)
                self._at = (y, x + len(texts))
            else:
                self._put_each(y, x, pen, texts)
            x += len(texts)

    def _put_each(self, y: int, x: int, pen: str, texts: Sequence[str]) -> None:
        for column, text in enumerate(texts, x):
            if text:
                self._write(y, column, pen, text)
                # terminals disagree about wide and combined characters: after one, say where to go on
                is_plain = len(text) == 1 and (text.isascii() or cell_len(text) == 1)
                self._at = (y, column + 1 if is_plain else None)

    def _write(self, y: int, x: int, pen: str, text: str) -> None:
        if self._at != (y, x):
            self._out.append(f"\x1b[{x + 1}G" if self._at[0] == y else f"\x1b[{y + 1};{x + 1}H")
        if pen is not self._pen:
            self._out.append(_switch(self._pen, pen))
            self._pen = pen
        self._out.append(text)

    def text(self) -> str:
        if not self._out:
            return ""
        return "".join(self._out) + (_LINK_END if self._pen.startswith(_LINK) else "") + _PLAIN
