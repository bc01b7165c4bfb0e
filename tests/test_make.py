"""The two commands of the README, from a fresh copy of the checkout, as an ordinary user."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.needs import require
from tests.support.waiting import wait_until

ROOT = Path(__file__).parent.parent
ORDINARY_USER = 65534 if os.geteuid() == 0 else None
INSTALL_S = 600
"""Usual is 40 s; packages come over the network."""

pytestmark = pytest.mark.slow


class Checkout:
    """A copy of the files that git knows or would know, owned by an ordinary user, with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "opsdash"
        self.home = folder / "home"
        self.environ = {
            **os.environ,
            "HOME": str(self.home),
            "TMPDIR": str(self.home),
            "TERM": "xterm-256color",
            "SHELL": "/bin/sh",  # what tmux starts; "nobody" has one that refuses
        }
        for name in ("VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONPATH", "TMUX"):
            self.environ.pop(name, None)
        self._copy()

    def _copy(self) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        self.home.mkdir()
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_symlink() or (ROOT / name).exists():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.folder / name, follow_symlinks=False)
        if ORDINARY_USER is not None:
            subprocess.run(["chown", "-R", f"{ORDINARY_USER}:{ORDINARY_USER}", self.home.parent], check=True)

    def run(self, *command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a command in the checkout as its user."""
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_S,
            check=False,
            user=ORDINARY_USER,
            group=ORDINARY_USER,
            extra_groups=None if ORDINARY_USER is None else [],
        )
        if check:
            assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    for command in ("git", "make", "tmux"):
        if shutil.which(command) is None:
            require(command, f"{command} is not installed")
    with tempfile.TemporaryDirectory(prefix="opsdash-make-") as folder:
        Path(folder).chmod(0o755)
        yield Checkout(Path(folder))


def test_make_demo_shows_the_incident_and_q_quits(checkout: Checkout) -> None:
    tmux = ["tmux", "-S", str(checkout.home / "tmux"), "-f", "/dev/null"]
    ending = checkout.home / "ended"
    checkout.run(
        *(*tmux, "set-option", "-g", "remain-on-exit", "on", ";"),  # a failed demo's last words stay readable
        *("new-session", "-d", "-x", "132", "-y", "34", f"make demo; echo $? > {ending}"),
    )

    def screen() -> str:
        return checkout.run(*tmux, "capture-pane", "-p").stdout

    try:
        incident = re.compile(r"(WARN|CRIT) +orders-db +(pid )?\d+ blocks")
        wait_until(
            lambda: incident.search(screen()) or "Pane is dead" in screen(),
            INSTALL_S,
            "the incident is on the screen",
        )
        shown = screen()
        for words in ("orders-db", "ledger-db", "inventory-db", "connection refused"):
            assert words in shown, shown
        checkout.run(*tmux, "send-keys", "q")
        wait_until(lambda: ending.exists() and ending.read_text(), 30, "q ends make demo")
        assert ending.read_text() == "0\n"
        wait_until(lambda: not list(checkout.home.glob("opsdash-*")), 30, "the demo's folder is gone")
    finally:
        checkout.run(*tmux, "kill-server", check=False)


def test_make_test_checks_everything(checkout: Checkout) -> None:
    said = checkout.run("make", "test", "ARGS=tests/cli/test_config.py").stdout
    for words in ("All checks passed!", "0 broken", "Success: no issues found", " passed"):
        assert words in said, said


def test_a_changed_pyproject_is_installed_anew(checkout: Checkout) -> None:
    stamp = checkout.folder / ".venv" / "ready-to-test"
    before = stamp.stat().st_mtime_ns
    checkout.run("make", "--question", ".venv/ready-to-test")
    checkout.run("touch", "pyproject.toml")
    assert checkout.run("make", "--question", ".venv/ready-to-test", check=False).returncode == 1
    assert stamp.stat().st_mtime_ns == before
