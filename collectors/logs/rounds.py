"""Looks at many files on a thread, one after the other, of which any may hang for as long as it likes.

A round that takes too long is left behind: the file that it hangs on waits until it comes back, the rest is
looked at by the next round. What the one left behind had found, or finds in the end, is not lost.
"""

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from opsdash.collectors.logs.tail import Looked, Tail
from opsdash.collectors.threads import call_in_thread


class _Round:
    """One look at each of some files."""

    def __init__(self, tails: Sequence[Tail], mono_s: float) -> None:
        self._tails = tails
        self._mono_s = mono_s
        self._lock = threading.Lock()
        self._is_left = False
        self.current: Tail | None = None
        """What the thread is at; no other thread may touch it meanwhile."""
        self.found: deque[tuple[Tail, Looked]] = deque()

    def run(self) -> None:
        """Look at one after the other, until it is left behind. On a thread."""
        try:
            for tail in self._tails:
                with self._lock:
                    if self._is_left:
                        return
                    self.current = tail
                self.found.append((tail, tail.look(self._mono_s)))
        finally:
            self.current = None

    def leave(self) -> Tail | None:
        """Let it not begin with another file; returns the one that it is at."""
        with self._lock:
            self._is_left = True
            return self.current


class Rounds:
    """All rounds of one target."""

    def __init__(self, key: str, mono_s: Callable[[], float]) -> None:
        """Args: what names the calls, unique per target; and the clock."""
        self._key = key
        self._mono_s = mono_s
        self._numbers = itertools.count()
        self._left: list[_Round] = []

    @property
    def stuck(self) -> tuple[Tail, ...]:
        """The files that hang."""
        return tuple(each.current for each in self._left if each.current is not None)

    async def look(self, tails: Sequence[Tail], limit_s: float) -> None:
        """Look at each of `tails`, none of which may be stuck; ends after `limit_s` at the latest.

        Raises:
            BlockingIOError: The machine gives no more threads.
        """
        if not tails:
            return
        made = _Round(tails, self._mono_s())
        self._left.append(made)
        try:
            await call_in_thread(made.run, key=f"{self._key} {next(self._numbers)}", timeout_s=limit_s)
        except TimeoutError:
            pass
        finally:
            made.leave()

    def take(self) -> Iterator[tuple[Tail, Looked]]:
        """What was found since the last time, by every round, in the order of looking at each file."""
        for each in (*self._left,):
            is_over = each.current is None
            while each.found:
                yield each.found.popleft()
            if is_over:
                self._left.remove(each)
