"""The keeper: a small process that owns servers and their folder, and outlives whoever asked for them.

It is run as a script of its own (standard library only, so that it is there in hundredths of a second),
in its own session, with a pipe as stdin. Whoever started it holds the other end of that pipe. When the
pipe closes, for whatever reason (quit, crash, killed pane, kill -9), the keeper ends its children and
removes its folder. It signals nothing but its own children, which it alone reaps: a pid it holds
cannot be somebody else's.

One JSON object a line. It begins with {"folder": path}; each request gets one answer:
    {"do": "start", "name", "argv", "log", "env", "user"}  ->  {"pid": 123}
    {"do": "poll", "name"}                                 ->  {"code": null, or the exit status}
    {"do": "stop", "name"}                                 ->  {"code": exit status}
    {"do": "at_end", "argv", "env"}                        ->  {}, and it is run when all else has ended
What could not be done is answered with {"error": reason}.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_ESCALATION = ((signal.SIGINT, 1.0), (signal.SIGQUIT, 0.4), (signal.SIGKILL, 1.0))
"""Signals in turn, and the seconds each has. For PostgreSQL: fast shutdown, immediate shutdown, none."""

_PATIENCE = 10.0
"""One server that is stopped while its owner lives gets this many times as long: it may be busy."""

_LAST_WORDS_S = 10.0
"""For each command that is run at the end."""

Children = dict[str, subprocess.Popen[bytes]]


def _start(request: dict[str, Any], children: Children) -> dict[str, Any]:
    name = request["name"]
    if name in children and children[name].poll() is None:
        return {"error": f"{name} runs already"}
    user = request["user"]
    with open(request["log"], "ab") as log:
        children[name] = subprocess.Popen(
            request["argv"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=request["env"],
            cwd="/",
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    return {"pid": children[name].pid}


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the child's process group, unless it has been reaped: its pid may be another's by now."""
    if child.poll() is not None:
        return
    if number is signal.SIGKILL:
        _kill_offspring(child.pid)
    for each in (number, signal.SIGCONT):  # a frozen one would not even notice
        try:
            os.killpg(child.pid, each)
        except (ProcessLookupError, PermissionError):  # ended this moment; macOS says the latter
            return


def _kill_offspring(parent: int) -> None:
    """Kill the direct children of `parent`: a backend that is frozen does not see its postmaster die."""
    try:
        listing = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False
        )
    except OSError:  # a slim container without ps: backends that are not frozen end by themselves
        return
    for line in listing.stdout.splitlines():
        pid, ppid = (int(word) for word in line.split())
        if ppid == parent:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def _end(children: Iterable[subprocess.Popen[bytes]], patience: float = 1.0) -> None:
    """End `children`, all at the same time, ever less politely."""
    left = list(children)
    for number, seconds in _ESCALATION:
        for child in left:
            _signal(child, number)
        deadline = time.monotonic() + seconds * patience
        while left and time.monotonic() < deadline:
            left = [child for child in left if child.poll() is None]
            if left:
                time.sleep(0.01)


def _run(request: dict[str, Any]) -> None:
    """Run a command to its end; one that fails or hangs keeps nothing else from being cleaned up."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            request["argv"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=request["env"],
            cwd="/",
            start_new_session=True,
            timeout=_LAST_WORDS_S,
            check=False,
        )


def _answer(request: dict[str, Any], children: Children, at_end: list[dict[str, Any]]) -> dict[str, Any]:
    try:
        if request["do"] == "start":
            return _start(request, children)
        if request["do"] == "at_end":
            at_end.append({"argv": request["argv"], "env": request["env"]})
            return {}
        child = children[request["name"]]
        if request["do"] == "stop":
            _end([child], _PATIENCE)
        return {"code": child.poll()}
    except KeyError as error:
        return {"error": f"unknown: {error}"}
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return {"error": str(error)}


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _serve(children: Children, at_end: list[dict[str, Any]], signals: socket.socket) -> None:
    """Answer requests until stdin ends or somebody ends the keeper itself."""
    while True:
        readable, _, _ = select.select([sys.stdin, signals], [], [])
        if signals in readable and signal.SIGTERM in signals.recv(64):
            return
        if sys.stdin in readable:
            line = sys.stdin.readline()  # one at a time: the next request comes after the answer
            if not line:
                return
            _say(_answer(json.loads(line), children, at_end))


def _heard_signals() -> socket.socket:
    """Make signals readable instead of deadly, so that none breaks off a start or the cleaning up.

    Handlers rather than SIG_IGN, which the children would inherit.
    """
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    signal.set_wakeup_fd(writing.detach())
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    return reading


def _remove(folder: Path) -> None:
    """Remove `folder`; processes that were killed may write in it for a moment yet."""
    deadline = time.monotonic() + 1.0
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            time.sleep(0.02)


def main() -> None:
    """Serve until stdin ends, then leave nothing behind."""
    signals = _heard_signals()
    children: Children = {}
    at_end: list[dict[str, Any]] = []
    folder = Path(tempfile.mkdtemp(prefix="opsdash-", dir=sys.argv[1]))
    try:
        folder.chmod(0o755)  # servers that root starts run as another user, who must pass through
        _say({"folder": str(folder)})
        _serve(children, at_end, signals)
    except BrokenPipeError:
        return  # whoever asked is gone; the end of stdin would have said so next
    finally:
        _end(children.values())
        for request in at_end:
            _run(request)
        _remove(folder)


if __name__ == "__main__":
    main()
