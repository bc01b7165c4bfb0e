"""The overview as it would be on a terminal, as text or SVG, without one."""

import os
import re
from typing import Any, Literal

from textual.pilot import Pilot

from opsdash.collectors.clock import Clock
from opsdash.collectors.text import clean
from opsdash.tui.actions.audit import AuditLog
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.app import OpsdashApp
from opsdash.tui.check_report import Report
from opsdash.tui.config import default_audit_path
from opsdash.tui.screen_settings import ScreenSettings, ScreenTable, ThemeChoice
from opsdash.tui.watch import Watch


class _Seen(Watch):
    """Shows what was read before; reads nothing."""

    def __init__(self, report: Report, clock: Clock) -> None:
        targets = [view.target for view in report.views]
        log = AuditLog(default_audit_path(os.environ), clock=clock)
        super().__init__(targets, Gateway(targets, log, clock=clock, permitted=False, read_only=True), clock)
        for view in report.views:
            self.feed.hold(view)

    async def start(self) -> None:
        """Nothing is read."""


def draw(
    report: Report,
    *,
    form: Literal["text", "svg"],
    size: tuple[int, int],
    clock: Clock,
    theme: ThemeChoice,
) -> str:
    """What the overview shows of `report`.

    Args:
        report: What was seen.
        form: text: the lines without colours; svg: a picture that loads nothing from anywhere.
        size: Columns and lines.
        clock: The time.
        theme: Of the picture.
    """
    app = OpsdashApp(_Seen(report, clock), ScreenSettings(table=ScreenTable(theme=theme)))
    drawn: list[str] = []

    async def look(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        app.watch_over.find()
        app.place.redraw()
        await pilot.pause()
        drawn.append(_text(app) if form == "text" else svg_of(app))
        app.exit()

    app.run(headless=True, size=size, auto_pilot=look)
    return drawn[0]


def _text(app: OpsdashApp) -> str:
    strips = app.screen._compositor.render_strips()  # there is no public way to a screen's text
    lines = [clean("".join(segment.text for segment in strip)).rstrip() for strip in strips]
    return "\n".join(lines).rstrip() + "\n"


def svg_of(app: OpsdashApp) -> str:
    """The screen in front as an SVG that loads nothing from anywhere."""
    svg = app.export_screenshot(title="opsdash")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code", "monospace")
    # some programs take blanks at the ends of a text away, no-break ones too: the columns would move
    return svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
