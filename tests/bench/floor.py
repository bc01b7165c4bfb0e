"""The least that frames could have been written with: only their changed cells, by a careful program."""

from collections.abc import Mapping, Sequence

from pyte.screens import Char

from tests.bench.terminal import Terminal

Pen = tuple[object, ...]


def _pen(cell: Char) -> Pen:
    return (cell.fg, cell.bg, cell.bold, cell.italics, cell.underscore, cell.reverse, cell.strikethrough)


class Floor:
    """Looks at a terminal after each frame, and adds up what its changes are worth."""

    def __init__(self, terminal: Terminal) -> None:
        self.size = 0
        """Bytes so far."""
        self._terminal = terminal
        self._pen: Pen = ()
        self._shown: dict[int, Sequence[Char]] = dict(terminal.cells(range(terminal.lines)))
        terminal.take_touched()

    def frame(self) -> None:
        """A frame is complete: count the cells that it changed."""
        now: Mapping[int, Sequence[Char]] = self._terminal.cells(self._terminal.take_touched())
        for y in sorted(now):
            self._count(y, self._shown[y], now[y])
        self._shown.update(now)

    def _count(self, y: int, old: Sequence[Char], new: Sequence[Char]) -> None:
        last: int | None = None
        for x, (was, cell) in enumerate(zip(old, new, strict=True)):
            if was == cell:
                continue
            if last is None:
                self.size += len(f"\x1b[{y + 1};{x + 1}H")
            elif x - last > 1:
                self.size += self._skipped(new[last + 1 : x])
            self._switch(_pen(cell))
            self.size += len(cell.data.encode())
            last = x

    def _skipped(self, gap: Sequence[Char]) -> int:
        """What it takes to get over unchanged cells: to write them again, where that is shorter."""
        move = len(f"\x1b[{len(gap)}C")
        return min(move, len(gap)) if all(_pen(cell) == self._pen for cell in gap) else move

    def _switch(self, pen: Pen) -> None:
        if pen != self._pen:
            before = self._pen or (None,) * len(pen)
            costs = [_switch_cost(now) for was, now in zip(before, pen, strict=True) if was != now]
            self.size += len("\x1b[m") - 1 + sum(costs) + len(costs)
            self._pen = pen


def _switch_cost(value: object) -> int:
    """Characters of a colour or an attribute in an escape sequence."""
    if isinstance(value, str):
        is_of_256 = len(value) == 6 and all(letter in "0123456789abcdef" for letter in value)
        return len("38;5;123") if is_of_256 else 2
    return 1 if value else 2
