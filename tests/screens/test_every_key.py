"""Every key on every screen of every kind: nothing breaks, nothing acts, and there is a way back."""

import asyncio
import random
from pathlib import Path

import pytest

from opsdash.widgets.table import Table
from tests.screens.hand import COMMANDS, PLACES, Hand
from tests.support.every_kind import PRODUCTION, EveryKind
from tests.support.screen import cursor_line, text_of, until

AREAS = "123456789"
LEAVING = ("q", "escape", "ctrl+c")
"""Keys that quit, where there is nothing to go back to."""
SIZES = ((180, 46), (80, 24))


@pytest.fixture(autouse=True)
def _files_of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What keys copy and export goes here."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("TMUX", raising=False)


@pytest.mark.parametrize(
    ("place", "size"), [(place, SIZES[number % 2]) for number, place in enumerate(PLACES)]
)
async def test_no_key_breaks_a_place_or_acts_in_it(tmp_path: Path, place: str, size: tuple[int, int]) -> None:
    dice = random.Random(place)
    keys = {dice.choice(keys.split(",")) for keys in COMMANDS if keys not in AREAS}
    keys |= {*dice.sample(AREAS, 2)}
    stage = EveryKind(tmp_path, where=PRODUCTION)
    async with stage.at(*size) as pilot:
        hand = Hand(stage, pilot)
        await hand.press("A")
        await hand.go(place)
        for key in dice.sample(sorted(keys), len(keys)):
            if hand.is_at_the_overview and key in LEAVING:
                continue
            await hand.press(key)
            await hand.out_of_dialogs()
            if hand.app.place.called not in place:
                await hand.go(place)
        assert stage.sent == []
        await hand.go(place)
        levels = len(hand.app.screen_stack) - 1
        await hand.press(*["q"] * levels)
        assert hand.is_at_the_overview


async def test_page_key_in_a_palette_whose_list_is_not_drawn_does_not_end_the_app(tmp_path: Path) -> None:
    stage = EveryKind(tmp_path)
    async with stage.at(80, 4) as pilot:  # no room for it; else it is so for a moment after opening
        hand = Hand(stage, pilot)
        await hand.press("colon", "pagedown", "pageup", "down")
        await hand.resize(80, 24)
        await until(pilot, "Search for commands")


async def test_what_ends_after_its_screen_was_left_is_told_where_one_is_by_then(tmp_path: Path) -> None:
    stage = EveryKind(tmp_path)
    async with stage.at(80, 24) as pilot:
        hand = Hand(stage, pilot)
        await hand.go("log lines")
        left = hand.app.place
        await hand.back()
        left.notice("exported to a file")
        await until(pilot, "exported to a file")


async def test_action_menu_says_the_name_of_a_container_and_its_question_too(tmp_path: Path) -> None:
    stage = EveryKind(tmp_path)
    async with stage.at(132, 34) as pilot:
        hand = Hand(stage, pilot)
        await hand.go("one Docker engine")
        name = cursor_line(hand.app).split()[2]
        assert name in {row.container.name for row in hand.app.screen.query_one("#containers", Table).rows}
        await hand.press("a")
        await until(pilot, f"Actions on local: {name}")
        await hand.press("escape", "space", "space", "a")
        await until(pilot, "and 1 more that are marked")


async def test_enter_is_offered_only_where_it_leads_somewhere(tmp_path: Path) -> None:
    stage = EveryKind(tmp_path)
    async with stage.at(132, 34) as pilot:
        hand = Hand(stage, pilot)
        for place, leads in (
            ("one Redis", {"clients"}),
            ("one HTTP endpoint", set()),
            ("the local host", set()),
        ):
            await hand.go(place)
            offered: set[str | None] = set()
            for _ in range(5):
                table = hand.app.focused
                if isinstance(table, Table) and "Enter drill in" in text_of(hand.app).splitlines()[-1]:
                    offered.add(table.id)
                await hand.press("tab")
            assert offered == leads, place


async def test_keys_that_come_while_the_line_of_the_filter_is_made_break_nothing(tmp_path: Path) -> None:
    stage = EveryKind(tmp_path)
    async with stage.at(80, 24) as pilot:
        hand = Hand(stage, pilot)
        await hand.go("one PostgreSQL server")
        place = hand.app.place
        twice = asyncio.gather(place.action_filter(), place.action_filter())
        await asyncio.sleep(0)
        place.redraw()  # as Tab would
        await twice
        await hand.press("x")
        await until(pilot, "/ x")
        await hand.back()
