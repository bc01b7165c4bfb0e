"""`opsdash doctor` on a real engine: what works, what that amounts to, and what is missing."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsdash.collectors.diagnosis import Diagnosis, State
from opsdash.collectors.docker.doctor import diagnose
from opsdash.collectors.snapshot import FailureKind
from tests.cli.run_opsdash import run_opsdash, write_config
from tests.docker.test_client import as_nobody
from tests.support.engine import TestEngine, docker_target
from tests.support.faults import Proxy, Wire


def states(diagnosis: Diagnosis) -> dict[str, State]:
    return {check.subject: check.state for check in diagnosis.checks}


def text(diagnosis: Diagnosis, subject: str) -> str:
    return next(check.text for check in diagnosis.checks if check.subject == subject)


async def test_all_is_well_on_the_local_socket_and_it_says_what_that_amounts_to(engine: TestEngine) -> None:
    engine.run("web")
    before = len(engine.requests())
    diagnosis = await diagnose(docker_target(engine.host))
    assert diagnosis.failure is None
    assert set(states(diagnosis).values()) == {State.OK}
    assert diagnosis.summary is not None
    assert diagnosis.summary.startswith("Docker 20.10")
    assert "as much as root" in text(diagnosis, "access")
    assert "cgroup files" in text(diagnosis, "usage")
    assert "json-file" in text(diagnosis, "logs")
    assert {method for method, _ in engine.requests()[before:]} == {"GET"}


async def test_a_log_driver_that_keeps_nothing_is_named(engine: TestEngine) -> None:
    engine.run("silent", options=("--log-driver", "none"))
    diagnosis = await diagnose(docker_target(engine.host))
    assert states(diagnosis)["logs"] is State.ADVICE
    assert "silent" in text(diagnosis, "logs")


async def test_an_open_port_is_told_as_what_it_is(start_engine: Callable[..., TestEngine]) -> None:
    engine = start_engine(has_port=True)
    diagnosis = await diagnose(docker_target(engine.tcp_host))
    assert states(diagnosis)["access"] is State.ADVICE
    assert "root there" in text(diagnosis, "access")


def test_a_socket_that_we_may_not_open_says_how_to_get_in(engine: TestEngine, tmp_path: Path) -> None:
    def said() -> str:
        diagnosis = asyncio.run(diagnose(docker_target(engine.host)))
        assert diagnosis.failure is not None
        fixes = [line for check in diagnosis.checks if check.fix for line in check.fix.lines]
        return json.dumps([diagnosis.failure.kind.value, fixes])

    kind, fixes = json.loads(as_nobody(said))
    assert kind == FailureKind.NO_PERMISSION.value
    assert fixes == ['sudo usermod -aG docker "$USER"']


@pytest.mark.parametrize(
    "wire", [wire for wire in Wire if wire is not Wire.PASS], ids=lambda wire: wire.value
)
async def test_a_broken_wire_gives_a_reason_in_time(wire: Wire, engine: TestEngine) -> None:
    async with Proxy(engine.socket) as proxy:
        proxy.set(wire)
        diagnosis = await diagnose(docker_target(f"tcp://127.0.0.1:{proxy.port}"))
    assert diagnosis.failure is not None
    assert diagnosis.failure.reason
    assert diagnosis.failure.hint


def examined(folder: Path, table: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and what was said of the only target."""
    path = write_config(folder, f'[[docker]]\nname = "local"\nenvironment = "staging"\n{table}\n')
    ended = run_opsdash("doctor", "--json", "--config", str(path), home=folder)
    assert ended.stderr == ""
    (target,) = json.loads(ended.stdout)["targets"]
    return ended.returncode, target


def test_the_command_says_it_all(engine: TestEngine, tmp_path: Path) -> None:
    engine.run("web")
    code, target = examined(tmp_path, f'host = "{engine.host}"')
    assert code == 0
    assert {check["subject"] for check in target["checks"]} == {"reading", "access", "usage", "logs"}
    code, target = examined(tmp_path, f'host = "unix://{tmp_path}/none.sock"')
    assert (code, target["status"]) == (3, "unreachable")


def test_check_reads_an_engine_once(engine: TestEngine, tmp_path: Path) -> None:
    engine.run("web")
    path = write_config(tmp_path, f'[[docker]]\nname = "local"\nhost = "{engine.host}"\n')
    ended = run_opsdash("check", "--json", "--config", str(path), home=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
