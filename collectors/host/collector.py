"""Reads the local host: /proc at once, each file system on a thread of its own."""

import asyncio
from collections import deque
from datetime import datetime

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import TimedOut
from opsdash.collectors.host.machine import Facts, LocalMachine, Machine
from opsdash.collectors.host.mounts import chosen
from opsdash.collectors.host.rows import Disk, HostData, Mount, Space
from opsdash.collectors.host.settings import HostSettings
from opsdash.collectors.target import Target
from opsdash.collectors.threads import StillRunning, call_in_thread

DISK_LIMIT_S = 1.0
"""A local disk answers in microseconds; a network file system that takes longer hangs."""

_FACTS_LIMIT_S = 2.0
_FILLING_SPAN_S = 300.0
"""How far back a disk's growth is measured."""


class HostCollector:
    """Keeps what it needs for rates; see `Collector`. A file system that hangs costs one thread, not more."""

    def __init__(self, target: Target, clock: Clock, *, machine: Machine | None = None) -> None:
        settings = target.settings
        assert isinstance(settings, HostSettings)
        self._target = target
        self._settings = settings
        self._clock = clock
        self._machine = machine or LocalMachine()
        self._began_s: float | None = None
        self._oom_first: int | None = None
        self._oom_last: int | None = None
        self._oom_at: datetime | None = None
        self._filling: dict[str, deque[tuple[float, int]]] = {}

    @property
    def target(self) -> Target:
        """What it reads."""
        return self._target

    async def collect(self) -> HostData:
        """Look once; raises TimedOut only when /proc itself does not answer."""
        try:
            facts = await call_in_thread(
                self._machine.facts, key=f"facts of {self._target.id}", timeout_s=_FACTS_LIMIT_S
            )
        except (TimeoutError, StillRunning):
            raise TimedOut(
                self._target.id,
                "reading /proc got no answer",
                hint="the machine is starved: look at its load",
            ) from None
        self._began_s = self._clock.mono_s() if self._began_s is None else self._began_s
        self._count_oom(facts.oom_kills)
        mounts = facts.mounts if facts.mounts is not None else (Mount(point="/", device="/dev/-", type="-"),)
        disks = await asyncio.gather(
            *(self._disk(mount, is_mounted) for mount, is_mounted in chosen(mounts, self._settings.disks))
        )
        return self._data(facts, tuple(disks))

    def abort(self) -> None:
        """Nothing to break off: each call has its own limit, and hung threads are left behind."""

    async def close(self) -> None:
        """Nothing is kept open."""

    def _data(self, facts: Facts, disks: tuple[Disk, ...]) -> HostData:
        now_s = self._clock.mono_s()
        return HostData(
            taken_at=self._clock.now(),
            hostname=facts.hostname,
            cores=facts.cores,
            load=facts.load,
            memory=facts.memory,
            uptime_s=facts.uptime_s,
            oom_kills=facts.oom_kills,
            oom_kills_seen=max((self._oom_last or 0) - (self._oom_first or 0), 0),
            oom_kill_at=self._oom_at,
            watched_s=now_s - (self._began_s or now_s),
            disks=disks,
            missing=facts.missing,
        )

    def _count_oom(self, kills: int | None) -> None:
        if kills is None:
            return
        if self._oom_first is None:
            self._oom_first = kills
        elif self._oom_last is not None and kills > self._oom_last:
            self._oom_at = self._clock.now()
        self._oom_last = kills

    async def _disk(self, mount: Mount, is_mounted: bool) -> Disk:
        """One file system; that it hangs is what was found, and is data."""
        if not is_mounted:
            return Disk(mount=mount, failure="not mounted")
        key = f"statvfs {self._target.id} {mount.point}"
        try:
            space = await call_in_thread(
                lambda: self._machine.space(mount.point), key=key, timeout_s=DISK_LIMIT_S
            )
        except (TimeoutError, StillRunning):
            return Disk(mount=mount, failure=f"hangs: no answer within {DISK_LIMIT_S:g} s")
        except OSError as error:
            return Disk(mount=mount, failure=error.strerror or "cannot be looked at")
        rate, span_s = self._rate(mount.point, space)
        return Disk(mount=mount, space=space, filling_bytes_per_s=rate, filling_span_s=span_s)

    def _rate(self, point: str, space: Space) -> tuple[float | None, float | None]:
        """How fast it fills, over the time that it was seen, five minutes at most."""
        now_s = self._clock.mono_s()
        samples = self._filling.setdefault(point, deque())
        samples.append((now_s, space.used_bytes))
        while len(samples) > 2 and now_s - samples[0][0] > _FILLING_SPAN_S:
            samples.popleft()
        first_s, first_bytes = samples[0]
        if now_s - first_s <= 0:
            return None, None
        return (space.used_bytes - first_bytes) / (now_s - first_s), now_s - first_s
