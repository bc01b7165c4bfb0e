"""The part on containers: opsdash, docker stats and lazydocker look at sixty; what that costs the engine."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import psutil
import pytest

from tests.bench import subjects
from tests.bench.measure import Figures
from tests.bench.program import Program
from tests.bench.report import Part, of_containers
from tests.bench.subjects import Subject
from tests.support.engine import FOREVER, IMAGE, TestEngine, started_engine

CONTAINERS, PRINTING_EVERY = 60, 5
"""Every fifth prints five lines a second."""
_PRINTING = (
    "sh",
    "-c",
    "i=0; while true; do echo line $i of a service log; i=$((i+1)); sleep 0.2; done",
)
_RUNS = 3
_STEADY_S = 12.0
_SETTLE_S = 12.0
"""The first samples of all containers are there by then, the charts of those that rest are full of the same
figure, and the last program's connections are gone."""
_STARTED_AT_ONCE = 2

_FIGURES = r"bench-\d+ .*?\d%"
_IN_VIEW = (("4", r"4 Containers"), ("\r", _FIGURES))
_HIDDEN = (*_IN_VIEW, ("9", r"9 Actions"))

_PARTS = (
    ("60 containers", "in view", "docker stats", of_containers("containers", cpu=1.1, engine=1.0)),
    ("60 containers", "in view", "lazydocker", of_containers("lazydocker", cpu=0.5, terminal=0.1)),
    ("60, area 9 in front", "hidden", "docker stats", of_containers("hidden", engine=0.2)),
    ("60, logs = false", "in view, no logs", "docker stats", of_containers("no_logs", cpu=1.1, engine=1.0)),
    ("60, logs = false", "in view, no logs", "lazydocker", of_containers("no_logs_lazydocker", cpu=0.5)),
    (
        "60, logs = false, area 9",
        "hidden, no logs",
        "docker stats",
        of_containers("hidden_no_logs", engine=0.2),
    ),
)
"""Title, which runs of opsdash, beside which program, and what is told of them."""


class _Spent(msgspec.Struct, frozen=True):
    """CPU seconds so far."""

    engine_s: float
    """Of dockerd."""
    runtime_s: float
    """Of containerd and the shim of each container."""


class Load:
    """A private engine with the containers."""

    def __init__(self) -> None:
        self.engine: TestEngine = started_engine(is_quiet=True)
        with ThreadPoolExecutor(_STARTED_AT_ONCE) as pool:
            list(pool.map(self._start, range(CONTAINERS)))
        folder = str(self.engine.folder)
        self._dockerd = psutil.Process(self.engine.pid)
        self._runtime = [
            each
            for each in psutil.process_iter(["name", "cmdline"])
            if each.info["name"].startswith("containerd")
            and any(folder in word for word in each.info["cmdline"] or ())
        ]

    def _start(self, number: int) -> None:
        is_printing = number % PRINTING_EVERY == PRINTING_EVERY - 1
        status, made = self.engine.api(
            "POST",
            f"/containers/create?name=bench-{number}",
            {
                "Image": IMAGE,
                "Cmd": _PRINTING if is_printing else FOREVER,
                "HostConfig": {"NetworkMode": "none"},
            },
        )
        assert status == 201, made
        status, failed = self.engine.api("POST", f"/containers/{made['Id']}/start")
        assert status == 204, failed

    def spent(self) -> _Spent:
        """What the engine has used so far."""
        return _Spent(_cpu_s(self._dockerd), sum(map(_cpu_s, self._runtime)))


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


def measure(folder: Path, say: Callable[[str], None]) -> tuple[Part, ...]:
    """All parts on containers; takes about ten minutes. Without an engine there are none."""
    say(f"starting an engine with {CONTAINERS} containers")
    try:
        load = Load()
    except pytest.skip.Exception as reason:
        say(f"containers are not measured: {reason}")
        return ()
    try:
        return _measure(folder, load, say)
    finally:
        load.engine.close()


def _measure(folder: Path, load: Load, say: Callable[[str], None]) -> tuple[Part, ...]:
    ours = subjects.opsdash_on(folder, "containers", [_table(load)], data=r"● 1 target live")
    hidden = msgspec.structs.replace(ours, to_sessions=_HIDDEN)
    in_view = msgspec.structs.replace(ours, to_sessions=_IN_VIEW)
    peers = [peer for name in ("docker stats", "lazydocker") if (peer := _peer(ours, name, load, say))]
    alone = subjects.opsdash_on(folder, "no-logs", [_table(load), "logs = false\n"], data=ours.data)
    measured = {
        "in view": in_view,
        "hidden": hidden,
        "in view, no logs": msgspec.structs.replace(alone, to_sessions=_IN_VIEW),
        "hidden, no logs": msgspec.structs.replace(alone, to_sessions=_HIDDEN),
        **{peer.name: peer for peer in peers},
    }
    runs: dict[str, list[Figures]] = {name: [] for name in measured}
    for turn in range(_RUNS + 1):  # the first one writes the byte code, and fills the file cache
        idle = _idle(load) if turn else _Spent(0.0, 0.0)
        for name, subject in measured.items():
            say(f"run {turn} of {_RUNS}: {CONTAINERS} containers, {name}")
            run = _run(subject, load, idle, _STEADY_S if turn else 0.0)
            runs[name] += [run] if turn else []
    return tuple(
        Part(
            title=title,
            measures=measures,
            ours=tuple(runs[name]),
            peers=tuple(runs.get(peer, ())),
            peer=peer,
        )
        for title, name, peer, measures in _PARTS
    )


def _table(load: Load) -> str:
    return f'[[docker]]\nname = "bench"\nhost = "{load.engine.host}"\ninterval = 1.0\n'


def _peer(ours: Subject, name: str, load: Load, say: Callable[[str], None]) -> Subject | None:
    program, *words = name.split()
    found = subjects.program(program)
    if found is None:
        say(f"{program} is not installed, so opsdash is measured without it")
        return None
    return msgspec.structs.replace(
        ours,
        name=name,
        argv=(found, *words),
        env={**ours.env, "DOCKER_HOST": load.engine.host},
        data=_FIGURES,
        quit=("\x03",) if words else ("q",),
    )


def _idle(load: Load) -> _Spent:
    """What the engine uses in a second while nobody asks it anything."""
    time.sleep(_SETTLE_S)
    before, began_mono_s = load.spent(), time.monotonic()
    time.sleep(_STEADY_S / 2)
    return _per_s(before, load.spent(), time.monotonic() - began_mono_s)


def _per_s(before: _Spent, after: _Spent, for_s: float) -> _Spent:
    return _Spent((after.engine_s - before.engine_s) / for_s, (after.runtime_s - before.runtime_s) / for_s)


def _run(subject: Subject, load: Load, idle: _Spent, steady_s: float) -> Figures:
    """Bring the containers to the screen, or away from it, and let it run."""
    with Program(subject.argv, subject.env) as program:
        data = program.expect(lambda: _shows(program, subject.data), "first data")
        for key, pattern in subject.to_sessions:
            program.press(key)
            program.expect(lambda pattern=pattern: _shows(program, pattern), f"answer to {key!r}")  # type: ignore[misc]  # a lambda with a default
        program.watch(_SETTLE_S if steady_s else 0.0)
        cpu_s, before, began_mono_s = program.usage().cpu_s, load.spent(), time.monotonic()
        written = program.watch(steady_s)
        used, for_s = program.usage(), max(time.monotonic() - began_mono_s, 0.001)
        of_engine = _per_s(before, load.spent(), for_s)
        return Figures(
            first_data_s=data - program.started_mono_s,
            cpu_ratio=(used.cpu_s - cpu_s) / for_s,
            rss_bytes=used.rss_bytes,
            bytes_per_s=written / for_s,
            engine_cpu_ratio=of_engine.engine_s - idle.engine_s,
            engine_idle_ratio=idle.engine_s,
            runtime_cpu_ratio=of_engine.runtime_s - idle.runtime_s,
            quit_s=program.quit(subject.quit),
        )


def _shows(program: Program, pattern: str) -> bool:
    return re.search(pattern, program.terminal.text) is not None
