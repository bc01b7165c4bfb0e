"""Presses keys on the app with every kind of target, and looks after each at what it did."""

from collections.abc import Sequence
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.widgets import Input
from textual.worker import Worker, WorkerState
from textual.worker_manager import WorkerManager

from opsdash.tui.screens.confirm import ConfirmDialog
from opsdash.tui.screens.place import Place
from tests.documents import bindings
from tests.support.every_kind import EveryKind
from tests.support.screen import assert_fills, lines_of, text_of
from tests.support.waiting import wait_until_async

COMMANDS = sorted({binding.key for _, binding in bindings()} | {"ctrl+q", "ctrl+z", "Y"})
"""The keys of every command of ours, with commas between, and some that nothing may listen to."""
KEYS = sorted({key for keys in COMMANDS for key in keys.split(",")})
PLACES = {
    "overview": "",
    "HTTP endpoints": "1",
    "one HTTP endpoint": "1 enter",
    "the local host, in the list": "1 1",
    "the local host": "1 1 enter",
    "PostgreSQL servers": "2",
    "one PostgreSQL server": "2 enter",
    "one session": "2 enter enter",
    "one statement": "2 enter tab tab enter",
    "Redis servers": "3",
    "one Redis": "3 enter",
    "one client": "3 enter tab enter",
    "Docker engines": "4",
    "one Docker engine": "4 enter",
    "one container": "4 enter enter",
    "log lines": "5",
    "log sources": "5 tab",
    "actions": "9",
    "cost": "",
}
"""What a place is called -> the keys that lead there from the overview."""
CHARACTERS = {
    "slash": "/",
    "space": " ",
    "plus": "+",
    "minus": "-",
    "colon": ":",
    "question_mark": "?",
    "number_sign": "#",
    "ampersand": "&",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
}
"""What keys with a name write."""


class KeptWorkers(WorkerManager):
    """Keeps what was done in the background: Textual forgets it, and what broke in it, when it has ended."""

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.kept: list[Worker[Any]] = []

    def add_worker(self, worker: Worker[Any], start: bool = True, exclusive: bool = True) -> None:
        self.kept.append(worker)
        super().add_worker(worker, start, exclusive)


class Hand:
    """Presses keys and looks at what they did."""

    def __init__(self, stage: EveryKind, pilot: Pilot[Any]) -> None:
        self.stage = stage
        self.app = stage.app
        self._pilot = pilot
        self._workers = KeptWorkers(self.app)
        self.app._workers = self._workers  # the only way to see what Textual would swallow
        self._confirmed = 0
        self.pressed: list[str] = []

    @property
    def is_over(self) -> bool:
        """Whether the app was quit."""
        return self.app.return_code is not None

    @property
    def is_at_the_overview(self) -> bool:
        """Whether there is nothing to go back to."""
        return len(self.app.screen_stack) == 1

    @property
    def is_in_a_dialog(self) -> bool:
        """Whether keys go to a dialog or into a text."""
        return not isinstance(self.app.screen, Place) or isinstance(self.app.focused, Input)

    async def press(self, *keys: str) -> None:
        """One after the other, each long after the one before: no dialog is deaf, no ctrl-c the second."""
        for key in keys:
            self.pressed.append(key)
            self.stage.clock.advance(3.0)
            before = self.app.screen
            if key in ("y", "Y", "enter") and isinstance(before, ConfirmDialog):
                self._confirmed += 1
            await self._send(key)
            self.judge()

    async def _send(self, key: str) -> None:
        """A key, and all that comes of it at once. Pilot's own `press` rests 40 ms at each."""
        event = events.Key(key, CHARACTERS.get(key, key if len(key) == 1 else None))
        event.set_sender(self.app)
        self.app.post_message(event)
        for _ in range(3):  # the app hands it to a widget, that asks a screen, and that draws
            if not self.is_over:
                await self._pilot.pause(0)

    def judge(self) -> None:
        """It runs, it draws, nothing broke in the background, and nothing was sent that nobody confirmed."""
        said = f"after {' '.join(self.pressed[-12:])}"
        assert self.app._exception is None, said
        if self.is_over:
            return
        assert self.app.is_running, said
        assert_fills(self.app)
        broken = [worker.error for worker in self._workers.kept if worker.state is WorkerState.ERROR]
        assert broken == [], said
        assert len(self.runs) <= self._confirmed, said

    @property
    def runs(self) -> Sequence[Any]:
        """What was begun."""
        return self.stage.gateway.runs

    async def resize(self, width: int, height: int) -> None:
        """The terminal has another size."""
        self.pressed.append(f"({width}x{height})")
        await self._pilot.resize_terminal(width, height)
        await wait_until_async(lambda: len(lines_of(self.app)) == height, 30, "all is drawn anew")
        self.judge()

    async def back(self) -> None:
        """Out of every dialog and place, to the overview."""
        for _ in range(40):
            if self.is_at_the_overview:
                return
            await self.press("escape")
        raise AssertionError(f"no way back after {' '.join(self.pressed[-60:])}\n{text_of(self.app)}")

    async def go(self, place: str) -> None:
        """To a place, from wherever we are."""
        await self.back()
        await self.press(*PLACES[place].split())
        if place == "cost":
            await self.app.run_action("cost")
            await self._pilot.pause()
        assert self.app.place.called in place, text_of(self.app)

    async def out_of_dialogs(self) -> None:
        """Back to the place in front."""
        while self.is_in_a_dialog:
            await self.press("escape")
