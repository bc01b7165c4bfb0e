"""Moving between screens, and quitting."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.screens.stage import Stage, incident
from tests.support.readings import reading
from tests.support.screen import cursor_line, said, text_of, until
from tests.support.waiting import wait_until_async


async def is_over(pilot: Pilot[Any]) -> None:
    await wait_until_async(lambda: not pilot.app.is_running, 30, "the app ends")


def table_of(stage: Stage) -> list[str]:
    return text_of(stage.app).splitlines()[5:-1]


@pytest.mark.parametrize("back", ["escape", "q"])
async def test_back_is_exactly_the_same_row(tmp_path: Path, back: str) -> None:
    stage = Stage(tmp_path)
    stage.read(incident(waiting=60))
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 60")
        await pilot.press("2", "enter")
        await until(pilot, "[sessions 62]")
        await pilot.press(*["ctrl+d"] * 4, "k")
        await pilot.pause()
        before = table_of(stage)
        pid = cursor_line(stage.app).split()[1]
        assert "5000" not in before[0]
        await pilot.press("enter")
        await until(pilot, f"› session {pid}")
        await pilot.press(back)
        await until(pilot, "[sessions 62]")
        assert table_of(stage) == before
        await pilot.press(back)
        await until(pilot, "TARGET")
        assert "orders" in cursor_line(stage.app)
        await pilot.press(back)
        await until(pilot, "What is wrong")


async def test_q_at_the_overview_quits(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(reading())
    async with stage.at(80, 24) as pilot:
        await pilot.press("q")
        await is_over(pilot)
        assert pilot.app.return_code == 0


@pytest.mark.parametrize(
    "keys", [(), ("2",), ("2", "enter", "enter"), ("question_mark",), ("A", "enter", "K")]
)
async def test_ctrl_c_twice_quits_from_anywhere_and_once_does_not(
    tmp_path: Path, keys: tuple[str, ...]
) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await pilot.press("ctrl+c")
        await until(pilot, "ctrl-c again quits")
        stage.clock.advance(2.5)
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert pilot.app.is_running
        stage.clock.advance(1.5)
        await pilot.press("ctrl+c")
        await is_over(pilot)
        assert stage.sent == []


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+z"])
async def test_unbound_keys_do_nothing(tmp_path: Path, key: str) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        before = text_of(stage.app)
        await pilot.press(key)
        await pilot.pause()
        assert pilot.app.is_running
        assert text_of(stage.app) == before


async def test_digits_lead_to_configured_areas_only(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("1", "3", "4", "5", "6", "7", "8", "0")
        await pilot.pause()
        assert "What is wrong" in said(stage.app)
        await pilot.press("2", "enter", "enter")
        await until(pilot, "› session 4312")
        await pilot.press("9")
        await until(pilot, "Overview › 9 Actions")
        await pilot.press("2")
        await until(pilot, "Overview › 2 Database")
        await pilot.press("escape")
        await until(pilot, "What is wrong")


async def test_tab_goes_round_the_tables_and_back(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("2", "enter")
        for name in (
            "sessions",
            "blocked",
            "statements",
            "connections",
            "databases",
            "replication",
            "sessions",
        ):
            await until(pilot, f"[{name}")
            assert f"› {name}" in text_of(stage.app).splitlines()[1]
            await pilot.press("tab")
        await until(pilot, "[blocked")
        await pilot.press("shift+tab")
        await until(pilot, "[sessions")


async def test_sort_and_cursor_of_a_table_are_kept_while_away(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("2", "enter")
        await until(pilot, "[sessions 16]")
        await pilot.press("s", "S", "j", "j")
        await pilot.pause()
        before = table_of(stage)
        assert "PID▼" in text_of(stage.app)
        await pilot.press("enter")
        await until(pilot, "› session")
        await pilot.press("q")
        await until(pilot, "[sessions 16]")
        assert table_of(stage) == before


async def test_resized_terminal_shows_what_fits(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(180, 46) as pilot:
        await until(pilot, "pid 4312 blocks 14 sessions")
        await pilot.resize_terminal(60, 15)
        await until(pilot, lambda text: "4312 blocks 14, 5m58s" in text and "pid 4312" not in text)
        await pilot.resize_terminal(132, 34)
        await until(pilot, "pid 4312 blocks 14 sessions")
