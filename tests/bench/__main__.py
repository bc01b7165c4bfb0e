"""`python -m tests.bench`: opsdash and pg_activity with many sessions, in turn; opsdash with many targets."""

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from opsdash.tui.demo.servers import HOST, PostgresServer
from tests.bench import containers, health_and_cache, logs, soak, subjects
from tests.bench.loaded_server import frozen, loaded_server, quiet_server, silent_port
from tests.bench.measure import Figures, Plan, run_frozen, run_idle, run_live, run_never_answered
from tests.bench.report import FEWER, FROZEN, GROWTH, IDLE, LIVE, NEVER_ANSWERED, Part, as_values, table
from tests.bench.subjects import Subject

_OTHERS = {
    "cache-and-health": health_and_cache.measure,
    "logs": logs.measure,
    "containers": containers.measure,
    "soak": soak.measure,
}
"""The parts that need no PostgreSQL, each a function of a folder and of who is told what is done."""


def main() -> int:
    """Measure, print the table; 0 also where a goal is missed: figures are told, not judged."""
    options = _options()
    random.seed(1)
    began_load = os.getloadavg()[0]
    parts: tuple[Part, ...] = ()
    with tempfile.TemporaryDirectory(prefix="opsdash-bench-") as folder:
        if "postgres" in options.only:
            if subjects.program("pg_activity") is None:
                _say("pg_activity is not installed, so opsdash is measured alone: pip install pg_activity")
            parts = measure(Path(folder), options)
        for name, measured in _OTHERS.items():
            if name in options.only:
                parts += measured(Path(folder), _say)
    load = (began_load, os.getloadavg()[0])
    if options.json:
        told = {"sessions": options.sessions, "repeats": options.repeats, "load_average": load}
        print(
            json.dumps({**told, **{key: value for part in parts for key, value in as_values(part).items()}})
        )
        return 0
    print(f"\n{_circumstances(options, load)}")
    for part in parts:
        print(f"\n{table(part)}")
    return 0


def _circumstances(options: argparse.Namespace, load: tuple[float, float]) -> str:
    before, after = load
    sessions = (
        f"PostgreSQL: refresh {subjects.REFRESH_S} s, {options.repeats} runs in turn; "
        if "postgres" in options.only
        else ""
    )
    return (
        f"{sessions}medians; terminal 200x50; {os.cpu_count()} cores, "
        f"load average {before:.1f} to {after:.1f}\n"
        "On a busy machine trust the ratios and the CPU figures, not the times."
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--sessions",
        type=int,
        nargs="+",
        default=[50, 200, 800],
        metavar="N",
        help="held on a server, for each a server of its own (50 200 800)",
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs of each program, in turn (3)")
    parser.add_argument("--steady", type=float, default=20.0, metavar="S", help="seconds of steady view (20)")
    parser.add_argument("--presses", type=int, default=60, help="keys pressed in each run (60)")
    names = ("postgres", *_OTHERS)
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="only these parts")
    parser.add_argument("--json", action="store_true", help="one JSON document in place of the table")
    return parser.parse_args()


def measure(folder: Path, options: argparse.Namespace) -> tuple[Part, ...]:
    """All parts on PostgreSQL; within a part the programs, and the servers, take turns."""
    with ExitStack() as stack:
        servers = {}
        for count in sorted(set(options.sessions)):
            _say(f"starting PostgreSQL with {count} sessions")
            servers[count] = stack.enter_context(loaded_server(count, (subjects.OURS, subjects.PEER)))
        quiet = stack.enter_context(quiet_server(subjects.OURS))
        return (
            *_live(folder, servers, options),
            *_unwell(folder, servers[max(servers)], options),
            *_idle(folder, quiet, options),
        )


def _live(
    folder: Path, servers: Mapping[int, PostgresServer], options: argparse.Namespace
) -> tuple[Part, ...]:
    """Figures beside pg_activity's; every turn goes through all servers."""
    plan = Plan(steady_s=options.steady, presses=options.presses)
    runs: dict[tuple[int, str], list[Figures]] = {}
    for turn in range(options.repeats + 1):  # the first one writes the byte code, and fills the file cache
        for count, server in servers.items():
            for subject in _beside(folder, count, server):
                if turn:
                    _say(f"run {turn} of {options.repeats}: {subject.name}, {count} sessions")
                    runs.setdefault((count, subject.name), []).append(run_live(subject, server, plan))
                elif count == min(servers):
                    run_live(subject, server, Plan(steady_s=0.0, presses=0))
    parts = [
        Part(
            title=f"{count} sessions",
            key=f"with_{count}_",
            measures=LIVE if count == max(servers) else FEWER,
            ours=_all(runs, count, "opsdash"),
            peers=_all(runs, count, "pg_activity"),
        )
        for count in servers
    ]
    few, many = min(servers), max(servers)
    ours, peers = (
        _grown(_all(runs, few, name), _all(runs, many, name)) for name in ("opsdash", "pg_activity")
    )
    growth = Part(title=f"from {few} to {many} sessions", measures=GROWTH, ours=ours, peers=peers)
    return (*parts, growth) if few < many else tuple(parts)


def _grown(few: Sequence[Figures], many: Sequence[Figures]) -> tuple[Figures, ...]:
    """How much more CPU a refresh took in each turn."""
    both = ((a.cpu_per_refresh_s, b.cpu_per_refresh_s) for a, b in zip(few, many, strict=True))
    return tuple(Figures(growth_ratio=more / less) for less, more in both if less and more)


def _unwell(folder: Path, server: PostgresServer, options: argparse.Namespace) -> tuple[Part, ...]:
    """The server stops answering; nothing ever answers."""
    plan = Plan(steady_s=options.steady, presses=options.presses)
    ours = subjects.opsdash(folder, {"bench": server.dsn(subjects.OURS)})
    silent, unanswered = [], []
    for turn in range(options.repeats):
        _say(f"run {turn + 1} of {options.repeats}: opsdash, the server stops answering")
        silent.append(run_frozen(ours, server, plan))
        with silent_port() as port, frozen(server):
            dsns = {
                "frozen": server.dsn(),
                "silent": f"host={HOST} port={port} user=postgres dbname=postgres",
            }
            unanswered.append(run_never_answered(subjects.opsdash(folder, dsns)))
    return (
        Part(title="the server stops answering", measures=FROZEN, ours=tuple(silent)),
        Part(title="no target ever answers", measures=NEVER_ANSWERED, ours=tuple(unanswered)),
    )


def _idle(folder: Path, server: PostgresServer, options: argparse.Namespace) -> tuple[Part, ...]:
    """What it takes to look at a server on which nothing happens."""
    plan = Plan(steady_s=options.steady, presses=0)
    subject = subjects.opsdash(folder, {"quiet": server.dsn(subjects.OURS)})
    runs: dict[bool, list[Figures]] = {False: [], True: []}
    for turn in range(options.repeats):
        _say(f"run {turn + 1} of {options.repeats}: opsdash, nothing happens")
        for in_list, found in runs.items():
            found.append(run_idle(subject, plan, in_list=in_list))
    return (
        Part(title="nothing happens: overview", key="overview_", measures=IDLE, ours=tuple(runs[False])),
        Part(title="nothing happens: sessions", key="sessions_", measures=IDLE, ours=tuple(runs[True])),
    )


def _beside(folder: Path, count: int, server: PostgresServer) -> tuple[Subject, ...]:
    ours = subjects.opsdash(folder, {f"bench-{count}": server.dsn(subjects.OURS)})
    peer = subjects.pg_activity(folder, server)
    return (ours,) if peer is None else (ours, peer)


def _all(runs: Mapping[tuple[int, str], list[Figures]], count: int, name: str) -> tuple[Figures, ...]:
    return tuple(runs.get((count, name), ()))


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
