"""The first screen: what is wrong, worst first, and never more than is known."""

from pathlib import Path

import pytest

from opsdash.collectors.http.rows import SubCheck, Verdict
from opsdash.collectors.snapshot import FailureKind
from opsdash.collectors.target import TargetId
from opsdash.tui.screens.overview import WIDE
from tests.http.probing import probe
from tests.http.probing import reading as http_reading
from tests.screens.stage import LEDGER, PRODUCTION, Stage, blocker, incident
from tests.support.every_kind import EveryKind
from tests.support.readings import connections, reading
from tests.support.screen import SIZES, assert_fills, cursor_line, line_with, said, text_of, until

API = TargetId("http", "api")
REFUSED = "connection to server at 10.0.0.5, port 5432 failed: Connection refused"


@pytest.mark.parametrize("size", SIZES)
async def test_findings_come_first_the_worst_on_top(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = Stage(tmp_path, "orders", "stock")
    stage.read(incident(connections=connections(90)))
    async with stage.at(*size) as pilot:
        await until(pilot, "4312 blocks 14")
        lines = text_of(stage.app).splitlines()
        (blocking,) = [y for y, line in enumerate(lines) if "4312 blocks 14" in line]
        (crowded,) = [y for y, line in enumerate(lines) if "connections 90" in line and "WARN" in line]
        (area,) = [y for y, line in enumerate(lines) if "2 Database" in line]
        assert blocking < crowded < area
        assert "✖ CRIT" in lines[blocking]
        assert "orders" in lines[blocking]
        assert "K terminate" in (lines[blocking] if size[0] >= 80 else lines[-1])
        assert_fills(stage.app)


@pytest.mark.parametrize("size", SIZES)
async def test_effect_names_its_likely_cause_at_every_width(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = EveryKind(tmp_path)
    stage.read_all()
    checks = (SubCheck(name="orders", says="down", verdict=Verdict.DEGRADED),)
    stage.push(API, data=http_reading([probe(Verdict.DEGRADED, checks=checks, reason="orders=down")]))
    async with stage.at(*size, is_read=False) as pilot:
        await until(pilot, "1 Health")
        while " api " not in cursor_line(stage.app):
            await pilot.press("j")
        because = ", not down · probably because of orders" if size[0] >= WIDE else " · likely orders"
        assert f"/health degraded{because}" in cursor_line(stage.app)


@pytest.mark.parametrize("size", SIZES)
async def test_before_the_first_reading_nothing_is_said_to_be_fine_or_zero(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    stage = Stage(tmp_path, "orders", "stock")
    async with stage.at(*size) as pilot:
        await until(pilot, "reading 2 targets for the first time")
        text = said(stage.app)
        assert "2 not read yet" in text
        assert "waiting for the first reading" in text
        assert "nothing is wrong" not in text
        assert "●" not in text
        assert "connections 0" not in text
        assert_fills(stage.app)


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_wrong_is_said_only_when_all_were_read(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = Stage(tmp_path, "orders", "stock")
    stage.read(reading())
    async with stage.at(*size) as pilot:
        await until(pilot, "reading 1 target for the first time")
        assert "nothing is wrong" not in said(stage.app)
        stage.read(reading(), stage.targets[1].id)
        await until(pilot, "● nothing is wrong with 2 targets")
        assert "2 targets live" in said(stage.app)


@pytest.mark.parametrize("size", SIZES)
async def test_dead_target_is_told_with_its_own_words(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = Stage(tmp_path, "orders", "ledger")
    stage.read(reading())
    stage.fail(FailureKind.REFUSED, REFUSED, LEDGER)
    async with stage.at(*size) as pilot:
        await until(pilot, "1 down, 1 of 2 targets live")
        text = said(stage.app)
        where = [line for line in text_of(stage.app).splitlines() if "✖ ledger" in line]
        assert all(line.count("✖") == 1 for line in where)
        assert "✖ ledger connection refused" in text
        if size[0] >= 132:
            assert REFUSED in text
        assert_fills(stage.app)


async def test_target_that_stopped_answering_is_stale_with_the_age_of_what_is_shown(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await until(pilot, "blocks 14 sessions")
        stage.clock.advance(42.0)
        stage.fail(FailureKind.TIMED_OUT, "no answer within 5 s")
        await until(pilot, "▲ stale 42s: timed out")
        text = said(stage.app)
        assert "1 down, 0 of 1 target live" in text
        assert "connections 20/97" in text
        assert "42s" in line_with(stage.app, "blocks 14 sessions")


async def test_overdue_reading_is_stale_without_any_failure(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(reading())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "1 target live")
        stage.clock.advance(9.0)
        await until(pilot, "▲ stale 9s: no answer yet")
        assert "1 stale, 0 of 1 target live" in said(stage.app)


async def test_cursor_is_on_the_worst_until_it_is_moved_then_on_its_finding(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "orders", "ledger")
    stage.read(reading(connections=connections(80)))
    async with stage.at(132, 34) as pilot:
        await until(pilot, "connections 80")
        stage.fail(FailureKind.REFUSED, REFUSED, LEDGER)
        await until(pilot, "connection refused")
        assert "ledger" in cursor_line(stage.app)
        await pilot.press("j")
        await until(pilot, lambda _: "connections 80" in cursor_line(stage.app))
        stage.read(incident(connections=connections(80)))
        await until(pilot, "blocks 14")
        assert "connections 80" in cursor_line(stage.app)


async def test_on_a_vast_terminal_the_keys_stand_near_what_they_are_for(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(300, 80) as pilot:
        await until(pilot, "blocks 14")
        line = cursor_line(stage.app)
        assert line.index("K terminate") < 200
        assert_fills(stage.app)


async def test_production_is_named_in_the_first_line(tmp_path: Path) -> None:
    stage = Stage(tmp_path, where=PRODUCTION)
    stage.read(reading())
    for size in SIZES:
        fresh = Stage(tmp_path, where=PRODUCTION)
        async with fresh.at(*size) as pilot:
            await until(pilot, "PRODUCTION prod-eu READ-ONLY")


@pytest.mark.parametrize("size", [(180, 46), (132, 34)])
async def test_long_name_is_whole_where_there_is_room(tmp_path: Path, size: tuple[int, int]) -> None:
    long = "payments-db.eu-west-1"
    stage = Stage(tmp_path, long, "stock")
    stage.fail(FailureKind.REFUSED, REFUSED, TargetId("postgres", long))
    stage.read(reading(connections=connections(90)), TargetId("postgres", "stock"))
    async with stage.at(*size) as pilot:
        await until(pilot, f"✖ CRIT {long} connection refused")
        down, full = line_with(stage.app, f"CRIT {long}"), line_with(stage.app, "connections 90 of")
        assert down.index("connection refused") == full.index("connections 90")
        await pilot.press("2")
        await until(pilot, f"✖ {long}")
        assert_fills(stage.app)


async def test_going_back_once_too_often_stays_on_the_overview(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("enter", "escape", "escape", "escape")
        await until(pilot, "this is the overview: q quits")
        assert stage.app.is_running
        await pilot.press("q")
        await pilot.pause()
        assert stage.app.return_code == 0


async def test_markup_from_a_target_is_shown_as_text(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    evil = "[/red][@click=app.quit]x\x1b]52;c;aGk=\x07"
    stage.read(incident(root=blocker(application_name=evil, query=evil)))
    async with stage.at(180, 46) as pilot:
        await until(pilot, "[/red][@click=app.quit]x␛]52;c;aGk=␇")
        assert_fills(stage.app)
        await pilot.press("enter")
        await until(pilot, "last: [/red][@click=app.quit]x␛]52")
        await pilot.press("enter")
        await until(pilot, "session 4312")
        assert "[/red][@click=app.quit]x␛]52" in said(stage.app)
        assert_fills(stage.app)


async def test_what_discovery_found_is_told(tmp_path: Path) -> None:
    stage = Stage(tmp_path, notes=["PGSERVICE names no such service: skipped"])
    stage.read(reading())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "Notes PGSERVICE names no such service: skipped")
        assert "skipped" in text_of(stage.app).splitlines()[-2], "at the lower edge"


@pytest.mark.parametrize("size", SIZES)
async def test_notes_stand_whole_below_a_heading_or_not_at_all(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = Stage(tmp_path, notes=[f"note {number}" for number in range(9)])
    stage.read(reading())
    async with stage.at(*size) as pilot:
        await until(pilot, "2 Database")
        lines = text_of(stage.app).splitlines()
        told = [y for y, line in enumerate(lines) if line.startswith("note ")]
        assert len(told) == (9 if size[1] > 15 else 0)
        assert not told or lines[told[0] - 1].startswith("── Notes ──")
        assert_fills(stage.app)


async def test_keys_of_an_action_are_bound_only_where_a_finding_suggests_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "orders", "ledger")
    stage.read(incident())
    stage.fail(FailureKind.REFUSED, REFUSED, LEDGER)
    async with stage.at(132, 34) as pilot:
        await until(pilot, "K terminate")
        if "ledger" not in cursor_line(stage.app):
            await pilot.press("j")
        await until(pilot, lambda _: "ledger" in cursor_line(stage.app))
        await pilot.press("K", "C")
        await until(pilot, lambda _: True)
        assert all(action.plans == 0 for action in stage.kit.actions.values())
        await pilot.press("k")
        await until(pilot, lambda _: "blocks 14" in cursor_line(stage.app))
        await pilot.press("K")
        await until(pilot, "Terminate root blocker 4312 on orders")


async def test_the_last_line_leads_to_why_and_to_the_areas(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        last = text_of(stage.app).splitlines()[-1]
        assert last.startswith("Enter why")
        assert "  2 area  " in last
