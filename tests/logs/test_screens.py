"""The logs area as a person meets it: lines at once, filters, search, ids, fields, the list of sources."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from opsdash.collectors.clock import Clock
from opsdash.collectors.lines.place import LogPlace
from opsdash.collectors.lines.source import LogSource
from opsdash.collectors.lines.source_lines import LineRef
from opsdash.collectors.snapshot import Failure, FailureKind
from opsdash.widgets.messages import DrillDown
from tests.support.log_lines import SHOP, at, printed, source
from tests.support.log_stage import LogStage
from tests.support.screen import SIZES, assert_fills, line_with, said, text_of, until

LOCK = 'could not obtain lock on relation "stock" (request 7f3a91)'


def shop() -> tuple[LogSource, LogSource, LogSource]:
    api = [at(n, f"INFO shop.api: GET /healthz {n}") for n in range(40)]
    api[20:20] = [at(19.5, f"ERROR shop.api: {LOCK}"), "  at Pool.take", "  at Orders.place"]
    web = [at(n + 0.3, f"INFO shop.web: order {n}") for n in range(0, 40, 2)]
    web.append(at(39.5, "WARN shop.web: slow answer request=7f3a91 password=hunter2"))
    orders = [at(19.4, "INFO shop.db: update stock, request 7f3a91")]
    return source("api.log", api), source("web.log", web), source("orders.log", orders)


@asynccontextmanager
async def looking(
    folder: Path, size: tuple[int, int] = (132, 34)
) -> AsyncIterator[tuple[LogStage, Pilot[Any]]]:
    """At the logs of the shop."""
    stage = LogStage(folder, *shop())
    async with stage.at(*size) as pilot:
        yield stage, pilot


async def go_to_the_error(stage: LogStage, pilot: Pilot[Any]) -> None:
    await pilot.press("E")
    await until(pilot, lambda _: stage.cursor == LOCK)


@pytest.mark.parametrize("size", SIZES)
async def test_the_area_shows_the_newest_lines_of_all_sources_at_once(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with looking(tmp_path, size) as (stage, pilot):
        await until(pilot, "● following")
        lines = text_of(stage.app).splitlines()
        (newest,) = [y for y, line in enumerate(lines) if line.startswith("▸")]
        assert "WARN  slow answer" in lines[newest]
        assert "GET /healthz 39" in lines[newest - 1]
        assert "65 lines" in said(stage.app)
        assert "hunter2" not in said(stage.app)
        assert_fills(stage.app)


async def test_new_lines_are_shown_as_they_come(tmp_path: Path) -> None:
    async with looking(tmp_path) as (stage, pilot):
        _, web, _ = stage.watch.sources
        await until(pilot, "● following")
        printed(web, [at(50, "INFO shop.web: brand new")])
        stage.tick()
        await until(pilot, "brand new")


async def test_a_screen_that_was_left_is_not_told_of_lines_any_more(tmp_path: Path) -> None:
    sources = shop()
    stage = LogStage(tmp_path, *sources)
    async with stage.at(132, 34) as pilot:
        await until(pilot, "● following")
        assert all(one.buffer.listeners for one in sources)
        await pilot.press("escape")
        await until(pilot, "What is wrong")
        await until(pilot, lambda _: not any(one.buffer.listeners for one in sources))


async def test_only_faults_and_everything_again(tmp_path: Path) -> None:
    async with looking(tmp_path) as (stage, pilot):
        await pilot.press("f")
        await until(pilot, "level ≥ WARN 4 of 65 lines")
        assert "at Orders.place" in said(stage.app)
        assert "healthz" not in said(stage.app)
        await pilot.press("f")
        await until(pilot, lambda text: "level ≥ WARN" not in text and "healthz" in text)


async def test_filters_are_stacked_and_taken_away_one_by_one(tmp_path: Path) -> None:
    async with looking(tmp_path) as (_, pilot):
        await pilot.press("F", *"-healthz", "enter")
        await until(pilot, "filter: -healthz 25 of 65 lines")
        await pilot.press("ampersand", *"+request", "enter")
        await until(pilot, "filter: -healthz +request 5 of 65 lines")
        await pilot.press("backspace")
        await until(pilot, "filter: -healthz 25 of 65 lines")
        await pilot.press("backspace", "backspace")
        await until(pilot, "there is no filter")


async def test_escape_shows_all_first_and_goes_back_then(tmp_path: Path) -> None:
    async with looking(tmp_path) as (stage, pilot):
        await pilot.press("f", "F", *"-slow", "enter")
        await until(pilot, "filter: -slow 3 of 65 lines")
        cursor = stage.cursor
        await pilot.press("escape")
        await until(pilot, lambda text: "filter:" not in text and "level" not in text)
        assert cursor in [ref.record.message for ref in stage.shown] or stage.view.window.is_following
        await pilot.press("escape")
        await until(pilot, "What is wrong")


async def test_sources_are_gone_through_one_by_one(tmp_path: Path) -> None:
    async with looking(tmp_path) as (stage, pilot):
        await pilot.press("right_square_bracket")
        await until(pilot, "5 Logs › api.log")
        assert "1 of 3 sources" in said(stage.app)
        await pilot.press("right_square_bracket", "right_square_bracket")
        await until(pilot, "5 Logs › orders.log")
        await pilot.press("right_square_bracket")
        await until(pilot, "3 sources 65 lines")


ENDLESS = r"/(a+)+$/"
"""Would take longer than the universe has been there for a row of a's that ends otherwise."""


def many_a() -> LogSource:
    return source("a.log", [at(1, f"INFO {'a' * 60}!"), at(2, "INFO last")])


async def test_a_pattern_that_would_take_for_ever_is_taken_away_as_a_filter(tmp_path: Path) -> None:
    stage = LogStage(tmp_path, many_a())
    async with stage.at(132, 34) as pilot:
        await pilot.press("F", *ENDLESS, "enter")
        await until(pilot, "takes far too long over these lines")
        await until(pilot, lambda text: "filter:" not in text and "2 lines" in text)
        await pilot.press("F", *"last", "enter")
        await until(pilot, "filter: +last 1 of 2 lines")


MARKED = r"/INFO|(a+)+$/"
"""Every line has the first half, and is found at once; the marks in its text are what takes for ever."""


@pytest.mark.parametrize("pattern", [ENDLESS, MARKED], ids=["to find", "to mark"])
async def test_a_pattern_that_would_take_for_ever_is_given_up_as_a_search(
    tmp_path: Path, pattern: str
) -> None:
    stage = LogStage(tmp_path, many_a())
    async with stage.at(132, 34) as pilot:
        await pilot.press("slash", *pattern, "enter")
        await until(pilot, "takes far too long over these lines")
        await pilot.press("n")
        await until(pilot, "nothing to look for yet")


async def test_a_pattern_that_makes_no_sense_is_told_and_can_be_mended(tmp_path: Path) -> None:
    async with looking(tmp_path, (180, 46)) as (stage, pilot):
        await pilot.press("F", *"/lock(/", "enter")
        await until(pilot, "is no regular expression")
        await pilot.press("escape")
        await until(pilot, lambda text: "filter:" not in text and "no regular" not in text)
        assert stage.app.focused is stage.view


async def test_letters_are_text_while_a_filter_is_typed(tmp_path: Path) -> None:
    async with looking(tmp_path) as (stage, pilot):
        await pilot.press("F", *"q5pfxy", "enter")
        await until(pilot, "filter: +q5pfxy 0 of 65 lines")
        assert "Backspace takes the last one away" in said(stage.app)


async def test_search_goes_to_lines_and_says_when_there_are_no_more(tmp_path: Path) -> None:
    async with looking(tmp_path, (80, 24)) as (stage, pilot):
        await pilot.press("slash", *"7f3a91", "enter")
        await until(pilot, lambda _: stage.cursor.startswith("slow answer"))
        await pilot.press("N")
        await until(pilot, lambda _: stage.cursor == LOCK)
        await pilot.press("N")
        await until(pilot, lambda _: stage.cursor.startswith("update stock"))
        await pilot.press("N")
        await until(pilot, "no earlier line with 7f3a91")
        await pilot.press("n")
        await until(pilot, lambda _: stage.cursor == LOCK)
        assert "G follows" in said(stage.app)


async def test_errors_are_gone_to_by_a_key(tmp_path: Path) -> None:
    async with looking(tmp_path, (80, 24)) as (stage, pilot):
        await go_to_the_error(stage, pilot)
        await pilot.press("E")
        await until(pilot, "no earlier error")
        await pilot.press("e")
        await until(pilot, "no later error")


async def test_the_cursor_keeps_its_line_while_a_filter_goes_through_many(tmp_path: Path) -> None:
    sources = []
    for name in ("api", "web", "db"):
        log = [at(n / 50, f"{'ERROR' if n % 500 == 7 else 'INFO'} {name}: line {n}") for n in range(40_000)]
        sources.append(source(name, log))
    stage = LogStage(tmp_path, *sources, clock=Clock())
    async with stage.at(132, 34) as pilot:
        lines = stage.view.window.timeline.lanes[1].lines
        stage.view.go_to(LineRef(lines, 10_007))
        row = stage.shown.index(stage.view.cursor)
        await pilot.press("f")
        await until(pilot, lambda text: "240 of 120 000 lines" in text and "filtering" not in text)
        assert stage.cursor == "line 10007"
        assert stage.shown.index(stage.view.cursor) == row
        assert [ref.record.message for ref in stage.shown[row - 1 : row + 2]] == ["line 10007"] * 3


async def test_one_id_is_followed_over_all_sources(tmp_path: Path) -> None:
    async with looking(tmp_path) as (stage, pilot):
        await go_to_the_error(stage, pilot)
        await pilot.press("i")
        await until(pilot, "filter: +id:7f3a91 5 of 65 lines")
        assert [ref.record.message for ref in stage.shown][:3] == [
            "update stock, request 7f3a91",
            LOCK,
            "  at Pool.take",
        ]
        assert stage.cursor == LOCK
        await pilot.press("i")
        await until(pilot, lambda text: "filter:" not in text)
        assert stage.cursor == LOCK


async def test_an_id_is_followed_into_other_sources_than_those_chosen(tmp_path: Path) -> None:
    async with looking(tmp_path) as (stage, pilot):
        api, _, _ = stage.watch.sources
        stage.app.post_message(DrillDown(SHOP, "lines", LogPlace(source=api.identity, number=20)))
        await until(pilot, lambda _: stage.cursor == LOCK)
        assert "1 of 3 sources" in said(stage.app)
        await pilot.press("i")
        await until(pilot, lambda text: "filter: +id:7f3a91" in text and "1 of 3" not in text)
        await pilot.press("backspace")
        await until(pilot, "1 of 3 sources")


async def test_enter_opens_the_fields_of_a_line_and_escape_closes_them(tmp_path: Path) -> None:
    async with looking(tmp_path) as (stage, pilot):
        await go_to_the_error(stage, pilot)
        await pilot.press("enter")
        await until(pilot, "Enter or Esc closes")
        assert "logger shop.api" in said(stage.app)
        assert "03:12:19.500 UTC" in said(stage.app)
        assert stage.cursor == LOCK
        assert_fills(stage.app)
        await pilot.press("j", "j", "j")
        await until(pilot, "message GET /healthz 20")
        await pilot.press("escape")
        await until(pilot, lambda text: "Fields" not in text)
        assert stage.app.screen.query("LogView")


async def test_fields_hold_no_secret(tmp_path: Path) -> None:
    async with looking(tmp_path) as (stage, pilot):
        await pilot.press("enter")
        await until(pilot, "as printed")
        assert "password=***" in said(stage.app)
        assert "hunter2" not in said(stage.app)


async def test_pause_counts_what_comes_and_goes_on(tmp_path: Path) -> None:
    async with looking(tmp_path) as (stage, pilot):
        _, web, _ = stage.watch.sources
        await pilot.press("p")
        await until(pilot, "‖ paused")
        printed(web, [at(50 + n, "INFO shop.web: brand new") for n in range(312)])
        stage.tick()
        stage.read()
        await until(pilot, "‖ paused, 312 new")
        assert "brand new" not in said(stage.app)
        await pilot.press("p")
        await until(pilot, "brand new")
        assert "● following" in said(stage.app)


async def test_sources_are_listed_and_one_is_looked_into(tmp_path: Path) -> None:
    async with looking(tmp_path) as (stage, pilot):
        _, _, orders = stage.watch.sources
        broken = Failure(kind=FailureKind.NO_PERMISSION, reason="permission denied")
        stage.read((orders, broken))
        await until(pilot, "▲ 1 not followed")
        await pilot.press("tab")
        await until(pilot, "SOURCE")
        assert "not followed: no permission: per" in line_with(stage.app, "✖ orders.log")
        assert_fills(stage.app)
        await pilot.press("j", "enter")
        await until(pilot, "1 of 3 sources")
        assert {ref.lines.source.name for ref in stage.shown} == {"web.log"}
        await pilot.press("escape")
        await until(pilot, "SOURCE")
        await pilot.press("escape")
        await until(pilot, "3 sources")


async def test_several_sources_are_marked_and_looked_into_together(tmp_path: Path) -> None:
    async with looking(tmp_path) as (_, pilot):
        await pilot.press("tab")
        await until(pilot, "SOURCE")
        await pilot.press("space", "G", "space", "enter")
        await until(pilot, "2 of 3 sources")


async def test_a_finding_leads_to_its_line(tmp_path: Path) -> None:
    async with looking(tmp_path, (80, 24)) as (stage, pilot):
        api, _, _ = stage.watch.sources
        stage.app.post_message(DrillDown(SHOP, "lines", LogPlace(source=api.identity, number=20)))
        await until(pilot, lambda _: stage.cursor == LOCK)
        stage.app.post_message(DrillDown(SHOP, "lines", LogPlace(source=api.identity, number=99_999)))
        await until(pilot, "not held any more")


async def test_a_source_that_appears_later_is_shown(tmp_path: Path) -> None:
    api, web, orders = shop()
    stage = LogStage(tmp_path, api)
    async with stage.at(132, 34) as pilot:
        await until(pilot, "1 source")
        await pilot.press("k", "k")
        cursor = stage.cursor
        stage.watch.sources = (api, web, orders)
        stage.read()
        await until(pilot, "3 sources")
        assert stage.cursor == cursor


async def test_without_any_source_it_says_why(tmp_path: Path) -> None:
    stage = LogStage(tmp_path)
    async with stage.at(80, 24) as pilot:
        await until(pilot, "no source of lines is known yet")
        assert_fills(stage.app)


async def test_filter_works_while_lines_pour_in(tmp_path: Path) -> None:
    async with looking(tmp_path) as (stage, pilot):
        _, web, _ = stage.watch.sources
        await pilot.press("F", *"+needle", "enter")
        for batch in range(20):
            printed(web, [at(60 + batch, f"INFO shop.web: hay {n}") for n in range(500)])
            printed(web, [at(60 + batch, f"INFO shop.web: needle {batch}")])
            stage.tick()
            await pilot.pause()
        stage.tick()
        await until(pilot, lambda _: "needle 19" in stage.cursor)
        stage.read()
        await until(pilot, "20 of 10 085 lines")
