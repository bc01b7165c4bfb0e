"""The containers area's first screen: the list of Docker engines."""

from opsdash.tui.screens.target_list import TargetList
from opsdash.widgets.panels.docker.targets import ENGINES


class EngineListScreen(TargetList):
    """All engines, the worst first."""

    called = "Docker engines"
    lists = "docker"
    listing = ENGINES

    def show_feed(self) -> None:
        """Every engine with its newest reading."""
        super().show_feed()
        for view in self.watch_over.feed.views(self.lists):
            self.watch_over.look_at(view.target.id, ())  # nothing here says what containers use
