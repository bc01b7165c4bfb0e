"""Actions under way: followed in the dialog, in the list of actions, and asked about before quitting."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from tests.screens.stage import Stage, incident
from tests.support.readings import reading
from tests.support.screen import SIZES, assert_fills, cursor_line, said, text_of, until
from tests.support.waiting import wait_until_async


async def act(stage: Stage, pilot: Pilot[Any]) -> None:
    """Terminate the root of the incident, by keys; it then runs until the test ends it."""
    await until(pilot, "blocks 14")
    await pilot.press("A")
    await until(pilot, "ARMED")
    await pilot.press("enter", "K")
    await until(pilot, "y does it")
    await stage.press(pilot, "y")
    await until(pilot, "signal sent")


def outcomes(stage: Stage) -> list[tuple[str, str]]:
    records = [msgspec.json.decode(line) for line in stage.audit_path.read_bytes().splitlines()]
    return [(record["outcome"], record["text"]) for record in records if "outcome" in record]


async def ended(pilot: Pilot[Any]) -> None:
    await wait_until_async(lambda: not pilot.app.is_running, 30, "the app ends")


@pytest.mark.parametrize("size", SIZES)
async def test_progress_stays_in_its_box_with_the_newest_step_in_view(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(*size) as pilot:
        await act(stage, pilot)
        for count in range(60, 0, -1):
            stage.terminate.goes_on(f"session is gone · 4377 runs now · {count} still wait, behind 4377")
        await until(pilot, "· 1 still wait, behind 4377")
        text = said(stage.app)
        assert "intent recorded" in text
        assert "more steps" in text
        assert "Esc leaves it running in 9 Actions" in text
        lines = text_of(stage.app).splitlines()
        assert sum("╭" in line for line in lines) == sum("╰" in line for line in lines) == 1
        assert_fills(stage.app)
        stage.terminate.goes_on("nobody waits", is_final=True)
        await until(pilot, "done nobody waits")
        assert "Esc back" in said(stage.app)
        assert_fills(stage.app)


async def test_action_that_was_left_runs_on_and_is_listed(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await act(stage, pilot)
        await stage.press(pilot, "escape")
        await until(pilot, "▸ running: Terminate session 4312 (9)")
        await pilot.press("9")
        await until(pilot, "9 Actions")
        assert "Terminate session 4312" in cursor_line(stage.app)
        assert "running for" in cursor_line(stage.app)
        assert "b abort" in text_of(stage.app).splitlines()[-1]
        stage.terminate.goes_on("session is gone")
        await pilot.press("enter")
        await until(pilot, "session is gone")
        stage.terminate.goes_on("nobody waits", is_final=True)
        await until(pilot, "done nobody waits")
        await pilot.press("q")
        await until(pilot, lambda _: "done: nobody waits" in cursor_line(stage.app))
        assert "running" not in text_of(stage.app)
        assert "abort" not in text_of(stage.app).splitlines()[-1]
    assert outcomes(stage) == [("done", "nobody waits")]


async def test_aborted_action_is_said_to_be_unknown(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await act(stage, pilot)
        await stage.press(pilot, "escape")
        await pilot.press("9")
        await until(pilot, "9 Actions")
        await pilot.press("b")
        await until(pilot, lambda _: "unknown: aborted after" in cursor_line(stage.app))


async def test_second_action_on_the_same_session_is_refused(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await act(stage, pilot)
        await stage.press(pilot, "escape")
        await pilot.press("K")
        await until(pilot, "y does it")
        await stage.press(pilot, "y")
        await until(pilot, "refused Terminate session 4312 is still under way")
        assert stage.sent == [4312]


async def test_no_action_yet_is_said_with_where_older_ones_are(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(reading())
    async with stage.at(60, 15) as pilot:
        await pilot.press("9")
        await until(pilot, "no action was run in this session")
        assert "Tab: the record of all sessions" in said(stage.app)


@pytest.mark.parametrize("size", SIZES)
async def test_quitting_with_an_action_under_way_asks(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(*size) as pilot:
        await act(stage, pilot)
        await stage.press(pilot, "escape")
        await pilot.press("q", "q")
        await until(pilot, "Actions are still running ▸ Terminate session 4312")
        for words in ("w wait", "a abort", "l leave", "Esc back"):
            assert words in said(stage.app)
        assert_fills(stage.app)
        await stage.press(pilot, "x")
        assert "Actions are still running" in said(stage.app)
        await stage.press(pilot, "escape")
        await until(pilot, lambda text: "Actions are still running" not in text)
        assert pilot.app.is_running


async def test_wait_quits_when_the_action_is_done(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await act(stage, pilot)
        await stage.press(pilot, "escape")
        await pilot.press("q", "q")
        await until(pilot, "Actions are still running")
        await stage.press(pilot, "w")
        await until(pilot, "quits when the actions are done")
        assert pilot.app.is_running
        stage.terminate.goes_on("nobody waits", is_final=True)
        await wait_until_async(lambda: stage.gateway.runs[0].is_done, 30, "it is done")
        stage.clock.advance(1.0)
        await ended(pilot)
    assert outcomes(stage) == [("done", "nobody waits")]


@pytest.mark.parametrize("key", ["a", "l"])
async def test_abort_and_leave_quit_and_the_record_says_that_the_outcome_was_not_seen(
    tmp_path: Path, key: str
) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await act(stage, pilot)
        await stage.press(pilot, "escape")
        await pilot.press("q", "q")
        await until(pilot, "Actions are still running")
        await stage.press(pilot, key)
        await ended(pilot)
    ((outcome, text),) = outcomes(stage)
    assert outcome == "unknown"
    assert "after it was sent" in text
