"""Finding the next line that has something, while the screen goes on."""

import asyncio
import re
from typing import Protocol

from opsdash.collectors.clock import Clock
from opsdash.collectors.lines.filter import Filter, compiled, parse
from opsdash.collectors.lines.record import Level
from opsdash.collectors.lines.search import Search, Wanted, WithLevel, WithText
from opsdash.widgets.logview import LogView
from opsdash.widgets.status import Tone

SLICE_S = 0.006
"""How long a key may have to wait."""
_TURNS = 8
"""Of the event loop, between two slices: a key is answered after a few."""


async def give_way() -> None:
    """Have keys answered. Does not sleep: on a busy machine it would have to wait for the processor again."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


class Tells(Protocol):
    """Who can say something for a while."""

    def notice(self, text: str, tone: Tone = Tone.WARN) -> None:
        """Say it."""


class Seeker:
    """Puts the cursor of a log view on the next line that has what is looked for."""

    def __init__(self, view: LogView, teller: Tells, clock: Clock) -> None:
        self._view = view
        self._teller = teller
        self._clock = clock
        self.looked_for: Filter | None = None
        """What `n` looks for."""

    def set_text(self, text: str) -> bool:
        """Look for another text from now on, as typed: plain, or a /pattern/. False: for nothing any more.

        Raises:
            FilterError: The pattern makes no sense.
        """
        found = parse(text if text.startswith("/") else f'"{text}"') if text.strip() else ()
        self.looked_for = found[0] if found else None
        pattern = compiled(found[0]) if found else None
        shown = None if pattern is None else re.compile(pattern.pattern.decode(), pattern.flags | re.UNICODE)
        self._view.search_for(shown)
        return self.looked_for is not None

    def give_up(self) -> None:
        """Look for nothing any more."""
        self.looked_for = None
        self._view.search_for(None)

    async def first(self) -> None:
        """From where the view is: downward, or upward when it is at its end."""
        if self.looked_for is None:
            return
        window = self._view.window
        wanted, said = WithText(self.looked_for), _said(self.looked_for)
        if not window.is_following and await self._seek(wanted, forward=True, inclusive=True):
            return
        if not await self._seek(wanted, forward=False, inclusive=True):
            self._teller.notice(f"no line with {said} in what is shown and held")

    async def again(self, *, forward: bool) -> None:
        """The next line with the text, or the one before."""
        if self.looked_for is None:
            self._teller.notice("nothing to look for yet: / asks for a text")
            return
        await self._next(WithText(self.looked_for), f"line with {_said(self.looked_for)}", forward=forward)

    async def error(self, *, forward: bool) -> None:
        """The next error, or the one before."""
        await self._next(WithLevel(Level.ERROR), "error", forward=forward)

    async def _next(self, wanted: Wanted, called: str, *, forward: bool) -> None:
        if not await self._seek(wanted, forward=forward, inclusive=False):
            where = "later" if forward else "earlier"
            self._teller.notice(f"no {where} {called} in what is shown and held")

    async def _seek(self, wanted: Wanted, *, forward: bool, inclusive: bool) -> bool:
        """Go to the nearest such line; False when there is none."""
        window = self._view.window
        timeline, cursor = window.timeline, window.cursor
        if cursor is None:
            return False
        start = timeline.near(cursor)
        if forward != inclusive:  # downward from below the cursor, upward from below it when it counts itself
            _, start = timeline.below(start, 1)
        search = Search(timeline, start, wanted, forward=forward)
        is_done = search.work(self._clock, SLICE_S)
        while not is_done:
            await give_way()
            is_done = search.work(self._clock, SLICE_S)
        found = search.found
        if found is None or timeline is not window.timeline or not timeline.is_above(found, window.end):
            return False
        self._view.go_to(found)
        return True


def _said(looked_for: Filter) -> str:
    return str(looked_for).removeprefix("+")
