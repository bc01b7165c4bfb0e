"""The demo's story, judged by asking the servers."""

import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from opsdash.collectors.errors import ConfigError
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.tui.demo.run import Demo, start_demo
from tests.support.waiting import wait_until

_LINE = """
    select pid from pg_stat_activity
    where wait_event_type = 'Lock' and query like 'update stock%' order by query_start
"""
_ROOTS = """
    select pid, application_name from pg_stat_activity a
    where cardinality(pg_blocking_pids(pid)) = 0 and state = 'idle in transaction'
      and exists (select from pg_locks w where not w.granted and a.pid = any(pg_blocking_pids(w.pid)))
"""
_CLIENTS = "select count(*) from pg_stat_activity where backend_type = 'client backend'"
_USABLE = """
    select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
"""


def settings(demo: Demo, name: str) -> PostgresSettings:
    (found,) = (target.settings for target in demo.targets if target.name == name)
    assert isinstance(found, PostgresSettings)
    return found


class Asked:
    """Asks a server as opsdash's action role does, which may see all sessions and signal them."""

    def __init__(self, dsn: str | None) -> None:
        assert dsn is not None
        self._connection = psycopg.connect(dsn, autocommit=True)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query.encode()).fetchall()

    def one(self, query: str) -> Any:
        return self.rows(query)[0][0]

    def line(self) -> list[int]:
        return [pid for (pid,) in self.rows(_LINE)]

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """Only looked at: nobody changes how its story goes."""
    with start_demo() as running:
        yield running


@pytest.fixture
def orders(demo: Demo) -> Iterator[Asked]:
    with closing(Asked(settings(demo, "orders-db").act_dsn)) as asked:
        yield asked


@pytest.fixture
def own_orders() -> Iterator[Asked]:
    """The same of a demo of the test's own."""
    with start_demo() as running, closing(Asked(settings(running, "orders-db").act_dsn)) as asked:
        yield asked


def test_dead_target_refuses(demo: Demo) -> None:
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(settings(demo, "ledger-db").dsn)


def test_healthy_server_works_and_nobody_waits(demo: Demo) -> None:
    inventory = Asked(settings(demo, "inventory-db").act_dsn)
    before = inventory.one("select xact_commit from pg_stat_database where datname = 'inventory'")
    wait_until(
        lambda: (
            inventory.one("select xact_commit from pg_stat_database where datname = 'inventory'") > before + 5
        ),
        30,
        "no traffic",
    )
    assert inventory.line() == []
    inventory.close()


def test_statements_of_the_healthy_server_are_counted_for_who_looks(demo: Demo) -> None:
    with closing(Asked(settings(demo, "inventory-db").dsn)) as looking:
        seen = "select count(*) from pg_stat_statements where query like '%update stock%' and calls > 5"
        wait_until(lambda: looking.one(seen), 30, "orders are counted, and their text may be read")


def test_line_grows_connections_climb_and_opsdash_still_gets_in(demo: Demo, orders: Asked) -> None:
    wait_until(lambda: len(orders.line()) >= 3, 20, "three waiting")
    wait_until(lambda: len(orders.line()) >= 10, 40, "ten waiting")
    assert [application for _, application in orders.rows(_ROOTS)] == ["checkout"]
    wait_until(lambda: orders.one(_CLIENTS) > 0.8 * orders.one(_USABLE), 40, "connections past the warning")
    wait_until(lambda: len(orders.line()) == 14, 40, "the line at its full length")
    assert orders.one(_CLIENTS) <= orders.one(_USABLE) - 4
    monitor = settings(demo, "orders-db").dsn
    for connection in [psycopg.connect(monitor) for _ in range(3)]:
        connection.close()


def test_terminated_root_lets_the_line_through_one_by_one_and_all_stays_well(own_orders: Asked) -> None:
    orders = own_orders
    wait_until(lambda: len(orders.line()) >= 10, 40, "ten waiting")
    ((root, _),) = orders.rows(_ROOTS)
    assert orders.one(f"select pg_terminate_backend({root})")
    line = set(orders.line())
    lengths = {len(line)}

    def is_through() -> bool:
        running = {pid for (pid,) in orders.rows("select pid from pg_stat_activity where state = 'active'")}
        line.intersection_update(running)
        lengths.add(len(line))
        return not line and not orders.line()

    wait_until(is_through, 60, "the line is through")
    assert len(lengths) >= 7, "they did not come through one by one"
    wait_until(lambda: orders.one(_CLIENTS) < 0.3 * orders.one(_USABLE), 60, "connections fell back")
    commits = "select sum(xact_commit) from pg_stat_database"
    before = orders.one(commits)

    def has_moved_on() -> bool:
        assert orders.line() == []
        return bool(orders.one(commits) > before + 40)

    wait_until(has_moved_on, 60, "the shop works on")


def test_two_roots_hold_a_line_each() -> None:
    with start_demo("two-roots") as demo:
        orders = Asked(settings(demo, "orders-db").act_dsn)
        wait_until(lambda: len(orders.rows(_ROOTS)) == 2, 40, "two roots that others wait for")
        roots = dict(orders.rows(_ROOTS))
        assert sorted(roots.values()) == ["billing", "checkout"]
        behind = {
            root: {
                pid
                for (pid,) in orders.rows(
                    f"select pid from pg_locks where not granted and {root} = any(pg_blocking_pids(pid))"
                )
            }
            for root in roots
        }
        first, second = behind.values()
        assert first
        assert second
        assert not first & second
        orders.close()


def test_unknown_story_is_told_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match='"three-roots"; there are: one-root, two-roots'):
        start_demo("three-roots")


def test_dead_port_cannot_be_taken_by_somebody_else(demo: Demo) -> None:
    port = next(int(w[5:]) for w in settings(demo, "ledger-db").dsn.split() if w.startswith("port="))
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
