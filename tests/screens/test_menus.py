"""The action menu, the keys of a place, and the palette."""

from pathlib import Path

import pytest

from opsdash.collectors.target import TargetId
from opsdash.tui.actions import registry
from opsdash.tui.kinds import KINDS
from opsdash.tui.screens.menus import lettered
from opsdash.widgets.keyline import KeyLine
from tests.screens.stage import Stage, incident
from tests.support.screen import SIZES, assert_fills, said, text_of, until
from tests.support.waiting import wait_until_async


def inside_box(stage: Stage) -> str:
    lines = [line.split("│")[1] for line in text_of(stage.app).splitlines() if line.count("│") == 2]
    return " ".join(" ".join(lines).split())


@pytest.mark.parametrize("kind", [kind for kind, known in KINDS.items() if known.actions])
def test_letters_of_the_action_menu_are_unique(kind: str) -> None:
    entries = lettered(registry.specs(kind))
    assert len({letter for letter, _ in entries}) == len(registry.specs(kind))


def test_two_actions_that_want_one_letter_get_two() -> None:
    spec = registry.spec("postgres.terminate")
    assert [letter for letter, _ in lettered([spec, spec])] == ["K", "t"]


async def test_menu_opens_the_plan_of_what_is_chosen_and_nothing_else(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("a")
        await until(pilot, "Actions on orders: 4312")
        for words in ("K Terminate root blocker", "C Cancel query", "t Terminate session"):
            assert words in said(stage.app)
        assert_fills(stage.app)
        await pilot.press("x")
        await until(pilot, lambda text: "Actions on orders" not in text)
        await pilot.press("a")
        await until(pilot, "Actions on orders: 4312")
        await stage.press(pilot, "C")
        await until(pilot, "Cancel query 4312 on orders")
        assert stage.sent == []
        assert [name for name, action in stage.kit.actions.items() if action.plans] == ["postgres.cancel"]


async def test_nothing_to_act_on_is_said(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with stage.at(80, 24) as pilot:
        await pilot.press("a")
        await until(pilot, "nothing to act on here")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keys", [(), ("2",), ("2", "enter"), ("2", "enter", "enter"), ("9",)])
async def test_every_key_of_a_place_is_told_whole(
    tmp_path: Path, size: tuple[int, int], keys: tuple[str, ...]
) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(*size) as pilot:
        await until(pilot, "blocks 14")
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await pilot.press("question_mark")
        await until(pilot, "Keys: ")
        told = ""
        while "any key closes" not in told:
            assert "…" not in inside_box(stage)
            told += said(stage.app)
            assert_fills(stage.app)
            await stage.press(pilot, "x")
        await until(pilot, lambda text: "Keys: " not in text)
        for words in (
            "ctrl-c twice: quit",
            "? F1 keys",
            ": ctrl-p command",
            "A arm",
            "2 Database",
            "9 Actions",
        ):
            assert words in told, words


async def test_escape_closes_the_keys_on_any_page(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with stage.at(60, 15) as pilot:
        await pilot.press("question_mark")
        await until(pilot, "page 1 of 2")
        await pilot.press("escape")
        await until(pilot, lambda text: "Keys: " not in text)


async def test_a_key_that_means_nothing_says_so_and_a_letter_of_a_filter_does_not(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        for key, name in (("v", "v"), ("1", "1"), ("left_square_bracket", "[")):
            await pilot.press(key)
            await until(pilot, f"{name} means nothing here; ? tells what does")
        await pilot.press("2", "slash", "v", "Q")
        await until(pilot, "/ vQ")
        assert "means nothing" not in text_of(stage.app)


@pytest.mark.parametrize("size", [*SIZES, (60, 20)])
async def test_a_long_notice_is_told_whole_and_then_the_keys_have_one_line_again(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(*size) as pilot:
        await until(pilot, "blocks 14")
        stage.app.notice("39 rows in ~/.local/state/opsdash/exports/sessions-20261129-155221.csv, all told")
        await until(pilot, "sessions-20261129-155221.csv, all told")
        assert_fills(stage.app)
        stage.app.notice("")
        await until(pilot, "q quit")
        assert (
            len(stage.app.screen.query_one(KeyLine).lines)
            == stage.app.screen.query_one(KeyLine).size.height
            == 1
        )


async def test_keys_are_those_that_work_here(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("question_mark")
        await until(pilot, "Keys: overview")
        assert "K terminate" in inside_box(stage)
        assert "C cancel" not in inside_box(stage)
        assert "1 Health" not in said(stage.app)
        await stage.press(pilot, "x")
        await pilot.press("enter")
        await until(pilot, "[blocked")
        await pilot.press("f1")
        await until(pilot, "Keys: one PostgreSQL server")
        assert "C cancel" in inside_box(stage)


@pytest.mark.parametrize(
    ("typed", "then"),
    [
        ("next table", "[statements"),
        ("back", "What is wrong"),
        ("read again", "reading again"),
        ("terminate", "Terminate session 4312 on orders"),
        ("arm", "ARMED"),
    ],
)
@pytest.mark.parametrize("opens", ["colon", "ctrl+p"])
async def test_palette_runs_a_command_of_the_screen_by_name(
    tmp_path: Path, opens: str, typed: str, then: str
) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("enter")
        await until(pilot, "[blocked")
        await pilot.press(opens)
        await until(pilot, "Search for commands")
        await pilot.press(*("space" if letter == " " else letter for letter in typed))
        await until(pilot, lambda text: typed in text)
        await pilot.press("down", "enter")
        await until(pilot, then)


async def test_palette_closes_and_nothing_happened(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("colon")
        await until(pilot, "Search for commands")
        await pilot.press("q", "9", "escape")
        await until(pilot, lambda text: "Search for commands" not in text)
        assert "What is wrong" in said(stage.app)


async def test_palette_has_the_actions_of_the_row_and_the_themes(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("colon", *"theme light")
        await until(pilot, "theme: light")
        await pilot.press("enter")
        await wait_until_async(lambda: stage.app.theme == "opsdash-light", 30, "the theme is light")
        await pilot.press("colon", *"terminate session")
        await until(pilot, "on orders")
        await pilot.press("enter")
        await until(pilot, "will run")


async def test_palette_begins_with_commands_and_their_keys_and_tells_an_area_from_the_menu(
    tmp_path: Path,
) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("colon")
        await until(pilot, "filter /")
        assert "half a page" not in text_of(stage.app)
        await pilot.press(*"actions")
        await until(pilot, "area: Actions 9")
        assert "actions a" in said(stage.app)


async def test_words_of_a_target_are_no_markup_in_the_palette(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "db [/x] [@click=app.exit]y")
    stage.read(incident(), TargetId("postgres", "db [/x] [@click=app.exit]y"))
    async with stage.at(132, 34) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("colon")
        await until(pilot, "Terminate root blocker on db [/x] [@click=app.exit]y")
        await pilot.press(*"terminate session")
        await until(pilot, "Terminate session on db [/x] [@click=app.exit]y")
