"""Which screen a drill-down into an endpoint leads to."""

import msgspec

from opsdash.collectors.target import TargetId
from opsdash.tui.screens.http.endpoint import EndpointScreen
from opsdash.tui.screens.place import Place
from opsdash.tui.watch import Watch


def open_place(watch: Watch, target: TargetId, place: str, identity: msgspec.Struct | None) -> Place:
    """The screen of `place`; an unknown or empty one is the list of probes."""
    return EndpointScreen(watch, target, place if place in EndpointScreen.views else "probes")
