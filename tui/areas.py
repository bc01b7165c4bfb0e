"""Areas and kinds as the screen uses them: which are configured, what they draw, which screens they open."""

from collections.abc import Callable, Sequence

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.registry import load
from opsdash.collectors.target import TargetId
from opsdash.tui.kinds import KINDS
from opsdash.tui.screens.place import Place
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line


def configured_kinds(watch: Watch) -> tuple[str, ...]:
    """The kinds that have a target, in the order of their areas."""
    present = {target.id.kind for target in watch.feed.targets}
    return tuple(sorted(present, key=lambda kind: (KINDS[kind].area, list(KINDS).index(kind))))


def kinds_of_area(watch: Watch, digit: str) -> tuple[str, ...]:
    """The configured kinds of one area."""
    return tuple(kind for kind in configured_kinds(watch) if KINDS[kind].area == digit)


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


def open_targets(watch: Watch, kind: str) -> Place:
    """The screen with the list of a kind's targets."""
    screen: Place = load(KINDS[kind].targets)(watch)
    return screen


def open_place(watch: Watch, target: TargetId, place: str, identity: msgspec.Struct | None) -> Place:
    """The screen of a target's `place`, with the cursor on `identity` where it has one."""
    screen: Place = load(KINDS[target.kind].place)(watch, target, place, identity)
    return screen
