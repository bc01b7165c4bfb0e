"""The demo's incident, solved by keys in a real terminal; then the server is asked."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.tui.demo.run import Demo, start_demo
from tests.e2e.program import configuration, environ, opsdash
from tests.e2e.tmux import Terminal, terminal
from tests.support.waiting import wait_until


class Shop:
    """The server in trouble, asked directly."""

    def __init__(self, demo: Demo) -> None:
        (settings,) = (t.settings for t in demo.targets if t.name == "orders-db")
        assert isinstance(settings, PostgresSettings)
        assert settings.act_dsn is not None
        self._connection = psycopg.connect(settings.act_dsn, autocommit=True)

    def one(self, query: str) -> Any:
        row = self._connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]

    @property
    def waiting(self) -> int:
        waiting: int = self.one("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")
        return waiting

    @property
    def root(self) -> int:
        pid: int = self.one(
            "select pid from pg_stat_activity where state = 'idle in transaction'"
            " and application_name = 'checkout' order by xact_start limit 1"
        )
        return pid

    @property
    def updates(self) -> int:
        """Rows that committed transactions have updated in the shop's table."""
        count: int = self.one("select n_tup_upd from pg_stat_user_tables where relname = 'stock'")
        return count

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def demo() -> Iterator[Demo]:
    with start_demo() as running:
        yield running


@pytest.fixture
def shop(demo: Demo) -> Iterator[Shop]:
    asked = Shop(demo)
    wait_until(lambda: asked.waiting >= 5, 60, "a line behind the root")
    yield asked
    asked.close()


def run(folder: Path, *arguments: str) -> str:
    """The output of a command of opsdash that has no screen."""
    done = subprocess.run(
        [sys.executable, "-m", "opsdash", *arguments],
        env=environ(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def to_the_guard(pane: Terminal, root: int) -> str:
    """From the first look to the dialog, as a person goes: why, arm, terminate."""
    pane.until(lambda text: re.search(rf"▸ ✖ CRIT orders-db +(pid )?{root} blocks", text), what="the finding")
    pane.keys("Enter")
    pane.until(lambda text: f"▸ ✖ {root}" in text and "likely" in text, what="why")
    pane.keys("A")
    pane.until("ARMED")
    pane.keys("K")
    return pane.until(f"Terminate session {root} on orders-db")


def assert_solved(folder: Path, config: Path, shop: Shop, root: int, updates: int) -> None:
    """The server says that the root is gone, nobody waits, and those who waited have written."""
    assert shop.one(f"select count(*) from pg_stat_activity where pid = {root}") == 0
    wait_until(lambda: shop.waiting == 0, 60, "nobody waits")
    wait_until(lambda: shop.updates >= updates + 5, 60, "the writers have written")
    told = run(folder, "audit", "show", "--config", str(config), "--json")
    records = [json.loads(line) for line in told.splitlines()]
    assert [r["event"] for r in records] == ["armed", "intent", "outcome", "disarmed"]
    intent, outcome = records[1], records[2]
    assert intent["action"] == "postgres.terminate"
    assert str(root) in json.dumps(intent["identities"])
    assert outcome["outcome"] == "done"
    assert outcome["id"] == intent["id"]
    assert "nobody waits" in outcome["text"]
    assert "4 records" in run(folder, "audit", "verify", "--config", str(config))


@pytest.mark.parametrize("size", [(132, 34), (80, 24)])
def test_incident_is_solved_by_keys(tmp_path: Path, demo: Demo, shop: Shop, size: tuple[int, int]) -> None:
    config = configuration(tmp_path, demo.targets)
    command = opsdash("--config", str(config), "--allow-actions")
    root, updates = shop.root, shop.updates
    with terminal(tmp_path, command, environ=environ(tmp_path), size=size) as pane:
        asked = to_the_guard(pane, root)
        assert "y does it" in asked
        assert shop.root == root
        pane.until_heard(lambda: pane.keys("y"), "intent recorded")
        shown = pane.until("nobody waits", timeout_s=90)
        assert "same transaction re-checked" in shown
        pane.keys("Escape")
        pane.until(
            lambda text: "blocked 0" in text and "signal sent" not in text, what="the blocking tree is empty"
        )
        pane.keys("q")
        pane.until(lambda text: "What is wrong" in text and "blocks" not in text, what="the finding is gone")
        pane.keys("q")
        wait_until(lambda: is_over(pane), 20, "it has ended")
    assert_solved(tmp_path, config, shop, root, updates)


def is_over(pane: Terminal) -> bool:
    """Whether the program in the pane has ended, and tmux with it."""
    try:
        pane.text()
    except AssertionError:
        return True
    return False


def test_in_production_the_name_must_be_typed_and_nothing_else_acts(
    tmp_path: Path, demo: Demo, shop: Shop
) -> None:
    config = configuration(tmp_path, demo.targets, production=True)
    command = opsdash("--config", str(config), "--allow-actions")
    root, updates = shop.root, shop.updates
    with terminal(tmp_path, command, environ=environ(tmp_path), size=(80, 24)) as pane:
        pane.until("PRODUCTION shop")
        assert "type the target's name" in to_the_guard(pane, root).lower()
        pane.until_heard(lambda: pane.paste("orders-db\n", bracketed=True), "nothing was sent")
        pane.keys("K")
        pane.until(f"Terminate session {root} on orders-db (PRODUCTION shop)")
        pane.until_heard(lambda: pane.paste("orders-db\n", bracketed=False), "too fast")
        pane.keys("Escape")
        pane.until("nothing was sent")
        assert shop.root == root
        pane.keys("K")
        pane.until(f"Terminate session {root} on orders-db (PRODUCTION shop)")
        pane.until_heard(lambda: pane.keys("Enter"), "that is not its name")
        pane.type("orders")
        pane.keys("Enter")
        pane.until("that is not its name")
        pane.type("-db")
        pane.until("Enter does it")
        assert shop.root == root
        pane.until_heard(lambda: pane.keys("Enter"), "intent recorded")
        pane.until("nobody waits", timeout_s=90)
        pane.keys("Escape")
        pane.until("blocked 0")
        pane.keys("C-c")
        pane.until("ctrl-c again quits")
        pane.keys("C-c")
        wait_until(lambda: is_over(pane), 20, "it has ended")
    assert_solved(tmp_path, config, shop, root, updates)


def test_pasted_y_does_not_act(tmp_path: Path, demo: Demo, shop: Shop) -> None:
    config = configuration(tmp_path, demo.targets)
    command = opsdash("--config", str(config), "--allow-actions")
    root = shop.root
    with terminal(tmp_path, command, environ=environ(tmp_path), size=(80, 24)) as pane:
        to_the_guard(pane, root)
        pane.until_heard(lambda: pane.paste("y\n", bracketed=True), "nothing was sent")
        pane.keys("K")
        pane.until("y does it")
        pane.until_heard(lambda: pane.paste("y\n", bracketed=False), "nothing was sent")
        assert shop.root == root
    events = [json.loads(line)["event"] for line in (tmp_path / "state/opsdash/audit.jsonl").open()]
    assert "intent" not in events
