"""A screen kept from what a program writes, which also answers what programs ask of their terminal."""

import re
from collections import Counter
from collections.abc import Iterable

import pyte

Highlight = tuple[bool, str, bool]
"""Whether a line begins with a cursor's mark, the background of most of it, whether that is in reverse."""

_MARKS = ("▸", "▶", ">")

_SEQUENCE = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\)",
)
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?)?$")
_LONGEST_SEQUENCE = 4096

_ANSWERS = {
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[0c": b"\x1b[?62;22c",
    b"\x1b[>c": b"\x1b[>41;380;0c",
    b"\x1b[>q": b"\x1bP>|XTerm(380)\x1b\\",
    b"\x1b[5n": b"\x1b[0n",
    b"\x1b]10;?\x1b\\": b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
    b"\x1b]11;?\x1b\\": b"\x1b]11;rgb:0000/0000/0000\x1b\\",
}
"""What xterm says to the questions that programs put at their start."""


class Terminal:
    """An xterm as far as a measured program can tell."""

    def __init__(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """Show what a program wrote; returns what the terminal answers to it."""
        data, self._rest = self._rest + data, b""
        unfinished = _UNFINISHED.search(data, max(0, len(data) - _LONGEST_SEQUENCE))
        if unfinished:
            data, self._rest = data[: unfinished.start()], data[unfinished.start() :]
        answers, shown = b"", 0
        for match in _SEQUENCE.finditer(data):
            sequence = match.group()
            answer = self._answer(sequence)
            if not answer and not _confuses_pyte(sequence):
                continue
            self._stream.feed(data[shown : match.start()])
            shown = match.end()
            answers += answer
        self._stream.feed(data[shown:])
        return answers

    def _answer(self, sequence: bytes) -> bytes:
        if sequence == b"\x1b[6n":
            cursor = self._screen.cursor
            return b"\x1b[%d;%dR" % (cursor.y + 1, cursor.x + 1)
        mode = re.fullmatch(rb"\x1b\[\?(\d+)\$p", sequence)
        if mode:  # only synchronised output is supported
            return b"\x1b[?%s;%d$y" % (mode[1], 2 if mode[1] == b"2026" else 0)
        return _ANSWERS.get(sequence, b"")

    @property
    def text(self) -> str:
        """What can be read on the screen."""
        return "\n".join(self._screen.display)

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to read."""
        return not any(cell.data.strip() for line in self._screen.buffer.values() for cell in line.values())

    def highlights(self, lines: Iterable[int]) -> dict[int, Highlight]:
        """How lines are drawn: the line under a list's cursor differs from the others in this."""
        return {y: self._highlight(y) for y in lines}

    def _highlight(self, y: int) -> Highlight:
        line, blank = self._screen.buffer[y], self._screen.default_char
        cells = (line.get(x, blank) for x in range(self.columns))
        background, is_reverse = Counter((str(cell.bg), bool(cell.reverse)) for cell in cells).most_common(1)[
            0
        ][0]
        return line.get(0, blank).data in _MARKS, background, is_reverse

    def cells(self, lines: Iterable[int]) -> dict[int, list[pyte.screens.Char]]:
        """All cells of lines, as they are now."""
        blank = self._screen.default_char
        return {y: [self._screen.buffer[y].get(x, blank) for x in range(self.columns)] for y in lines}

    def take_touched(self) -> set[int]:
        """The lines written to since this was asked last."""
        touched = {y for y in self._screen.dirty if y < self.lines}
        self._screen.dirty.clear()
        return touched


def _confuses_pyte(sequence: bytes) -> bool:
    """Sequences that pyte would take for others, or show as text."""
    is_string = sequence[1:2] in b"PX^_]"
    is_private = sequence[2:3] in b"<=>" or sequence[-2:-1] in b"$ !'\""
    return is_string or is_private or sequence[-1:] in b"tu"
