"""Finds what a run that has ended left behind: processes and files."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

Family = frozenset[tuple[int, float]]
"""Processes by pid and start time, so that a reused pid is not mistaken for one of them."""


@contextmanager
def public_folder() -> Iterator[Path]:
    """A temporary folder that every user may pass through, as /tmp is, for use as TMPDIR."""
    folder = Path(tempfile.mkdtemp(prefix="opsdash-test-"))
    folder.chmod(0o1777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def family(pid: int) -> Family:
    """A process and all below it, at this moment."""
    first = psutil.Process(pid)
    return frozenset((each.pid, each.create_time()) for each in (first, *first.children(recursive=True)))


def alive(processes: Family) -> list[str]:
    """Those of `processes` that still run, as their command lines."""
    found = []
    for pid, created in processes:
        try:
            process = psutil.Process(pid)
            if process.create_time() == created and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{pid} {' '.join(process.cmdline())}")
        except psutil.NoSuchProcess:
            continue
    return found


def mentioning(text: str) -> list[str]:
    """Processes whose command line has `text` in it."""
    lines = []
    for process in psutil.process_iter():
        try:
            line = f"{process.pid} {' '.join(process.cmdline())}"
        except psutil.Error:
            continue
        if text in line:
            lines.append(line)
    return lines
