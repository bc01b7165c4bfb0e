"""`python -m tests.bench`: opsdash and pg_activity with many sessions, in turn; opsdash with many targets."""

import argparse
import json
import os
import random
import sys
import tempfile
from pathlib import Path

from opsdash.tui.demo.servers import HOST, PostgresServer
from tests.bench import containers, health_and_cache, logs, soak, subjects
from tests.bench.loaded_server import frozen, loaded_server, silent_port
from tests.bench.measure import Figures, Plan, run_frozen, run_live, run_never_answered
from tests.bench.report import FROZEN, LIVE, NEVER_ANSWERED, Part, as_values, table

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
            _say(f"starting PostgreSQL with {options.sessions} sessions")
            with loaded_server(options.sessions) as server:
                parts = measure(Path(folder), server, options)
        for name, part in _OTHERS.items():
            if name in options.only:
                parts += part(Path(folder), _say)
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
        f"{options.sessions} sessions, refresh {subjects.REFRESH_S} s, {options.repeats} runs in turn; "
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
    parser.add_argument("--sessions", type=int, default=800, help="held on the server (800)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each program, in turn (3)")
    parser.add_argument("--steady", type=float, default=20.0, metavar="S", help="seconds of steady view (20)")
    parser.add_argument("--presses", type=int, default=60, help="keys pressed in each run (60)")
    names = ("postgres", *_OTHERS)
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="only these parts")
    parser.add_argument("--json", action="store_true", help="one JSON document in place of the table")
    return parser.parse_args()


def measure(folder: Path, server: PostgresServer, options: argparse.Namespace) -> tuple[Part, ...]:
    """All parts, one after the other; within a part the programs take turns."""
    plan = Plan(steady_s=options.steady, presses=options.presses)
    ours = subjects.opsdash(folder, {"bench": server.dsn()})
    peer = subjects.pg_activity(folder, server)
    if peer is None:
        _say("pg_activity is not installed, so opsdash is measured alone: pip install pg_activity")
    measured = [ours] if peer is None else [ours, peer]
    for subject in measured:  # writes the byte code of both, and fills the file cache
        run_live(subject, Plan(steady_s=0.0, presses=0))
    live: dict[str, list[Figures]] = {subject.name: [] for subject in measured}
    silent: list[Figures] = []
    unanswered: list[Figures] = []
    for turn in range(options.repeats):
        for subject in measured:
            _say(f"run {turn + 1} of {options.repeats}: {subject.name}")
            live[subject.name].append(run_live(subject, plan))
        _say(f"run {turn + 1} of {options.repeats}: opsdash, the server stops answering")
        silent.append(run_frozen(ours, server, plan))
        with silent_port() as port, frozen(server):
            dsns = {
                "frozen": server.dsn(),
                "silent": f"host={HOST} port={port} user=postgres dbname=postgres",
            }
            unanswered.append(run_never_answered(subjects.opsdash(folder, dsns)))
    return (
        Part(
            title="the server answers",
            measures=LIVE,
            ours=_all(live, ours.name),
            peers=_all(live, "pg_activity"),
        ),
        Part(title="the server stops answering", measures=FROZEN, ours=tuple(silent)),
        Part(title="no target ever answers", measures=NEVER_ANSWERED, ours=tuple(unanswered)),
    )


def _all(runs: dict[str, list[Figures]], name: str) -> tuple[Figures, ...]:
    return tuple(runs.get(name, ()))


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
