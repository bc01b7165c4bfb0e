"""An unhealthy service: found, read and restarted by keys in a real terminal; then the engine is asked."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.actions.compose_project import project_in
from tests.actions.docker_desk import posts
from tests.e2e.program import audited, environ, opsdash
from tests.e2e.tmux import Terminal, terminal
from tests.support.engine import TestEngine
from tests.support.waiting import wait_until

SHOP = """
version: "2.4"
services:
  web:
    image: opsdash/bb:1
    command: sleep 100000
    init: true
    network_mode: none
  api:
    image: opsdash/bb:1
    init: true
    network_mode: none
    stop_grace_period: 1s
    command:
      - sh
      - -c
      - |
        busybox rm -f /tmp/pool-closed
        echo "INFO listening on 8080"
        while sleep 0.3; do
          echo "INFO GET /health"
          if [ -e /tmp/pool-closed ]; then
            echo "ERROR request 7f3a91: connection pool is closed"
            sleep 2
          fi
        done
    healthcheck:
      test: if [ -e /tmp/pool-closed ]; then echo pool is closed; false; fi
      interval: 300ms
      retries: 2
  worker:
    image: opsdash/bb:1
    init: true
    network_mode: none
    restart: always
    command: sh -c "echo FATAL no queue; sleep 2; exit 3"
  report:
    image: opsdash/bb:1
    init: true
    network_mode: none
    mem_limit: 12m
    command: tail -c 100000000 /dev/zero
"""

CLOSED = "ERROR request 7f3a91: connection pool is closed"


class Shop:
    """The project, asked past opsdash."""

    def __init__(self, engine: TestEngine, folder: Path) -> None:
        self._engine = engine
        project_in(engine, folder, SHOP)

    def state(self, service: str, number: int = 1) -> Mapping[str, Any]:
        """What the engine says of the state of one container."""
        state: Mapping[str, Any] = self._engine.inspect(f"shop_{service}_{number}")["State"]
        return state

    def health(self) -> str:
        return str(self.state("api")["Health"]["Status"])

    def break_api(self) -> None:
        """From now on it fails, until its start sweeps up."""
        self._engine.docker("exec", "shop_api_1", "sh", "-c", ": > /tmp/pool-closed")
        wait_until(lambda: self.health() == "unhealthy", 40, "the engine calls it unhealthy")

    def report_is_killed(self) -> bool:
        """Whether it was, as the engine tells it. Where its end was told before the kernel's word: again."""
        state = self.state("report")
        if state["Status"] == "exited" and not state["OOMKilled"]:
            self._engine.docker("start", "shop_report_1")
        return bool(state["OOMKilled"])

    def runs(self) -> dict[str, str]:
        """Id and start of those that nobody must touch."""
        names = ("shop_web_1", "shop_web_2", "shop_report_1")
        found = {name: self._engine.inspect(name) for name in names}
        return {name: f"{one['Id']} {one['State']['StartedAt']}" for name, one in found.items()}


@pytest.fixture
def shop(engine: TestEngine, tmp_path: Path) -> Shop:
    made = Shop(engine, tmp_path / "project")
    made.break_api()
    wait_until(made.report_is_killed, 60, "the kernel has killed it at its limit, and the engine has noticed")
    wait_until(lambda: made.state("worker")["ExitCode"] == 3, 40, "it has crashed")
    return made


def configuration(folder: Path, engine: TestEngine) -> Path:
    path = folder / "opsdash.toml"
    path.write_text(
        '[environment]\nname = "shop"\nproduction = false\n'
        f'[[docker]]\nname = "local"\nhost = "{engine.host}"\ninterval = 1.0\n'
    )
    path.chmod(0o600)
    return path


def findings(text: str) -> list[str]:
    """What is wrong with containers, worst first."""
    return re.findall(r"(?:CRIT|WARN) local +(.*)", text)


def names_it_first(text: str) -> bool:
    """The unhealthy service stands above all others, which are told as well, and the cursor is on it."""
    told = findings(text)
    return (
        re.search(r"▸ ✖ CRIT local +shop_api_1 unhealthy", text) is not None
        and told[0].startswith("shop_api_1 unhealthy")
        and any("shop_worker_1" in one for one in told[1:])
        and any("shop_report_1" in one and "OOM" in one for one in told[1:])
    )


def read_its_error(pane: Terminal) -> None:
    """Its own log, the error before the newest line, and back to the container."""
    pane.keys("l")
    pane.until(lambda text: "5 Logs" in text and "GET /health" in text, what="its log")
    pane.keys("p")
    pane.until("paused")
    pane.keys("g")
    pane.until(lambda text: re.search(r"▸.*listening on 8080", text), what="the cursor on its first line")
    pane.keys("e")
    shown = pane.until(lambda text: re.search(r"▸.*ERROR.*7f3a91", text), what="the cursor on the error")
    assert "no queue" not in shown, "these are the lines of this container alone"
    pane.keys("q")


def restart_it(pane: Terminal) -> None:
    """From its screen to the dialog, and y."""
    pane.until(lambda text: "› shop_api_1" in text, what="the container again")
    pane.keys("A")
    pane.until("ARMED")
    pane.keys("a")
    pane.until("Restart container")
    pane.keys("R")
    asked = pane.until("y does it")
    assert "shop_api_1 on local" in asked
    pane.until_heard(lambda: pane.keys("y"), "intent recorded")
    shown = pane.until(lambda text: re.search(r"runs since \d\d:\d\d:\d\d · healthy", text), what="healthy")
    assert "shop_api_1" in shown
    pane.keys("Escape")
    pane.until(lambda text: "intent recorded" not in text, what="the dialog has closed")


@pytest.mark.parametrize("size", [(132, 34), (80, 24)])
def test_unhealthy_service_is_found_read_and_restarted(
    tmp_path: Path, engine: TestEngine, shop: Shop, size: tuple[int, int]
) -> None:
    others, before = shop.runs(), shop.state("api")["StartedAt"]
    sent_before = len(posts(engine))
    command = opsdash("--config", str(configuration(tmp_path, engine)), "--allow-actions")
    with terminal(tmp_path, command, environ=environ(tmp_path), size=size) as pane:
        pane.until(names_it_first, what="the unhealthy service first")
        pane.keys("Enter")
        pane.until(lambda text: "› shop_api_1" in text and "pool is closed" in text, what="why")
        read_its_error(pane)
        assert shop.state("api")["StartedAt"] == before, "looking changes nothing"
        restart_it(pane)
        pane.keys("q")
        pane.until(
            lambda text: "What is wrong" in text and "shop_api_1 unhealthy" not in text,
            what="the finding is gone",
        )
        assert any("shop_worker_1" in one for one in findings(pane.text())), "the others are as they were"
    assert shop.state("api")["StartedAt"] > before
    assert shop.health() == "healthy"
    assert shop.runs() == others
    (sent,) = posts(engine)[sent_before:]
    assert re.search(rf"/containers/{engine.inspect('shop_api_1')['Id']}/restart", sent)
    intent, outcome = audited(tmp_path)
    assert (intent["action"], outcome["id"]) == ("docker.restart", intent["id"])
    assert intent["identities"][0]["started_at"].startswith(before[:19])
    assert outcome["outcome"] == "done"
    assert "healthy" in outcome["text"]
