"""One incident seen in two places: a held row makes the shop's health fail; ending its holder mends both."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.target import Target
from opsdash.tui.demo.run import Demo, start_demo
from tests.demo.asking import Shop, valkey
from tests.e2e.program import environ, opsdash
from tests.e2e.tmux import Terminal, terminal

_ROOT = """
    select pid from pg_stat_activity
    where state = 'idle in transaction' and application_name = 'checkout' order by xact_start limit 1
"""
_GREEN_S = 90.0
"""Usual is 20 s: as long as slow probes are in the window."""


@pytest.fixture
def demo() -> Iterator[Demo]:
    with start_demo() as running:
        sessions = valkey(running, "sessions")
        sessions.config_set("maxmemory", "200mb")  # its own story would degrade health as well, in a minute
        sessions.close()
        yield running


def configuration(folder: Path, targets: Sequence[Target]) -> Path:
    """A file that names all targets of the demo, with their settings."""
    lines = ["[environment]", 'name = "shop"', "production = false"]
    for target in targets:
        lines += [f"[[{target.id.kind}]]", f"name = {_toml(target.name)}", f"interval = {target.interval_s}"]
        settings = msgspec.to_builtins(target.settings)
        lines += [f"{key} = {_toml(value)}" for key, value in settings.items() if value not in (None, {})]
    path = folder / "opsdash.toml"
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    return path


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)


def root_of(demo: Demo) -> int | None:
    """The pid of the session that holds the row; None when there is none."""
    (settings,) = (t.settings for t in demo.targets if t.name == "orders-db")
    assert isinstance(settings, PostgresSettings)
    assert settings.act_dsn is not None
    with psycopg.connect(settings.act_dsn, autocommit=True) as connection:
        row = connection.execute(_ROOT).fetchone()
    return None if row is None else int(row[0])


def heading(text: str) -> list[str]:
    """The findings on the overview, worst first: each line from its glyph on."""
    return [
        found[1] for line in text.splitlines() if (found := re.match(r"[▸ ] ([✖▲] (?:CRIT|WARN) .*)", line))
    ]


def stands_below_its_cause(text: str, root: int) -> bool:
    """Whether the first finding is the root blocker, and the next that health suffers because of it."""
    findings = heading(text)
    if len(findings) < 2:
        return False
    is_blocked = re.match(rf"✖ CRIT orders-db +(pid )?{root} blocks", findings[0])
    return bool(is_blocked) and re.match(r"✖ CRIT api /health +degraded", findings[1]) is not None


def why(pane: Terminal) -> str:
    """Drill into the second finding, and come back."""
    pane.keys("j")
    pane.until(lambda text: "▸ ✖ CRIT api /health" in text, what="the cursor on the health finding")
    pane.keys("Enter")
    shown = pane.until(lambda text: "› checks" in text and "likely" in text, what="why")
    pane.keys("q")
    pane.until("What is wrong")
    pane.keys("k")
    return shown


@pytest.mark.parametrize("size", [(132, 34), (80, 24)])
def test_health_names_the_database_and_turns_green_when_the_root_is_terminated(
    tmp_path: Path, demo: Demo, size: tuple[int, int]
) -> None:
    command = opsdash("--config", str(configuration(tmp_path, demo.targets)), "--allow-actions")
    shop, root = Shop(demo), root_of(demo)
    assert root is not None
    with terminal(tmp_path, command, environ=environ(tmp_path), size=size) as pane:
        pane.until(lambda text: stands_below_its_cause(text, root), 120, "health below what it fails for")
        assert shop.check("database")["status"] == "degraded"
        assert f"probably because of orders-db: pid {root} blocks" in why(pane)
        pane.until("▸ ✖ CRIT orders-db")
        pane.keys("A")
        pane.until("ARMED")
        pane.keys("K")
        pane.until(f"Terminate root blocker {root} on orders-db")
        pane.until_heard(lambda: pane.keys("y"), "intent recorded")
        pane.until("nobody waits", timeout_s=90)
        pane.keys("Escape")
        pane.until(lambda text: "intent recorded" not in text, what="the dialog has closed")
        text = pane.until(lambda text: "api /health" not in "".join(heading(text)), _GREEN_S, "it recovers")
        assert "blocks" not in "".join(heading(text))
        pane.keys("1")
        pane.until(
            lambda text: re.search(r"● api /health +(/health +)?up ", text), what="the health is green"
        )
        assert shop.health()["status"] == "ok"
        assert shop.check("database")["latency_ms"] < 300
    assert root_of(demo) != root
