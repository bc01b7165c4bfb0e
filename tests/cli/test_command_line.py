"""The command `opsdash`: what it says before any target is asked."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from opsdash import __version__
from tests.cli.run_opsdash import LIMIT_S, run_opsdash, write_config

HEAVY = {"textual", "rich", "psycopg", "msgspec", "asyncio", "tomllib"}


def loaded_after(code: str, home: Path) -> set[str]:
    """The modules that a fresh interpreter holds after `code`."""
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint('\\n' + ' '.join(sys.modules))"],
        env={"PATH": os.defpath, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    return set(ended.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_load_nothing_heavy(option: str, tmp_path: Path) -> None:
    code = f"from opsdash.tui.cli import main\ntry: main(['{option}'])\nexcept SystemExit: pass"
    assert not loaded_after(code, tmp_path) & HEAVY


def test_version_names_the_version(tmp_path: Path) -> None:
    ended = run_opsdash("--version", home=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, f"opsdash {__version__}\n")


def test_help_names_every_command(tmp_path: Path) -> None:
    said = run_opsdash("--help", home=tmp_path).stdout
    for command in ("demo", "check", "audit", "--config", "--allow-actions", "--read-only", "--mouse"):
        assert command in said


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--nonsense"], 2), (["chekc"], 2), (["audit"], 2), (["check", "--nonsense"], 3)],
)
def test_a_wrong_command_line_is_never_taken_for_a_critical_check(
    arguments: list[str], code: int, tmp_path: Path
) -> None:
    ended = run_opsdash(*arguments, home=tmp_path)
    assert ended.returncode == code
    assert ended.stderr.startswith("opsdash: ")
    assert "usage: opsdash" in ended.stderr
    assert ended.stdout == ""


def test_without_a_terminal_the_screen_refuses_in_one_line(tmp_path: Path) -> None:
    for arguments in ([], ["demo"]):
        ended = run_opsdash(*arguments, home=tmp_path)
        assert ended.returncode == 2
        assert ended.stderr == (
            "opsdash: standard input is not a terminal; `opsdash check` prints the same findings as text\n"
        )


def test_a_dumb_terminal_is_refused_in_one_line(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "opsdash"],
            env={"PATH": os.defpath, "HOME": str(tmp_path), "TERM": "dumb"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            timeout=LIMIT_S,
            check=False,
        )
        said = os.read(ours, 4096).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert ended.returncode == 2
    assert said.startswith('opsdash: TERM is "dumb": this terminal cannot place text; `opsdash check`')
    assert "\x1b" not in said


def test_nothing_to_watch_says_what_was_looked_for_and_how_to_name_a_target(tmp_path: Path) -> None:
    ended = run_opsdash("check", home=tmp_path, environ={"DATABASE_URL": "mysql://me:hunter2@db/x"})
    assert ended.returncode == 3
    assert ended.stdout == ""
    for words in (
        "nothing to watch",
        "[[postgres]], [[redis]], [[http]]",
        f"{tmp_path}/.config/opsdash/opsdash.toml (no such file)",
        "DATABASE_URL, PGSERVICE, PGHOST",
        "skipped DATABASE_URL: it names mysql",
        "DATABASE_URL=postgresql://user@host/database opsdash",
        "opsdash demo",
    ):
        assert words in ended.stderr
    assert "hunter2" not in ended.stderr


def test_no_record_yet_is_told_as_that(tmp_path: Path) -> None:
    for command in ("show", "verify"):
        ended = run_opsdash("audit", command, home=tmp_path)
        assert ended.returncode == 3
        assert "audit.jsonl is not there: nothing was recorded yet, or it was taken away" in ended.stderr


def test_a_count_of_records_that_makes_no_sense_is_told(tmp_path: Path) -> None:
    ended = run_opsdash("audit", "show", "--last", "-5", home=tmp_path)
    assert ended.returncode == 2
    assert "expected a whole number from 0 on, got '-5'" in ended.stderr


@pytest.mark.parametrize("arguments", [["check", "--config"], ["--config"]])
def test_a_mistake_in_the_configuration_is_unknown_for_a_check(arguments: list[str], tmp_path: Path) -> None:
    path = write_config(tmp_path, '[[postgres]]\nname = "a"\ndsn = 3\n')
    command = [*arguments, str(path)] + (["check"] if "check" not in arguments else [])
    ended = run_opsdash(*command, home=tmp_path)
    assert ended.returncode == 3
    assert ended.stderr == f"opsdash: {path}: postgres[0].dsn: expected text, got 3\n"


def test_the_audit_commands_read_the_log_that_the_configuration_names(tmp_path: Path) -> None:
    path = write_config(tmp_path, f'[audit]\npath = "{tmp_path}/elsewhere.jsonl"\n')
    ended = run_opsdash("audit", "verify", "--config", str(path), home=tmp_path)
    assert "elsewhere.jsonl" in ended.stdout + ended.stderr


def test_a_defect_is_never_taken_for_a_warning(tmp_path: Path) -> None:
    """Python ends with 1 after an exception, which would be a warning."""
    (tmp_path / "psycopg.py").write_text("raise ImportError('libpq is not there')")
    variables = {"PYTHONPATH": str(tmp_path), "DATABASE_URL": "postgresql://db/x"}
    ended = run_opsdash("check", home=tmp_path, environ=variables)
    assert ended.returncode == 3
    assert ended.stderr.startswith("opsdash: error in opsdash: ImportError: libpq is not there; its log")
    log = tmp_path / ".local/state/opsdash/opsdash.log"
    assert str(log) in ended.stderr
    assert "Traceback" in log.read_text()


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    script = run_opsdash("completion", "bash", home=tmp_path).stdout
    code = (
        f"{script}\nCOMP_WORDS=(opsdash $1); COMP_CWORD=1; _shtab_opsdash 2>/dev/null; echo ${{COMPREPLY[@]}}"
    )
    for begun, whole in (("au", "audit"), ("--slow", "--slow-link")):
        ended = subprocess.run(
            ["bash", "-c", code, "bash", begun], capture_output=True, text=True, check=True
        )
        assert ended.stdout.split() == [whole]
