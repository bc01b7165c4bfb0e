"""scripts/install: which Python and which tool it takes, and what it says where there is none."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "install"

WORKS = f'case "$*" in *"-m venv"*) echo "$0 -m venv" >>"$LOG"; exit 9;; esac; exec {sys.executable} "$@"'
WITHOUT_VENV = f'case "$*" in *ensurepip*) exit 1;; esac; exec {sys.executable} "$@"'
TOO_OLD = 'case "$*" in *version_info*) exit 1;; esac; exit 0'
DOES_NOT_RUN = "exit 127"
TOOL = 'echo "$(basename $0) $1" >>"$LOG"; exit 9'


def install(folder: Path, commands: dict[str, str]) -> tuple[str, str]:
    """Run the script where only `commands` are installed, each a line of shell.

    Returns:
        Which tool it took to make the environment (which fails then, to end the script), and what it said.
    """
    for place in ("first", "second"):
        (folder / place).mkdir()
    for name in ("sh", "tr", "head", "basename", "rm"):
        (folder / "second" / name).symlink_to(str(shutil.which(name)))
    for name, line in commands.items():
        path = folder / (name if "/" in name else f"first/{name}")
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)
    log = folder / "log"
    ended = subprocess.run(
        ["/bin/sh", SCRIPT, "venv", "demo"],
        cwd=folder,
        env={"PATH": f"{folder}/first:{folder}/second", "LOG": str(log)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    return log.read_text().strip() if log.exists() else "", ended.stderr


def test_a_python_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    """Pyenv has commands for versions that are not installed; the real one may come later on PATH."""
    commands = {"python3.13": DOES_NOT_RUN, "python3.12": TOO_OLD, "second/python3.12": WORKS}
    assert install(tmp_path, commands)[0] == f"{tmp_path}/second/python3.12 -m venv"


@pytest.mark.parametrize(
    ("commands", "taken"),
    [
        ({"python3": WITHOUT_VENV, "uv": TOOL, "virtualenv": TOOL}, "uv venv"),
        ({"python3": WITHOUT_VENV, "virtualenv": TOOL}, "virtualenv --quiet"),
        ({"python3": TOO_OLD, "uv": TOOL}, "uv venv"),
        ({"uv": TOOL}, "uv venv"),
    ],
)
def test_without_venv_uv_is_tried_and_then_virtualenv(
    commands: dict[str, str], taken: str, tmp_path: Path
) -> None:
    assert install(tmp_path, commands)[0] == taken


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        ({}, "opsdash: no Python 3.11 or newer was found"),
        ({"python3": TOO_OLD, "virtualenv": TOOL}, "opsdash: no Python 3.11 or newer was found"),
        ({"python3": WITHOUT_VENV}, "python3 cannot make a virtual environment: install python3-venv"),
    ],
)
def test_without_any_of_them_one_line_says_what_to_install(
    commands: dict[str, str], said: str, tmp_path: Path
) -> None:
    taken, lines = install(tmp_path, commands)
    assert taken == ""
    assert said in lines
    assert lines.count("\n") == 1
