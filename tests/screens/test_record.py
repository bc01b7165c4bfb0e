"""Area 9's second list: what the audit log says, also of other sessions."""

from pathlib import Path

from tests.screens.stage import Stage, incident
from tests.support.screen import line_with, text_of, until


async def open_record(stage: Stage, pilot: object) -> None:
    from textual.pilot import Pilot

    assert isinstance(pilot, Pilot)
    await pilot.press("9", "tab")
    await until(pilot, "[record]")


async def test_what_was_recorded_is_listed_newest_first_and_told_in_full(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await pilot.press("A")
        await until(pilot, "ARMED")
        await pilot.press("A")
        await until(pilot, "READ-ONLY")
        await open_record(stage, pilot)
        await until(pilot, "disarmed")
        text = text_of(stage.app)
        assert text.index("disarmed") < text.index(" armed ")
        await pilot.press("enter")
        await until(pilot, "Record 2")
        assert "event" in text_of(stage.app)
        await pilot.press("escape", "escape")
        await until(pilot, "What is wrong")


async def test_a_record_that_was_changed_by_hand_is_told(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await pilot.press("A")
        await until(pilot, "ARMED")
        text = stage.audit_path.read_text()
        stage.audit_path.write_text(text.replace('"armed"', '"awake"'))
        await open_record(stage, pilot)
        await until(pilot, "changed by hand")
        assert "awake" in line_with(stage.app, "changed by hand")


async def test_a_log_that_cannot_be_read_is_said_and_no_log_is_none(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await open_record(stage, pilot)
        await until(pilot, "nothing was recorded yet")
        stage.audit_path.mkdir()
        await pilot.press("tab", "tab")
        await until(pilot, "cannot be read: Is a directory")


async def test_a_record_that_is_longer_than_the_window_says_so(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(60, 12) as pilot:
        await pilot.press("A")
        await until(pilot, "ARMED")
        await open_record(stage, pilot)
        await until(pilot, "armed")
        await pilot.press("enter")
        await until(pilot, "Record 1")
        text = text_of(stage.app)
        assert "more line" in text
        assert "Esc back" in text


async def test_an_outcome_says_of_what_it_is_and_an_action_is_named_whole(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(180, 46) as pilot:
        await pilot.press("A")
        await until(pilot, "ARMED")
        await pilot.press("K")
        await until(pilot, "any other key")
        await stage.press(pilot, "y")
        await until(pilot, "intent recorded")
        stage.kit.actions["postgres.terminate_root"].goes_on("nobody waits any more", is_final=True)
        await until(pilot, "done")
        await pilot.press("escape", "9")
        await until(pilot, "[actions]")
        assert "Terminate root blocker 4312 " in line_with(stage.app, "nobody waits")
        await pilot.press("tab")
        await until(pilot, "[record]")
        await until(pilot, "postgres.terminate_root · done · nobody waits any more")
