"""The areas of the overview: digit, title, kinds, and where their panel and screens are.

A new kind of target registers its area here and its collector in `collectors/registry.py`.
"""

from collections.abc import Callable, Sequence

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.registry import load
from opsdash.collectors.target import TargetId
from opsdash.tui.screens.place import Place
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line

OverviewLines = Callable[..., tuple[Line, ...]]


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """One area. References are `module:name`, imported when the area is first drawn or opened."""

    digit: str
    title: str
    kind: str
    panel: str
    """Function (views, findings, *, mono_s, width, height) -> lines of the overview."""
    targets: str
    """Function (watch) -> the screen with the area's list of targets."""
    place: str
    """Function (watch, target, place, identity) -> the screen that a drill-down leads to."""

    def overview(
        self,
        views: Sequence[TargetView],
        findings: Sequence[Finding],
        *,
        mono_s: float,
        width: int,
        height: int,
    ) -> tuple[Line, ...]:
        """The area's lines on the overview."""
        draw: OverviewLines = load(self.panel)
        return draw(views, findings, mono_s=mono_s, width=width, height=height)

    def open_targets(self, watch: Watch) -> Place:
        """The area's first screen."""
        screen: Place = load(self.targets)(watch)
        return screen

    def open_place(
        self, watch: Watch, target: TargetId, place: str, identity: msgspec.Struct | None
    ) -> Place:
        """The screen of a target's `place`, with the cursor on `identity` where it has one."""
        screen: Place = load(self.place)(watch, target, place, identity)
        return screen


AREAS: tuple[Area, ...] = (
    Area(
        digit="2",
        title="Database",
        kind="postgres",
        panel="opsdash.widgets.panels.postgres.overview:overview_lines",
        targets="opsdash.tui.screens.postgres.targets:TargetsScreen",
        place="opsdash.tui.screens.postgres.places:open_place",
    ),
)


def configured(watch: Watch) -> tuple[Area, ...]:
    """The areas that have a target; only these are shown and bound."""
    kinds = {target.id.kind for target in watch.feed.targets}
    return tuple(area for area in AREAS if area.kind in kinds)


def area_of(kind: str) -> Area:
    """The area of a kind of target."""
    return next(area for area in AREAS if area.kind == kind)
