"""A terminal in the test: what an app writes, and what a person would see of it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pyte
from pyte.screens import Char
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot


class Pane:
    """Takes what is written to a terminal and keeps its screen."""

    def __init__(self, width: int, height: int) -> None:
        self.screen = pyte.Screen(width, height)
        self.written: list[str] = []
        self._stream = pyte.Stream(self.screen)

    def write(self, data: str) -> None:
        self.written.append(data)
        self._stream.feed(data)

    @property
    def size(self) -> tuple[int, int]:
        return self.screen.columns, self.screen.lines

    @property
    def written_bytes(self) -> int:
        return sum(len(data.encode()) for data in self.written)

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    def text(self) -> str:
        return "\n".join(self.lines())

    def cells(self) -> list[list[Char]]:
        """Every cell with its colours, row by row."""
        width, height = self.size
        return [[self.screen.buffer[y][x] for x in range(width)] for y in range(height)]

    def become(self, width: int, height: int) -> None:
        """Take another size; what a real terminal then shows is its own affair: here nonsense."""
        self.screen.resize(height, width)
        self.screen.reset()
        for y in range(height):
            self._stream.feed(f"\x1b[{y + 1};1H" + "#" * width)


def run_in(pane: Pane, app: App[Any], script: Callable[[Pilot[Any]], Awaitable[None]]) -> Awaitable[Any]:
    """Run `app` on `pane` while `script` presses its keys; the script ends the app."""

    class PaneDriver(HeadlessDriver):
        @property
        def is_headless(self) -> bool:
            return False

        def write(self, data: str) -> None:
            pane.write(data)

    app.driver_class = PaneDriver

    async def pilot_script(pilot: Pilot[Any]) -> None:
        await script(pilot)
        app.exit()

    return app.run_async(size=pane.size, auto_pilot=pilot_script, mouse=False)
