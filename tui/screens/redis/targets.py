"""The cache area's first screen: the list of Redis servers."""

from opsdash.tui.screens.target_list import TargetList
from opsdash.widgets.messages import ActionRequested
from opsdash.widgets.panels.redis.targets import SERVERS


class RedisListScreen(TargetList):
    """All Redis servers, the worst first."""

    called = "Redis servers"
    lists = "redis"
    listing = SERVERS

    def suggestions(self) -> ActionRequested | None:
        """What `a` offers here: every action on the server under the cursor."""
        line = self.line
        if line is None or line.data is None:
            return None
        return ActionRequested("", line.id, (line.data.default_database,))
