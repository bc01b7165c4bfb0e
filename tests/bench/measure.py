"""What is measured of one run of a program."""

import random
import re
import time
from collections.abc import Sequence

import msgspec

from opsdash.tui.demo.servers import PostgresServer
from tests.bench.loaded_server import executed, frozen
from tests.bench.program import Program
from tests.bench.subjects import REFRESH_S, Subject

_SETTLE_S = 3.0
"""Between reaching the list and the steady phase: the first refreshes fill caches."""

_IDLE_SETTLE_S = 30.0
"""Until charts are full of the same figure."""

_KEY_PACE_S = (0.10, 0.20)
"""Presses come as a person's do, without regard to refreshes: some meet one."""

_ROUND_TRIP = ("j",) * 20 + ("k",) * 20
"""As many moves down as up again: the cursor stays on the first screen, and nothing scrolls."""

_UP_AND_DOWN = ("k", "j")
"""Where there may be two lines only."""

_FROZEN_BEFORE_KEYS_S = 6.0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How long to look."""

    steady_s: float
    presses: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One run. None: not measured in this kind of run."""

    first_paint_s: float | None = None
    """From the start until anything can be read."""
    first_data_s: float | None = None
    """From the start until the server's first figures can be read."""
    start_cpu_s: float | None = None
    """CPU seconds used until then."""
    cpu_per_refresh_s: float | None = None
    server_s_per_refresh: float | None = None
    """Execution time on the server."""
    statements_per_refresh: float | None = None
    floor_ratio: float | None = None
    """What was written to the terminal, as a multiple of the least that its changed cells need."""
    growth_ratio: float | None = None
    """CPU per refresh with most sessions, as a multiple of that with fewest."""
    rss_bytes: int | None = None
    """At the end of the steady phase."""
    bytes_per_s: float | None = None
    """Written to the terminal in the steady phase."""
    key_s: tuple[float, ...] = ()
    """Of each press, until the cursor is seen to have moved."""
    quit_s: float | None = None
    cpu_ratio: float | None = None
    """Share of one core in the steady phase, 0 to 1."""
    planned_s: float | None = None
    """How long a plan took."""
    command_s: float | None = None
    """The longest that a command took the server, by its own slow log."""
    scan_s: tuple[float, ...] = ()
    """Of each SCAN; those that hardly took any time are not noted."""
    unlink_s: float | None = None
    """The longest UNLINK."""
    info_s: float | None = None
    """The longest INFO."""
    lag_s: float | None = None
    """From the moment the last line of a flood was written until it can be read."""
    growth_bytes: int | None = None
    """Memory (RSS) at the end of a flood beyond that before it."""
    lost: float | None = None
    """Lines of a flood that are neither held nor counted as dropped."""
    filter_s: float | None = None
    """Until a filter has gone through all lines."""
    engine_cpu_ratio: float | None = None
    """Share of a core that a container engine used beyond what it uses while nobody asks it anything."""
    engine_idle_ratio: float | None = None
    """The latter, measured just before."""
    runtime_cpu_ratio: float | None = None
    """The same of what the engine makes its containers with, beyond its idle use."""
    event_s: float | None = None
    """The longest event that the server's latency monitor knows; 0: none took a millisecond."""


def run_live(subject: Subject, server: PostgresServer, plan: Plan) -> Figures:
    """Start, first data, list of sessions, steady phase, keys, quit; the server answers."""
    with Program(subject.argv, subject.env) as program:
        painted = program.expect(lambda: not program.terminal.is_blank, "first paint")
        data = program.expect(lambda: _shows(program, subject.data), "first data")
        start_cpu_s = program.usage().cpu_s
        _go_to_sessions(program, subject)
        program.watch(_SETTLE_S)
        asked, cpu_s, began_mono_s = executed(server, subject.role), program.usage().cpu_s, time.monotonic()
        written = program.watch_frames(plan.steady_s)
        used, refreshes = program.usage(), (time.monotonic() - began_mono_s) / REFRESH_S
        after = executed(server, subject.role)
        return Figures(
            first_paint_s=painted - program.started_mono_s,
            first_data_s=data - program.started_mono_s,
            start_cpu_s=start_cpu_s,
            cpu_per_refresh_s=(used.cpu_s - cpu_s) / refreshes,
            server_s_per_refresh=(after.exec_s - asked.exec_s) / refreshes,
            statements_per_refresh=(after.statements - asked.statements) / refreshes,
            rss_bytes=used.rss_bytes,
            bytes_per_s=written.size / (plan.steady_s or 1.0),
            floor_ratio=written.size / written.floor if written.floor else None,
            key_s=_moves(program, plan.presses),
            quit_s=program.quit(subject.quit),
        )


def run_idle(subject: Subject, plan: Plan, *, in_list: bool) -> Figures:
    """A quiet server, with the overview or the list of its sessions in front."""
    with Program(subject.argv, subject.env) as program:
        program.expect(lambda: _shows(program, subject.data), "first data")
        if in_list:
            _go_to_sessions(program, subject)
        program.watch(_IDLE_SETTLE_S)
        cpu_s, began_mono_s = program.usage().cpu_s, time.monotonic()
        written = program.watch_frames(plan.steady_s)
        used, for_s = program.usage(), time.monotonic() - began_mono_s
        return Figures(
            cpu_ratio=(used.cpu_s - cpu_s) / for_s,
            bytes_per_s=written.size / plan.steady_s,
            floor_ratio=written.size / written.floor if written.floor else None,
            quit_s=program.quit(subject.quit),
        )


def run_overview(subject: Subject, plan: Plan) -> Figures:
    """Start, all targets read, steady phase, keys and quit, all on the overview."""
    with Program(subject.argv, subject.env) as program:
        painted = program.expect(lambda: not program.terminal.is_blank, "first paint")
        data = program.expect(lambda: _shows(program, subject.data), "first data")
        program.watch(_SETTLE_S)
        cpu_s, began_mono_s = program.usage().cpu_s, time.monotonic()
        written = program.watch(plan.steady_s)
        used, for_s = program.usage(), time.monotonic() - began_mono_s
        return Figures(
            first_paint_s=painted - program.started_mono_s,
            first_data_s=data - program.started_mono_s,
            cpu_ratio=(used.cpu_s - cpu_s) / for_s,
            rss_bytes=used.rss_bytes,
            bytes_per_s=written / for_s,
            key_s=_moves(program, plan.presses, _UP_AND_DOWN),
            quit_s=program.quit(subject.quit),
        )


def run_frozen(subject: Subject, server: PostgresServer, plan: Plan) -> Figures:
    """The server stops answering while the list of sessions is in front; then keys, and quit."""
    with Program(subject.argv, subject.env) as program:
        painted = program.expect(lambda: not program.terminal.is_blank, "first paint")
        program.expect(lambda: _shows(program, subject.data), "first data")
        _go_to_sessions(program, subject)
        with frozen(server):
            program.watch(_FROZEN_BEFORE_KEYS_S)
            if subject.stale is not None:
                program.expect(lambda: _shows(program, str(subject.stale)), "word of the silence")
            return Figures(
                first_paint_s=painted - program.started_mono_s,
                key_s=_moves(program, plan.presses),
                quit_s=program.quit(subject.quit),
            )


def run_never_answered(subject: Subject) -> Figures:
    """No target ever answers: it starts, waits, and quits while every connection hangs."""
    with Program(subject.argv, subject.env) as program:
        painted = program.expect(lambda: not program.terminal.is_blank, "first paint")
        program.watch(_SETTLE_S)
        return Figures(
            first_paint_s=painted - program.started_mono_s,
            quit_s=program.quit(subject.quit),
        )


def _shows(program: Program, pattern: str) -> bool:
    return re.search(pattern, program.terminal.text) is not None


def _go_to_sessions(program: Program, subject: Subject) -> None:
    for key, pattern in subject.to_sessions:
        program.press(key)
        program.expect(lambda pattern=pattern: _shows(program, pattern), f"answer to {key!r}")  # type: ignore[misc]  # a lambda with a default


def _moves(program: Program, presses: int, keys: Sequence[str] = _ROUND_TRIP) -> tuple[float, ...]:
    if not presses:
        return ()
    program.move("j")  # pg_activity's first move only makes a cursor appear
    taken = []
    for number in range(presses):
        program.watch(random.uniform(*_KEY_PACE_S))
        taken.append(program.move(keys[number % len(keys)]))
    return tuple(taken)
