"""Reads one Redis or Valkey: the time of an answer, INFO, and the lists beside it; builds `RedisData`."""

import asyncio

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import BadReply, PermissionDenied, StartingUp, TargetError, TimedOut
from opsdash.collectors.format import duration, percent
from opsdash.collectors.redis import counters, info
from opsdash.collectors.redis.address import parse
from opsdash.collectors.redis.beside import Beside, BesideReader
from opsdash.collectors.redis.client import LookUp, Session, connect, look_up_name
from opsdash.collectors.redis.commands import acl_rule
from opsdash.collectors.redis.info import Info
from opsdash.collectors.redis.login import Purpose
from opsdash.collectors.redis.rows import RedisData
from opsdash.collectors.redis.settings import RedisSettings
from opsdash.collectors.target import Target


class RedisCollector:
    """Keeps one connection and reads through it; see `Collector`.

    A server that has reached maxclients keeps new connections out, but not the one that is open.
    """

    def __init__(self, target: Target, clock: Clock, *, look_up: LookUp = look_up_name) -> None:
        assert isinstance(target.settings, RedisSettings)
        self._target = target
        self._clock = clock
        self._look_up = look_up
        self._default_db = parse(target.settings.url).db
        self._session: Session | None = None
        self._beside: BesideReader | None = None
        self._reading: asyncio.Task[RedisData] | None = None
        self._history = counters.History()

    @property
    def target(self) -> Target:
        """What it reads."""
        return self._target

    async def collect(self) -> RedisData:
        """Read the server once, connecting first where needed; raises TargetError."""
        self._reading = asyncio.ensure_future(self._collect())  # a task of its own, which `abort` can cancel
        try:
            return await self._reading
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise TimedOut(self._target.id, "the read was broken off") from None
        finally:
            self._reading = None

    def abort(self) -> None:
        """Shut the socket, or stop connecting: whatever is waited for ends at once."""
        if self._session is not None:
            self._session.close()
        if self._reading is not None:
            self._reading.cancel()

    async def close(self) -> None:
        """Let go of the connection."""
        self.abort()

    async def _collect(self) -> RedisData:
        session, beside = await self._connected()
        asked_at = self._clock.mono_s()
        await session.ask(("INFO", "keyspace"))  # PING would be refused while the server loads its data
        roundtrip_s = self._clock.mono_s() - asked_at
        (text,) = await session.ask(("INFO", "all"))
        if isinstance(text, TargetError):
            raise self._without_info(text)
        told = info.parse(str(text))
        if "redis_version" not in told:
            raise BadReply(self._target.id, "INFO without a version", hint="is this a Redis server?")
        self._raise_while_loading(told)
        self._history.add(counters.sample(told, self._clock.mono_s()))
        return self._data(told, roundtrip_s, await beside.read(told), tuple(beside.limits(told)))

    async def _connected(self) -> tuple[Session, BesideReader]:
        if self._session is None or self._beside is None or not self._session.is_open:
            self._session = await connect(self._target, Purpose.READ, look_up=self._look_up)
            self._beside = BesideReader(self._session, self._clock)
        return self._session, self._beside

    def _without_info(self, error: TargetError) -> TargetError:
        if isinstance(error, PermissionDenied):
            return PermissionDenied(self._target.id, error.reason, hint=f"as an administrator: {acl_rule()}")
        return error

    def _raise_while_loading(self, told: Info) -> None:
        """A server that reads its data from disk answers INFO and little else."""
        if not info.flag(told, "loading"):
            return
        loaded, left_s = info.number(told, "loading_loaded_perc"), info.number(told, "loading_eta_seconds")
        done = "" if loaded is None else f": {percent(loaded / 100)} done"
        left = "" if left_s is None else f", {duration(left_s)} left by its own estimate"
        raise StartingUp(
            self._target.id, f"loading its data from disk{done}{left}", hint="wait; clients get LOADING"
        )

    def _data(self, told: Info, roundtrip_s: float, beside: Beside, limits: tuple[str, ...]) -> RedisData:
        product, version = info.product(told)
        listed_s = beside.clients_mono_s
        return RedisData(
            product=product,
            version=version,
            mode=info.mode(told),
            run_id=told.get("run_id", ""),
            server_now=info.server_now(told),
            uptime_s=info.integer(told, "uptime_in_seconds"),
            roundtrip_s=roundtrip_s,
            memory=info.memory(told),
            databases=info.databases(told),
            default_db=self._default_db,
            connected_clients=info.integer(told, "connected_clients"),
            maxclients=info.integer(told, "maxclients"),
            blocked_clients=info.integer(told, "blocked_clients"),
            rates=counters.rates(self._history),
            recent=counters.recent(self._history),
            hit_ratio=counters.hit_ratio(self._history.now),
            rejected_connections=info.integer(told, "rejected_connections"),
            evicted_keys=info.integer(told, "evicted_keys"),
            errors=counters.errors(self._history),
            commands=counters.commands(self._history, told),
            persistence=info.persistence(told),
            replication=info.replication(told),
            clients=beside.clients,
            clients_read_s_ago=None if listed_s is None else self._clock.mono_s() - listed_s,
            slowlog=beside.slowlog,
            latency=beside.latency,
            memory_doctor=beside.doctor,
            sentinel=beside.sentinel,
            cluster=beside.cluster,
            limits=limits,
        )
