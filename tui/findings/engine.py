"""All findings of all targets, worst first. Pure: a function of what the feed holds."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding, ranked
from opsdash.collectors.format import age
from opsdash.collectors.registry import load
from opsdash.collectors.snapshot import Snapshot
from opsdash.collectors.target import TargetId
from opsdash.tui.findings.reachability import unreachable
from opsdash.tui.kinds import KINDS

_TELL_OF_OTHERS = frozenset({"http", "docker"})
"""Kinds whose readings name other targets: without one of them no finding explains another."""

Known = dict[TargetId, tuple[Snapshot[Any], tuple[Finding, ...]]]
"""What the rules found in the newest good reading of each target."""


def find(
    views: Iterable[TargetView], *, now: datetime, mono_s: float, known: Known | None = None
) -> tuple[Finding, ...]:
    """What is wrong with the targets, worst first.

    A target that cannot be read any more keeps the findings of its last good reading: each says how old
    that is.

    Args:
        views: What the feed holds of each target.
        now: Wall time of our own clock: how long reads have been failing.
        mono_s: The same moment on the monotonic clock: how old data is.
        known: Kept by the caller from one call to the next, so that each reading is judged once.
    """
    known = {} if known is None else known
    found: list[Finding] = []
    views = tuple(views)
    for view in views:
        found.extend(unreachable(view, now=now, mono_s=mono_s))
        found.extend(_from_data(view, mono_s, known))
    worst_first = ranked(tuple(found))
    if _TELL_OF_OTHERS.isdisjoint(view.target.id.kind for view in views):
        return worst_first
    from opsdash.tui.findings.causes import with_causes  # loads the values of these kinds

    return with_causes(worst_first, views)


def _from_data(view: TargetView, mono_s: float, known: Known) -> Iterable[Finding]:
    """The findings of the kind's own rules."""
    if view.good is None or view.target.id.kind not in KINDS:
        return ()
    reading, found = known.get(view.target.id, (None, ()))
    if reading is not view.good:
        rules: Callable[[Any, Any], Iterable[Finding]] = load(KINDS[view.target.id.kind].rules)
        found = tuple(rules(view.good.data, view.target))
        known[view.target.id] = (view.good, found)
    return [_aged(f, view.age_s(mono_s)) for f in found] if view.is_stale(mono_s) else found


def _aged(finding: Finding, age_s: float | None) -> Finding:
    """The finding with the age of what it rests on, in front, where it is never cut."""
    words = f"{age(age_s)} ago"
    return msgspec.structs.replace(
        finding,
        title=f"{words}: {finding.title}",
        short=f"{words}: {finding.short}",
        basis=f"{finding.basis}, as of {words}",
    )
