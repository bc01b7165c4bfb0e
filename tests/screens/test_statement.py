"""From a finding about a statement to the statement, on readings by hand and without a server."""

from pathlib import Path

import msgspec
import pytest

from opsdash.collectors.postgres.statement_rows import StatementId, StatementRow, Statements, TrendPoint, Work
from opsdash.widgets.panels.postgres.statements import STATEMENT_COLUMNS, Scope, statement_lines
from tests.screens.stage import Stage
from tests.support.readings import reading, session
from tests.support.screen import SIZES, assert_fills, cursor_line, said, text_of, until

SLOW = StatementId(8831, 10, 5)


def statements(**facts: object) -> Statements:
    row = StatementRow(
        identity=SLOW,
        total=Work(10_000, 160_000.0),
        live=Work(20, 2_000.0, rows=20, shared_blks_hit=99, shared_blks_read=1),
        recent=Work(600, 60_000.0),
        query="update stock set qty = qty - ? where sku = $1",
        user="shop",
    )
    known: dict[str, object] = {
        "rows": (row,),
        "entries": 1,
        "since_reset_s": 86400.0,
        "live_s": 2.0,
        "recent_s": 120.0,
        "total": row.total,
        "live": row.live,
        "recent": row.recent,
        "trend": tuple(TrendPoint(span_s=10.0, calls_per_min=300.0 + n, mean_ms=9.0 * n) for n in range(4)),
    }
    return Statements(**(known | facts))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", SIZES)
async def test_enter_on_the_finding_leads_to_the_statement_and_asks_for_its_plan(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    stage = Stage(tmp_path)
    busy = session(4312, query_id=8831, application_name="checkout", for_s=3.0)
    stage.read(reading([busy], statements=statements()))
    async with stage.at(*size) as pilot:
        await until(pilot, "100% of")
        await pilot.press("enter")
        await until(pilot, "last minutes, over 2m00s")
        await until(pilot, "calls 300/min mean 100ms")
        await until(pilot, "no plan")  # there is no server here; what the connection said stands beside it
        await until(pilot, lambda text: "refused" in text or "No such file" in text or size[1] < 20)
        await pilot.press("G")
        await until(pilot, "running now 1 session")
        assert_fills(stage.app)
        await pilot.press("g", "t")
        await until(pilot, "since reset, over 1d00h")
        await pilot.press("t", "enter")
        await until(pilot, "session 4312")


async def test_statement_that_left_the_table_is_said_to_be_gone(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.read(reading([session(4312, query_id=None)], statements=statements()))
    async with stage.at(132, 34) as pilot:
        await until(pilot, "100% of")
        await pilot.press("enter")
        await until(pilot, "last minutes")
        stage.read(reading([session(4312, query_id=None)], statements=statements(rows=())))
        await until(pilot, "not among the entries of pg_stat_statements: evicted or reset")
        assert "running now not known" in said(stage.app)
        await pilot.press("enter")
        await until(pilot, "nobody runs it, in this reading")
        assert "update stock" not in text_of(stage.app)


def test_live_a_statement_that_pauses_stays_below_those_that_work() -> None:
    (busy,) = statements().rows
    pausing = msgspec.structs.replace(busy, identity=StatementId(7, 10, 5), live=Work())
    long_ago = msgspec.structs.replace(pausing, identity=StatementId(8, 10, 5), recent=Work())
    seen = statements(rows=(long_ago, pausing, busy))
    lines = statement_lines(seen, Scope.LIVE)
    assert [line.row.identity.queryid for line in lines] == [8831, 7]
    assert (lines[1].work.calls, lines[1].calls_per_min) == (0, 0.0)
    assert [line.row.identity.queryid for line in statement_lines(seen, Scope.RECENT)] == [7, 8831]


async def test_io_time_is_told_and_sorted_by_or_said_not_to_be_counted(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    row = statements().rows[0]
    quick = msgspec.structs.replace(
        row, identity=StatementId(7, 10, 5), query="select quick", live=Work(1, 1.0)
    )
    reads = Work(10, 400.0, io_ms=300.0, shared_blks_read=50)
    rows = (
        row,
        quick,
        msgspec.structs.replace(row, identity=StatementId(8, 10, 5), query="select reads", live=reads),
    )
    stage.read(reading([], statements=statements(rows=rows, tracks_io=True)))
    async with stage.at(132, 34) as pilot:
        await pilot.press("2", "enter", "tab", "tab")
        await until(pilot, "I/O TIME")
        assert "track_io_timing" not in text_of(stage.app)
        for _ in STATEMENT_COLUMNS:
            if "I/O TIME▼" not in text_of(stage.app):
                await pilot.press("s")
        await pilot.press("g")
        assert "300ms" in cursor_line(stage.app)
        assert "added up over parallel workers" not in said(stage.app)
        parallel = msgspec.structs.replace(row, live=Work(10, 200.0, io_ms=300.0))
        stage.read(reading([], statements=statements(rows=(parallel, *rows[1:]), tracks_io=True)))
        await until(pilot, "I/O time is added up over parallel workers")
        stage.read(reading([], statements=statements(rows=rows, tracks_io=True)))
        await until(pilot, lambda text: "parallel workers" not in text)
        await pilot.press("enter")
        await until(pilot, "I/O 30ms/call")
        await pilot.press("escape")
        stage.read(reading([], statements=statements(tracks_io=False)))
        await until(pilot, "I/O time: track_io_timing is off")
        await pilot.press("enter")
        await until(pilot, "I/O time unknown (track_io_timing is off)")


async def test_figures_that_are_not_known_are_no_zeros(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    row = statements().rows[0]
    unknown = StatementRow(identity=SLOW, total=row.total, recent=row.recent, query=row.query)
    stage.read(reading([], statements=statements(rows=(unknown,), live=None, live_s=None, trend=())))
    async with stage.at(132, 34) as pilot:
        await pilot.press("2", "enter", "tab", "tab")
        await until(pilot, "two readings are needed, one is there")
        await pilot.press("t")
        await until(pilot, "update stock set")
        await pilot.press("enter")
        await until(pilot, "last minutes")
        await pilot.press("t", "t")
        await until(pilot, "not known: two readings are needed")


async def test_figures_of_a_sessions_statement_are_those_of_its_own_database(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    (elsewhere,) = statements().rows
    own = msgspec.structs.replace(
        elsewhere,
        identity=StatementId(8831, 11, 6),
        total=Work(7, 7.0),
        live=Work(7, 7.0),
        recent=Work(7, 7.0),
    )
    busy = session(4312, query_id=8831, query="update stock", user_oid=11, database_oid=6)
    stage.read(reading([busy], statements=statements(rows=(elsewhere, own))))
    async with stage.at(132, 34) as pilot:
        await pilot.press("2", "enter")
        await until(pilot, "4312")
        await pilot.press("e")
        await until(pilot, "mean 1.0ms")


async def test_explain_says_why_there_is_nothing_to_explain(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with stage.at(80, 24) as pilot:
        await pilot.press("2", "e")
        await until(pilot, "orders is not read yet: it has no statements to explain")
