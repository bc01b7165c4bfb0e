"""`opsdash doctor` for log files: what keeps them from being read, and what would help."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opsdash.collectors.diagnosis import State
from opsdash.collectors.logs.doctor import diagnose
from opsdash.collectors.logs.settings import LogSettings
from opsdash.collectors.target import Target, TargetId, environment
from tests.cli.run_opsdash import run_opsdash, write_config

NOBODY = 65534
ADM = 4


def log_target(*paths: str) -> Target:
    return Target(
        id=TargetId("log", "api"),
        environment=environment("staging"),
        interval_s=0.25,
        settings=LogSettings(path=paths),
        source="a test",
    )


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Look as a user without rights, who may come as far as `folder`."""
    for each in (folder, *folder.parents[:-2]):
        each.chmod(0o755)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_files_that_can_be_read_are_ok(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text('{"level":"info","msg":"up"}\n')
    (tmp_path / "b.log").write_text("2026-11-22 03:12:40,204 ERROR shop.pool: no lock\n")
    found = await diagnose(log_target(f"{tmp_path}/*.log"))
    (check,) = found.checks
    assert check.state is State.OK
    assert check.text.startswith("2 files read in ")
    assert check.text.endswith(", format json, python")
    assert found.summary == "2 files · 2 lines held"


async def test_a_path_without_a_file_is_said_and_is_no_fault(tmp_path: Path) -> None:
    found = await diagnose(log_target(f"{tmp_path}/*.log"))
    (check,) = found.checks
    assert check.state is State.ADVICE
    assert check.text.startswith(f"{tmp_path}/*.log: no file matches yet; ")


async def test_what_is_no_file_is_missing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.log")
    found = await diagnose(log_target(f"{tmp_path}/pipe.log"))
    (check,) = found.checks
    assert check.state is State.MISSING
    assert "it is a FIFO; only regular files are followed" in check.text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without rights")
async def test_the_group_that_may_read_is_named(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_text("x\n")
    os.chown(log, 0, ADM)
    log.chmod(0o640)
    with as_nobody(tmp_path):
        found = await diagnose(log_target(str(log)))
    (check,) = found.checks
    assert (check.state, check.text) == (State.MISSING, f"{log}: Permission denied")
    assert check.fix is not None
    assert check.fix.lines == ("usermod -aG adm nobody",)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without rights")
async def test_where_no_group_may_an_acl_on_the_first_obstacle_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "my logs"
    folder.mkdir(mode=0o700)
    (folder / "app.log").write_text("x\n")
    with as_nobody(tmp_path):
        found = await diagnose(log_target(f"{folder}/*.log"))
    (check,) = found.checks
    assert check.state is State.MISSING
    assert check.fix is not None
    assert check.fix.lines == (f"setfacl -m u:nobody:rx -- '{folder}'",)


async def test_files_that_are_left_out_are_named(tmp_path: Path) -> None:
    for number in range(70):
        (tmp_path / f"{number}.log").write_text("x\n")
    found = await diagnose(log_target(f"{tmp_path}/*.log"))
    left = next(check for check in found.checks if check.subject == "left out")
    assert left.state is State.ADVICE
    assert "and 3 more: 64 files that changed later are followed already" in left.text


def test_doctor_and_check_know_the_kind(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("2026-11-22 03:12:40,204 INFO shop.pool: up\n")
    path = write_config(tmp_path, f'[[log]]\nname = "api"\npath = "{tmp_path}/*.log"\n')
    doctor: subprocess.CompletedProcess[str] = run_opsdash("doctor", "--config", str(path), home=tmp_path)
    assert "api" in doctor.stdout
    assert "1 file · 1 line held" in doctor.stdout
    check = run_opsdash("check", "--config", str(path), home=tmp_path)
    assert (check.returncode, check.stderr) == (0, "")
    assert check.stdout.startswith("● ok        api  env unknown · 1 file · 1 line held · read in ")
