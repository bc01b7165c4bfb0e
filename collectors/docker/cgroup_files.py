"""Samples of containers from the kernel's own files: they cost the engine nothing. Reads only.

Reading blocks, so it is called on a thread. Most files are readable for everybody; what is not is None.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from opsdash.collectors.docker.cgroups import Controller, Mount, folders, mounts_in
from opsdash.collectors.docker.stats import Sample, in_use

_READ = re.compile(rb" (?:Read |rbytes=)(\d+)")
_WRITTEN = re.compile(rb" (?:Write |wbytes=)(\d+)")
_INTERFACE = re.compile(rb"^ *([^\s:]+): *(\d+)(?: +\d+){7} +(\d+)", re.MULTILINE)
_PIECE_BYTES = 65_536

_Folders = Mapping[Controller, str]


class _Place(msgspec.Struct, frozen=True):
    """Where the files of one container are."""

    folders: _Folders
    has_own_network: bool


class CgroupFiles:
    """Finds and reads the files of containers on this machine."""

    def __init__(self, root: Path = Path("/")) -> None:
        """`root` has proc and sys below it."""
        self._root = str(root).rstrip("/")
        self._mounts: tuple[Mount, ...] | None = None
        self._places: dict[tuple[str, int], _Place] = {}

    def sample(self, id: str, pid: int, *, mono_s: float) -> Sample | None:
        """What a container used so far.

        Args:
            id: Its full id.
            pid: Of its first process.
            mono_s: This moment.

        Returns:
            None when its files are not here, cannot be read, or are gone.
        """
        place = self._place_of(id, pid)
        found = place.folders
        run = self._run_of(found)
        of_cpu = self._text(found, "cpu", "cpu.stat")
        cpu_s, memory_bytes = self._cpu_s(found, of_cpu), self._memory_bytes(found)
        if run is None or (cpu_s is None and memory_bytes is None):
            self._places.pop((id, pid), None)
            return None
        block = self._block(found)
        received, sent = self._network(pid) if place.has_own_network else (None, None)
        return Sample(
            at_s=mono_s,
            taken_mono_s=mono_s,
            run=run,
            cpu_s=cpu_s,
            periods=_named(b"nr_periods", of_cpu),
            throttled_periods=_named(b"nr_throttled", of_cpu),
            memory_bytes=memory_bytes,
            pids=_number(self._text(found, "pids", "pids.current")),
            received_bytes=received,
            sent_bytes=sent,
            read_bytes=_sum(_READ, block),
            written_bytes=_sum(_WRITTEN, block),
        )

    def keep_only(self, containers: set[tuple[str, int]]) -> None:
        """Forget where the files of others are; each is an id and a process id."""
        for gone in self._places.keys() - containers:
            del self._places[gone]

    def _place_of(self, id: str, pid: int) -> _Place:
        if self._mounts is None:
            self._mounts = mounts_in(_decoded(self._read("/proc/self/mountinfo")))
        found = self._places.get((id, pid))
        if found is None:
            membership = _decoded(self._read(f"/proc/{pid}/cgroup"))
            found = _Place(folders(membership, self._mounts, id), self._has_own_network(pid))
            self._places[id, pid] = found
        return found

    def _has_own_network(self, pid: int) -> bool:
        """Whether it is not the machine's own, which says nothing of a container."""
        path = f"{self._root}/proc/%s/net/dev"
        try:
            return os.stat(path % pid).st_ino != os.stat(path % 1).st_ino
        except OSError:
            return False

    def _run_of(self, found: _Folders) -> str | None:
        """The number of the cgroup's folder: a container that is started again gets a new one."""
        for folder in found.values():
            with suppress(OSError):  # not every hierarchy has a folder for it
                return str(os.stat(self._root + folder).st_ino)
        return None

    def _cpu_s(self, found: _Folders, of_cpu: bytes | None) -> float | None:
        if "cpuacct" in found:
            used_ns = _number(self._text(found, "cpuacct", "cpuacct.usage"))
            return None if used_ns is None else used_ns / 1e9
        used_us = _named(b"usage_usec", of_cpu)
        return None if used_us is None else used_us / 1e6

    def _memory_bytes(self, found: _Folders) -> int | None:
        is_v1 = "memory" in found
        used = self._text(found, "memory", "memory.usage_in_bytes" if is_v1 else "memory.current")
        cache = self._text(found, "memory", "memory.stat")
        return in_use(_number(used), _named(b"total_inactive_file" if is_v1 else b"inactive_file", cache))

    def _block(self, found: _Folders) -> bytes | None:
        """Bytes read and written per device."""
        if "blkio" not in found:
            return self._text(found, "unified", "io.stat")
        whole = self._text(found, "blkio", "blkio.throttle.io_service_bytes_recursive")
        return whole if whole is not None else self._text(found, "blkio", "blkio.throttle.io_service_bytes")

    def _network(self, pid: int) -> tuple[int | None, int | None]:
        """Bytes received and sent."""
        text = self._read(f"/proc/{pid}/net/dev")
        if text is None:
            return None, None
        counts = [(int(got), int(sent)) for name, got, sent in _INTERFACE.findall(text) if name != b"lo"]
        return sum(got for got, _ in counts), sum(sent for _, sent in counts)

    def _text(self, found: _Folders, controller: Controller, name: str) -> bytes | None:
        """One file of a controller, in its own hierarchy or else in the unified one."""
        folder = found.get(controller) or found.get("unified")
        return None if folder is None else self._read(f"{folder}/{name}")

    def _read(self, path: str) -> bytes | None:
        """None when there is no such file, or it is not ours to read."""
        try:
            file = os.open(self._root + path, os.O_RDONLY)  # half of what a file object costs
        except OSError:
            return None
        try:
            whole = os.read(file, _PIECE_BYTES)
            while piece := os.read(file, _PIECE_BYTES):
                whole += piece
        except OSError:
            return None
        finally:
            os.close(file)
        return whole


def _decoded(text: bytes | None) -> str:
    return "" if text is None else text.decode("utf-8", "replace")


def _number(text: bytes | None) -> int | None:
    r"""A file that holds one number.

    >>> _number(b"42\n"), _number(b"max\n"), _number(None)
    (42, None, None)
    """
    stripped = b"" if text is None else text.strip()
    return int(stripped) if stripped.isdigit() else None


def _named(name: bytes, text: bytes | None) -> int | None:
    r"""The counter of that name among lines of a name and a number each.

    >>> _named(b"file", b"inactive_file 1\nfile 2\n"), _named(b"inactive_file", b"inactive_file 1\n")
    (2, 1)
    >>> _named(b"fil", b"file 2\n") is None
    True
    """
    if text is None:
        return None
    line = name + b" "
    start = 0 if text.startswith(line) else text.find(b"\n" + line) + 1
    if not start and not text.startswith(line):
        return None
    end = text.find(b"\n", start)
    return _number(text[start + len(line) : len(text) if end < 0 else end])


def _sum(pattern: re.Pattern[bytes], text: bytes | None) -> int | None:
    """Over all devices; no device means that there was no I/O yet."""
    return None if text is None else sum(map(int, pattern.findall(text)))
