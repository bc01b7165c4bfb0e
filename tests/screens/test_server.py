"""The list of servers, and one server: its sessions, who blocks whom, its connections and databases."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from opsdash.collectors.postgres.rows import DatabaseRates
from opsdash.collectors.snapshot import FailureKind
from tests.screens.stage import LEDGER, ORDERS, Stage, incident
from tests.support.readings import connections, reading, session
from tests.support.screen import SIZES, assert_fills, cursor_line, line_with, said, text_of, until

REFUSED = "connection to server at 10.0.0.5, port 5432 failed: Connection refused"
RATES = DatabaseRates(
    name="shop",
    span_s=2.0,
    commits_per_s=412.0,
    rollbacks_per_s=0.0,
    rows_read_per_s=18234.0,
    rows_written_per_s=97.0,
    cache_hit_ratio=0.991,
    temp_bytes_per_s=0.0,
    deadlocks=0,
    conflicts=0,
)


async def open_server(stage: Stage, pilot: Pilot[Any], tabs: int = 0) -> None:
    """From the overview over the list into the first server, and to one of its tables."""
    await pilot.press("2")
    await until(pilot, "TARGET")
    await pilot.press("enter", *["tab"] * tabs)
    await until(pilot, "] ")


@pytest.mark.parametrize("size", SIZES)
async def test_list_of_servers_tells_each_ones_state(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = Stage(tmp_path, "orders", "ledger", "stock")
    stage.read(incident(total=RATES, connections=connections(90)))
    stage.fail(FailureKind.REFUSED, REFUSED, LEDGER)
    async with stage.at(*size) as pilot:
        await pilot.press("2")
        await until(pilot, "2 Database TARGET")
        orders, ledger, stock = (line_with(stage.app, name) for name in ("orders", "ledger", "stock"))
        assert "✖ orders" in orders
        assert "90/97" in orders
        assert "✖ ledger" in ledger
        assert ledger.count("✖") == 1
        assert "- connection" in ledger
        assert " 0" not in ledger.replace("10.0.0.5", "")
        assert "? stock" in stock
        assert stock.count("?") == 1
        assert "waiting for" in stock
        assert "0/" not in stock
        assert_fills(stage.app)


@pytest.mark.parametrize("size", SIZES)
async def test_sessions_have_who_matters_on_top(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = Stage(tmp_path)
    stage.read(incident(total=RATES))
    async with stage.at(*size) as pilot:
        await open_server(stage, pilot)
        await until(pilot, "[sessions 16]")
        assert "4312" in cursor_line(stage.app)
        assert "idle-tx" in cursor_line(stage.app)
        text = text_of(stage.app)
        assert text.index("  4377 ") < text.index("  4378 ")
        assert_fills(stage.app)
        await pilot.press("G")
        await until(pilot, lambda _: "5000" in cursor_line(stage.app))


@pytest.mark.parametrize("size", SIZES)
async def test_blocking_tree_has_root_line_and_what_helps(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = Stage(tmp_path)
    stage.read(incident(total=RATES))
    async with stage.at(*size) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("enter")
        await until(pilot, "[blocked 14]")
        assert "✖ 4312" in cursor_line(stage.app)
        assert "(holds; 14 wait)" in cursor_line(stage.app)
        assert "├─ 4377" in text_of(stage.app)
        assert "likely the client of 4312 (10.2.0.31, checkout) went away" in said(stage.app)
        keys = text_of(stage.app).splitlines()[-1]
        assert "K terminate" in keys
        assert "Esc back" in keys
        assert_fills(stage.app)


async def test_folded_line_says_how_many_and_unfolds(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("enter")
        await until(pilot, "+11 more in the same line Enter unfolds")
        await pilot.press("G", "enter")
        await until(pilot, "tuple stock, 14th in line")
        assert "Enter unfolds" not in said(stage.app)


@pytest.mark.parametrize("size", SIZES)
async def test_connections_by_state_user_and_application(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = Stage(tmp_path)
    used = connections(90, by_application=(("checkout", 61), ("", 29)))
    stage.read(incident(connections=used))
    async with stage.at(*size) as pilot:
        await open_server(stage, pilot, tabs=3)
        await until(pilot, "[connections 90/97]")
        await pilot.press("j")
        await until(pilot, lambda _: "checkout" in cursor_line(stage.app))
        assert " 61 " in cursor_line(stage.app)
        assert "67.8%" in cursor_line(stage.app)
        told = said(stage.app)
        assert "WARN connections 90 of 97 usable" in told
        assert "likely " in told, "what the finding led here for is told below"
        assert "(none)" in text_of(stage.app)
        assert_fills(stage.app)


@pytest.mark.parametrize("size", SIZES)
async def test_databases_have_rates_and_unknown_is_a_dash(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = Stage(tmp_path)
    stage.read(incident(total=RATES, databases=(RATES, DatabaseRates(name="new"))))
    async with stage.at(*size) as pilot:
        await open_server(stage, pilot, tabs=4)
        await until(pilot, "[databases 2]")
        shop, new = line_with(stage.app, "  shop "), line_with(stage.app, "  new ")
        assert " 412 " in shop
        assert "99.1%" in shop
        assert " - " in new
        assert " 0 " not in new
        assert_fills(stage.app)


async def test_numbers_are_never_cut(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(reading([session(4194304, for_s=266_400.0)]))
    for width in range(60, 133, 6):
        fresh = Stage(tmp_path)
        fresh.read(reading([session(4194304, for_s=266_400.0)]))
        async with fresh.at(width, 24) as pilot:
            await open_server(fresh, pilot)
            await until(pilot, "[sessions 1]")
            assert " 4194304 " in cursor_line(fresh.app)
            assert " 3d02h " in cursor_line(fresh.app)


async def test_text_that_does_not_fit_is_marked_beside_the_scroll_bar_too(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident(waiting=60))
    async with stage.at(80, 24) as pilot:
        await open_server(stage, pilot)
        await until(pilot, "[sessions 62]")
        rows = [line for line in text_of(stage.app).splitlines() if "active/Lock" in line]
        assert len(rows) > 10
        assert all("…" in row for row in rows)


@pytest.mark.parametrize("size", SIZES)
async def test_server_that_never_answered_says_why_and_what_to_do(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    stage = Stage(tmp_path)
    stage.fail(FailureKind.REFUSED, REFUSED)
    async with stage.at(*size) as pilot:
        await until(pilot, "connection refused")
        await pilot.press("enter")
        await until(pilot, f"✖ connection refused: {REFUSED} look at its log")
        where = text_of(stage.app).splitlines()[1]
        assert "✖ connection refused, no data yet" in where
        assert "orders (staging)" in where
        assert_fills(stage.app)


@pytest.mark.parametrize("size", SIZES)
async def test_server_that_stopped_answering_shows_the_age_of_what_it_shows(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(*size) as pilot:
        await open_server(stage, pilot)
        stage.clock.advance(42.0)
        stage.fail(FailureKind.TIMED_OUT, "no answer within 5 s")
        await until(pilot, "▲ stale 42s: timed out")
        assert "▲ stale 42s: timed out" in text_of(stage.app).splitlines()[1]
        assert "stale no answer within 5 s; look at its log" in said(stage.app)
        assert "4312" in cursor_line(stage.app)


async def test_what_the_role_may_not_see_is_said(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    limit = "sessions of other roles: GRANT pg_read_all_stats TO opsdash"
    hidden = session(4312, None, is_visible=False, backend_start=None, xact_start=None)
    stage.read(reading([hidden], limits=(limit,)))
    async with stage.at(80, 24) as pilot:
        await open_server(stage, pilot)
        await until(pilot, f"not seen {limit}")
        assert "not visible" in cursor_line(stage.app)
        assert "idle-tx ? active ?" in said(stage.app)


async def test_next_server_and_back(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "orders", "stock")
    stage.read(incident())
    stage.read(reading([session(77, application_name="picker")]), stage.targets[1].id)
    async with stage.at(80, 24) as pilot:
        await open_server(stage, pilot)
        await until(pilot, "orders (staging) › sessions")
        await pilot.press("]")
        await until(pilot, "stock (staging) › sessions")
        assert "picker" in cursor_line(stage.app)
        assert "4312" not in text_of(stage.app)
        await pilot.press("[")
        await until(pilot, "orders (staging) › sessions")
        assert "4312" in cursor_line(stage.app)


async def test_cursor_stays_on_its_session_when_others_come_and_go(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident(waiting=14))
    async with stage.at(80, 24) as pilot:
        await open_server(stage, pilot)
        await pilot.press("j", "j", "j")
        await until(pilot, lambda _: "4379" in cursor_line(stage.app))
        stage.read(incident(waiting=3))
        await until(pilot, "[sessions 5]")
        assert "4379" in cursor_line(stage.app)
        stage.read(incident(waiting=14))
        await until(pilot, "[sessions 16]")
        assert "4379" in cursor_line(stage.app)


async def test_keys_of_a_session_act_on_no_other_row(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await open_server(stage, pilot, tabs=3)
        await until(pilot, "[connections")
        await pilot.press("K", "C")
        await pilot.press("a")
        await until(pilot, "Set log_min_duration_statement")  # what acts on the server as a whole
        assert "Terminate session" not in text_of(stage.app)
        assert all(action.plans == 0 for action in stage.kit.actions.values())


async def test_read_again_is_said(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await pilot.press("ctrl+r")
        await until(pilot, "reading again")
        assert stage.app.place.target is None
        await open_server(stage, pilot)
        assert stage.app.place.target == ORDERS
