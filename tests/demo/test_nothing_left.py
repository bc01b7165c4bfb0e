"""However opsdash ends, its demo's servers end and their folder goes."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from opsdash.tui.demo.binaries import Binaries, find_binaries
from opsdash.tui.demo.keeper_link import Keeper, KeeperError, server_user
from opsdash.tui.demo.run import start_demo
from opsdash.tui.demo.servers import PostgresServer
from tests.demo.asking import Shop, request
from tests.demo.owning import (
    IMPORTABLE,
    SCRIPT,
    assert_nothing_left,
    everybody_of,
    ordinary_python,
    start_owner,
)
from tests.support.leftovers import alive, family, mentioning, public_folder
from tests.support.needs import require
from tests.support.waiting import wait_until


@pytest.fixture
def place() -> Iterator[Path]:
    with public_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def binaries(keeper: Keeper) -> Binaries:
    return find_binaries(keeper.folder, user=server_user())


def test_closed_demo() -> None:
    before = set(psutil.Process().children())
    demo = start_demo()
    (keeper,) = set(psutil.Process().children()) - before
    everybody = family(keeper.pid)
    port = Shop(demo).port
    demo.close()
    assert not alive(everybody)
    assert not demo.folder.exists()
    with pytest.raises(ConnectionRefusedError):
        request(port, "/ready")
    demo.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_owner_ended_by_signal(place: Path, number: signal.Signals) -> None:
    with start_owner(place) as owner:
        everybody = everybody_of(place)
        owner.send_signal(number)
    assert_nothing_left(place, everybody)


def test_owner_killed_with_its_process_group(place: Path) -> None:
    with start_owner(place, own_group=True) as owner:
        everybody = everybody_of(place)
        os.killpg(owner.pid, signal.SIGKILL)
    assert_nothing_left(place, everybody)


def test_owner_killed_while_initdb_runs(place: Path) -> None:
    with start_owner(place) as owner:
        wait_until(
            lambda: [line for line in mentioning(str(place)) if "initdb" in line], 60, "no initdb seen"
        )
        owner.kill()
    assert_nothing_left(place)


def test_killed_tmux_pane(place: Path) -> None:
    if shutil.which("tmux") is None:
        require("tmux", "tmux is not installed (apt install tmux, brew install tmux)")
    tmux = ["tmux", "-S", str(place / "tmux"), "-f", "/dev/null"]
    settings = (f"TMPDIR={place}", f"PYTHONPATH={IMPORTABLE}")
    command = ["exec", "env", *settings, sys.executable, str(SCRIPT), str(place / "owner.json")]
    subprocess.run([*tmux, "new-session", "-d", " ".join(command)], check=True)
    try:
        everybody = everybody_of(place)
        subprocess.run([*tmux, "kill-pane"], check=True)
        assert_nothing_left(place, everybody)
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)


def test_ordinary_user_needs_no_right_of_root(place: Path) -> None:
    python, user = ordinary_python()
    with start_owner(place, python=python, user=user) as owner:
        everybody = everybody_of(place)
        uids = {psutil.Process(pid).uids().real for pid, _ in everybody}
        owner.kill()
    assert uids == {os.getuid() if user is None else user}
    assert_nothing_left(place, everybody)


def test_frozen_server_is_ended_too(binaries: Binaries) -> None:
    keeper = Keeper()
    server = PostgresServer(keeper, binaries, name="frozen")
    server.wait_ready()
    with psycopg.connect(server.dsn()) as connection:
        everybody = family(keeper.pid)
        os.kill(connection.info.backend_pid, signal.SIGSTOP)
        os.kill(server.pid, signal.SIGSTOP)
        keeper.close()
    assert not alive(everybody)
    assert not keeper.folder.exists()


def test_keeper_told_to_end_cleans_up_first(binaries: Binaries) -> None:
    keeper = Keeper()
    server = PostgresServer(keeper, binaries, name="server")
    server.wait_ready()
    everybody = family(keeper.pid)
    os.kill(keeper.pid, signal.SIGTERM)
    wait_until(lambda: not alive(everybody), 20, "processes left")
    assert not keeper.folder.exists()
    with pytest.raises(KeeperError, match=f"keeper .pid {keeper.pid}. is gone: cannot stop server"):
        server.stop()
    keeper.close()


def test_last_commands_run_when_all_else_has_ended_even_after_one_that_fails(tmp_path: Path) -> None:
    keeper = Keeper()
    pid = keeper.start("long", ["/bin/sleep", "600"], log=keeper.folder / "long.log", env={}, user=None)
    said = tmp_path / "said"
    env = {"PATH": os.defpath}
    keeper.at_end(["/nowhere/at-all"], env=env)
    keeper.at_end(["/bin/sh", "-c", f"kill -0 {pid} 2>/dev/null || echo over > {said}"], env=env)
    os.kill(keeper.pid, signal.SIGTERM)
    wait_until(said.exists, 20, "the last command has run")
    keeper.close()
    assert said.read_text() == "over\n"
    assert not keeper.folder.exists()


def test_stopping_what_ended_by_itself_changes_nothing(keeper: Keeper) -> None:
    keeper.start("short", ["/bin/sh", "-c", "exit 3"], log=keeper.folder / "short.log", env={}, user=None)
    wait_until(lambda: keeper.poll("short") == 3, 20, "it has not ended")
    keeper.stop("short")
    assert keeper.poll("short") == 3
