"""Every key on every screen of every kind: nothing breaks, nothing acts, and there is a way back."""

import random
from pathlib import Path

import pytest

from tests.screens.hand import KEYS, PLACES, Hand
from tests.support.every_kind import PRODUCTION, EveryKind

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
    keys = [key for key in KEYS if key not in AREAS] + dice.sample(AREAS, 2)
    dice.shuffle(keys)
    stage = EveryKind(tmp_path, where=PRODUCTION)
    async with stage.at(*size) as pilot:
        hand = Hand(stage, pilot)
        await hand.press("A")
        await hand.go(place)
        for key in keys:
            if hand.is_at_the_overview and key in LEAVING:
                continue
            await hand.press(key)
            await hand.out_of_dialogs()
            if hand.app.place.called not in place:
                await hand.go(place)
        assert stage.sent == []
        await hand.go(place)
        for _ in range(len(PLACES[place].split())):
            if not hand.is_at_the_overview:
                await hand.press("q")
        assert hand.is_at_the_overview
