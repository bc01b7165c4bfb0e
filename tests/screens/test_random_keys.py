"""Hundreds of keys at random while readings come and fail and the terminal changes its size."""

import random
from pathlib import Path

import pytest

from opsdash.tui.screens.overview import Overview
from opsdash.tui.screens.place import Place
from tests.screens.hand import KEYS, Hand
from tests.support.every_kind import PRODUCTION, STAGING, EveryKind

COUNT = 300
SIZES = ((180, 46), (132, 34), (80, 24), (60, 15))
LEAVING = ("q", "escape", "ctrl+c")


@pytest.fixture(autouse=True)
def _files_of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What keys copy and export goes here."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("TMUX", raising=False)


def next_key(dice: random.Random, hand: Hand) -> str:
    """Any key: in a dialog often one that ends it, elsewhere seldom one that leads out of a place."""
    if hand.is_in_a_dialog and dice.random() < 0.3:
        return dice.choice(("escape", "enter"))
    key = dice.choice(KEYS)
    if key.isdigit() or key in LEAVING:
        key = dice.choice(KEYS)
    return "enter" if hand.is_at_the_overview and key in LEAVING else key


async def walk(hand: Hand, dice: random.Random, count: int) -> None:
    """Press keys until there were enough, or one of them has quit the app."""
    for _ in range(count):
        if dice.random() < 0.1:
            hand.stage.something_happens(dice)
        if dice.random() < 0.02:
            await hand.resize(*dice.choice(SIZES))
        before = hand.app.screen
        await hand.press(next_key(dice, hand))
        if hand.is_over:
            assert not isinstance(before, Place) or isinstance(before, Overview)
            return


@pytest.mark.parametrize(("seed", "size"), [(1, (180, 46)), (2, (80, 24))])
async def test_no_keys_break_the_app_or_act_without_a_dialog(
    tmp_path: Path, seed: int, size: tuple[int, int]
) -> None:
    dice, left = random.Random(seed), COUNT
    while left > 0:
        folder = tmp_path / str(left)
        folder.mkdir()
        stage = EveryKind(folder, where=PRODUCTION if dice.random() < 0.5 else STAGING)
        async with stage.at(*size) as pilot:
            hand = Hand(stage, pilot)
            await hand.press("A")
            await walk(hand, dice, left)
            left -= len(hand.pressed)
            if stage.targets[0].environment is PRODUCTION:
                assert stage.sent == [], "nobody typed a name"
