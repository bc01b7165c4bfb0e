"""`[screen]`, `[keys]` and --slow-link: what they may say, how mistakes are told, and what then works."""

from pathlib import Path

import pytest

from opsdash.collectors.errors import ConfigError
from opsdash.tui.app import OpsdashApp
from opsdash.tui.config import load_config
from opsdash.tui.key_remapping import checked_keys
from opsdash.tui.screen_settings import ScreenSettings, ScreenTable
from opsdash.tui.terminal import prepare
from tests.cli.run_opsdash import write_config
from tests.cli.test_config import mistakes
from tests.documents import bindings
from tests.screens.stage import Stage, incident
from tests.support.screen import text_of, until

TARGET = '[[postgres]]\nname = "orders"\ndsn = "host=127.0.0.1 port=1"\n'


def settings(folder: Path, text: str) -> ScreenSettings:
    return load_config(str(write_config(folder, text + TARGET)), {"HOME": str(folder)}).screen


def test_screen_and_keys_arrive(tmp_path: Path) -> None:
    found = settings(
        tmp_path, '[screen]\ntheme = "light"\nnotice = "bell"\n[keys]\ntable.mark = "m"\n"actions" = "f5"\n'
    )
    assert found.table == ScreenTable(theme="light", notice="bell")
    assert found.keys == {"table.mark": "m", "actions": "f5"}


def test_mistakes_name_their_keys(tmp_path: Path) -> None:
    told = mistakes(tmp_path, '[screen]\ntheme = "pink"\n[keys]\ntable.mark = 3\n' + TARGET)
    assert len(told) == 2
    assert told[0].startswith("screen.theme: ")
    assert told[1].startswith("keys.table.mark: expected keys")


def test_a_key_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"^F: keys\.table\.mrak: there is no .* did you mean table\.mark"):
        checked_keys({"table.mrak": "m"}, OpsdashApp.BINDINGS, "F")


def test_a_key_that_is_taken_is_told_with_who_has_it() -> None:
    with pytest.raises(ConfigError, match=r"keys\.table\.mark: a is taken by actions \(actions\)"):
        checked_keys({"table.mark": "a"}, OpsdashApp.BINDINGS, "F")


def test_two_that_change_places_are_no_conflict() -> None:
    checked_keys({"table.mark": "u", "table.clear_marks": "space"}, OpsdashApp.BINDINGS, "F")


def test_a_key_that_is_taken_in_many_places_is_told_once() -> None:
    with pytest.raises(ConfigError) as told:
        checked_keys({"copy": "a"}, OpsdashApp.BINDINGS, "F")
    (line,) = str(told.value).splitlines()
    assert line.startswith("F: keys.copy: a is taken by actions (actions) in ")
    assert line.endswith(" more places")


def test_a_key_that_is_none_is_told() -> None:
    with pytest.raises(ConfigError) as told:
        checked_keys({"zoom": "ctl+x", "pause": "f5,"}, OpsdashApp.BINDINGS, "F")
    assert [line.split(" is no key")[0] for line in str(told.value).splitlines()] == [
        "F: keys.zoom: 'ctl+x'",
        "F: keys.pause: 'nothing'",
    ]


def test_keys_may_be_written_as_the_screen_and_the_pages_write_them() -> None:
    stated = {"zoom": "Ctrl-K, F5", "table.page_up": "Home", "table.first": "PgUp, F7"}
    keys = checked_keys(stated, OpsdashApp.BINDINGS, "F")
    assert keys == {"zoom": "ctrl+k,f5", "table.page_up": "home", "table.first": "pageup,f7"}
    checked_keys({"filter": "/"}, OpsdashApp.BINDINGS, "F")  # as it is: in logs it searches
    with pytest.raises(ConfigError, match=r"keys\.zoom: / is taken by filter \(filter\) "):
        checked_keys({"zoom": "/"}, OpsdashApp.BINDINGS, "F")


def test_every_id_of_the_page_of_keys_can_be_stated() -> None:
    for name in {binding.id for _, binding in bindings() if binding.id and binding.description}:
        checked_keys({name: "f24"}, OpsdashApp.BINDINGS, "F")


async def test_a_changed_key_works_and_is_in_the_help(tmp_path: Path) -> None:
    stage = Stage(tmp_path, settings=ScreenSettings(keys={"area.2": "f6", "keys": "h"}))
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await pilot.press("2")
        assert "TARGET" not in text_of(stage.app)
        await pilot.press("f6")
        await until(pilot, "TARGET")
        await pilot.press("h")
        await until(pilot, "Keys:")
        assert "f6 Database" in " ".join(text_of(stage.app).split())


@pytest.mark.parametrize("theme", ["dark", "light", "high-contrast", "ansi"])
async def test_every_theme_shows_the_incident(tmp_path: Path, theme: str) -> None:
    table = ScreenTable(theme=theme)  # type: ignore[arg-type]  # each of them is one
    stage = Stage(tmp_path, settings=ScreenSettings(table=table))
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        assert "✖ CRIT" in text_of(stage.app) or "✖" in text_of(stage.app)


def test_slow_link_asks_for_fewer_frames() -> None:
    environ: dict[str, str] = {}
    prepare(environ, is_slow=True)
    assert environ["TEXTUAL_FPS"] == "10"


async def test_plus_and_minus_change_how_often_is_read(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await pilot.press("plus")
        await until(pilot, "read every 5 s")
        await pilot.press("minus", "minus", "minus")
        await until(pilot, "read every 1 s")
        assert [view.target.interval_s for view in stage.app.watch_over.feed.views()] == [1.0]
