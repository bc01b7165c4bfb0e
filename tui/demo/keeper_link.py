"""Our end of the keeper: asks it to start and stop processes, and holds the pipe whose end ends them all."""

import contextlib
import json
import os
import pwd
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from opsdash.collectors.errors import OpsdashError

_CLOSE_S = 30.0
"""Usual is a tenth of a second, and 2.4 s with a server that must be killed; the machine may be busy."""


class KeeperError(OpsdashError):
    """The keeper, or a process it was to start, failed; the text says which and why."""


def server_user() -> int | None:
    """The uid for servers that refuse to run as root; None when we are not root and no other is needed."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "daemon"):  # macOS numbers nobody -2, which not every call takes
        try:
            uid = pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
        if 0 < uid < 2**31:
            return uid
    return 65534


def can_pass(folder: Path) -> bool:
    """Whether every user may pass through `folder` and all folders above it.

    >>> can_pass(Path("/"))
    True
    """
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


def _temporary_folder() -> str:
    """Where folders go: the usual place, or one that the servers' user can reach when we are root."""
    usual = Path(tempfile.gettempdir()).resolve()
    if server_user() is None or can_pass(usual):
        return str(usual)
    return next((place for place in ("/tmp", "/var/tmp") if can_pass(Path(place))), str(usual))


class Keeper:
    """A running keeper. `close`, or the end of this process in any way, ends all that it started."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("keeper.py")
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script), _temporary_folder()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            start_new_session=True,  # a closing terminal must not end it before it has cleaned up
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        self.folder = Path(self._read()["folder"])
        """Exists as long as the keeper; everything of the servers is in here."""

    @property
    def pid(self) -> int:
        """The keeper's own process."""
        return self._process.pid

    def start(
        self, name: str, argv: Sequence[str], *, log: Path, env: Mapping[str, str], user: int | None
    ) -> int:
        """Start a process that ends with the keeper, in a session of its own.

        Args:
            name: Tells it apart; free again when it has ended.
            argv: Program and arguments; no shell.
            log: Its stdout and stderr are appended here.
            env: Its whole environment.
            user: The uid and gid it runs as; None: ours.

        Returns:
            Its pid.

        Raises:
            KeeperError: It could not be started.
        """
        request = {"argv": list(argv), "log": str(log), "env": dict(env), "user": user}
        return int(self._ask("start", name, **request)["pid"])

    def poll(self, name: str) -> int | None:
        """The exit status of a process (negative: the signal), or None while it runs."""
        code: int | None = self._ask("poll", name)["code"]
        return code

    def stop(self, name: str) -> None:
        """End a process: SIGINT, then SIGQUIT, then SIGKILL; back when it is gone."""
        self._ask("stop", name)

    def at_end(self, argv: Sequence[str], *, env: Mapping[str, str]) -> None:
        """Have a command run when all processes have ended, in whatever way that comes about.

        Args:
            argv: Program and arguments; no shell. It has ten seconds.
            env: Its whole environment.

        Raises:
            KeeperError: The keeper is gone.
        """
        self._ask("at_end", "a last command", argv=list(argv), env=dict(env))

    def close(self) -> None:
        """End everything and remove the folder; back when that is done. May be called twice."""
        with self._lock:
            with contextlib.suppress(
                BrokenPipeError
            ):  # it ended before us; whether it cleaned up is seen below
                self._requests.close()
            try:
                self._process.wait(_CLOSE_S)
            except subprocess.TimeoutExpired as error:
                raise KeeperError(
                    f"keeper (pid {self.pid}) has not ended after {_CLOSE_S:.0f} s; it holds {self.folder}"
                ) from error
            self._answers.close()
        if self.folder.exists():
            raise KeeperError(f"keeper (pid {self.pid}) was killed; end what runs in {self.folder} by hand")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, do: str, name: str, **rest: object) -> dict[str, Any]:
        with self._lock:
            try:
                self._requests.write(json.dumps({"do": do, "name": name, **rest}) + "\n")
                self._requests.flush()
            except (OSError, ValueError) as error:
                raise KeeperError(f"keeper (pid {self.pid}) is gone: cannot {do} {name}") from error
            answer = self._read()
        if "error" in answer:
            raise KeeperError(f"cannot {do} {name}: {answer['error']}")
        return answer

    def _read(self) -> dict[str, Any]:
        line = self._answers.readline()
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError as error:
            said = (line + self._answers.read()).strip().splitlines()
            raise KeeperError(f"keeper failed: {said[-1] if said else 'it ended without a word'}") from error
        return answer
