"""Real PostgreSQL servers for the demo and the tests: quick to start, in one folder, owned by a keeper."""

import os
import random
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from opsdash.collectors.text import one_line
from opsdash.tui.demo.binaries import Binaries
from opsdash.tui.demo.keeper_link import Keeper, KeeperError, server_user

HOST = "127.0.0.1"

_READY_S = 60.0
"""Usual is 1 s; a busy machine may need several."""

_PORTS = range(20_000, 32_000)
"""Below the range that systems take outgoing connections' ports from: none of those gets in between."""

_PREPARE_AND_RUN = r"""
set -e
data=$1 bin=$2 template=$3; shift 3
if [ -n "$template" ]; then cp -Rp "$template" "$data"
elif [ ! -e "$data/PG_VERSION" ]; then
  "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C --no-sync --no-instructions \
    >"$data.initdb" 2>&1 || { code=$?; cat "$data.initdb"; exit $code; }
fi
exec "$bin/postgres" -D "$data" "$@"
"""
"""One process from the empty folder to the postmaster, so that the keeper owns it at every moment.

What initdb says is no line of the server's log, unless it fails.
"""

_OPTIONS: Mapping[str, str | int] = {
    "fsync": "off",  # nothing in here is worth a disk's time
    "track_io_timing": "on",
    "shared_buffers": "16MB",
    "max_connections": 200,
    "dynamic_shared_memory_type": "mmap",  # inside the folder, so that even a kill -9 leaves nothing outside
}


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens at this moment."""
    for _ in range(1_000):
        port = random.choice(_PORTS)  # not in turn: two runs at once should not try the same ones
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise KeeperError(f"no free port between {_PORTS.start} and {_PORTS.stop} on {HOST}")


class PostgresServer:
    """One PostgreSQL server on 127.0.0.1: superuser postgres, trust authentication, TCP only."""

    def __init__(
        self,
        keeper: Keeper,
        binaries: Binaries,
        *,
        name: str,
        options: Mapping[str, str | int] | None = None,
        template: Path | None = None,
    ) -> None:
        """Begin to start a server; `wait_ready` waits for it.

        Args:
            keeper: Owns the server and the folder it lies in.
            binaries: Which PostgreSQL.
            name: Unique within the keeper; names the data folder and the log.
            options: Server settings by name, over those in this module.
            template: The data folder of a stopped server to copy, which is quicker than initdb.
        """
        self._keeper, self._binaries, self._name = keeper, binaries, name
        self._options = {**_OPTIONS, **(options or {})}
        self._template = template
        self.major = binaries.major
        self.port = free_port()
        self.data_dir = keeper.folder / name / "data"
        self.log_path = keeper.folder / f"{name}.log"
        """What the server says; of the statements only what `options` make it log."""
        self.pid = 0
        """The postmaster's pid; another one after a restart."""
        home = self.data_dir.parent
        home.mkdir(mode=0o700)
        user = server_user()
        if user is not None:
            os.chown(home, user, user)
        self.start()

    def dsn(self, user: str = "postgres", dbname: str = "postgres", password: str | None = None) -> str:
        """A connection string in libpq's key=value form; the values must need no quotes."""
        secret = "" if password is None else f" password={password}"
        return f"host={HOST} port={self.port} user={user} dbname={dbname} gssencmode=disable{secret}"

    def start(self) -> None:
        """Begin to start it; `wait_ready` waits."""
        settings = [word for name, value in self._options.items() for word in ("-c", f"{name}={value}")]
        has_data = (self.data_dir / "PG_VERSION").exists()
        template = "" if self._template is None or has_data else str(self._template)
        self.pid = self._keeper.start(
            self._name,
            [
                *("/bin/sh", "-c", _PREPARE_AND_RUN, "sh"),
                *(str(self.data_dir), str(self._binaries.folder), template),
                *("-p", str(self.port), "-h", HOST, "-k", "", *settings),
            ],
            log=self.log_path,
            env={
                "PATH": os.defpath,
                "LC_ALL": "C",
                "TZ": "UTC",
                "HOME": str(self.data_dir.parent),
            },
            user=server_user(),
        )

    def wait_ready(self, timeout_s: float = _READY_S) -> None:
        """Wait until it takes connections.

        Raises:
            KeeperError: It ended, or took too long; the text has the last line of its log.
        """
        deadline = time.monotonic() + timeout_s
        while not self.is_ready():
            code = self._keeper.poll(self._name)
            if code is not None:
                raise self._failed(f"ended with status {code}")
            if time.monotonic() > deadline:
                raise self._failed(f"is not ready after {timeout_s:.0f} s")
            time.sleep(0.01)

    def is_ready(self) -> bool:
        """Whether the postmaster says of itself that it takes connections."""
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
        except OSError:  # not there yet, or no longer
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def stop(self) -> None:
        """Stop it (fast shutdown), and be back when it is gone; its data stay. May be called twice."""
        self._keeper.stop(self._name)

    def restart(self) -> None:
        """Stop it, start it on the same port, and wait until it is ready."""
        self.stop()
        self.start()
        self.wait_ready()

    def _failed(self, how: str) -> KeeperError:
        binaries = self._binaries
        lines = self.log_path.read_text(errors="replace").strip().splitlines()
        telling = [line for line in lines if "FATAL" in line or "error" in line.lower()]
        reason = (telling or lines or ["it said nothing"])[-1]
        return KeeperError(
            f"PostgreSQL {binaries.version} ({binaries.source}) on port {self.port} {how}: {one_line(reason)}"
        )
