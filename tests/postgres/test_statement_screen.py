"""From the overview to the plan of a statement, on readings of a real server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from textual.pilot import Pilot

from opsdash.collectors.postgres.collector import PostgresCollector
from opsdash.collectors.postgres.rows import PostgresData
from opsdash.collectors.target import TargetId
from opsdash.tui.demo.servers import PostgresServer
from tests.http.stage import HealthStage
from tests.support.app_stage import StillWatch
from tests.support.screen import SIZES, assert_fills, cursor_line, said, text_of, until
from tests.support.sessions import application
from tests.support.targets import postgres_target

TEXT = "select sku from items where sku = 'sku-77' and region = 2 order by qty"


class Looking(StillWatch):
    """Reads when a test says so, through a collector that learns what is on the screen."""

    collector: PostgresCollector

    def look_at(self, target: TargetId, visible: tuple[str, ...], opened: str | None = None) -> None:
        self.collector.look_at(visible, opened)


class StatementStage(HealthStage):
    """The app on one real server."""

    def __init__(self, folder: Path, server: PostgresServer) -> None:
        self.server = server
        self.watched = postgres_target(server.dsn())
        super().__init__(folder, [self.watched], Looking)
        self.watch.collector = self.collector = PostgresCollector(self.watched, self.clock)

    async def look(self) -> PostgresData:
        """Read the server, as the app's supervisor would."""
        self.clock.advance(3.0)
        data = await self.collector.collect()
        self.read(self.watched, data)
        return data

    def run(self, text: str, times: int = 1) -> None:
        with psycopg.connect(self.server.dsn(), autocommit=True) as client:
            for _ in range(times):
                client.execute(text.encode())


@asynccontextmanager
async def staged(
    folder: Path, server: PostgresServer, size: tuple[int, int]
) -> AsyncIterator[tuple[StatementStage, Pilot[Any]]]:
    """A server on which one statement has taken nearly all of the time, in the table of statements."""
    stage = StatementStage(folder, server)
    stage.run("select counted.pg_stat_statements_reset()")
    await stage.look()
    stage.run(TEXT, times=40)
    async with stage.at(*size) as pilot:
        await pilot.press("2")
        await until(pilot, "TARGET")
        await pilot.press("enter", "tab", "tab")
        await until(pilot, "[statements")
        await stage.look()
        await stage.look()
        yield stage, pilot
    await stage.collector.close()


@pytest.mark.parametrize("size", SIZES)
async def test_worst_statement_is_on_top_and_enter_shows_its_plan(
    tmp_path: Path, counting18: PostgresServer, size: tuple[int, int]
) -> None:
    async with staged(tmp_path, counting18, size) as (stage, pilot):
        await pilot.press("t")
        await until(pilot, "last minutes, over")
        await until(pilot, lambda text: "select sku from" in text or size[0] == 60)
        assert "%" in cursor_line(stage.app)
        assert_fills(stage.app)
        await pilot.press("enter")
        await until(pilot, lambda text: "FROM items" in text)
        await pilot.press("G")
        await until(pilot, "running now")
        assert_fills(stage.app)
        if size[0] >= 132:
            await until(pilot, "Plan (generic, not run)")
            assert "Seq Scan on public.items" in text_of(stage.app)
            assert "% of cost" in text_of(stage.app)
            assert "CREATE INDEX CONCURRENTLY ON public.items (sku)" in said(stage.app)
        await pilot.press("escape")
        await until(pilot, "[statements")


async def test_plan_of_the_worst_statement_is_two_keys_from_the_overview(
    tmp_path: Path, counting: PostgresServer
) -> None:
    stage = StatementStage(tmp_path, counting)
    stage.run("select counted.pg_stat_statements_reset()")
    await stage.look()
    stage.run(TEXT, times=40)
    stage.clock.advance(40)
    await stage.look()
    async with stage.at(132, 34) as pilot:
        await pilot.press("2")
        await until(pilot, "TARGET")
        await pilot.press("e")
        await until(pilot, "Seq Scan on public.items")
        assert "sku-77" not in text_of(stage.app)
    await stage.collector.close()


async def test_worst_statement_has_figures_also_when_opsdash_has_only_just_looked(
    tmp_path: Path, counting: PostgresServer
) -> None:
    stage = StatementStage(tmp_path, counting)
    stage.run("select counted.pg_stat_statements_reset()")
    stage.run(TEXT, times=40)
    await stage.look()
    async with stage.at(132, 34) as pilot:
        await pilot.press("2")
        await until(pilot, "TARGET")
        await pilot.press("e")
        await until(pilot, "since reset, over")
        assert "mean -" not in said(stage.app)
    await stage.collector.close()


async def test_statement_of_a_session_is_masked_until_revealed_and_that_is_recorded(
    tmp_path: Path, counting: PostgresServer
) -> None:
    stage = StatementStage(tmp_path, counting)
    async with application(counting) as shop:
        session = await shop.run("select pg_sleep(60) from items where sku <> 'hunter2'")
        data = await stage.look()
        held = data.session(session.info.backend_pid)
        assert held is not None
        async with stage.at(132, 34) as pilot:
            await pilot.press("2", "enter")
            await until(pilot, "pg_sleep")
            assert str(held.pid) in cursor_line(stage.app)
            await pilot.press("e")
            await until(pilot, "Seq Scan on public.items")
            assert "filter (items.sku <> ?::text)" in text_of(stage.app)
            assert "running now 1 session" in said(stage.app)
            assert "hunter2" not in text_of(stage.app)
            await pilot.press("v")
            await until(pilot, "'hunter2'")
            await pilot.press("escape", "e")
            await until(pilot, "Seq Scan on public.items")
            assert "hunter2" not in text_of(stage.app)
            await pilot.press("enter")
            await until(pilot, f"session {held.pid}")
    assert '"event":"reveal"' in (tmp_path / "audit.jsonl").read_text().replace(" ", "")
    assert "hunter2" not in (tmp_path / "audit.jsonl").read_text()
    await stage.collector.close()


async def test_literals_that_were_revealed_go_when_the_session_runs_another_statement(
    tmp_path: Path, counting: PostgresServer
) -> None:
    stage = StatementStage(tmp_path, counting)
    with psycopg.connect(counting.dsn(), autocommit=True) as client:
        client.execute("select 'hunter1' from items")
        await stage.look()
        async with stage.at(132, 34) as pilot:
            await pilot.press("2", "enter")
            await until(pilot, "PID")
            await pilot.press("enter")
            await until(pilot, "(not read while a session is idle: v does)")
            await pilot.press("v")
            await until(pilot, "'hunter1'")
            client.execute("select 'hunter2' from items where id = 3")
            await stage.look()
            await until(pilot, lambda text: "'hunter1'" not in text)
            await pilot.press("v")
            await until(pilot, "'hunter2'")
    await stage.collector.close()


async def test_figures_stay_those_of_the_statement_that_was_opened(
    tmp_path: Path, counting: PostgresServer
) -> None:
    stage = StatementStage(tmp_path, counting)
    stage.run("select counted.pg_stat_statements_reset()")
    with psycopg.connect(counting.dsn(), autocommit=True) as client:
        client.execute("select sku from items limit 5")
        await stage.look()
        async with stage.at(132, 34) as pilot:
            await pilot.press("2", "enter")
            await until(pilot, "PID")
            await pilot.press("e", "t", "t")
            await until(pilot, "rows/call 5")
            client.execute("select id, sku from items limit 9")
            await stage.look()
            await stage.look()
            await pilot.press("t", "t", "t")
            await until(pilot, "since reset")
            assert "rows/call 5" in said(stage.app)
    await stage.collector.close()


async def test_missing_extension_is_said_in_place_of_the_table(tmp_path: Path, pg18: PostgresServer) -> None:
    stage = StatementStage(tmp_path, pg18)
    await stage.look()
    async with stage.at(80, 24) as pilot:
        await pilot.press("2", "enter", "tab", "tab")
        await until(pilot, "add it to shared_preload_libraries")
        await until(pilot, "CREATE EXTENSION pg_stat_statements")
        assert_fills(stage.app)
        await pilot.press("enter", "e", "t")
        await until(pilot, "shared_preload_libraries")
    await stage.collector.close()


async def test_statement_that_was_evicted_is_said_to_be_gone(
    tmp_path: Path, counting18: PostgresServer
) -> None:
    async with staged(tmp_path, counting18, (132, 34)) as (stage, pilot):
        await pilot.press("t")
        await until(pilot, "select sku from")
        stage.run("select counted.pg_stat_statements_reset()")
        data = await stage.look()
        assert data.statements is not None
        stage.read(stage.watched, msgspec.structs.replace(data))
        await pilot.press("t", "t", "escape", "e")
        await until(pilot, lambda text: "gone" in text or "Plan" in text or "no statement" in text)
