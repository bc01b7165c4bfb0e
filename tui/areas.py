"""Areas and kinds as the screen uses them: which are configured, what they draw, which screens they open."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.lines.place import LogPlace
from opsdash.collectors.registry import load
from opsdash.collectors.target import TargetId
from opsdash.tui.kinds import KINDS
from opsdash.tui.screens.arrangement import Area
from opsdash.tui.screens.place import Place
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line


def configured_kinds(watch: Watch) -> tuple[str, ...]:
    """The kinds that have a target, in the order of their areas; logs where any target prints lines."""
    present = {target.id.kind for target in watch.feed.targets}
    if any(KINDS[kind].has_logs for kind in present):
        present.add("log")
    return tuple(sorted(present, key=lambda kind: (KINDS[kind].area, list(KINDS).index(kind))))


def kinds_of_area(watch: Watch, digit: str) -> tuple[str, ...]:
    """The configured kinds of one area."""
    return tuple(kind for kind in configured_kinds(watch) if KINDS[kind].area == digit)


def configured_areas(watch: Watch) -> tuple[Area, ...]:
    """The configured areas with their kinds, from the first to the last."""
    kinds: dict[str, list[str]] = {}
    for kind in configured_kinds(watch):
        kinds.setdefault(KINDS[kind].area, []).append(kind)
    return tuple(
        Area(kinds=tuple(names), needs_width=any(KINDS[name].needs_width for name in names))
        for names in kinds.values()
    )


def views_of(watch: Watch, kind: str) -> tuple[TargetView, ...]:
    """What is held of the targets that a kind's panel draws: for logs, of every target that prints lines."""
    if kind == "log":
        return tuple(view for view in watch.feed.views() if KINDS[view.target.id.kind].has_logs)
    return watch.feed.views(kind)


def overview_lines(
    kind: str,
    views: Sequence[TargetView],
    findings: Sequence[Finding],
    *,
    mono_s: float,
    width: int,
    height: int,
) -> tuple[Line, ...]:
    """The lines of one kind on the overview."""
    draw: Callable[..., tuple[Line, ...]] = load(KINDS[kind].panel)
    return draw(views, findings, mono_s=mono_s, width=width, height=height)


def look_at_drawn(watch: Watch, kind: str, findings: Sequence[Finding], height: int) -> None:
    """Say which things of a kind's targets its panel draws in so many lines: none in 0 lines."""
    in_view = KINDS[kind].in_view
    if in_view is None:
        return
    of_targets: Mapping[TargetId, tuple[str, ...]] = load(in_view)(
        watch.feed.views(kind), findings, height=height
    )
    for target, ids in of_targets.items():
        watch.look_at(target, ids)


def open_targets(watch: Watch, kind: str) -> Place:
    """The screen with the list of a kind's targets."""
    screen: Place = load(KINDS[kind].targets)(watch)
    return screen


def open_place(watch: Watch, target: TargetId, place: str, identity: msgspec.Struct | None) -> Place:
    """The screen of a target's `place`, with the cursor on `identity` where it has one."""
    # a line of a container is shown where all lines are
    kind = "log" if isinstance(identity, LogPlace) else target.kind
    screen: Place = load(KINDS[kind].place)(watch, target, place, identity)
    return screen
