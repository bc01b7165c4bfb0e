"""Who is at the keys, asked of a real tmux with real clients on terminals of their own."""

import fcntl
import os
import pty
import pwd
import shutil
import signal
import subprocess
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsdash.tui.actions.who import DEADLINE_S, find_operator
from tests.support.needs import require
from tests.support.waiting import wait_until

ME = pwd.getpwuid(os.getuid()).pw_name
OTHERS = [entry for entry in pwd.getpwall() if entry.pw_uid not in (0, os.getuid())][:2]


class Tmux:
    """A server of its own, with a session `incident` of two windows."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "tmux.sock"
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        self.clients: list[tuple[subprocess.Popen[bytes], int]] = []
        self.run("-f", "/dev/null", "new-session", "-d", "-s", "incident", "-x", "80", "-y", "24", "cat")
        self.pid = int(self.run("display-message", "-p", "#{pid}"))
        self.pane = self.run("display-message", "-p", "-t", "incident", "#{pane_id}")

    def run(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self.socket), *arguments]
        done = subprocess.run(
            command, env=self.environ, capture_output=True, text=True, timeout=30, check=True
        )
        return done.stdout.strip()

    def inside(self) -> dict[str, str]:
        """The environment of a program in the pane."""
        return {**self.environ, "TMUX": f"{self.socket},{self.pid},0", "TMUX_PANE": self.pane}

    def attach(self, owner: int, *options: str, session: str = "incident") -> subprocess.Popen[bytes]:
        """A person's terminal, attached."""
        before = len(self.run("list-clients").splitlines())
        master, slave = pty.openpty()
        os.chown(os.ttyname(slave), owner, -1)

        def own_terminal() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        client = subprocess.Popen(
            ["tmux", "-S", str(self.socket), "attach", *options, "-t", session],
            env=self.environ,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            preexec_fn=own_terminal,
        )
        os.close(slave)
        self.clients.append((client, master))
        threading.Thread(target=_drain, args=(master,), daemon=True).start()
        wait_until(lambda: len(self.run("list-clients").splitlines()) > before, 30, "the client is attached")
        return client

    def detach(self, client: subprocess.Popen[bytes]) -> None:
        before = len(self.run("list-clients").splitlines())
        client.terminate()
        client.wait(timeout=30)
        wait_until(lambda: len(self.run("list-clients").splitlines()) < before, 30, "the client is detached")

    def close(self) -> None:
        os.kill(self.pid, signal.SIGCONT)
        self.run("kill-server")
        for client, master in self.clients:
            client.wait(timeout=30)
            os.close(master)


def _drain(master: int) -> None:
    try:
        while os.read(master, 65536):
            pass
    except OSError:  # the terminal is gone
        return


@pytest.fixture
def tmux() -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        require("tmux", "tmux is not installed (apt install tmux, brew install tmux)")
    with tempfile.TemporaryDirectory() as folder:  # the test's own is too long a path for a socket on macOS
        server = Tmux(Path(folder))
        try:
            yield server
        finally:
            server.close()


def two_others() -> tuple[pwd.struct_passwd, pwd.struct_passwd]:
    if os.getuid() != 0 or len(OTHERS) < 2:
        require("root", "root, to give terminals to two other users")
    return OTHERS[0], OTHERS[1]


async def test_outside_of_tmux_it_is_the_login_and_where_it_came_from() -> None:
    environ = {"SUDO_USER": "maria", "SSH_CONNECTION": "10.0.4.7 50122 10.0.0.1 22"}
    operator = await find_operator(environ)
    assert operator.uid == os.getuid()
    assert operator.label == f"maria as {ME}, from 10.0.4.7"
    assert (await find_operator({})).label == ME


async def test_names_from_the_environment_cannot_act_on_a_terminal() -> None:
    operator = await find_operator({"SUDO_USER": "ma\x1b[2Jria", "SSH_CONNECTION": "\u202e7.4.0.01 1 2 3"})
    assert operator.label == f"ma␛[2Jria as {ME}, from �7.4.0.01"


async def test_everybody_who_could_have_pressed_the_key_is_named(tmux: Tmux) -> None:
    one, two = two_others()
    tmux.attach(one.pw_uid)
    second = tmux.attach(two.pw_uid)
    operator = await find_operator(tmux.inside())
    assert operator.label == f"{one.pw_name} or {two.pw_name} as {ME} (tmux: incident)"
    tmux.detach(second)
    assert (await find_operator(tmux.inside())).label == f"{one.pw_name} as {ME} (tmux: incident)"


async def test_those_who_may_only_look_or_look_elsewhere_are_not_named(tmux: Tmux) -> None:
    one, two = two_others()
    tmux.run("new-session", "-d", "-s", "elsewhere", "-x", "80", "-y", "24", "cat")
    tmux.attach(one.pw_uid, "-r")
    tmux.attach(two.pw_uid, session="elsewhere")
    tmux.attach(os.getuid())
    operator = await find_operator(tmux.inside())
    assert operator.label == f"{ME} (tmux: incident)"


async def test_a_second_session_of_the_group_is_seen(tmux: Tmux) -> None:
    one, _ = two_others()
    tmux.run("new-session", "-d", "-t", "incident", "-s", "beside")
    tmux.attach(one.pw_uid, session="beside")
    assert (await find_operator(tmux.inside())).label == f"{one.pw_name} as {ME} (tmux: incident)"


async def test_a_frozen_tmux_is_said_and_not_waited_for(tmux: Tmux) -> None:
    os.kill(tmux.pid, signal.SIGSTOP)
    started = time.monotonic()
    operator = await find_operator({**tmux.inside(), "SSH_CONNECTION": "10.0.4.7 1 2 3"})
    assert time.monotonic() - started < DEADLINE_S * 5
    assert operator.unknown == "tmux does not answer"
    assert operator.label == f"{ME} (tmux: who is attached is not known: tmux does not answer), from 10.0.4.7"


async def test_a_tmux_that_is_gone_is_said() -> None:
    operator = await find_operator({"TMUX": "/nowhere/at/all,1,0", "PATH": os.environ["PATH"]})
    assert operator.unknown is not None
    assert "/nowhere/at/all" in operator.unknown
    assert operator.label.startswith(f"{ME} (tmux: who is attached is not known: ")
