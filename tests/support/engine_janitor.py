"""Waits until stdin ends, in whatever way, then ends a private Docker engine and all that it started.

A script of its own (standard library only), in its own session, so that not even a killed test run leaves a
daemon, a container or a folder behind. Arguments: the engine's folder, and the name of its cgroup.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_PROGRAMS = frozenset({"dockerd", "containerd", "containerd-shim-runc-v2", "runc", "docker-proxy"})
_CGROUPS = Path("/sys/fs/cgroup")
_PATIENCE_S = 20.0


def _engine_processes(folder: str) -> Iterator[int]:
    """The daemons: their arguments name the folder, which is unique."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:  # ended this moment
            continue
        if Path(words[0]).name in _PROGRAMS and any(folder in word for word in words):
            yield int(entry.name)


def _cgroups(name: str) -> list[Path]:
    """The engine's cgroups and those below, the innermost first; v1 has one tree for each controller."""
    tops = [path for path in (_CGROUPS / name, *_CGROUPS.glob(f"*/{name}")) if path.is_dir()]
    return [Path(found) for top in tops for found, _, _ in os.walk(top, topdown=False)]


def _contained_processes(name: str) -> Iterator[int]:
    """The containers' processes; frozen ones are thawed, or they could not end."""
    for group in _cgroups(name):
        for file, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
            if (group / file).exists():
                _write(group / file, word)
        try:
            yield from map(int, (group / "cgroup.procs").read_text().split())
        except OSError:
            continue


def _write(path: Path, word: str) -> None:
    try:
        path.write_text(word)
    except OSError:  # gone this moment
        return


def sweep(folder: str, cgroup: str) -> None:
    """Kill what is left of the engine, and remove its folder and its cgroups."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        left = {*_engine_processes(folder), *_contained_processes(cgroup)} - {os.getpid()}
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for group in _cgroups(cgroup):
            try:
                group.rmdir()
            except OSError:  # its last process is ending
                continue
        shutil.rmtree(folder, ignore_errors=True)
        if not left and not Path(folder).exists() and not _cgroups(cgroup):
            return
        time.sleep(0.02)


def main() -> None:
    """Wait, then sweep."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.read()
    sweep(sys.argv[1], sys.argv[2])


if __name__ == "__main__":
    main()
