"""All findings of all targets, worst first. Pure: a function of what the feed holds."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding, ranked
from opsdash.collectors.format import age
from opsdash.collectors.registry import load
from opsdash.tui.findings.reachability import unreachable
from opsdash.tui.kinds import KINDS


def find(views: Iterable[TargetView], *, now: datetime, mono_s: float) -> tuple[Finding, ...]:
    """What is wrong with the targets, worst first.

    A target that cannot be read any more keeps the findings of its last good reading: each says how old
    that is.

    Args:
        views: What the feed holds of each target.
        now: Wall time of our own clock: how long reads have been failing.
        mono_s: The same moment on the monotonic clock: how old data is.
    """
    found: list[Finding] = []
    for view in views:
        found.extend(unreachable(view, now=now, mono_s=mono_s))
        found.extend(_from_data(view, mono_s))
    return ranked(tuple(found))


def _from_data(view: TargetView, mono_s: float) -> Iterable[Finding]:
    """The findings of the kind's own rules."""
    if view.good is None or view.target.id.kind not in KINDS:
        return ()
    rules: Callable[[Any, Any], Iterable[Finding]] = load(KINDS[view.target.id.kind].rules)
    found = rules(view.good.data, view.target)
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
