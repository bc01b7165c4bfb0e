"""Which screen a drill-down into an engine leads to."""

import msgspec

from opsdash.collectors.docker.rows import ContainerIdentity
from opsdash.collectors.target import TargetId
from opsdash.tui.screens.docker.container import ContainerScreen
from opsdash.tui.screens.docker.engine import EngineScreen
from opsdash.tui.screens.place import Place
from opsdash.tui.watch import Watch


def open_place(watch: Watch, target: TargetId, place: str, identity: msgspec.Struct | None) -> Place:
    """The screen of `place`; an unknown or empty one is the table of containers."""
    container = identity if isinstance(identity, ContainerIdentity) else None
    if place == "container" and container is not None:
        return ContainerScreen(watch, target, container)
    return EngineScreen(watch, target, place if place in EngineScreen.views else "containers", container)
