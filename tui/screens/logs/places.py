"""Which screen a drill-down into logs leads to."""

import msgspec

from opsdash.collectors.lines.place import LogPlace
from opsdash.collectors.target import TargetId
from opsdash.tui.screens.logs.lines import open_logs
from opsdash.tui.screens.place import Place
from opsdash.tui.watch import Watch


def open_all(watch: Watch) -> Place:
    """The area's first screen: the lines of all sources. Their list is one key away."""
    return open_logs(watch)


def open_place(watch: Watch, target: TargetId, place: str, identity: msgspec.Struct | None) -> Place:
    """The lines of the source that a finding names, else of all sources of the target."""
    if isinstance(identity, LogPlace):
        return open_logs(watch, (identity.source,), identity.number)
    mine = tuple(source.identity for source in watch.log_sources() if source.target == target)
    return open_logs(watch, mine or None)
