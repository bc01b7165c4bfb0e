"""Filter, only what is wrong, marks, pause and zoom: as a person uses them on a table of sessions."""

import json
from pathlib import Path

import pytest
from textual.widgets import Input

from opsdash.widgets.table import Table
from tests.screens.stage import Stage, incident
from tests.screens.test_server import open_server
from tests.support.readings import reading, row_line, session
from tests.support.screen import SIZES, assert_fills, text_of, until


def table(stage: Stage) -> Table[object]:
    found: Table[object] = stage.app.screen.query_one("#sessions", Table)
    return found


@pytest.mark.parametrize("size", SIZES)
async def test_filter_works_while_it_is_typed_and_esc_shows_all_again(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(*size) as pilot:
        await open_server(stage, pilot)
        total = len(table(stage).rows)
        await pilot.press("slash", *"checkout")
        await until(pilot, f" of {total}")
        left = len(table(stage).rows)
        assert 0 < left < total
        assert_fills(stage.app)
        await pilot.press("enter", "q")  # q is a key again, not a letter of the filter
        await until(pilot, "TARGET")
        await pilot.press("enter")
        await until(pilot, "] ")
        await pilot.press("slash", *"checkout", "enter")
        assert len(table(stage).rows) == left
        await pilot.press("escape")
        assert len(table(stage).rows) == total
        assert not stage.app.screen.query_one(Input).has_focus


async def test_filter_holds_while_readings_come(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(reading([session(1, application_name="api"), session(2, application_name="cron")]))
    async with stage.at(132, 34) as pilot:
        await open_server(stage, pilot)
        await pilot.press("slash", *"app:cron", "enter")
        stage.read(
            reading(
                [
                    session(1, application_name="api"),
                    session(2, application_name="cron"),
                    session(3, application_name="cron"),
                ]
            )
        )
        await until(pilot, "2 of 3")
        assert "/ app:cron" in text_of(stage.app)


async def test_filter_that_makes_no_sense_says_so_and_hides_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await open_server(stage, pilot)
        total = len(table(stage).rows)
        await pilot.press("slash", *"aeg>5m")
        await until(pilot, "no column 'aeg'")
        assert len(table(stage).rows) == total


async def test_nothing_left_by_the_filter_is_not_said_to_be_nothing_there(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await open_server(stage, pilot)
        total = len(table(stage).rows)
        await pilot.press("slash", *"nosuchthing")
        await until(pilot, f"none of {total} fits the filter")


async def test_f_leaves_what_is_wrong_and_says_so(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await open_server(stage, pilot)
        total = len(table(stage).rows)
        await pilot.press("f")
        await until(pilot, "only what is wrong")
        assert 0 < len(table(stage).rows) < total
        await pilot.press("f")
        assert len(table(stage).rows) == total
        assert "only what is wrong" not in text_of(stage.app)


async def test_marks_stay_on_their_rows_and_go_with_them(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(reading([session(1), session(2), session(3)]))
    async with stage.at(132, 34) as pilot:
        await open_server(stage, pilot)
        await pilot.press("space", "space")
        assert len(table(stage).chosen_rows) == 2
        assert text_of(stage.app).count(" *") == 2
        marked = {getattr(row, "session").pid for row in table(stage).chosen_rows}  # noqa: B009
        stays, _ = marked
        stage.read(reading([session(stays), session(4)]))
        await until(pilot, " 4 ")
        assert [getattr(row, "session").pid for row in table(stage).chosen_rows] == [stays]  # noqa: B009
        await pilot.press("u")
        assert " *" not in text_of(stage.app)


@pytest.mark.parametrize("size", SIZES)
async def test_marks_are_counted_also_those_that_a_filter_hides(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    stage = Stage(tmp_path)
    named = [session(1, application_name="api"), session(2, application_name="cron"), session(3)]
    stage.read(reading(named))
    async with stage.at(*size) as pilot:
        await open_server(stage, pilot)
        await pilot.press("g", "space", "space")
        await until(pilot, "2 marked u clears")
        await pilot.press("slash", *"app:cron", "enter")
        await until(pilot, "2 marked, 1 of them hidden")
        assert_fills(stage.app)
        stage.read(reading(named[1:]))
        await until(pilot, "1 marked u clears")
        await pilot.press("u")
        await until(pilot, lambda text: "marked" not in text)


async def test_pause_stands_still_and_says_how_far_behind(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(reading([session(1)]))
    async with stage.at(132, 34) as pilot:
        await open_server(stage, pilot)
        await pilot.press("p")
        await until(pilot, "PAUSED")
        stage.read(reading([session(1), session(77)]))
        stage.clock.advance(12)
        await until(pilot, "PAUSED 12s behind")
        assert " 77 " not in text_of(stage.app)
        await pilot.press("p")
        await until(pilot, " 77 ")
        assert "PAUSED" not in text_of(stage.app)


async def test_another_view_that_is_opened_while_paused_is_never_a_view_that_was_not_drawn(
    tmp_path: Path,
) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await open_server(stage, pilot)
        await pilot.press("p")
        await until(pilot, "PAUSED")
        stage.clock.advance(12)
        await until(pilot, "PAUSED 12s behind")
        await pilot.press("tab")
        await until(pilot, "[blocked 14]")
        text = text_of(stage.app)
        assert "nobody waits" not in text
        assert "(holds; 14 wait)" in text
        assert "PAUSED 0s behind" in text
        stage.read(incident(waiting=3))
        stage.clock.advance(5)
        await until(pilot, "PAUSED 5s behind")
        assert "(holds; 14 wait)" in text_of(stage.app)


async def test_zoom_gives_the_rows_the_lines_of_the_figures(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await open_server(stage, pilot)
        before = table(stage).size.height
        await pilot.press("z")
        await pilot.pause()
        assert table(stage).size.height > before
        await pilot.press("z")
        await pilot.pause()
        assert table(stage).size.height == before


async def test_a_hidden_column_goes_at_once_and_can_still_be_filtered_by(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await open_server(stage, pilot)
        assert "STATE" in text_of(stage.app)
        await pilot.press("number_sign")
        await until(pilot, "● STATE")
        letter = next(line for line in text_of(stage.app).splitlines() if "● STATE" in line).split("●")[0]
        await stage.press(pilot, letter.replace("│", "").split()[-1])
        await pilot.press("escape")
        await until(pilot, "AGE")
        assert "STATE" not in text_of(stage.app)
        await pilot.press("slash", *"state:idle")
        await until(pilot, " of ")
        assert 0 < len(table(stage).rows) < len(table(stage).arrangement.given)


async def test_an_action_on_marked_sessions_is_planned_and_sent_for_all_of_them(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(reading([session(1), session(2), session(3)]))
    async with stage.at(132, 34) as pilot:
        await open_server(stage, pilot)
        await pilot.press("A")
        await until(pilot, "ARMED")
        await pilot.press("space", "space")
        marked = {getattr(row, "session").pid for row in table(stage).chosen_rows}  # noqa: B009
        await pilot.press("K")
        await until(pilot, "any other key")
        await stage.press(pilot, "y")
        await until(pilot, "intent recorded")
        assert set(stage.sent) == marked
        assert len(stage.sent) == 2


async def test_export_writes_the_shown_rows_into_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    stage = Stage(tmp_path)
    stage.read(reading([session(1, application_name="api"), session(2, application_name="cron")]))
    async with stage.at(132, 34) as pilot:
        await open_server(stage, pilot)
        await pilot.press("slash", *"app:cron", "enter", "x")
        await until(pilot, "Export 1 row")
        await pilot.press("j")
        await until(pilot, "1 row in ")
        (path,) = (tmp_path / "opsdash" / "exports").iterdir()
        assert path.stat().st_mode & 0o777 == 0o600
        (row,) = json.loads(path.read_text())
        assert row["app"] == "cron"
        assert row["values"]["pid"] == 2


async def test_copy_gives_whole_cells_to_the_clipboard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    stage = Stage(tmp_path)
    stage.read(reading([session(1, query="select " + "x, " * 200)]))
    async with stage.at(132, 34) as pilot:
        await open_server(stage, pilot)
        await pilot.press("y")
        await until(pilot, "1 row to the terminal's clipboard")
        assert stage.app.clipboard.count("x, ") >= 199


async def test_a_pattern_that_would_take_for_ever_is_given_up_and_keys_go_on(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(reading([session(pid, query="a" * 60) for pid in range(1, 9)]))
    async with stage.at(132, 34) as pilot:
        await open_server(stage, pilot)
        await pilot.press("slash", *"/(a+)+$b/ ")
        await until(pilot, "takes too long")
        assert len(table(stage).rows) == 8
        await pilot.press("escape")
        await until(pilot, "Esc back")


async def test_q_closes_the_dialogs_of_a_table_as_it_leaves_a_place(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await open_server(stage, pilot)
        for key, words in (("x", "Export 16 rows"), ("number_sign", "Columns")):
            await pilot.press(key)
            await until(pilot, words)
            await stage.press(pilot, "q")
            await until(pilot, lambda text, words=words: words not in text)
        assert "[sessions" in text_of(stage.app)


async def test_who_is_blocked_can_be_compared_and_those_folded_away_are_looked_at_too(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    waiting = [session(pid, application_name="api") for pid in range(5000, 5012)]
    holder = session(4312, "idle in transaction", application_name="checkout", for_s=900.0)
    stage.read(reading([holder, *waiting], row_line(4312, [s.pid for s in waiting], longest_s=60.0)))
    async with stage.at(132, 34) as pilot:
        await pilot.press("enter")
        await until(pilot, "more in the same line")
        await pilot.press("slash", *"5011", "enter")
        await until(pilot, "1 of 13")
        assert "5011" in text_of(stage.app)
        await pilot.press("escape")
        await until(pilot, "more in the same line")
        await pilot.press("slash", *"age>5m", "enter")
        await until(pilot, "1 of 13")
        assert "4312" in text_of(stage.app)
