"""What all screens about one target, or about one thing of it, share: which it is, and the path to it."""

from opsdash.collectors.feed import TargetView
from opsdash.collectors.target import TargetId
from opsdash.tui.kinds import AREAS, KINDS
from opsdash.tui.screens.place import Place
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line
from opsdash.widgets.panel import freshness
from opsdash.widgets.status import Tone


class AtTarget(Place):
    """One target, or one thing of it."""

    def __init__(self, watch: Watch, target: TargetId) -> None:
        super().__init__(watch)
        self._target = target

    @property
    def target(self) -> TargetId:
        """The target shown, or the one of the thing shown."""
        return self._target

    @property
    def step(self) -> str:
        """The last step of the path: what of the target is shown."""
        return ""

    @property
    def _seen(self) -> TargetView:
        return self.watch_over.feed.view(self._target)

    def crumbs(self) -> tuple[Line, Line]:
        """The path, the environment and how fresh it is."""
        seen = self._seen
        environment = seen.target.environment
        area = KINDS[self._target.kind].area
        path: Line = (
            f"Overview › {area} {AREAS[area]} › ",
            (seen.target.name, Tone.ACCENT),
            (f" ({environment.label})", Tone.CRIT if environment.production else Tone.NORMAL),
            f" › {self.step}" if self.step else "",
        )
        return path, freshness(seen, self.watch_over.clock.mono_s())
