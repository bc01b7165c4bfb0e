"""What the local host says, as frozen rows."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from opsdash.collectors.format import percent, size

_ENOUGH_S = 60.0


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """One mounted file system."""

    point: str
    device: str
    type: str
    is_read_only: bool = False


class Space(msgspec.Struct, frozen=True, kw_only=True):
    """What statvfs says of a file system."""

    total_bytes: int
    used_bytes: int
    available_bytes: int
    """To an ordinary user: what is reserved for root is not in it."""
    inodes: int | None = None
    """None: this file system does not count them."""
    inodes_used: int | None = None

    @property
    def used_ratio(self) -> float | None:
        """As df has it: of what an ordinary user may use. None for a file system without blocks."""
        usable = self.used_bytes + self.available_bytes
        return self.used_bytes / usable if usable > 0 else None

    @property
    def inodes_used_ratio(self) -> float | None:
        """None where inodes are not counted."""
        if not self.inodes or self.inodes_used is None:
            return None
        return self.inodes_used / self.inodes


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """One file system, looked at."""

    mount: Mount
    space: Space | None = None
    """None: it could not be looked at; `failure` says why."""
    failure: str | None = None
    """Why not: it hangs, it is not mounted, the system's own words."""
    filling_bytes_per_s: float | None = None
    """How fast it fills, over `filling_span_s`; negative: it empties. None in the first reading."""
    filling_span_s: float | None = None

    @property
    def full_in_s(self) -> float | None:
        """Until nothing is available if it goes on like that; None where it does not fill or is unknown.

        A growth that was seen for less than a minute says nothing.
        """
        rate, span_s = self.filling_bytes_per_s, self.filling_span_s
        if self.space is None or rate is None or rate <= 0 or span_s is None or span_s < _ENOUGH_S:
            return None
        return self.space.available_bytes / rate


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """The machine's memory."""

    total_bytes: int
    available_bytes: int
    """What can be had without swapping, by the kernel's own estimate (MemAvailable)."""
    swap_total_bytes: int
    swap_free_bytes: int

    @property
    def available_ratio(self) -> float | None:
        """Of all memory, 0 to 1."""
        return self.available_bytes / self.total_bytes if self.total_bytes > 0 else None


class HostData(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One reading of the local host."""

    taken_at: datetime
    hostname: str
    cores: int
    """That this process may use."""
    load: tuple[float, float, float] | None = None
    """Averages of 1, 5 and 15 minutes."""
    memory: Memory | None = None
    uptime_s: float | None = None
    oom_kills: int | None = None
    """Since the machine started; None: this system does not count them."""
    oom_kills_seen: int = 0
    """Since opsdash began to watch."""
    oom_kill_at: datetime | None = None
    """When opsdash last saw the count go up; None: not while it watched."""
    watched_s: float = 0.0
    disks: tuple[Disk, ...] = ()
    missing: tuple[str, ...] = ()
    """What this system does not tell, each with the reason."""

    @property
    def load_per_core(self) -> float | None:
        """Of the last minute."""
        return self.load[0] / self.cores if self.load is not None and self.cores else None

    @property
    def fullest(self) -> Disk | None:
        """The disk with the largest share used; None when none is known."""
        known = [disk for disk in self.disks if disk.space is not None and disk.space.used_ratio is not None]
        return max(known, key=lambda d: (d.space and d.space.used_ratio) or 0.0, default=None)

    def measures(self) -> Mapping[str, float | None]:
        """Figures worth a history."""
        return {
            "load": self.load[0] if self.load else None,
            "memory_available_bytes": float(self.memory.available_bytes) if self.memory else None,
        }

    def summary(self) -> str:
        """The host in a few words, for lists and headless output."""
        words = [self.hostname]
        if self.load is not None:
            words.append(f"load {self.load[0]:.2f} on {self.cores} cores")
        if self.memory is not None:
            words.append(f"memory {size(self.memory.available_bytes)} available")
        if (full := self.fullest) is not None and full.space is not None:
            words.append(f"{full.mount.point} {percent(full.space.used_ratio)} used")
        return " · ".join(words)
