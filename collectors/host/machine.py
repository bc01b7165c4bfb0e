"""What the operating system is asked; every call that could hang is made on a thread by the caller."""

import os
import socket
from pathlib import Path
from typing import Protocol

import msgspec

from opsdash.collectors.host.mounts import parse_mounts
from opsdash.collectors.host.proc import parse_memory, parse_oom_kills, parse_uptime
from opsdash.collectors.host.rows import Memory, Mount, Space
from opsdash.collectors.text import one_line


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at the machine gave, without its disks."""

    hostname: str
    cores: int
    load: tuple[float, float, float] | None = None
    memory: Memory | None = None
    uptime_s: float | None = None
    oom_kills: int | None = None
    mounts: tuple[Mount, ...] | None = None
    """None: this system does not say what is mounted."""
    missing: tuple[str, ...] = ()


class Machine(Protocol):
    """A machine to look at."""

    def facts(self) -> Facts:
        """All but the disks; does not touch any file system but /proc."""

    def space(self, point: str) -> Space:
        """What statvfs says; hangs where a network file system does. Raises OSError."""


class LocalMachine:
    """The machine that opsdash runs on."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc

    def facts(self) -> Facts:
        """Read /proc, and what POSIX has where there is none."""
        missing: list[str] = []
        memory = self._read("meminfo", "memory", missing)
        vmstat = self._read("vmstat", "kernel OOM kills", missing)
        uptime = self._read("uptime", "uptime", missing)
        mounts = self._read("self/mounts", "the list of mounts", missing)
        try:
            load = os.getloadavg()
        except OSError:
            load = None
            missing.append("load: not available here")
        return Facts(
            hostname=one_line(socket.gethostname()),
            cores=_cores(),
            load=load,
            memory=None if memory is None else parse_memory(memory),
            uptime_s=None if uptime is None else parse_uptime(uptime),
            oom_kills=None if vmstat is None else parse_oom_kills(vmstat),
            mounts=None if mounts is None else parse_mounts(mounts),
            missing=tuple(missing),
        )

    def space(self, point: str) -> Space:
        """Ask statvfs."""
        found = os.statvfs(point)
        total = found.f_blocks * found.f_frsize
        return Space(
            total_bytes=total,
            used_bytes=total - found.f_bfree * found.f_frsize,
            available_bytes=found.f_bavail * found.f_frsize,
            inodes=found.f_files or None,
            inodes_used=found.f_files - found.f_ffree if found.f_files else None,
        )

    def _read(self, name: str, what: str, missing: list[str]) -> str | None:
        try:
            return (self._proc / name).read_text("utf-8", "replace")
        except OSError as error:
            missing.append(f"{what}: not available here ({self._proc / name}: {error.strerror})")
            return None


def _cores() -> int:
    """Cores that this process may use; those of the machine where the system does not tell them apart."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
