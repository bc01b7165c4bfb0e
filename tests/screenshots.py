"""`make screenshots`: runs the demo, solves its incident by keys, and keeps what a person saw on the way.

The pictures are the running app's own, never drawn by hand: `screenshots/*.svg`.
"""

import asyncio
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from opsdash.collectors.clock import Clock
from opsdash.tui.actions.audit import AuditLog
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.app import OpsdashApp
from opsdash.tui.demo.run import DEFAULT_STORY, start_demo
from opsdash.tui.picture import svg_of
from opsdash.tui.screen_settings import ScreenSettings, ScreenTable
from opsdash.tui.watch import Watch

FOLDER = Path(__file__).parent.parent / "screenshots"
SIZE = (132, 34)


def visible_text(app: OpsdashApp) -> str:
    """All that the screen in front shows, as text."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips[:height])[
        : width * height * 4
    ]


async def until(
    pilot: Pilot[int], condition: Callable[[str], bool], what: str, timeout_s: float = 40.0
) -> None:
    """Wait until the screen shows what `condition` asks for."""
    app = pilot.app
    assert isinstance(app, OpsdashApp)
    end = time.monotonic() + timeout_s
    while not condition(visible_text(app)):
        if time.monotonic() > end:
            raise SystemExit(f"waited in vain for {what}:\n{visible_text(app)}")
        await pilot.pause(0.1)


def keep(app: OpsdashApp, name: str) -> None:
    """Write the screen in front as an SVG that loads nothing from anywhere."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.svg").write_text(svg_of(app), "utf-8")
    print(f"screenshots/{name}.svg")


async def solve(app: OpsdashApp) -> None:
    """The incident from the first look to the proof."""
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda t: re.search(r"blocks 1\d sessions", t) is not None, "the blocked sessions")
        keep(app, "overview")
        await pilot.press("enter")
        await until(pilot, lambda t: "likely" in t, "the likely cause")
        keep(app, "blocked")
        await pilot.press("5")
        await until(pilot, lambda t: "lock timeout" in t, "the log of the shop")
        keep(app, "logs")
        await pilot.press("escape", "enter")
        await until(pilot, lambda t: "likely" in t, "the likely cause again")
        await pilot.press("A")
        await until(pilot, lambda t: "ARMED" in t, "arming")
        await pilot.press("K")
        await until(pilot, lambda t: "any other key" in t, "the guard")
        keep(app, "guard")
        await pilot.pause(0.5)
        await pilot.press("y")
        await until(pilot, lambda t: "nobody waits" in t, "the waiters to run")
        keep(app, "proof")
        await pilot.press("escape", "escape")
        await until(pilot, lambda t: "● api /health" in t and "blocks" not in t, "a healthy service")
        keep(app, "solved")
        await app.watch_over.stop()
        await app.watch_over.gateway.close()


def main() -> int:
    """Run the demo and take the pictures."""
    with start_demo(DEFAULT_STORY, lambda phase: None) as demo, tempfile.TemporaryDirectory() as state:
        clock = Clock()
        log = AuditLog(Path(state) / "audit.jsonl", clock=clock)
        gateway = Gateway(demo.targets, log, clock=clock, permitted=True, read_only=False)
        settings = ScreenSettings(table=ScreenTable(theme="dark"))  # whatever this terminal can show
        asyncio.run(solve(OpsdashApp(Watch(demo.targets, gateway, clock), settings)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
