"""Writing only what changed shows what writing everything shows, in fewer bytes."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import ClassVar

import pytest
from textual.app import ComposeResult
from textual.binding import Binding
from textual.events import Resize
from textual.geometry import Size
from textual.messages import TerminalSupportsSynchronizedOutput
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label

from opsdash.tui.changed_cells import ChangedCells
from opsdash.tui.textual_frames import is_known
from opsdash.widgets.columns import Column
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table
from tests.support.pane import Pane, run_in
from tests.support.waiting import wait_until_async

Item = tuple[int, str]

WORDS = (
    "select * from orders where id = $1",
    "日本語のクエリ 東京",
    "emoji 🚀 and 🧯 in the middle 🚀",
    "e\u0301 combined a\u0308 marks",
    "한국어 wide 中",
)


class Dialog(ModalScreen[None]):
    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog Label { width: 31; height: 5; border: round $error; }
    """
    BINDINGS: ClassVar = [Binding("escape", "dismiss", "close")]

    def compose(self) -> ComposeResult:
        yield Label("日本 terminate 4312? 日本")
        yield Button("Cancel")


class Board(ChangedCells[None]):
    """A head line and a table whose ages move."""

    CSS = "Label { width: 1fr; }"

    def __init__(self, pane: Pane) -> None:
        super().__init__()
        self.pane = pane
        self.ticks = 0

    def compose(self) -> ComposeResult:
        yield Label(id="head")
        yield Table[Item](
            (
                Column(
                    key="pid",
                    title="PID",
                    cell=lambda r: str(r[0]),
                    width=6,
                    align="right",
                    sort=lambda r: r[0],
                ),
                Column(key="age", title="AGE", cell=self._age, width=7, align="right"),
                Column(key="state", title="STATE", cell=self._state, width=12, priority=2),
                Column(key="query", title="QUERY", cell=lambda r: r[1], width=20, grow=1, priority=1),
            ),
            key=lambda row: row[0],
            empty="nobody waits",
        )

    @property
    def table(self) -> Table[Item]:
        return self.screen_stack[0].query_one(Table)

    def on_mount(self) -> None:
        self.fill(1000)
        self.table.focus()

    def fill(self, count: int) -> None:
        self.table.show([(4000 + i, f"{i} {WORDS[i % len(WORDS)]}") for i in range(count)])

    def tick(self) -> None:
        self.ticks += 1
        self.table.repaint()

    def mark(self, step: str) -> None:
        self.screen_stack[0].query_one("#head", Label).update(f"<{step}>")

    def _age(self, row: Item) -> str:
        return f"{self.ticks + row[0] % 7} s" if row[0] % 5 == 0 else "1 s"

    def _state(self, row: Item) -> tuple[str, Tone]:
        return ("active", Tone.OK) if (row[0] + self.ticks) % 9 else ("Lock:tuple", Tone.CRIT)


class WholeFrames(Board):
    """The same, written by Textual."""

    changed_cells_only = False


async def nothing(pilot: Pilot[None]) -> None:
    pass


def keys(*names: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def press(pilot: Pilot[None]) -> None:
        await pilot.press(*names)

    return press


def ticks(count: int) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def tick(pilot: Pilot[None]) -> None:
        for _ in range(count):
            board(pilot).tick()
            await seen(pilot, f"tick {board(pilot).ticks}")

    return tick


async def seen(pilot: Pilot[None], mark: str) -> None:
    """Name this moment in the head line, and wait until that is on the terminal."""
    board(pilot).mark(mark)
    pane = board(pilot).pane
    await wait_until_async(lambda: f"<{mark}>" in pane.text(), 30, mark)


def rows(count: int) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def fill(pilot: Pilot[None]) -> None:
        board(pilot).fill(count)

    return fill


def theme(name: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def change(pilot: Pilot[None]) -> None:
        pilot.app.theme = name

    return change


async def dialog(pilot: Pilot[None]) -> None:
    await pilot.app.push_screen(Dialog())


async def notify(pilot: Pilot[None]) -> None:
    pilot.app.notify("plan made", timeout=1000)


def board(pilot: Pilot[None]) -> Board:
    assert isinstance(pilot.app, Board)
    return pilot.app


def size(width: int, height: int) -> tuple[int, int]:
    return width, height


SESSION: tuple[Callable[[Pilot[None]], Awaitable[None]] | tuple[int, int], ...] = (
    nothing,
    ticks(10),
    keys("j", "j", "j"),
    keys("pagedown", "pagedown", "k"),
    keys("G"),
    ticks(2),
    dialog,
    ticks(3),
    keys("escape"),
    keys("g", *["ctrl+d"] * 3),
    size(80, 24),
    ticks(2),
    size(60, 15),
    dialog,
    size(70, 20),
    ticks(1),
    keys("escape"),
    keys("s", "S"),
    size(180, 46),
    notify,
    *[keys("j", "pagedown") for _ in range(2)],
    theme("textual-light"),
    rows(7),
    ticks(2),
    rows(0),
    rows(300),
    theme("ansi-dark"),
    keys("G", "pageup"),
)


def differences(ours: Pane, theirs: Pane) -> list[str]:
    pairs = enumerate(zip(ours.cells(), theirs.cells(), strict=True))
    return [
        f"{y},{x}: {a} {b}" for y, rows in pairs for x, (a, b) in enumerate(zip(*rows, strict=True)) if a != b
    ]


async def alike(mark: str, ours: Pane, theirs: Pane) -> None:
    """Wait until both show the mark, and the same characters in the same colours."""
    try:
        await wait_until_async(
            lambda: mark in theirs.text() and mark in ours.text() and ours.cells() == theirs.cells(), 10, mark
        )
    except AssertionError:
        found = "\n".join(differences(ours, theirs)[:9])
        raise AssertionError(f"at {mark}:\n{found}\n{ours.text()}") from None


async def both_ways(
    steps: tuple[Callable[[Pilot[None]], Awaitable[None]] | tuple[int, int], ...],
    after: Callable[[int, Pane, Pane], None],
) -> None:
    """Play the steps in both apps at once; after each one wait until both screens are the same."""
    panes = Pane(132, 34), Pane(132, 34)
    turn = asyncio.Barrier(2)

    def script(pane: Pane) -> Callable[[Pilot[None]], Awaitable[None]]:
        async def play(pilot: Pilot[None]) -> None:
            for number, step in enumerate(steps):
                if isinstance(step, tuple):
                    pane.become(*step)
                    pilot.app.post_message(Resize(Size(*step), Size(*step)))
                else:
                    await step(pilot)
                await seen(pilot, f"step {number}")
                await alike(f"<step {number}>", *panes)
                if await turn.wait() == 0:
                    after(number, *panes)
                await turn.wait()

        return play

    apps = Board(panes[0]), WholeFrames(panes[1])
    async with asyncio.timeout(120):
        await asyncio.gather(*(run_in(p, a, script(p)) for p, a in zip(panes, apps, strict=True)))
    assert all(app.return_code == 0 for app in apps)


@pytest.fixture(autouse=True)
def true_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name in ("stdout", "stderr"):  # two apps at once restore them in the wrong order
        monkeypatch.setattr(sys, name, getattr(sys, name))


def test_this_textual_is_known() -> None:
    assert is_known()
    assert ChangedCells.changed_cells_only


def test_another_way_of_displaying_is_not_known() -> None:
    class Later:
        def _display(self, frame: object) -> None: ...

    class Without: ...

    assert not is_known(Later)
    assert not is_known(Without)


async def test_the_screen_is_the_same_as_textual_s_own() -> None:
    seen: list[int] = []
    await both_ways(SESSION, lambda number, ours, theirs: seen.append(number))
    assert seen == list(range(len(SESSION)))


async def test_moving_ages_take_less_than_a_third_of_the_bytes() -> None:
    before: list[int] = []
    after: list[int] = []

    def note(number: int, ours: Pane, theirs: Pane) -> None:
        (before if number == 0 else after).extend((ours.written_bytes, theirs.written_bytes))

    await both_ways((nothing, ticks(20)), note)
    ours, theirs = (b - a for a, b in zip(before, after, strict=True))
    print(f"bytes per refresh: {ours / 20:.0f} of {theirs / 20:.0f}")
    assert 0 < ours <= theirs / 3


async def test_all_is_written_anew_when_the_process_goes_on_after_being_stopped() -> None:
    """A resize of the same size is what the driver sends then."""
    pane = Pane(80, 24)

    async def script(pilot: Pilot[None]) -> None:
        await seen(pilot, "begin")
        pane.become(80, 24)
        pilot.app.post_message(Resize(Size(80, 24), Size(80, 24)))
        await wait_until_async(lambda: "####" not in pane.text(), 30, "the nonsense is overwritten")
        assert "<begin>" in pane.lines()[0]

    await run_in(pane, Board(pane), script)
    assert "<begin>" in pane.text()


async def test_a_frame_without_changes_writes_nothing() -> None:
    pane = Pane(80, 24)

    async def script(pilot: Pilot[None]) -> None:
        await seen(pilot, "begin")
        before, frames = pane.written_bytes, len(pane.written)
        pilot.app.screen.refresh()
        await wait_until_async(lambda: len(pane.written) > frames, 30, "a frame")
        assert pane.written_bytes == before

    await run_in(pane, Board(pane), script)


async def test_only_frames_too_long_for_one_piece_are_marked_to_be_drawn_at_once() -> None:
    """A clock's digit comes in one piece anyway: the marks would be half of what is written."""
    pane = Pane(80, 24)

    async def script(pilot: Pilot[None]) -> None:
        pilot.app.post_message(TerminalSupportsSynchronizedOutput())
        await seen(pilot, "begin")
        pilot.app.refresh()
        await seen(pilot, "digit 1")
        frames = len(pane.written)
        await seen(pilot, "digit 2")
        assert not any("?2026" in frame for frame in pane.written[frames:])
        frames = len(pane.written)
        await pilot.press("G")
        await seen(pilot, "end")
        marked = [frame for frame in pane.written[frames:] if "?2026" in frame]
        assert marked
        assert all(frame.startswith("\x1b[?2026h") and frame.endswith("\x1b[?2026l") for frame in marked)

    await run_in(pane, Board(pane), script)


async def test_a_text_field_has_the_terminal_s_cursor() -> None:
    """Input methods open their windows there, and screen readers read there."""
    pane = Pane(80, 24)

    class Form(ChangedCells[None]):
        def compose(self) -> ComposeResult:
            yield Input()
            yield Label()

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press(*"abc")
        pilot.app.query_one(Label).update("3 letters")  # drawn elsewhere, and last
        await wait_until_async(lambda: "abc" in pane.text() and "3 letters" in pane.text(), 30, "both")
        assert (pane.screen.cursor.x, pane.screen.cursor.y) == pilot.app.cursor_position != (0, 0)

    await run_in(pane, Form(), script)
