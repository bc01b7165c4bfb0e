"""What pg_stat_statements is made into, judged against what was run on a real server."""

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psycopg
import pytest

import opsdash.collectors.postgres
from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres.collector import PostgresCollector
from opsdash.collectors.postgres.statement_reader import UNWATCHED_S
from opsdash.collectors.postgres.statement_rows import StatementRow, Statements
from opsdash.collectors.postgres.statements import statement
from opsdash.tui.demo.servers import PostgresServer
from tests.actions.lamps import ManualClock
from tests.support.targets import postgres_target

QUERIES = Path(opsdash.collectors.postgres.__path__[0]) / "queries"
RESET = "select counted.pg_stat_statements_reset()"


class Reading:
    """A collector with a clock of its own, and a superuser beside it."""

    def __init__(self, server: PostgresServer, dsn: str | None = None) -> None:
        self.server = server
        self.clock = ManualClock()
        self.collector = PostgresCollector(postgres_target(dsn or server.dsn()), self.clock)

    async def read(self, *, after_s: float = 0.0) -> Statements:
        self.clock.advance(after_s)
        statements = (await self.collector.collect()).statements
        assert statements is not None
        return statements

    async def watched(self, *, after_s: float = 3.0) -> Statements:
        """A reading while somebody looks at the table."""
        self.collector.look_at((), "statements")
        return await self.read(after_s=after_s)

    def run(self, text: str, times: int = 1) -> None:
        with psycopg.connect(self.server.dsn(), autocommit=True) as client:
            for _ in range(times):
                client.execute(text.encode())


@pytest.fixture
async def reading(counting: PostgresServer) -> AsyncIterator[Reading]:
    made = Reading(counting)
    made.run(RESET)
    yield made
    await made.collector.close()


def of(statements: Statements, words: str) -> StatementRow:
    (found,) = [row for row in statements.rows if row.query and row.query.startswith(words)]
    return found


def looks_at(reading: Reading, statements: Statements) -> None:
    """Somebody scrolls through all of them."""
    reading.collector.look_at(tuple(str(row.identity) for row in statements.rows), "statements")


async def test_work_is_told_since_the_reset_and_since_the_reading_before(reading: Reading) -> None:
    reading.run("select count(*) from items where qty = 1", times=3)
    first = await reading.read()
    assert first.missing is None
    assert (first.live, first.live_s) == (None, None)
    assert all(row.live is None for row in first.rows)
    reading.run("select count(*) from items where qty = 2", times=2)
    reading.run("select max(region) from items")
    looks_at(reading, first)
    second = await reading.read(after_s=5.0)
    looks_at(reading, second)
    second = await reading.read()

    known = of(second, "select count(*) from items")
    assert known.query == "select count(*) from items where qty = $1"
    assert (known.user, known.database) == ("postgres", "postgres")
    assert known.total.calls == 5
    assert known.live is not None
    assert (known.live.calls, known.live.rows) == (2, 2)
    assert 0 < known.live.exec_ms < known.total.exec_ms
    assert known.live.shared_blks_hit + known.live.shared_blks_read > 100
    new = of(second, "select max(region)")
    assert new.live is not None
    assert new.live.calls == new.total.calls == 1
    assert second.live_s == pytest.approx(5.0)
    assert second.live is not None
    assert second.live.calls >= 3
    assert second.since_reset_s is not None
    assert 0 <= second.since_reset_s < 120


async def test_io_time_is_told_since_the_reset_and_since_the_reading_before(reading: Reading) -> None:
    spills = "set work_mem = '64kB'; select count(*) from (select sku from items order by sku offset 0) as s"
    reading.run(spills)
    looks_at(reading, await reading.watched())
    reading.run(spills)
    looks_at(reading, await reading.watched())
    after = await reading.read()
    assert after.tracks_io is True
    sorting = of(after, "select count(*) from (select sku")
    assert sorting.live is not None
    assert sorting.live.io_ms is not None
    assert sorting.total.io_ms is not None
    assert 0 < sorting.live.io_ms < sorting.total.io_ms
    assert sorting.live.io_ms_per_call == sorting.live.io_ms
    assert after.total.io_ms is not None
    assert after.total.io_ms >= sorting.total.io_ms


@pytest.mark.parametrize(("major", "version"), [(18, "1.12"), (15, "1.10"), (15, "1.9")])
async def test_io_time_that_was_not_counted_is_unknown_and_no_zero(
    start_postgres: Callable[..., PostgresServer], major: int, version: str
) -> None:
    options = {"shared_preload_libraries": "pg_stat_statements", "track_io_timing": "off"}
    server = start_postgres(major=major, options=options)
    reading = Reading(server)
    reading.run(f"create extension pg_stat_statements version '{version}'")
    for table in ("old", "new"):
        reading.run(f"create table {table} as select g as id from generate_series(1, 5000) g")
    server.restart()  # so that the tables are read from files
    reading.run("select count(*) from old")
    try:
        off = await reading.watched()
        assert off.tracks_io is False
        assert {row.total.io_ms for row in off.rows} == {None}
        assert off.total.io_ms is None
    finally:
        await reading.collector.close()
    reading.run("alter database postgres set track_io_timing = on")
    reading = Reading(server)
    reading.run("select max(backend_type), count(*) from pg_stat_activity")
    reading.run("select count(*) from new")
    try:
        looks_at(reading, await reading.watched())
        on = await reading.read()
        assert on.tracks_io is True
        assert of(on, "select count(*) from old").total.io_ms is None
        assert of(on, "select max(backend_type)").total.io_ms == 0
        assert (of(on, "select count(*) from new").total.io_ms or 0) > 0
    finally:
        await reading.collector.close()


async def test_reset_gives_no_negative_and_no_invented_work(reading: Reading) -> None:
    reading.run("select count(*) from items where qty = 1", times=5)
    await reading.watched()
    reading.run(RESET)
    reading.run("select count(*) from items where qty = 1", times=7)
    after = await reading.watched()
    assert (after.live, after.live_s, after.recent_s) == (None, None, None)
    assert all(row.live is None for row in after.rows)
    again = await reading.watched()
    assert again.live_s == pytest.approx(3.0)


async def test_entry_that_was_thrown_out_and_came_back_is_unknown(reading: Reading) -> None:
    text = "select min(qty) from items where region = 1"
    reading.run(text, times=5)
    first = await reading.watched()
    looks_at(reading, first)
    entry = of(await reading.read(), "select min(qty)").identity
    reading.run(
        f"select counted.pg_stat_statements_reset({entry.userid}, {entry.dbid}, {entry.queryid})", times=1
    )
    reading.run(text)
    row = (await reading.watched()).row(entry)
    assert row is not None
    assert row.total.calls == 1
    assert row.live is None


async def test_texts_are_read_only_for_what_is_on_the_screen(reading: Reading) -> None:
    for column in ("id", "sku", "qty", "region", "id, sku", "id, qty", "id, region"):
        reading.run(f"select {column} from items limit 1")
    first = await reading.read()
    unread = [row for row in first.rows if row.query is None]
    assert len(unread) >= 4
    wanted = unread[-1].identity
    reading.collector.look_at((str(wanted),), "statements")
    second = await reading.read()
    row = second.row(wanted)
    assert row is not None
    assert row.query is not None
    assert sum(r.query is None for r in second.rows) >= 3


async def test_it_is_read_seldom_while_nobody_looks(reading: Reading) -> None:
    first = await reading.read()
    assert (await reading.read(after_s=10.0)).read_mono_s == first.read_mono_s
    later = await reading.read(after_s=UNWATCHED_S)
    assert later.read_mono_s > first.read_mono_s
    watched = await reading.watched()
    assert watched.read_mono_s > later.read_mono_s


async def test_trend_of_the_opened_statement_grows(reading: Reading) -> None:
    reading.run("select count(*) from items where qty = 1")
    looks_at(reading, await reading.read())
    entry = of(await reading.read(), "select count(*) from items").identity
    reading.collector.look_at((), str(entry))
    for _ in range(3):
        reading.run("select count(*) from items where qty = 1", times=4)
        statements = await reading.read(after_s=12.0)
    assert [round(p.calls_per_min) for p in statements.trend] == [20, 20, 20]
    assert all(p.mean_ms for p in statements.trend)
    assert statements.recent_s == pytest.approx(36.0)
    row = statements.row(entry)
    assert row is not None
    assert row.recent is not None
    assert row.recent.calls == 12


async def test_role_without_rights_is_told_how_many_are_hidden_and_what_would_show_them(
    counting: PostgresServer, reading: Reading
) -> None:
    reading.run("create role plain login; grant usage on schema counted to plain")
    reading.run("select count(*) from items where qty = 1")
    plain = Reading(counting, counting.dsn("plain"))
    try:
        statements = await plain.read()
        assert statements.hidden > 0
        assert "select count(*) from items" not in str([row.query for row in statements.rows])
        (limit,) = statements.limits
        assert f"{statements.hidden} of {statements.entries} statements" in limit
        assert "GRANT pg_read_all_stats TO plain" in limit
        reading.run("revoke usage on schema counted from plain")
        denied = await plain.read(after_s=UNWATCHED_S + 1)
        assert denied.limits
        again = await plain.read(after_s=UNWATCHED_S + 1)
        assert again.missing is not None
        assert "GRANT USAGE ON SCHEMA counted TO plain" in again.missing
    finally:
        await plain.collector.close()
        reading.run("revoke usage on schema counted from plain; drop role plain")


async def test_running_session_tells_which_statement_it_runs(reading: Reading) -> None:
    text = b"select pg_sleep(0.2) from items where id = 1"
    with psycopg.connect(reading.server.dsn(), autocommit=True) as client:
        client.execute(text)
        client.execute(text)
        looks_at(reading, await reading.read())
        entry = of(await reading.read(), "select pg_sleep").identity
        data = await reading.collector.collect()
        session = data.session(client.info.backend_pid)
    assert session is not None
    assert session.query_id == entry.queryid


async def test_missing_extension_says_exactly_how_to_switch_it_on(
    start_postgres: Callable[..., PostgresServer],
) -> None:
    for options, words in (
        ({}, "shared_preload_libraries"),
        (
            {"shared_preload_libraries": "pg_stat_statements"},
            "CREATE EXTENSION pg_stat_statements; in postgres",
        ),
    ):
        server = start_postgres(major=18, options=options)
        collector = PostgresCollector(postgres_target(server.dsn()), Clock())
        try:
            statements = (await collector.collect()).statements
            assert statements is not None
            assert words in (statements.missing or "")
            assert statements.rows == ()
        finally:
            await collector.close()


@pytest.mark.parametrize("major", [18, 15])
async def test_only_shipped_statements_are_sent_while_somebody_looks(
    start_postgres: Callable[..., PostgresServer], major: int
) -> None:
    log = {"log_statement": "all", "log_line_prefix": "@@%a@@ "}
    server = start_postgres(major=major, options={"shared_preload_libraries": "pg_stat_statements", **log})
    reading = Reading(server)
    try:
        reading.run("create schema counted; create extension pg_stat_statements schema counted")
        reading.run("select pg_create_physical_replication_slot('gone', true)")
        for _ in range(3):
            looks_at(reading, await reading.watched())
            reading.collector.look_at((), "replication")
            await reading.read(after_s=31)
    finally:
        await reading.collector.close()
    shipped = {_folded(statement(file.stem, "counted").decode()) for file in QUERIES.glob("*.sql")}
    sent = {
        _folded(text)
        for text in re.findall(
            r"^@@opsdash@@ LOG:  (?:statement|execute [^:]*): (.*?)(?=^@@|\Z)",
            server.log_path.read_text("utf-8", "replace"),
            re.MULTILINE | re.DOTALL,
        )
    }
    assert any("opsdash:statement_texts" in text for text in sent)
    assert any("opsdash:slots" in text for text in sent)
    assert sent - shipped == set()


def _folded(sql: str) -> str:
    return " ".join(sql.replace("%s", "$1").split())


async def test_extension_that_appears_and_goes_is_noticed(
    start_postgres: Callable[..., PostgresServer],
) -> None:
    server = start_postgres(major=15, options={"shared_preload_libraries": "pg_stat_statements"})
    reading = Reading(server)
    try:
        assert (await reading.read()).missing is not None
        reading.run("create extension pg_stat_statements")
        assert (await reading.watched(after_s=UNWATCHED_S + 1)).missing is None
        reading.run("drop extension pg_stat_statements")
        gone = await reading.watched(after_s=UNWATCHED_S + 1)
        assert gone.rows
        assert "pg_stat_statements" in gone.limits[0]
        assert "CREATE EXTENSION" in ((await reading.watched(after_s=UNWATCHED_S + 1)).missing or "")
    finally:
        await reading.collector.close()
