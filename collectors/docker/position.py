"""Where the reading of a log broke off, and how to go on there: no line twice, none left out unsaid. Pure.

The engine can be asked for lines since a moment, and sends them in the order in which it wrote them; times
repeat, and are not quite in order where a program prints to stdout and stderr. So it is asked from a little
earlier, and everything is skipped up to the line that was the last one.
"""

from collections import Counter
from collections.abc import Sequence

from opsdash.collectors.docker.frames import Line, stamp_ns

_EARLIER_NS = 100_000_000


class Position:
    """The last line that was taken, and, after a connection broke, the way back to it."""

    def __init__(self) -> None:
        self.last = b""
        """The engine's time of the last line; empty: there was none."""
        self._taken: tuple[Counter[bytes], Counter[bytes]] = (Counter(), Counter())
        """How many lines had which time: now, and for as long before as is asked for again at least."""
        self._since_ns: int | None = None
        """When the newer of the two begins."""
        self._latest = b""
        """The highest time that was seen."""
        self._to_skip = 0
        """Lines with the time `last` that must pass before the next new line; 0: every line is new."""

    def since(self) -> str | None:
        """What to ask the engine for, as its parameter `since`; None: from the beginning.

        >>> position = Position()
        >>> position.since() is None
        True
        >>> _ = position.unseen([(b"2026-11-22T03:12:40.250000000Z", b"one")])
        >>> position.since()
        '1795317160.150000000'
        """
        at_ns = stamp_ns(self.last)
        if at_ns is None:
            return None
        seconds, rest_ns = divmod(at_ns - _EARLIER_NS, 1_000_000_000)
        return f"{seconds}.{rest_ns:09d}"

    def go_back(self) -> None:
        """From now on come lines since `since`, of which some were taken already."""
        self._to_skip = sum(taken[self.last] for taken in self._taken) if self.last else 0

    def unseen(self, lines: Sequence[Line]) -> tuple[Sequence[Line], bool]:
        """Those of `lines` that were not taken before; they count as taken from now on.

        Returns:
            The lines, and whether there is a hole before the first of them: the engine has no longer, or
            did not send, the line at which the reading broke off.
        """
        has_hole = False
        if self._to_skip and lines:
            lines, has_hole = self._after_last(lines)
        if lines:
            self._take(lines)
        return lines, has_hole

    def _after_last(self, lines: Sequence[Line]) -> tuple[Sequence[Line], bool]:
        for place, (stamp, _) in enumerate(lines):
            if stamp == self.last:
                self._to_skip -= 1
                if not self._to_skip:
                    return lines[place + 1 :], False
            elif stamp > self._latest:  # newer than all that was seen: the last line does not come any more
                self._to_skip = 0
                return lines[place:], True
        return (), False

    def _take(self, lines: Sequence[Line]) -> None:
        self.last = lines[-1][0]
        stamps = [stamp for stamp, _ in lines]
        self._latest = max(self._latest, *stamps)
        at_ns = stamp_ns(self.last)
        if at_ns is not None and (self._since_ns is None or at_ns - self._since_ns > 2 * _EARLIER_NS):
            self._taken, self._since_ns = (self._taken[1], Counter()), at_ns
        self._taken[1].update(stamps)
