"""Which screen a drill-down into the local host leads to."""

import msgspec

from opsdash.collectors.target import TargetId
from opsdash.tui.screens.host.host import HostScreen
from opsdash.tui.screens.place import Place
from opsdash.tui.watch import Watch


def open_place(watch: Watch, target: TargetId, place: str, identity: msgspec.Struct | None) -> Place:
    """There is one screen, whatever the place."""
    return HostScreen(watch, target, "disks")
