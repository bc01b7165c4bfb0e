"""A PostgreSQL server of our own that is full of sessions, and that can be frozen."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg

from opsdash.tui.demo.binaries import find_binaries
from opsdash.tui.demo.keeper_link import Keeper, KeeperError, server_user
from opsdash.tui.demo.servers import HOST, PostgresServer

_ROOM = 100
"""Connections beyond the held sessions: for the measured programs, the reserve and ourselves."""

_LOAD_S = 180.0

_OPTIONS: Mapping[str, str | int] = {"shared_preload_libraries": "pg_stat_statements"}

_HELD = """
select count(*) filter (where state = 'idle in transaction'),
       count(*) filter (where wait_event_type = 'Lock'), count(*)
from pg_stat_activity where backend_type = 'client backend'
"""


_ROLE = "create role {role} superuser login"

_EXECUTED = """
select coalesce(sum(calls), 0)::int, coalesce(sum(total_exec_time), 0) / 1000
from pg_stat_statements join pg_roles on pg_roles.oid = userid where rolname = %s
"""


class Executed(NamedTuple):
    """What a server did for one role so far."""

    statements: int
    exec_s: float
    """Execution time by pg_stat_statements, which leaves out parsing and planning."""


def executed(server: PostgresServer, role: str) -> Executed:
    """What `server` has done for `role`."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        row = connection.execute(_EXECUTED, (role,)).fetchone()
    assert row is not None
    return Executed(*row)


def _prepare(server: PostgresServer, roles: Sequence[str]) -> None:
    """Roles of the measured programs, and what counts the time of their statements."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("create extension pg_stat_statements")
        for role in roles:
            connection.execute(_ROLE.format(role=role).encode())


@contextmanager
def quiet_server(role: str) -> Iterator[PostgresServer]:
    """A server on which nobody does anything; `role` may log in."""
    with Keeper() as keeper:
        binaries = find_binaries(keeper.folder, user=server_user(), major=18)
        server = PostgresServer(keeper, binaries, name="quiet", options=_OPTIONS)
        server.wait_ready()
        _prepare(server, (role,))
        yield server


@contextmanager
def loaded_server(sessions: int, roles: Sequence[str] = ()) -> Iterator[PostgresServer]:
    """A server with `sessions` held sessions; nothing of it is left afterwards, whatever happens.

    Args:
        sessions: Of them shares do different things; see `held_sessions.py`.
        roles: May log in as well.
    """
    with Keeper() as keeper:
        binaries = find_binaries(keeper.folder, user=server_user(), major=18)
        options = {**_OPTIONS, "max_connections": sessions + _ROOM}
        server = PostgresServer(keeper, binaries, name="bench", options=options)
        server.wait_ready()
        _prepare(server, roles)
        keeper.start(
            "sessions",
            [sys.executable, str(Path(__file__).with_name("held_sessions.py")), server.dsn(), str(sessions)],
            log=keeper.folder / "sessions.log",
            env={"PATH": os.defpath, "HOME": str(keeper.folder)},
            user=None,
        )
        _wait_loaded(keeper, server, sessions)
        yield server


def _wait_loaded(keeper: Keeper, server: PostgresServer, sessions: int) -> None:
    deadline = time.monotonic() + _LOAD_S
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        while True:
            row = connection.execute(_HELD).fetchone()
            assert row is not None
            holding, waiting, all_sessions = row
            is_loaded = holding >= sessions // 20 and waiting >= sessions * 15 // 100
            if is_loaded and all_sessions > sessions:
                return
            if keeper.poll("sessions") is not None or time.monotonic() > deadline:
                said = (keeper.folder / "sessions.log").read_text().strip().splitlines()
                raise KeeperError(
                    f"only {all_sessions} of {sessions} sessions: {said[-1] if said else 'no word'}"
                )
            time.sleep(0.1)


@contextmanager
def frozen(server: PostgresServer) -> Iterator[None]:
    """Nothing of the server runs: connections are accepted by the kernel and never answered."""
    postmaster = psutil.Process(server.pid)
    stopped = [postmaster]
    try:
        postmaster.send_signal(signal.SIGSTOP)  # first: it starts no more backends then
        for backend in postmaster.children(recursive=True):
            stopped.append(backend)
            backend.send_signal(signal.SIGSTOP)
        yield
    finally:
        for process in reversed(stopped):
            if process.is_running():
                process.send_signal(signal.SIGCONT)


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server((HOST, 0), backlog=100) as listener:
        yield listener.getsockname()[1]
