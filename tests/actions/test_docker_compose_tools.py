"""How compose is found and told what to do; what it would change, as pure rules."""

import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsdash.collectors.target import TargetId
from opsdash.tui.actions.docker import changes
from opsdash.tui.actions.docker.changes import Fate
from opsdash.tui.actions.docker.compose import Program, environ_for, files_of, find_tool
from opsdash.tui.actions.docker.inspection import Compose, Listed
from tests.support.waiting import wait_until

LOCAL = TargetId("docker", "local")


def _program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


async def test_the_compose_that_made_the_project_is_preferred(programs: Path) -> None:
    _program(programs, "docker-compose", "echo 1.29.2")
    _program(programs, "docker", '[ "$1" = compose ] && echo v2.29.1-desktop.1')
    first = await find_tool(LOCAL, "1.29.2")
    second = await find_tool(LOCAL, "2.20.3")
    assert first is not None
    assert (first.argv, first.major) == (("docker-compose",), "1")
    assert second is not None
    assert (second.argv, second.version) == (("docker", "compose"), "2.29.1-desktop.1")


async def test_the_other_compose_is_better_than_none(programs: Path) -> None:
    _program(programs, "docker", "echo docker: unknown command: docker compose; exit 1")
    _program(programs, "docker-compose", "echo 1.29.2")
    other = await find_tool(LOCAL, "2.20.3")
    assert other is not None
    assert other.version == "1.29.2"
    _program(programs, "docker-compose", "exit 127")
    assert await find_tool(LOCAL, "2.20.3") is None


def test_files_are_found_from_the_labels_of_either_compose(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").touch()
    (tmp_path / "prod.env").touch()
    absolute = str(tmp_path / "docker-compose.yml")
    for name in ("docker-compose.yml", absolute):
        found = files_of(
            Compose(
                project="shop", service="web", folder=str(tmp_path), files=(name,), env_files=("prod.env",)
            )
        )
        assert not isinstance(found, str), found
        assert found.options == (
            *("--project-name", "shop", "--project-directory", str(tmp_path)),
            *("--file", absolute, "--env-file", str(tmp_path / "prod.env")),
        )
    missing = files_of(Compose(project="shop", service="web", folder=str(tmp_path), files=("x.yml",)))
    assert isinstance(missing, str)
    assert f"not on this machine: {tmp_path}/x.yml" in missing


def test_compose_is_led_to_this_engine_whatever_the_shell_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2375")
    monkeypatch.setenv("SHOP_VERSION", "7")
    environ = environ_for("/run/docker.sock")
    assert environ["DOCKER_HOST"] == "unix:///run/docker.sock"
    assert environ["SHOP_VERSION"] == "7"
    assert "elsewhere" not in environ.values()


def test_what_compose_prints_is_harmless_and_masked(tmp_path: Path) -> None:
    _program(tmp_path, "loud", r"printf 'a\033[31m red\r\npassword=hunter2\n\n'; exit 3")
    lines: list[str] = []
    ended = Program([str(tmp_path / "loud")], {}, "/", lines.append).run()
    assert ended.code == 3
    assert ended.lines == tuple(lines) == ("a␛[31m red", "password=***")


def test_an_interrupted_compose_ends_with_what_it_has_started(tmp_path: Path) -> None:
    import threading

    _program(tmp_path, "slow", "sleep 1000 & echo begun; wait")
    lines: list[str] = []
    program = Program([str(tmp_path / "slow")], {"PATH": "/usr/bin:/bin"}, "/", lines.append)
    thread = threading.Thread(target=program.run, daemon=True)
    thread.start()
    wait_until(lambda: lines, 30, "it has begun")
    program.send(signal.SIGTERM)
    thread.join(30)
    assert not thread.is_alive()


def _listed(service: str, config_hash: str, state: str, status: str = "") -> Listed:
    return Listed(
        id=f"{service}{state}",
        name=f"shop_{service}_1",
        state=state,
        status=status,
        created_at=datetime(2026, 11, 22, tzinfo=UTC),
        image="shop",
        network_mode="none",
        compose=Compose(project="shop", service=service, config_hash=config_hash),
    )


@pytest.mark.parametrize(
    ("containers", "fate"),
    [
        ([], Fate.MADE),
        ([_listed("web", "new", "running")], Fate.KEPT),
        ([_listed("web", "new", "restarting")], Fate.KEPT),
        ([_listed("web", "old", "running")], Fate.MADE_ANEW),
        ([_listed("web", "new", "running"), _listed("web", "old", "exited")], Fate.MADE_ANEW),
        ([_listed("web", "new", "exited", "Exited (137) 2 minutes ago")], Fate.STARTED),
        ([_listed("web", "new", "exited", "Exited (0) 2 minutes ago")], Fate.RUN_AGAIN),
    ],
)
def test_what_becomes_of_a_service(containers: list[Listed], fate: Fate) -> None:
    (change,) = changes.up({"web": "new"}, containers)
    assert change.fate is fate


def test_scaled_services_stay_scaled_and_orphans_are_known() -> None:
    members = [
        _listed("web", "new", "running"),
        _listed("web", "new", "exited"),
        _listed("old", "x", "running"),
    ]
    found = changes.up({"web": "new", "db": "new"}, members)
    assert changes.scales(found) == ("--scale", "web=2")
    assert [each.name for each in changes.orphans({"web": "new"}, members)] == ["shop_old_1"]
