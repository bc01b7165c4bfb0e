"""However opsdash ends, the terminal is as it was and nothing of it is left."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.program import configuration, environ, opsdash, silent_targets, watched
from tests.e2e.tmux import Terminal, terminal
from tests.support.leftovers import Family, alive, family
from tests.support.waiting import wait_until

ENDS_S = 10.0
"""Usual is 0.2 s, and at most 1 s with every target hung; a busy machine may need longer."""


@pytest.fixture
def pane(tmp_path: Path) -> Iterator[Terminal]:
    """opsdash in a terminal, with three targets that hang; a shell is left when it ends."""
    with silent_targets(3) as targets:
        config = configuration(tmp_path, targets)
        command = watched(opsdash("--config", str(config), "--allow-actions"), tmp_path)
        with terminal(tmp_path, command, environ=environ(tmp_path)) as opened:
            opened.until("What is wrong")
            opened.until(lambda text: "timed out" in text or "not read yet" in text)
            yield opened


def program_of(pane: Terminal) -> psutil.Process:
    """The running opsdash."""
    (found,) = [
        child
        for child in psutil.Process(int(pane.state("pane_pid"))).children(recursive=True)
        if "opsdash" in child.cmdline()
    ]
    return found


def assert_terminal_is_as_before(pane: Terminal, folder: Path, ended_with: str) -> str:
    """Cooked, on the normal screen, with a cursor; gives what is shown."""
    text = pane.until("all told", timeout_s=ENDS_S + 10)
    assert f"ended with {ended_with}\n" in text
    assert pane.state("alternate_on") == "0"
    assert pane.state("cursor_flag") == "1"
    assert pane.state("mouse_any_flag") == "0"
    assert (folder / "stty-after").read_text() == (folder / "stty-before").read_text()
    return text


def assert_gone(processes: Family) -> None:
    wait_until(lambda: not alive(processes), ENDS_S, "its processes are gone")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, "143"), (signal.SIGHUP, "129")])
def test_signal_ends_it_and_gives_the_terminal_back(
    tmp_path: Path, pane: Terminal, number: signal.Signals, status: str
) -> None:
    program = program_of(pane)
    everybody = family(program.pid)
    assert pane.state("alternate_on") == "1"
    program.send_signal(number)
    assert_gone(everybody)
    text = assert_terminal_is_as_before(pane, tmp_path, status)
    assert "Traceback" not in text


def test_killed_pane_leaves_no_process(pane: Terminal) -> None:
    everybody = family(program_of(pane).pid)
    pane.kill_pane()
    assert_gone(everybody)


def test_ctrl_c_twice_ends_it_while_every_target_hangs(tmp_path: Path, pane: Terminal) -> None:
    everybody = family(program_of(pane).pid)
    pane.keys("C-c")
    pane.until("ctrl-c again quits")
    pane.keys("C-c")
    assert_gone(everybody)
    assert_terminal_is_as_before(pane, tmp_path, "0")


def test_q_ends_it_while_every_target_hangs(tmp_path: Path, pane: Terminal) -> None:
    everybody = family(program_of(pane).pid)
    pane.keys("q")
    assert_gone(everybody)
    assert_terminal_is_as_before(pane, tmp_path, "0")


def test_keys_are_answered_while_every_target_hangs(pane: Terminal) -> None:
    for _ in range(3):
        pane.keys("2")
        pane.until("TARGET", timeout_s=5)
        pane.keys("j")
        pane.until("▸ ? silent-1" if "? silent-1" in pane.text() else "▸ ✖ silent-1", timeout_s=5)
        pane.keys("Enter")
        pane.until("silent-1 (shop) › sessions", timeout_s=5)
        pane.keys("q", "q")
        pane.until("What is wrong", timeout_s=5)


def test_stopped_and_continued_it_draws_itself_anew(pane: Terminal) -> None:
    program = program_of(pane)
    os.kill(program.pid, signal.SIGSTOP)
    wait_until(lambda: program.status() == psutil.STATUS_STOPPED, 20, "it stands")
    os.kill(program.pid, signal.SIGCONT)
    pane.keys("2")
    pane.until("Overview › 2 Database")
