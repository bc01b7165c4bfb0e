"""The guard as a person meets it: what acts, and all that does not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual import events
from textual.pilot import Pilot

from opsdash.tui.actions.action import PlanLine
from tests.screens.stage import PRODUCTION, Stage, incident
from tests.support.screen import SIZES, assert_fills, said, text_of, until
from tests.support.waiting import wait_until_async

ASKS = "y does it any other key cancels"
ASKS_NAME = "Type the target's name to go on:"


@asynccontextmanager
async def dialog(
    stage: Stage, size: tuple[int, int] = (80, 24), *, armed: bool = True
) -> AsyncIterator[Pilot[Any]]:
    """The guard of "terminate 4312", just opened, from the blocking tree."""
    stage.read(incident())
    async with stage.at(*size) as pilot:
        await until(pilot, "blocks 14")
        if armed:
            await pilot.press("A")
            await until(pilot, "ARMED")
        await pilot.press("enter", "K")
        await until(pilot, "Terminate session 4312 on orders")
        yield pilot


def events_of(stage: Stage) -> list[str]:
    """What the audit log holds."""
    if not stage.audit_path.exists():
        return []
    return [msgspec.json.decode(line)["event"] for line in stage.audit_path.read_bytes().splitlines()]


async def assert_cancelled(stage: Stage, pilot: Pilot[Any]) -> None:
    await until(pilot, lambda text: "Terminate session 4312" not in text)
    await until(pilot, "nothing was sent")
    stage.clock.advance(5.0)
    await pilot.pause(0.1)  # longer than a `y` waits for what may follow it
    assert stage.sent == []
    assert events_of(stage) == ["armed"]
    assert stage.gateway.runs == ()


async def assert_sent(stage: Stage, pilot: Pilot[Any]) -> None:
    await until(pilot, "signal sent")
    assert stage.sent == [4312]
    assert events_of(stage) == ["armed", "intent"]


@pytest.mark.parametrize("size", SIZES)
async def test_y_acts_on_the_session_of_the_dialog(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = Stage(tmp_path)
    async with dialog(stage, size) as pilot:
        assert ASKS in said(stage.app)
        assert_fills(stage.app)
        await stage.press(pilot, "y")
        await assert_sent(stage, pilot)
        assert_fills(stage.app)


@pytest.mark.parametrize(
    "key", ["enter", "escape", "Y", "n", "space", "q", "K", "up", "tab", "1", "question_mark"]
)
async def test_every_other_key_cancels(tmp_path: Path, key: str) -> None:
    stage = Stage(tmp_path)
    async with dialog(stage) as pilot:
        await stage.press(pilot, key)
        await assert_cancelled(stage, pilot)


@pytest.mark.parametrize("text", ["y", "y\n", "orders"])
async def test_paste_cancels(tmp_path: Path, text: str) -> None:
    stage = Stage(tmp_path)
    async with dialog(stage) as pilot:
        stage.clock.advance(1.0)
        stage.app.post_message(events.Paste(text))
        await assert_cancelled(stage, pilot)


@pytest.mark.parametrize("then", [("enter", "\r"), ("y", "y"), ("e", "e")])
async def test_burst_of_keys_that_begins_with_y_cancels(tmp_path: Path, then: tuple[str, str]) -> None:
    stage = Stage(tmp_path)
    async with dialog(stage) as pilot:
        stage.clock.advance(1.0)
        for key, character in (("y", "y"), then):
            stage.app.post_message(events.Key(key, character))
        await assert_cancelled(stage, pilot)


async def test_keys_in_the_first_moment_are_dropped(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with dialog(stage) as pilot:
        await pilot.press("y", "enter", "y")
        stage.clock.advance(0.39)
        await pilot.press("y", "n")
        await pilot.pause(0.1)
        assert ASKS in said(stage.app)
        assert stage.sent == []
        stage.clock.advance(0.02)
        await pilot.press("y")
        await assert_sent(stage, pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_question_is_in_view_however_long_the_plan(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = Stage(tmp_path)
    words = [f"fact number {n} of a plan that is long" for n in range(60)]
    stage.terminate.lines = tuple(PlanLine(label=f"fact {n}", text=text) for n, text in enumerate(words))
    async with dialog(stage, size) as pilot:
        assert ASKS in said(stage.app)
        assert "of 61: ↑ ↓ show the others" in said(stage.app)
        assert words[0] in said(stage.app)
        assert words[59] not in said(stage.app)
        stage.clock.advance(1.0)
        for _ in range(20):
            await pilot.press("pagedown")
        await until(pilot, words[59])
        assert "recorded" in said(stage.app)
        assert ASKS in said(stage.app)
        assert_fills(stage.app)
        await pilot.press("up")
        assert stage.sent == []
        await pilot.press("y")
        await assert_sent(stage, pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_unarmed_dialog_shows_the_plan_and_how_to_arm(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = Stage(tmp_path)
    async with dialog(stage, size, armed=False) as pilot:
        text = said(stage.app)
        assert "only if it is still the same transaction" in text
        assert "no not armed: press A" in text
        assert "does it" not in text
        await stage.press(pilot, "y")
        await until(pilot, lambda text: "Terminate session 4312" not in text)
        assert stage.sent == []
        assert events_of(stage) == []


async def test_without_the_flag_the_dialog_and_A_say_which_flag(tmp_path: Path) -> None:
    stage = Stage(tmp_path, permitted=False)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await pilot.press("A")
        await until(pilot, "read-only: start with --allow-actions to permit arming")
        await pilot.press("enter", "K")
        await until(pilot, "no read-only: start with --allow-actions to permit arming")


@pytest.mark.parametrize("size", SIZES)
async def test_in_production_only_the_typed_name_acts(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = Stage(tmp_path, where=PRODUCTION)
    async with dialog(stage, size) as pilot:
        text = said(stage.app)
        assert "on orders (PRODUCTION prod-eu)" in text
        assert ASKS_NAME in text
        assert "does it" not in text
        assert_fills(stage.app)
        await stage.press(pilot, "y")
        assert stage.sent == []
        await stage.press(pilot, "backspace", *"orders")
        await until(pilot, "Enter does it Esc cancels")
        await stage.press(pilot, "enter")
        await assert_sent(stage, pilot)


@pytest.mark.parametrize("typed", ["", "Orders", "order", "orderss", " orders", "orders ", "y"])
async def test_name_that_is_not_the_targets_to_the_letter_does_not_act(tmp_path: Path, typed: str) -> None:
    stage = Stage(tmp_path, where=PRODUCTION)
    async with dialog(stage) as pilot:
        await stage.press(pilot, *("space" if letter == " " else letter for letter in typed))
        await stage.press(pilot, "enter")
        await until(pilot, "that is not its name")
        assert stage.sent == []
        await stage.press(pilot, "escape")
        await assert_cancelled(stage, pilot)


async def test_paste_never_fills_in_the_name(tmp_path: Path) -> None:
    stage = Stage(tmp_path, where=PRODUCTION)
    async with dialog(stage) as pilot:
        stage.clock.advance(1.0)
        stage.app.post_message(events.Paste("orders"))
        await assert_cancelled(stage, pilot)


async def test_name_and_enter_in_one_burst_do_not_act(tmp_path: Path) -> None:
    stage = Stage(tmp_path, where=PRODUCTION)
    async with dialog(stage) as pilot:
        stage.clock.advance(1.0)
        for key in "orders":
            stage.app.post_message(events.Key(key, key))
        stage.app.post_message(events.Key("enter", "\r"))
        await until(pilot, "that came too fast")
        assert stage.sent == []
        await stage.press(pilot, "enter")
        await assert_sent(stage, pilot)


async def test_dialog_stays_as_it_is_while_the_row_moves(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with dialog(stage) as pilot:
        before = [line for line in text_of(stage.app).splitlines() if "│" in line]
        stage.read(incident(waiting=2))
        await until(pilot, "waiting 2")
        assert [line[11:69] for line in text_of(stage.app).splitlines() if "│" in line] == [
            line[11:69] for line in before
        ]
        await stage.press(pilot, "y")
        await assert_sent(stage, pilot)


async def test_disarmed_meanwhile_nothing_is_sent(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with dialog(stage) as pilot:
        await stage.gateway.disarm()
        await stage.press(pilot, "y")
        await until(pilot, "refused not armed: press A")
        await wait_until_async(lambda: "refused" in events_of(stage), 30, "the refusal is recorded")
        assert stage.sent == []
