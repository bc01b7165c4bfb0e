"""The list of hosts: only the local one can be looked at, under the names that the configuration gives it."""

from opsdash.tui.screens.target_list import TargetList
from opsdash.widgets.panels.host.tables import HOSTS


class HostListScreen(TargetList):
    """The hosts, the worst first."""

    called = "the local host"
    lists = "host"
    listing = HOSTS
    path_end = " › host"
