"""The part on logs: opsdash and lnav follow a flood and open a long file in turn; a filter over much."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.bench import subjects
from tests.bench.log_feed import LAST
from tests.bench.measure import Figures
from tests.bench.program import Program
from tests.bench.report import FILTER, FLOOD, OPENING, Measure, Part
from tests.bench.subjects import Subject

RATE, FLOOD_S = 50_000, 8.0
"""Lines per second, and for how long: 400,000 lines."""
LONG_LINES = 3_000_000
"""About 300 MB."""
MANY_LINES = 1_000_000
_MANY_BYTES = 256 * 1024 * 1024
_RUNS = 3
_FLOOD_RUNS = 5
"""lnav's CPU varies: from 6 to 12 % of a core on a quiet machine, and up to 20 % on a busy one."""
_SETTLE_S = 2.0
_AHEAD_S = 1.0
"""Before the flood ends its output so far is looked at: that takes time, which must not count as lag."""
_FEED = str(Path(__file__).with_name("log_feed.py"))
_TO_LOGS = "5"
_HEAD = re.compile(r"([\d\s]+) lines\s+([\d\s]+) dropped")
_BACKSPACE = "\x7f"
_ENOUGH = 200
"""Lines above the cursor: each key has somewhere to go."""
_PROMPT = "/pattern/"
"""Seen while a filter is typed; the line under the cursor moves when it goes."""
_FILTERED = re.compile(r"filter: \S+\s+([\d\s]+) of ([\d\s]+) lines")


def measure(folder: Path, say: Callable[[str], None]) -> tuple[Part, ...]:
    """All parts on logs; takes about four minutes."""
    peer = _lnav(folder, folder / "none")
    if peer is None:
        say("lnav is not installed, so opsdash is measured alone: apt install lnav")
    return (*_flood(folder, say), *_opening(folder, say), _filter(folder, say))


def _opsdash(folder: Path, name: str, log: Path, more: str = "") -> Subject:
    table = f'[[log]]\nname = "{name}"\npath = "{log}"\n{more}'
    return subjects.opsdash_on(folder, f"log-{name}", [table], data=re.escape(LAST))


def _lnav(folder: Path, log: Path) -> Subject | None:
    program = shutil.which("lnav")
    if program is None:
        return None
    ours = _opsdash(folder, "none", log)
    return msgspec.structs.replace(ours, name="lnav", argv=(program, str(log)), quit=("q",))


def _both(folder: Path, name: str, log: Path) -> tuple[Subject, ...]:
    peer = _lnav(folder, log)
    ours = _opsdash(folder, name, log)
    return (ours,) if peer is None else (ours, peer)


# -- a flood --------------------------------------------------------------------------------------------


def _flood(folder: Path, say: Callable[[str], None]) -> tuple[Part, ...]:
    log = folder / "flood.log"
    runs: dict[str, list[Figures]] = {"opsdash": [], "lnav": []}
    for turn in range(_FLOOD_RUNS):
        for subject in _both(folder, "flood", log):
            say(f"run {turn + 1} of {_FLOOD_RUNS}: {subject.name} follows {RATE:,} lines a second")
            runs[subject.name].append(_follow(subject, log))
    title = f"{RATE:,} lines a second, {FLOOD_S:g} s"
    return (_part(title, FLOOD, runs),)


def _follow(subject: Subject, log: Path) -> Figures:
    log.write_text("2026-11-22T00:00:00.000000Z INFO the first line\n")
    with Program(subject.argv, subject.env) as program, _feeder(log) as feeder:
        _open_lines(program, subject, "the first line")
        program.watch(_SETTLE_S)
        before, began = program.usage(), time.monotonic()
        assert feeder.stdin is not None
        feeder.stdin.write(b"go\n")
        feeder.stdin.flush()
        written = program.watch(FLOOD_S - _AHEAD_S)
        used, for_s = program.usage(), time.monotonic() - began
        shown = program.expect(lambda: LAST in program.terminal.text, "last line", limit_s=30.0)
        assert feeder.stdout is not None
        fed_mono_s = float(feeder.stdout.readline())
        program.watch(_SETTLE_S)
        after = program.usage()
        return Figures(
            cpu_ratio=(used.cpu_s - before.cpu_s) / for_s,
            bytes_per_s=written / for_s,
            lag_s=shown - fed_mono_s,
            growth_bytes=after.rss_bytes - before.rss_bytes,
            rss_bytes=after.rss_bytes,
            lost=_lost(program, log) if subject.name == "opsdash" else None,
            quit_s=program.quit(subject.quit),
        )


@contextmanager
def _feeder(log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that floods once it is told to."""
    argv = [sys.executable, _FEED, str(log), str(RATE), str(FLOOD_S)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as feeder:
        try:
            assert feeder.stdout is not None
            assert feeder.stdout.readline() == b"ready\n"
            yield feeder
        finally:
            feeder.kill()


def _open_lines(program: Program, subject: Subject, text: str) -> float:
    """Bring the lines to the screen; returns when `text` could be read there."""
    program.expect(lambda: not program.terminal.is_blank, "first paint")
    if subject.name == "opsdash":
        program.press(_TO_LOGS)
        return program.expect(
            lambda: text in program.terminal.text and "following" in program.terminal.text, text
        )
    return program.expect(lambda: text in program.terminal.text, text)


def _lost(program: Program, log: Path) -> float:
    """Lines of the file that opsdash neither holds nor says it dropped."""
    found = _HEAD.search(program.terminal.text)
    assert found is not None, program.terminal.text
    held, dropped = (int(re.sub(r"\D", "", group)) for group in found.groups())
    with log.open("rb") as file:
        return sum(1 for _ in file) - held - dropped


# -- a long file ----------------------------------------------------------------------------------------


def _opening(folder: Path, say: Callable[[str], None]) -> tuple[Part, ...]:
    log = folder / "long.log"
    say(f"writing {LONG_LINES:,} lines")
    _write(log, LONG_LINES)
    runs: dict[str, list[Figures]] = {"opsdash": [], "lnav": []}
    for turn in range(_RUNS + 1):  # the first one writes the byte code, and fills the file cache
        for subject in _both(folder, "long", log):
            say(f"run {turn} of {_RUNS}: {subject.name} opens {log.stat().st_size / 1e6:.0f} MB at the end")
            with Program(subject.argv, subject.env) as program:
                shown = _open_lines(program, subject, LAST)
                used = program.usage()
                opened = Figures(
                    first_data_s=shown - program.started_mono_s,
                    start_cpu_s=used.cpu_s,
                    rss_bytes=used.rss_bytes,
                    quit_s=program.quit(subject.quit),
                )
            runs[subject.name] += [opened] if turn else []
    title = f"a file of {log.stat().st_size / 1e6:.0f} MB"
    log.unlink()
    return (_part(title, OPENING, runs),)


def _write(log: Path, count: int) -> None:
    subprocess.run([sys.executable, _FEED, str(log), "lines", str(count)], check=True, capture_output=True)


# -- a filter -------------------------------------------------------------------------------------------


def _filter(folder: Path, say: Callable[[str], None]) -> Part:
    log = folder / "many.log"
    _write(log, MANY_LINES)
    more = f"max_bytes = {_MANY_BYTES}\n"
    ours: list[Figures] = []
    for turn in range(_RUNS):
        say(f"run {turn + 1} of {_RUNS}: a filter over {MANY_LINES:,} lines")
        subject = _opsdash(folder, "many", log, more)
        with Program(subject.argv, subject.env) as program:
            _open_lines(program, subject, LAST)
            program.watch(_SETTLE_S)
            ours.append(_filtered(program, subject))
    log.unlink()
    return Part(title=f"{MANY_LINES:,} lines held", measures=FILTER, ours=tuple(ours), peer="-")


def _filtered(program: Program, subject: Subject) -> Figures:
    """One filter undisturbed, another one while keys are pressed."""
    _type_filter(program, "took=77")
    cpu_s, began = program.usage().cpu_s, time.monotonic()
    program.press("\r")
    ended = program.expect(lambda: _left(program, is_whole=True) is not None, "the filtered lines")
    used = program.usage()
    program.press(_BACKSPACE)
    program.expect(lambda: "filter:" not in program.terminal.text, "all lines")
    _type_filter(program, "status=203")
    program.press("\r")
    program.expect(lambda: (_left(program) or 0) > _ENOUGH and _PROMPT not in program.terminal.text, "lines")
    moves: list[float] = []
    while _left(program, is_whole=True) is None:
        moves.append(program.move("k"))
    return Figures(
        filter_s=ended - began,
        start_cpu_s=used.cpu_s - cpu_s,
        key_s=tuple(moves),
        rss_bytes=used.rss_bytes,
        quit_s=program.quit(subject.quit),
    )


def _type_filter(program: Program, text: str) -> None:
    program.press("F")
    program.watch(0.5)
    for key in text:
        program.press(key)
        program.watch(0.05)


def _left(program: Program, *, is_whole: bool = False) -> int | None:
    """Lines that the filter left so far; None: it has not begun, or with `is_whole`: not ended."""
    text = program.terminal.text
    found = _FILTERED.search(text)
    if found is None or (is_whole and "filtering" in text):
        return None
    return int(re.sub(r"\D", "", found[1]))


def _part(title: str, measures: tuple[Measure, ...], runs: dict[str, list[Figures]]) -> Part:
    ours, peers = tuple(runs["opsdash"]), tuple(runs["lnav"])
    return Part(title=title, measures=measures, ours=ours, peers=peers, peer="lnav")
