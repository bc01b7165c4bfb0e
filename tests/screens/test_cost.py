"""What opsdash costs is shown: itself, and per target."""

from pathlib import Path

from opsdash.collectors.cost import SPAN_S, Cost, CostBook, count
from opsdash.collectors.target import TargetId
from opsdash.tui.bridge import FeedChanged
from opsdash.tui.screens.cost import COST_COLUMNS, CostLine
from opsdash.widgets.row_filter import parse
from tests.screens.stage import Stage, incident
from tests.support.screen import text_of, until


def test_cost_is_over_the_last_minute() -> None:
    book, target = CostBook(), TargetId("test", "cost")
    for second in range(0, 200, 2):
        count(target, 4)
        book.note(target, float(second), 0.01)
    cost = book.cost(target)
    assert cost is not None
    assert SPAN_S <= cost.span_s <= SPAN_S + 2
    assert cost.requests == cost.reads * 4
    assert abs(cost.waited_s / cost.reads - 0.01) < 1e-9


async def test_palette_leads_to_the_cost(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(incident())
    async with stage.at(80, 24) as pilot:
        await pilot.press("colon", *"cost")
        await until(pilot, "cost of opsdash")
        await pilot.press("enter")
        await until(pilot, "opsdash itself: CPU")
        text = text_of(stage.app)
        assert "orders" in text
        assert "MiB at most" in text


async def test_own_cpu_is_told_though_readings_leave_no_time_for_a_tick(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with stage.at(132, 34) as pilot:
        for _ in range(3):
            stage.clock.advance(11.0)
            stage.read(incident())
            stage.app.post_message(FeedChanged())
            await pilot.pause()
        assert stage.app.watch_over.own_cpu.ratio is not None


def test_cost_is_filtered_in_the_unit_it_is_shown_in() -> None:
    target = TargetId("test", "cost")
    cost = Cost(reads=2, requests=8, waited_s=0.6, span_s=60.0)
    line = CostLine(target=target, interval_s=2.0, cost=cost)
    texts = ("answering>9", "answering>11", "answering:10.0")
    assert [parse(text, COST_COLUMNS).keeps(line) for text in texts] == [True, False, True]


async def test_what_the_figures_are_is_told_whole_at_80_columns(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with stage.at(80, 24) as pilot:
        await stage.app.run_action("cost")
        await until(pilot, "+ reads less often")
