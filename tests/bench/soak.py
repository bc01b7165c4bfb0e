"""The part on time: what opsdash holds after ten thousand refreshes of every screen, with readings by hand.

The app runs without a terminal, in a process of its own: `python -m tests.bench.soak` is that process.
"""

import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil

from tests.bench.measure import Figures
from tests.bench.report import SOAK, Part
from tests.screens.hand import PLACES, Hand
from tests.support.every_kind import EveryKind

REFRESHES = 10_000
"""Of each screen."""
WARM_UP = 400
"""Of each screen before the first look: histories are full by then, and everything is imported."""
EVERY_S = 2.0
KINDS = {"1": "http", "2": "postgres", "3": "redis", "4": "docker", "5": "log"}
SIZE = (180, 46)


class Soaked(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one screen."""

    place: str
    growth_bytes: int
    cpu_per_refresh_s: float


def measure(folder: Path, say: Callable[[str], None]) -> tuple[Part, ...]:
    """All screens, one after the other; takes about ten minutes."""
    say(f"{REFRESHES} refreshes of each of {len(PLACES)} screens")
    child = [sys.executable, "-m", "tests.bench.soak", str(REFRESHES)]
    environ = {**os.environ, "XDG_STATE_HOME": str(folder)}
    done = subprocess.run(child, env=environ, stdout=subprocess.PIPE, check=True)
    found = msgspec.json.decode(done.stdout, type=list[Soaked])
    for one in found:
        say(f"{one.place}: {one.growth_bytes / 1e6:+.1f} MB")
    growth = sum(one.growth_bytes for one in found)
    slowest = max(one.cpu_per_refresh_s for one in found)
    ours = (Figures(growth_bytes=growth, cpu_per_refresh_s=slowest),)
    title = f"{REFRESHES} refreshes of each of {len(found)} screens"
    return (Part(title=title, measures=SOAK, ours=ours),)


async def soak(stage: EveryKind, refreshes: int) -> list[Soaked]:
    """Every screen so often, in one app."""
    found = []
    async with stage.at(*SIZE) as pilot:
        hand = Hand(stage, pilot)

        async def refresh(place: str, count: int) -> None:
            await hand.go(place)
            kind = KINDS.get(PLACES[place][:1])
            targets = [t for t in stage.targets if kind in (None, t.id.kind) or "host" in place]
            for number in range(count):
                stage.clock.advance(EVERY_S)
                stage.read(targets[number % len(targets)])
                await pilot.pause(0)
            hand.judge()

        for place in PLACES:
            await refresh(place, WARM_UP)
        for place in PLACES:
            before, began_s = _rss_bytes(), time.process_time()
            await refresh(place, refreshes)
            taken_s = time.process_time() - began_s
            grown = _rss_bytes() - before
            found.append(Soaked(place=place, growth_bytes=grown, cpu_per_refresh_s=taken_s / refreshes))
            print(f"{place}: {grown / 1e6:+.1f} MB, {taken_s / refreshes * 1e3:.1f} ms", file=sys.stderr)
    return found


def _rss_bytes() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="opsdash-soak-") as made:
        print(json.dumps(msgspec.to_builtins(asyncio.run(soak(EveryKind(Path(made)), int(sys.argv[1]))))))
