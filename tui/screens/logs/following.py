"""The part of the log screen that shows lines: follows sources, applies filters, draws."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from textual.widget import Widget
from textual.worker import Worker

from opsdash.collectors.lines.filter import SlowFilter
from opsdash.collectors.lines.source_lines import LineRef
from opsdash.tui.screens.logs.scope import LogScope
from opsdash.tui.screens.logs.seek import SLICE_S, give_way
from opsdash.tui.screens.logs.telling import head_state, summaries_of, why_empty
from opsdash.tui.screens.place import Place
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Lines
from opsdash.widgets.logview import LogView
from opsdash.widgets.panels.log.head import errors_line, head_line

FRAME_S = 0.2
"""At least so long between two frames of a flood; a key is answered at once."""


class Following(Place):
    """Lines that are followed, and what is said of them above."""

    DEFAULT_CSS = """
    Following #head { height: 1; }
    Following #errors { height: 1; }
    """

    def __init__(self, watch: Watch, sources: tuple[str, ...] | None, number: int | None) -> None:
        super().__init__(watch)
        self._came = asyncio.Event()
        self._scope = LogScope(watch.log_sources, sources, self._came.set)
        self._view = LogView(id="lines")
        self._wanted = number
        """A line to go to as soon as it is there."""
        self._drawn: tuple[object, float] = (None, 0.0)
        """The end of the lines at the last frame, and its time."""

    def body(self) -> Iterable[Widget]:
        """What is filtered by, errors per minute, the lines."""
        yield Lines(id="head")
        yield Lines(id="errors")
        yield self._view

    def on_mount(self) -> None:
        """Start in the lines, and look for new ones."""
        super().on_mount()
        self._view.focus()
        self.begin(self._follow, "follow")

    def show_feed(self) -> None:
        """Other sources, counters, lines that came."""
        if self._scope.refresh():
            self._sift_slice()
            self._view.show(self._scope.timeline)
            self._sift()
        views = self.watch_over.feed.views()
        self._view.today = self.watch_over.clock.now()
        self._view.empty = why_empty(self._scope, summaries_of(views, self._scope), views)
        self._go_to_wanted()
        self._show_head()
        self._look()

    def begin(self, work: Callable[[], Coroutine[Any, Any, None]], group: str) -> Worker[None]:
        """Do something in the background, in place of what the same group does.

        Args:
            work: Called when its turn comes: a coroutine that is made and never begun is complained about.
            group: Of which one at a time is under way.
        """
        untyped: Any = work  # Textual's type wants a coroutine that gets nothing sent
        return self.run_worker(untyped, exclusive=True, group=group, exit_on_error=False)

    def filters_changed(self) -> None:
        """Show at once what the filters leave now."""
        self._drawn = (None, 0.0)
        self.redraw()
        self._draw()

    def on_unmount(self) -> None:
        """No longer told of new lines."""
        self._scope.close()

    async def _follow(self) -> None:
        """Draw lines as they come, though not more often than a frame's time."""
        while True:
            await self._came.wait()
            await self.watch_over.clock.sleep(self._next_frame_s())
            self._came.clear()
            if self.is_current:
                self._look()

    def _next_frame_s(self) -> float:
        """How long until the next frame may be drawn."""
        return max(0.0, self._drawn[1] + FRAME_S - self.watch_over.clock.mono_s())

    def _look(self) -> None:
        """Draw when lines have come; what comes within a frame's time is left to the next one."""
        if self._scope.timeline.end() == self._drawn[0]:
            return
        if self._next_frame_s() > 0:
            self._came.set()
            return
        self._sift()
        self._draw()

    def _draw(self) -> None:
        self._drawn = (self._scope.timeline.end(), self.watch_over.clock.mono_s())
        self._view.repaint()
        if self._scope.is_complete:
            self._view.window.rest()

    def _show_head(self) -> None:
        width, scope = self.size.width, self._scope
        summaries = summaries_of(self.watch_over.feed.views(), scope)
        state = head_state(scope, summaries, marked=len(self._view.marks), times=self._view.times)
        self.query_one("#head", Lines).show((head_line(state, width),))
        self.query_one("#errors", Lines).show((errors_line(summaries, width),))

    def _go_to_wanted(self) -> None:
        """Stand on the line that a finding names, as soon as it is there."""
        if self._wanted is None or not self._scope.lanes:
            return
        number, self._wanted = self._wanted, None
        line = LineRef(self._scope.lanes[0].lines, number)
        if line.is_held:
            self._view.go_to(line)
        else:
            self.notice("the line that led here is not held any more")

    def _sift(self) -> None:
        """Let the filters go through what is held; a little at once, so that the screen fills."""
        if not self._scope.in_force:
            return
        self._sift_slice()
        if not self._scope.is_complete:
            self.begin(self._sift_on, "sift")

    def _sift_slice(self) -> None:
        """Let the filters go on; one that would take for ever is taken away."""
        try:
            self._scope.sift(self.watch_over.clock, SLICE_S)
        except SlowFilter as error:
            self._scope.drop(error.filter)
            self.notice(str(error))
            self.filters_changed()

    async def _sift_on(self) -> None:
        while not self._scope.is_complete:
            await give_way()
            self._sift_slice()
            if self.watch_over.clock.mono_s() - self._drawn[1] >= FRAME_S:
                self._draw()
                self._show_head()
        self._draw()
        self._show_head()
