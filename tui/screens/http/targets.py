"""The list of HTTP endpoints, the first screen of the health area."""

from opsdash.tui.screens.target_list import TargetList
from opsdash.widgets.panels.http.targets import ENDPOINTS


class EndpointListScreen(TargetList):
    """All endpoints, those of one service together."""

    called = "HTTP endpoints"
    lists = "http"
    listing = ENDPOINTS
    path_end = " › endpoints"
