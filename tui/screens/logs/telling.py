"""What a log screen says around its lines, from what it looks at. Pure."""

from collections.abc import Sequence

from opsdash.collectors.feed import TargetView
from opsdash.collectors.lines.summary import SourceSummary
from opsdash.tui.screens.logs.scope import LogScope
from opsdash.widgets.lines import Line
from opsdash.widgets.log_window import LogWindow
from opsdash.widgets.panels.log.head import HeadState, thousands
from opsdash.widgets.status import Tone


def state_line(window: LogWindow, exported: float | None) -> Line:
    """Whether the end is followed, or where we are.

    Args:
        window: What is in view.
        exported: How much of an export is written, as a ratio; None: none is under way.
    """
    if exported is not None:
        return ((f"exporting {exported * 100:.0f}%  Esc breaks off", Tone.WARN),)
    if window.has_lost:
        return (("▲ the lines that were here had to go: newer ones needed the room", Tone.WARN),)
    new = f", {thousands(window.waiting)} new" if window.waiting else ""
    if window.paused is not None:
        return ((f"‖ paused{new}  p goes on", Tone.WARN),)
    if window.is_following:
        return (("● following", Tone.OK),)
    above = window.lines_above
    where = f"at {above / len(window.timeline) * 100:.0f}%" if above else "from the first"
    return ((f"{where}{new}  G follows", Tone.ACCENT),)


def head_state(scope: LogScope, summaries: Sequence[SourceSummary], *, marked: int, times: str) -> HeadState:
    """The first line above the log."""
    return HeadState(
        sources=len(scope.lanes),
        of_sources=len(scope.known),
        failing=sum(1 for summary in summaries if summary.failure is not None),
        filters=tuple(map(str, scope.filters)),
        is_only_bad=scope.is_only_bad,
        lines=len(scope.timeline),
        of_lines=scope.held,
        sifted_ratio=1.0 if scope.is_complete else scope.sifted_ratio,
        dropped=scope.dropped,
        marked=marked,
        times=times,
    )


def summaries_of(views: Sequence[TargetView], scope: LogScope) -> tuple[SourceSummary, ...]:
    """What the newest readings say of the sources that are looked at, and of those that cannot be."""
    looked_at = {lane.lines.source.identity for lane in scope.lanes}
    logs = (summary for view in views for summary in getattr(view.data, "logs", ()))
    return tuple(
        summary
        for summary in logs
        if summary.identity in looked_at or (summary.failure is not None and scope.has(summary.identity))
    )


def why_empty(scope: LogScope, summaries: Sequence[SourceSummary], views: Sequence[TargetView]) -> str:
    """What it means that there are no lines."""
    failures = [summary.failure for summary in summaries if summary.failure is not None]
    if not scope.lanes and failures:
        return "\n".join(f"✖ {failure.kind.value}: {failure.reason}" for failure in failures)
    if not scope.known:
        said = [f"✖ {view.target.name}: {view.failure.reason}" for view in views if view.failure]
        return "\n".join(("? no source of lines is known yet", *said))
    if not scope.lanes:
        if not scope.filters:
            return "? this source is not there any more: Tab lists those that are"
        return "no source is left by the filters: Backspace takes the last one away"
    if scope.in_force and scope.held:
        yet = "" if scope.is_complete else " yet"
        held = thousands(scope.held)
        return f"no line is left by the filters{yet}, of {held} held: Backspace takes the last one away"
    return "? no lines yet: they show as they are printed"
