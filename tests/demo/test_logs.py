"""The demo's story is in the logs of its programs, as it happens to them."""

import re
import time
from collections.abc import Iterator, Sequence

import psycopg
import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.finding import Finding
from opsdash.collectors.lines.formats import Format, recognise
from opsdash.collectors.lines.parse import read_line
from opsdash.collectors.lines.record import Level, Record
from opsdash.collectors.logs.collector import LogCollector
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.target import Target
from opsdash.tui.demo.run import Demo, start_demo
from opsdash.tui.findings.logs import findings
from tests.demo.asking import valkey
from tests.support.waiting import wait_until, wait_until_async

_END_ROOT = """
    select pg_terminate_backend(pid) from pg_stat_activity a
    where cardinality(pg_blocking_pids(pid)) = 0 and state = 'idle in transaction'
      and exists (select from pg_locks w where not w.granted and a.pid = any(pg_blocking_pids(w.pid)))
"""


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """Nobody ends what makes its orders wait."""
    with start_demo() as running:
        yield running


@pytest.fixture
def own_demo() -> Iterator[Demo]:
    with start_demo() as running:
        yield running


def lines(demo: Demo, name: str) -> list[bytes]:
    """The whole lines of one of its logs."""
    return (demo.folder / f"{name}.log").read_bytes().split(b"\n")[:-1]


def records(demo: Demo, name: str) -> list[Record]:
    found = lines(demo, name)
    format = recognise(found)
    return [read_line(raw, format, near=time.time()) for raw in found]


def told(records: Sequence[Record], level: Level, words: str) -> list[Record]:
    return [r for r in records if r.level is level and words in r.message]


def target(demo: Demo) -> Target:
    (found,) = (t for t in demo.targets if t.id.kind == "log")
    return found


def test_customers_wait_for_the_pool_and_then_for_the_lock_under_one_id(demo: Demo) -> None:
    def both() -> set[str]:
        said = records(demo, "shop")
        waited = {r.message.split()[0] for r in told(said, Level.WARN, "pool exhausted: 3/3 checked out")}
        return waited & {r.message.split()[0] for r in told(said, Level.ERROR, "lock timeout")}

    (request, *_) = wait_until(both, 60, "an order that waited for the pool and for the lock")
    assert re.fullmatch(r"[0-9a-f]{8}", request)
    assert recognise(lines(demo, "shop")) is Format.PYTHON
    error = told(records(demo, "shop"), Level.ERROR, "lock timeout")[-1]
    assert error.fields["logger"] == "api"
    assert error.at is not None
    assert abs(error.at - time.time()) < 60


def test_the_server_says_the_same_in_its_own_log(demo: Demo) -> None:
    wait_until(
        lambda: told(records(demo, "orders-db"), Level.ERROR, "canceling statement due to lock timeout"),
        60,
        "the server's own words",
    )
    wait_until(lambda: told(records(demo, "orders-db"), Level.INFO, "still waiting for"), 60, "lock waits")
    assert recognise(lines(demo, "orders-db")) is Format.POSTGRES
    error = told(records(demo, "orders-db"), Level.ERROR, "lock timeout")[0]
    assert (error.fields["user"], error.fields["database"]) == ("shop_api", "shop")
    assert not [r for r in records(demo, "inventory-db") if r.level is not None and r.level >= Level.ERROR]


def test_a_valkeys_log_states_times_that_are_read_right(demo: Demo) -> None:
    ready = told(records(demo, "cache"), Level.INFO, "Ready to accept connections")
    assert ready
    assert ready[0].at is not None
    assert abs(ready[0].at - time.time()) < 600


async def test_opsdash_finds_the_errors_in_both_logs(demo: Demo) -> None:
    collector = LogCollector(target(demo), Clock())

    async def bursts() -> dict[str, Finding]:
        found = findings(await collector.collect(), target(demo))
        by_name = {f.short.partition(":")[0]: f for f in found if f.rule == "log.burst"}
        return by_name if len(by_name) == 2 else {}

    try:
        found = await wait_until_async(bursts, 90, "bursts in two logs")
    finally:
        await collector.close()
    assert sorted(found) == ["orders-db.log", "shop.log"]
    assert "lock timeout" in found["orders-db.log"].title


def test_a_full_valkey_is_an_error_of_the_application_and_its_healing_is_told(demo: Demo) -> None:
    sessions = valkey(demo, "sessions")
    wait_until(lambda: sessions.dbsize() > 400, 60, "some have signed in")
    sessions.config_set("maxmemory", "1")  # its story would fill it within a minute
    wait_until(
        lambda: told(records(demo, "shop"), Level.ERROR, "refused by sessions: OOM"), 60, "refusals are told"
    )
    sessions.config_set("maxmemory", "8mb")
    for key in sessions.scan_iter("sess:*", count=500):
        sessions.unlink(key)
    wait_until(lambda: told(records(demo, "shop"), Level.INFO, "sessions were purged"), 60, "healing is told")


def test_after_the_fix_orders_go_through_again_and_no_error_comes_any_more(own_demo: Demo) -> None:
    demo = own_demo
    wait_until(lambda: told(records(demo, "shop"), Level.ERROR, "lock timeout"), 60, "an order failed")
    (orders,) = (t.settings for t in demo.targets if t.name == "orders-db")
    assert isinstance(orders, PostgresSettings)
    with psycopg.connect(orders.act_dsn or "", autocommit=True) as connection:
        wait_until(lambda: connection.execute(_END_ROOT).fetchone() == (True,), 60, "a root to terminate")
    wait_until(lambda: told(records(demo, "shop"), Level.INFO, "go through again"), 60, "recovery is told")

    def placed_since_the_last_error() -> int:
        said = records(demo, "shop")
        last = max(
            (n for n, r in enumerate(said) if r.level is not None and r.level >= Level.WARN), default=-1
        )
        return len(told(said[last + 1 :], Level.INFO, "orders placed"))

    wait_until(lambda: placed_since_the_last_error() >= 3, 90, "calm")
