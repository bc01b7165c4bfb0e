"""What screens of one engine share: they say which containers they show, since only those are measured."""

from textual.events import ScreenSuspend

from opsdash.collectors.docker.rows import EngineData
from opsdash.tui.screens.one_target import OneTarget
from opsdash.tui.screens.place import Place


class Looking(OneTarget):
    """One engine, or one container of it."""

    @property
    def _data(self) -> EngineData | None:
        data: EngineData | None = self._seen.data
        return data

    def in_view(self) -> tuple[tuple[str, ...], str | None]:
        """Ids of the containers shown, and of the one that is shown in full; None: none is."""
        return (), None

    def look(self) -> None:
        """Say what is shown, unless another screen covers it."""
        if self.is_mounted and self._in_front is self:
            self.watch_over.look_at(self._target, *self.in_view())

    @property
    def _in_front(self) -> Place | None:
        """The last full screen: a dialog does not hide it."""
        places = [screen for screen in self.app.screen_stack if isinstance(screen, Place)]
        return places[-1] if places else None

    def redraw(self) -> None:
        """Draw, then say what is shown now."""
        super().redraw()
        self.look()

    def action_neighbour(self, step: int) -> None:
        """The next or the previous engine; nothing is looked at on this one any more."""
        self.watch_over.look_at(self._target, ())
        super().action_neighbour(step)

    def on_screen_suspend(self, event: ScreenSuspend) -> None:
        """Another screen is in front: nobody looks at this one any more."""
        in_front = self._in_front
        if in_front is self:
            return
        self.watch_over.look_at(self._target, ())
        if in_front is not None:
            in_front.follow()  # it may show things of the same engine, and has said so already
