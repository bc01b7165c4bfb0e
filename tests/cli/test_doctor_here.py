"""What doctor says of this machine: the audit log, the environment, the terminal and tmux."""

import fcntl
import json
import os
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest

from opsdash.collectors.diagnosis import Check, State
from opsdash.tui.config import AuditSettings
from opsdash.tui.doctor_here import audit_checks
from opsdash.tui.doctor_terminal import terminal_checks, tmux_checks
from tests.cli.run_opsdash import run_opsdash, write_config
from tests.e2e.tmux import terminal

NEVER_CONNECTED = '[[postgres]]\nname = "orders"\ndsn = "host=127.0.0.1 port=1"\n'


def audit(path: Path) -> Check:
    (check,) = audit_checks(AuditSettings(path=path))
    return check


def test_a_writable_audit_log_is_well_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "audit.jsonl"
    assert audit(path).state is State.OK
    assert not path.parent.exists()
    path.parent.mkdir(parents=True)
    path.touch(0o600)
    assert audit(path).state is State.OK
    assert path.read_bytes() == b""


def test_an_audit_log_that_others_may_read_is_closed_as_told(tmp_path: Path) -> None:
    path = tmp_path / "it's an audit.jsonl"
    path.touch()
    path.chmod(0o644)
    found = audit(path)
    assert found.state is State.MISSING
    assert found.fix is not None
    subprocess.run(["/bin/sh", "-c", *found.fix.lines], check=True)
    assert audit(path).state is State.OK


@pytest.mark.parametrize("where", ["file/audit.jsonl", "folder", "file/deep/er/audit.jsonl"])
def test_an_audit_log_that_cannot_be_written_is_missing(where: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    found = audit(tmp_path / where)
    assert found.state is State.MISSING
    assert "actions would be refused" in found.text


def test_a_file_system_that_takes_nothing_is_missing() -> None:
    assert audit(Path("/proc/opsdash/audit.jsonl")).state is State.MISSING


def test_what_the_environment_names_beside_the_file_is_told(tmp_path: Path) -> None:
    path = write_config(tmp_path, NEVER_CONNECTED)
    environ = {"REDIS_URL": "redis://:hunter2@cache"}
    ended = run_opsdash("doctor", "--config", str(path), "--json", home=tmp_path, environ=environ)
    assert ended.returncode == 3
    assert "hunter2" not in ended.stdout
    said = [check["text"] for check in json.loads(ended.stdout)["configuration"]]
    assert "redis/cache in REDIS_URL is not looked at: the file names its own targets" in said
    assert any(text.startswith("not stated for orders: guarded like production") for text in said)


class Terminal:
    """A terminal of a size, behind a descriptor."""

    def __init__(self, columns: int = 120, rows: int = 40, encoding: str = "utf-8") -> None:
        self.encoding = encoding
        self._ends = os.openpty()
        fcntl.ioctl(self._ends[1], termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._ends[1]

    def close(self) -> None:
        for end in self._ends:
            os.close(end)


@pytest.fixture
def good() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


def states(environ: Mapping[str, str], output: Terminal) -> dict[str, State]:
    return {check.subject: check.state for check in terminal_checks(environ, output)}


def test_a_good_terminal_is_well(good: Terminal) -> None:
    found = states({"TERM": "xterm-256color"}, good)
    assert found == dict.fromkeys(("colours", "encoding", "size", "mouse"), State.OK)


@pytest.mark.parametrize(
    ("environ", "subject", "state"),
    [
        ({"TERM": "dumb"}, "TERM", State.MISSING),
        ({}, "TERM", State.MISSING),
        ({"TERM": "linux"}, "colours", State.ADVICE),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "colours", State.OK),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "colours", State.OK),
    ],
)
def test_what_a_terminal_lacks_is_told(
    environ: dict[str, str], subject: str, state: State, good: Terminal
) -> None:
    assert states(environ, good)[subject] is state


def test_a_small_terminal_and_a_narrow_encoding_are_missing() -> None:
    small = Terminal(50, 10, "ascii")
    found = states({"TERM": "xterm-256color"}, small)
    small.close()
    assert (found["size"], found["encoding"]) == (State.MISSING, State.MISSING)


WELL_SET_UP = {"escape-time": "10", "window-size": "smallest", "terminal-features": "xterm*:RGB"}
IN_TMUX = {"TERM": "tmux-256color", "COLORTERM": "truecolor"}


def test_a_tmux_that_is_set_up_well_gets_no_advice() -> None:
    assert [check.state for check in tmux_checks(IN_TMUX, WELL_SET_UP)] == [State.OK]


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("escape-time", "500", "tmux set-option -s escape-time 10"),
        ("window-size", "latest", "tmux set-option -g window-size smallest"),
        ("terminal-features", "xterm*:title", "tmux set-option -as terminal-features ',xterm*:RGB'"),
    ],
)
def test_tmux_advice_has_the_line_to_run(option: str, value: str, line: str) -> None:
    advised = [check for check in tmux_checks(IN_TMUX, {**WELL_SET_UP, option: value}) if check.fix]
    assert [check.fix.lines for check in advised if check.fix] == [(line,)]


def test_a_tmux_that_does_not_answer_is_no_fault() -> None:
    assert [check.state for check in tmux_checks(IN_TMUX, None)] == [State.ADVICE]


def test_in_a_real_tmux_its_lines_are_run_as_they_stand_and_the_advice_is_gone(tmp_path: Path) -> None:
    config = write_config(tmp_path, NEVER_CONNECTED)
    (tmp_path / "d").write_text(f"{sys.executable} -m opsdash doctor --config {config}\n")
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh"}
    with terminal(tmp_path, "/bin/sh", environ=environ, size=(200, 50)) as pane:
        numbers = count()

        def say(line: str) -> str:
            """Run a line in the pane's shell; what it printed."""
            end = f"end-{next(numbers)}"  # its own: the one of the line before may still be shown
            pane.type(f"clear && {line} || true && echo {end[:3]}''{end[3:]}")
            pane.keys("Enter")
            return pane.until(lambda text: end in text.splitlines(), what=f"the end of {line}")

        say(f"cd {tmp_path} && tmux set-option -s escape-time 500")
        before = say("sh d")
        assert "escape-time is 500 ms" in before
        for line in ("tmux set-option -s escape-time 10", "tmux set-option -g window-size smallest"):
            assert f"        {line}\n" in before
            say(line)
        after = say("sh d")
    assert "escape-time is 10 ms" in after
    assert "window-size" not in after
    assert "mouse: left to the terminal" in after
    assert "size: 200x50" in after
