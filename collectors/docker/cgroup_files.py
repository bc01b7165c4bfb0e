"""Samples of containers from the kernel's own files: they cost the engine nothing. Reads only.

Reading blocks, so it is called on a thread. Most files are readable for everybody; what is not is None.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from opsdash.collectors.docker.cgroups import Controller, Mount, folders, mounts_in
from opsdash.collectors.docker.stats import Sample, in_use

_V1_CACHE = re.compile(rb"^total_inactive_file (\d+)$", re.MULTILINE)
_V2_CACHE = re.compile(rb"^inactive_file (\d+)$", re.MULTILINE)
_USAGE_USEC = re.compile(rb"^usage_usec (\d+)$", re.MULTILINE)
_PERIODS = re.compile(rb"^nr_periods (\d+)$", re.MULTILINE)
_THROTTLED = re.compile(rb"^nr_throttled (\d+)$", re.MULTILINE)
_READ = re.compile(rb" (?:Read |rbytes=)(\d+)")
_WRITTEN = re.compile(rb" (?:Write |wbytes=)(\d+)")
_INTERFACE = re.compile(rb"^ *([^\s:]+): *(\d+)(?: +\d+){7} +(\d+)", re.MULTILINE)
_WHOLE = re.compile(rb"(\d+)\n?")

_Folders = Mapping[Controller, str]


class CgroupFiles:
    """Finds and reads the files of containers on this machine."""

    def __init__(self, root: Path = Path("/")) -> None:
        """`root` has proc and sys below it."""
        self._root = str(root).rstrip("/")
        self._mounts: tuple[Mount, ...] | None = None
        self._folders: dict[tuple[str, int], _Folders] = {}

    def sample(self, id: str, pid: int, *, mono_s: float) -> Sample | None:
        """What a container used so far.

        Args:
            id: Its full id.
            pid: Of its first process.
            mono_s: This moment.

        Returns:
            None when its files are not here, cannot be read, or are gone.
        """
        found = self._folders_of(id, pid)
        run = self._run_of(found)
        cpu_s, memory_bytes = self._cpu_s(found), self._memory_bytes(found)
        if run is None or (cpu_s is None and memory_bytes is None):
            self._folders.pop((id, pid), None)
            return None
        quota = self._text(found, "cpu", "cpu.stat")
        block = self._block(found)
        received, sent = self._network(pid)
        return Sample(
            at_s=mono_s,
            taken_mono_s=mono_s,
            run=run,
            cpu_s=cpu_s,
            periods=_first(_PERIODS, quota),
            throttled_periods=_first(_THROTTLED, quota),
            memory_bytes=memory_bytes,
            pids=_first(_WHOLE, self._text(found, "pids", "pids.current")),
            received_bytes=received,
            sent_bytes=sent,
            read_bytes=_sum(_READ, block),
            written_bytes=_sum(_WRITTEN, block),
        )

    def keep_only(self, containers: set[tuple[str, int]]) -> None:
        """Forget where the files of others are; each is an id and a process id."""
        for gone in self._folders.keys() - containers:
            del self._folders[gone]

    def _folders_of(self, id: str, pid: int) -> _Folders:
        if self._mounts is None:
            self._mounts = mounts_in(_decoded(self._read("/proc/self/mountinfo")))
        found = self._folders.get((id, pid))
        if found is None:
            found = folders(_decoded(self._read(f"/proc/{pid}/cgroup")), self._mounts, id)
            self._folders[id, pid] = found
        return found

    def _run_of(self, found: _Folders) -> str | None:
        """The number of the cgroup's folder: a container that is started again gets a new one."""
        for folder in found.values():
            with suppress(OSError):  # not every hierarchy has a folder for it
                return str(os.stat(self._root + folder).st_ino)
        return None

    def _cpu_s(self, found: _Folders) -> float | None:
        if "cpuacct" in found:
            used_ns = _first(_WHOLE, self._text(found, "cpuacct", "cpuacct.usage"))
            return None if used_ns is None else used_ns / 1e9
        used_us = _first(_USAGE_USEC, self._text(found, "unified", "cpu.stat"))
        return None if used_us is None else used_us / 1e6

    def _memory_bytes(self, found: _Folders) -> int | None:
        is_v1 = "memory" in found
        used = self._text(found, "memory", "memory.usage_in_bytes" if is_v1 else "memory.current")
        cache = self._text(found, "memory", "memory.stat")
        return in_use(_first(_WHOLE, used), _first(_V1_CACHE if is_v1 else _V2_CACHE, cache))

    def _block(self, found: _Folders) -> bytes | None:
        """Bytes read and written per device."""
        if "blkio" not in found:
            return self._text(found, "unified", "io.stat")
        whole = self._text(found, "blkio", "blkio.throttle.io_service_bytes_recursive")
        return whole if whole is not None else self._text(found, "blkio", "blkio.throttle.io_service_bytes")

    def _network(self, pid: int) -> tuple[int | None, int | None]:
        """Bytes received and sent; None where the container shares the machine's network."""
        path = f"{self._root}/proc/%s/net/dev"
        try:
            if os.stat(path % pid).st_ino == os.stat(path % 1).st_ino:
                return None, None
        except OSError:
            return None, None
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
            with open(self._root + path, "rb", buffering=0) as file:
                return file.read()
        except OSError:
            return None


def _decoded(text: bytes | None) -> str:
    return "" if text is None else text.decode("utf-8", "replace")


def _first(pattern: re.Pattern[bytes], text: bytes | None) -> int | None:
    found = None if text is None else pattern.search(text)
    return None if found is None else int(found[1])


def _sum(pattern: re.Pattern[bytes], text: bytes | None) -> int | None:
    """Over all devices; no device means that there was no I/O yet."""
    return None if text is None else sum(map(int, pattern.findall(text)))
