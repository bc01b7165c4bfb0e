"""Reads one Docker engine: what happened, how each container is, what it uses, what it prints."""

import asyncio
import os
import socket

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.census import Census
from opsdash.collectors.docker.client import EngineClient
from opsdash.collectors.docker.container_logs import ContainerLogs
from opsdash.collectors.docker.events import EventLog
from opsdash.collectors.docker.listing import moment
from opsdash.collectors.docker.rows import Engine, EngineData
from opsdash.collectors.docker.settings import DockerSettings
from opsdash.collectors.docker.transport import LookUp, look_up_name
from opsdash.collectors.docker.usage import UsageReader
from opsdash.collectors.errors import TargetError, TimedOut
from opsdash.collectors.lines.source import LogSource
from opsdash.collectors.target import Target
from opsdash.collectors.text import one_line


class _Info(msgspec.Struct):
    """GET /info."""

    Name: str = ""
    NCPU: int | None = None
    MemTotal: int | None = None
    CgroupVersion: str = ""
    Driver: str = ""
    KernelVersion: str = ""
    SystemTime: str = ""


class DockerCollector:
    """Keeps connections to one engine and reads through them; see `Collector`."""

    def __init__(self, target: Target, clock: Clock, *, look_up: LookUp = look_up_name) -> None:
        assert isinstance(target.settings, DockerSettings)
        self._target = target
        self._clock = clock
        self._client = EngineClient(target, clock, look_up=look_up)
        self._events = EventLog(self._client)
        self._census = Census(self._client, clock)
        self._engine: Engine | None = None
        self._usage: UsageReader | None = None
        self._logs = ContainerLogs(self._client, target, clock) if target.settings.logs else None
        self._looked_at: tuple[tuple[str, ...], str | None] = ((), None)
        self._is_connected = False
        self._reading: asyncio.Task[EngineData] | None = None

    @property
    def target(self) -> Target:
        """What it reads."""
        return self._target

    def look_at(self, visible: tuple[str, ...], opened: str | None) -> None:
        """Say what is on the screen; see `Attentive`. Only about that the engine itself is asked."""
        self._looked_at = (visible, opened)
        if self._usage is not None:
            self._usage.look_at(visible, opened)

    def log_sources(self) -> tuple[LogSource, ...]:
        """The logs of containers, as far as they are followed; see `HasLogs`."""
        return self._logs.sources() if self._logs is not None else ()

    async def collect(self) -> EngineData:
        """Read the engine once, connecting first where needed; raises TargetError."""
        self._reading = asyncio.ensure_future(self._collect())  # a task of its own, which `abort` can cancel
        try:
            return await self._reading
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise TimedOut(
                self._target.id, "the read was broken off", hint="a new connection is tried"
            ) from None
        finally:
            self._reading.cancel()
            self._reading = None

    def abort(self) -> None:
        """Shut every socket: whatever is waited for ends at once."""
        self._client.abort()
        self._is_connected = False
        if self._reading is not None:
            self._reading.cancel()

    async def close(self) -> None:
        """Let go of everything."""
        self.abort()
        if self._usage is not None:
            self._usage.close()
        if self._logs is not None:
            self._logs.close()
        await self._client.close()

    async def _collect(self) -> EngineData:
        try:
            engine, usage = await self._connected()
            touched = await self._events.poll()
            await self._census.read(touched)
        except TargetError:
            self._is_connected = False
            self._client.reconnect()
            raise
        containers = self._census.containers(self._events.exits())
        used, source = await usage.read(containers)
        if self._logs is not None:
            self._logs.follow(containers)
        return EngineData(
            engine=engine,
            containers=containers,
            events=self._events.events(),
            events_since=self._events.since,
            usage=used,
            usage_source=source,
            out_of_sight=frozenset(used.keys() - set(self._looked_at[0]) - {self._looked_at[1]}),
            listed_mono_s=self._census.listed_mono_s,
            logs=self._logs.summaries() if self._logs is not None else (),
            now=self._client.now(),
        )

    async def _connected(self) -> tuple[Engine, UsageReader]:
        """The engine, asked anew where the connection was lost: it may be another version now."""
        if not self._is_connected or self._engine is None or self._usage is None:
            await self._client.negotiate()
            engine = await self._read_engine()
            if self._usage is None or engine != self._engine:
                if self._usage is not None:
                    self._usage.close()
                self._usage = UsageReader(self._client, engine, self._clock)
                self._usage.look_at(*self._looked_at)
            self._engine = engine
            self._events.forget_time()
            self._census.doubt_everything()
            self._is_connected = True
        return self._engine, self._usage

    async def _read_engine(self) -> Engine:
        info = await self._client.get("/info", as_=_Info)
        # a socket may lead elsewhere: into a virtual machine, or through somebody's own tunnel
        is_here = info.Name == socket.gethostname() and info.KernelVersion == os.uname().release
        is_local = self._client.is_local and is_here
        said = moment(info.SystemTime)
        if said is not None and not is_local:
            self._client.set_clock(said)
        return Engine(
            name=one_line(info.Name),
            version=one_line(self._client.version),
            api_version=self._client.api_version,
            cpus=info.NCPU,
            memory_bytes=info.MemTotal,
            cgroup_version=one_line(info.CgroupVersion),
            storage_driver=one_line(info.Driver),
            is_local=is_local,
        )
