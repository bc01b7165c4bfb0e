"""One session in full."""

from pathlib import Path

import pytest

from opsdash.collectors.errors import TimedOut
from opsdash.collectors.snapshot import FailureKind
from tests.screens.stage import ORDERS, Stage, blocker, incident
from tests.support.readings import reading
from tests.support.screen import SIZES, assert_fills, said, text_of, until

LONG = "select " + ", ".join(f"s.column_{n}" for n in range(120)) + " from stock as s where s.id = $1"


@pytest.mark.parametrize("size", SIZES)
async def test_long_statement_is_wrapped_and_can_be_read_to_its_end(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    stage = Stage(tmp_path)
    stage.read(incident(root=blocker(query=LONG)))
    async with stage.at(*size) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("enter", "enter")
        await until(pilot, "session 4312")
        await until(pilot, "blocks 14, the longest for 5m58s")
        assert_fills(stage.app)
        assert "…" not in text_of(stage.app)
        await pilot.press("end")
        await until(pilot, "from stock as s where s.id = $1")
        await until(pilot, "literals are masked: v shows them")
        assert_fills(stage.app)


async def test_all_that_is_known_of_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("enter", "enter")
        await until(pilot, "session 4312")
        text = said(stage.app)
        for words in (
            "checkout · user shop · database shop",
            "client 10.2.0.31",
            "idle in transaction, for 6m12s",
            "open xact since ",
            "has transaction id 88213: it may have written",
            "blocks 14, the longest for 5m58s · directly: 4377",
            "last stmt update stock set qty = qty - ? where sku = $1",
        ):
            assert words in text, words


async def test_session_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("enter", "enter")
        await until(pilot, "session 4312")
        stage.read(reading())
        await until(pilot, "gone session 4312 is gone")
        assert "checkout" not in said(stage.app)


async def test_another_backend_with_the_same_pid_is_not_shown_as_the_one_opened(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("enter", "enter")
        await until(pilot, "session 4312")
        stage.read(incident(root=blocker(for_s=3.0, application_name="somebody else")))
        await until(pilot, "gone session 4312 is gone")
        assert "somebody else" not in said(stage.app)


async def test_stale_session_says_its_age(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(60, 15) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("enter", "enter")
        await until(pilot, "session 4312")
        stage.clock.advance(42.0)
        stage.fail(FailureKind.LOST, "server closed the connection unexpectedly")
        await until(pilot, "▲ stale 42s: connection lost")


async def test_terminate_from_here_is_planned_for_this_session(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(132, 34) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("enter", "enter")
        await until(pilot, "session 4312")
        await pilot.press("K")
        await until(pilot, "Terminate session 4312 on orders (staging)")
        assert stage.terminate.plans == 1


async def test_session_that_the_role_may_not_see_says_so_instead_of_blanks(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    hidden = blocker(
        state=None, is_visible=False, backend_start=None, xact_start=None, query_start=None, query=None
    )
    stage.read(incident(root=hidden))
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("2", "enter", "enter")
        await until(pilot, "session 4312")
        await until(pilot, "last stmt (not visible to this role)")
        assert "GRANT pg_read_all_stats" in said(stage.app)
        assert "state -" not in said(stage.app)


async def test_plan_that_cannot_be_read_is_told_and_nothing_is_asked(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    stage.terminate.fails = TimedOut(ORDERS, "no answer within 5 s", hint="look at the network")
    async with stage.at(80, 24) as pilot:
        await until(pilot, "blocks 14")
        await pilot.press("enter", "K")
        await until(pilot, "no plan: ")
        assert "no answer within 5 s" in said(stage.app)
        assert "Terminate session" not in said(stage.app)
