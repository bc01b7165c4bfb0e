"""What is measured: how each program is started, brought to its list of sessions, and quit."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from opsdash.tui.demo.servers import HOST, PostgresServer

REFRESH_S = 2

OURS, PEER = "bench_opsdash", "bench_pg_activity"
"""Roles, so that the server can tell what each program makes it do."""

_NOT_PASSED_ON = ("COLUMNS", "LINES", "COLORTERM", "NO_COLOR", "TMUX", "STY", "SSH_CONNECTION", "SSH_TTY")
_NOT_PASSED_ON_PREFIXES = ("PG", "DATABASE_URL", "OPSDASH", "TEXTUAL", "PYTHON")


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A program to be measured. Texts to wait for are regular expressions."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    data: str
    """Seen when the first figures of the server are on the screen."""
    to_sessions: tuple[tuple[str, str], ...] = ()
    """Keys that lead from there to the list of sessions, each with what is then seen."""
    quit: tuple[str, ...]
    stale: str | None = None
    """Seen when it has noticed that the server does not answer; None: it does not say."""
    role: str = ""
    """Whom it logs in to PostgreSQL as, and nobody else does."""


def _environment(home: Path) -> dict[str, str]:
    """A terminal of 256 colours, a home of its own, and nothing that changes what Python programs do."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _NOT_PASSED_ON and not name.startswith(_NOT_PASSED_ON_PREFIXES)
    }
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "STATE", "DATA", "CACHE")}
    return {**kept, **folders, "HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8"}


def program(name: str) -> str | None:
    """The program of that name beside our interpreter, else on the path."""
    beside = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    return shutil.which(name, path=beside)


def opsdash(folder: Path, dsns: Mapping[str, str]) -> Subject:
    """opsdash with a PostgreSQL target for each of `dsns` (name -> connection string), read every 2 s."""
    tables = [
        f'[[postgres]]\nname = "{name}"\ndsn = "{dsn}"\ninterval = {REFRESH_S}.0\n'
        for name, dsn in dsns.items()
    ]
    subject = opsdash_on(folder, "-".join(dsns), tables, data=r"connections +\d+")
    to_sessions = (("2", r"2 Database"), ("\r", r"PID +AGE"))
    return msgspec.structs.replace(subject, to_sessions=to_sessions, stale=r"stale", role=OURS)


def opsdash_on(folder: Path, name: str, tables: Sequence[str], *, data: str) -> Subject:
    """opsdash with a configuration of these tables; `data` is seen when it has first figures."""
    config = folder / f"{name}.toml"
    config.write_text("\n".join(tables))
    config.chmod(0o600)
    found = program("opsdash")
    assert found is not None, "opsdash is not installed beside this interpreter"
    return Subject(
        name="opsdash",
        argv=(found, "--config", str(config)),
        env=_environment(folder),
        data=data,
        quit=("\x03", "\x03"),
    )


def pg_activity(folder: Path, server: PostgresServer) -> Subject | None:
    """pg_activity on the same server; None when it is not installed."""
    found = program("pg_activity")
    if found is None:
        return None
    address: Sequence[str] = ("-h", HOST, "-p", str(server.port), "-U", PEER, "-d", "postgres")
    return Subject(
        name="pg_activity",
        argv=(found, "--refresh", str(REFRESH_S), *address),
        env=_environment(folder),
        data=r"RUNNING QUERIES[\s\S]*\d+",
        quit=("q",),
        role=PEER,
    )
