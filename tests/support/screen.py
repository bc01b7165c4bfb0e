"""What an app shows, as a person reads it: its lines as text, and waiting until it says something."""

import re
from collections.abc import Callable
from typing import Any

from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot

from tests.support.waiting import wait_until_async

PATIENCE_S = 30.0
"""Usual is well below a second."""

SIZES = ((180, 46), (132, 34), (80, 24), (60, 15))


def lines_of(app: App[Any]) -> list[str]:
    """Every line of the screen in front, dialogs over it included, from edge to edge."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]


def text_of(app: App[Any]) -> str:
    """All that is shown, without the blanks at the ends of lines."""
    return "\n".join(line.rstrip() for line in lines_of(app))


def said(app: App[Any]) -> str:
    """All that is shown as one running text, and after it what a dialog says; without frames."""
    text = text_of(app)
    inside = [line.split("│")[1] for line in text.splitlines() if line.count("│") == 2]
    return " ".join(f"{re.sub('[╭╮╰╯─│]+', ' ', text)} {' '.join(inside)}".split())


def line_with(app: App[Any], words: str) -> str:
    """The only line that has `words` in it."""
    found = [line for line in text_of(app).splitlines() if words in line]
    assert len(found) == 1, f"{len(found)} lines have {words!r}:\n{text_of(app)}"
    return found[0]


def cursor_line(app: App[Any]) -> str:
    """The line that the cursor of the table is on."""
    found = [line for line in text_of(app).splitlines() if line.startswith("▸ ")]
    assert len(found) == 1, f"{len(found)} lines have the cursor:\n{text_of(app)}"
    return found[0]


async def until(pilot: Pilot[Any], words: str | Callable[[str], bool], timeout_s: float = PATIENCE_S) -> None:
    """Wait until the screen shows `words`, or text that the function finds right."""
    app = pilot.app

    def is_shown() -> bool:
        text = said(app)
        return words in text if isinstance(words, str) else words(text)

    await pilot.pause()
    try:
        await wait_until_async(is_shown, timeout_s, f"the screen says {words!r}")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{text_of(app)}") from None


def assert_fills(app: App[Any]) -> None:
    """Every line is exactly as wide as the screen, in cells, and there are as many as the screen has."""
    width, height = app.size
    lines = lines_of(app)
    assert len(lines) == height
    wrong = {y: cell_len(line) for y, line in enumerate(lines) if cell_len(line) != width}
    assert not wrong, f"lines of another width than {width}: {wrong}\n{text_of(app)}"
