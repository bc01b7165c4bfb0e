"""Runs a stand-in for opsdash that owns a demo, so that tests can end it in every way."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.leftovers import Family, alive, family, mentioning
from tests.support.needs import require
from tests.support.waiting import wait_until

SCRIPT = Path(__file__).with_name("owner.py")
IMPORTABLE = os.pathsep.join((str(SCRIPT.parents[2]), *filter(None, sys.path)))
ORDINARY_USER = 65534

_GONE_S = 20.0
"""Usual is well below 2 s."""


@contextmanager
def start_owner(
    place: Path, *, python: str = sys.executable, user: int | None = None, own_group: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the stand-in with `place` as its TMPDIR: whatever it leaves behind is in there.

    It must have been ended when the block is left.
    """
    with (place / "owner.err").open("wb") as errors:
        owner = subprocess.Popen(
            [python, str(SCRIPT), str(place / "owner.json")],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": IMPORTABLE, "TMPDIR": str(place)},
            stdin=subprocess.DEVNULL,
            stderr=errors,
            cwd="/",
            start_new_session=own_group,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    try:
        yield owner
        owner.wait(_GONE_S)
    finally:
        owner.kill()
        owner.wait()


def everybody_of(place: Path) -> Family:
    """Wait until the demo runs: its keeper, and all processes below that."""
    report, errors = place / "owner.json", place / "owner.err"
    wait_until(lambda: report.exists() or (errors.exists() and errors.read_text()), 60, "demo not started")
    assert report.exists(), errors.read_text()
    told = json.loads(report.read_text())
    assert Path(told["folder"]).parent == place
    (keeper,) = psutil.Process(told["pid"]).children()
    everybody = family(keeper.pid)
    assert len(everybody) > 10  # keeper, story, two postmasters with their workers, the sessions
    valkeys = [line for line in alive(everybody) if "valkey-server" in line or "redis-server" in line]
    assert len(valkeys) == 2, alive(everybody)
    return everybody


def assert_nothing_left(place: Path, everybody: Family = frozenset()) -> None:
    """Wait until no process and no file of the demo is left."""
    wait_until(lambda: not alive(everybody), _GONE_S, "processes left")
    wait_until(lambda: not [*place.glob("opsdash-*")], _GONE_S, "folder left")
    wait_until(lambda: not mentioning(f"{place}/opsdash-"), _GONE_S, "processes left that name the folder")


def ordinary_python() -> tuple[str, int | None]:
    """An interpreter that can import what we can, and the uid to run it as; None: we are an ordinary user."""
    if os.geteuid() != 0:
        return sys.executable, None
    system = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin:/usr/local/bin")
    reachable = [python for python in (sys.executable, system) if python is not None and _can_import(python)]
    if not reachable:
        require("ordinary-user", f"uid {ORDINARY_USER} can reach no Python that has opsdash")
    return reachable[0], ORDINARY_USER


def _can_import(python: str) -> bool:
    try:
        tried = subprocess.run(
            [python, "-c", "import opsdash.tui.demo.run, opsdash.tui.demo.story"],
            env={"PYTHONPATH": IMPORTABLE},
            capture_output=True,
            check=False,
            cwd="/",
            user=ORDINARY_USER,
            group=ORDINARY_USER,
            extra_groups=[],
        )
    except OSError:  # it may not even be run
        return False
    return tried.returncode == 0
