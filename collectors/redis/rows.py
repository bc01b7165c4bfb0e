"""What a Redis says, as frozen rows in its own words. Arguments of commands are never in here.

None is unknown: not asked yet, not allowed (`RedisData.limits` says so), or not told by this version.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from opsdash.collectors.format import size
from opsdash.collectors.redis.identities import ClientIdentity, DatabaseIdentity


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """INFO memory."""

    used_memory_bytes: int | None = None
    used_memory_rss_bytes: int | None = None
    """What the system gave it, as the system counts."""
    used_memory_peak_bytes: int | None = None
    counted_bytes: int | None = None
    """What is held against maxmemory: used_memory without the buffers of replicas and of the AOF."""
    maxmemory_bytes: int | None = None
    """0: no limit."""
    maxmemory_policy: str | None = None
    fragmentation_ratio: float | None = None
    """rss to used: 1.5 means that half as much again is taken from the system as is used."""
    fragmentation_bytes: int | None = None
    total_system_memory_bytes: int | None = None
    clients_bytes: int | None = None
    """Buffers of its ordinary clients."""
    lazyfree_pending: int | None = None
    """Values unlinked whose memory is not given back yet."""

    @property
    def used_ratio(self) -> float | None:
        """Share of maxmemory that is taken; None when unknown, or without a limit."""
        if self.counted_bytes is None or not self.maxmemory_bytes:
            return None
        return self.counted_bytes / self.maxmemory_bytes

    @property
    def word(self) -> str:
        """Used memory against its limit, with one unit.

        >>> Memory(used_memory_bytes=2**29, counted_bytes=2**29, maxmemory_bytes=2**29).word
        '512/512 MiB'
        >>> Memory(used_memory_bytes=1536, maxmemory_bytes=0).word, Memory().word
        ('1.5 KiB, no limit', '-')
        """
        used = self.counted_bytes if self.maxmemory_bytes else self.used_memory_bytes
        if used is None or not self.maxmemory_bytes:
            return size(used) + (", no limit" if used is not None and self.maxmemory_bytes == 0 else "")
        (amount, unit), (limit, limit_unit) = size(used).split(), size(self.maxmemory_bytes).split()
        return f"{amount}/{limit} {unit}" if unit == limit_unit else f"{amount} {unit}/{limit} {limit_unit}"


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """One line of INFO keyspace; a database without keys has none."""

    db: int
    keys: int
    expires: int
    """Keys that have an expiry."""
    avg_ttl_s: float | None = None
    """Average time to live of those, as the server samples it."""


class Persistence(msgspec.Struct, frozen=True, kw_only=True):
    """INFO persistence."""

    rdb_last_save_at: datetime | None = None
    rdb_last_bgsave_status: str | None = None
    rdb_changes_since_last_save: int | None = None
    rdb_bgsave_in_progress: bool | None = None
    rdb_last_bgsave_s: int | None = None
    aof_enabled: bool | None = None
    aof_last_write_status: str | None = None
    aof_last_bgrewrite_status: str | None = None
    latest_fork_ms: float | None = None
    """How long the server stood still for its last fork."""


class Replica(msgspec.Struct, frozen=True, kw_only=True):
    """A replica as its primary sees it."""

    address: str
    state: str
    """online, wait_bgsave, send_bulk."""
    lag_s: int | None = None
    """Since it last reported."""
    lag_bytes: int | None = None


class Replication(msgspec.Struct, frozen=True, kw_only=True):
    """INFO replication."""

    role: str | None = None
    """master or slave, as the server says."""
    primary_address: str | None = None
    link_status: str | None = None
    """up or down; of a replica."""
    link_down_for_s: int | None = None
    is_syncing: bool | None = None
    """Whether it fetches a full copy from its primary."""
    sync_left_bytes: int | None = None
    last_io_s: int | None = None
    replicas: tuple[Replica, ...] = ()

    @property
    def is_replica(self) -> bool:
        """Whether it follows a primary."""
        return self.role == "slave"


class SentinelMaster(msgspec.Struct, frozen=True, kw_only=True):
    """One primary that a sentinel watches."""

    name: str
    address: str
    status: str
    """ok, sdown (this sentinel says it is down), odown (enough of them agree)."""
    replicas: int | None = None
    sentinels: int | None = None
    quorum: str | None = None
    """What CKQUORUM answers; None where it may not be asked."""
    has_quorum: bool | None = None


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """CLUSTER INFO of one node."""

    state: str | None = None
    """ok or fail."""
    slots_assigned: int | None = None
    slots_pfail: int | None = None
    slots_fail: int | None = None
    known_nodes: int | None = None
    size: int | None = None
    """Primaries that serve slots."""


class ClientRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of CLIENT LIST."""

    id: int
    addr: str
    name: str
    user: str | None = None
    db: int | None = None
    age_s: int | None = None
    idle_s: int | None = None
    flags: str = ""
    """One letter each: N nothing special, S replica, M primary, P subscribed, b blocked, x in MULTI, …"""
    command: str = ""
    """The last one, without its arguments."""
    library: str = ""
    memory_bytes: int | None = None
    output_bytes: int | None = None
    """Answers that it has not fetched yet."""
    subscriptions: int = 0
    queued: int | None = None
    """Commands queued in its MULTI; None outside of one."""

    @property
    def is_blocked(self) -> bool:
        """Whether it waits in a blocking command."""
        return "b" in self.flags


class SlowEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One entry of the slow log. Arguments are counted, never kept."""

    id: int
    at: datetime
    """By the server's clock."""
    took_ms: float
    command: str
    arguments: int
    client_addr: str = ""
    client_name: str = ""


class LatencyEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of LATENCY LATEST."""

    event: str
    at: datetime
    latest_ms: int
    max_ms: int


class Command(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One command in INFO commandstats, with what it did since the reading before."""

    name: str
    calls: int
    """Since start or CONFIG RESETSTAT."""
    usec_per_call: float
    """Likewise."""
    failed_calls: int = 0
    rejected_calls: int = 0
    calls_per_s: float | None = None
    share: float | None = None
    """Of the time that all commands took since the reading before, 0 to 1."""
    p99_ms: float | None = None
    """Since start."""


class ErrorCount(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of error that clients were answered with: OOM, MISCONF, READONLY and so on."""

    name: str
    count: int
    """Since start or CONFIG RESETSTAT."""
    recent: int | None = None
    """Within `Recent.span_s`."""


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """What the server did since the reading before."""

    span_s: float | None = None
    """None in the first reading and after a restart or reset; then all is None."""
    ops_per_s: float | None = None
    hit_ratio: float | None = None
    """None when nothing was looked up."""
    lookups_per_s: float | None = None
    evicted_per_s: float | None = None
    expired_per_s: float | None = None
    connections_per_s: float | None = None
    input_bytes_per_s: float | None = None
    output_bytes_per_s: float | None = None


class Recent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in the last minute, or since opsdash began to watch if that is shorter."""

    span_s: float | None = None
    """None in the first reading and after a restart or reset; then all is None."""
    lookups: int | None = None
    hit_ratio: float | None = None
    evicted_keys: int | None = None
    rejected_connections: int | None = None


class RedisData(msgspec.Struct, frozen=True, kw_only=True, eq=False, weakref=True):
    """One reading of a Redis or Valkey server."""

    product: str
    """Redis, Valkey, or what the server calls itself."""
    version: str
    mode: str
    """standalone, sentinel or cluster."""
    run_id: str
    server_now: datetime | None
    """The server's clock."""
    uptime_s: int | None
    roundtrip_s: float
    """Client-side time of one trivial command."""
    memory: Memory
    databases: tuple[Database, ...]
    default_db: int
    """The database of the target's URL, which actions are about unless another is chosen."""
    connected_clients: int | None
    maxclients: int | None
    blocked_clients: int | None
    rates: Rates
    recent: Recent
    hit_ratio: float | None
    """Since start or CONFIG RESETSTAT."""
    rejected_connections: int | None
    """Since start or CONFIG RESETSTAT."""
    evicted_keys: int | None
    """Since start or CONFIG RESETSTAT."""
    errors: tuple[ErrorCount, ...]
    commands: tuple[Command, ...]
    """Those that took most of the time since the reading before first, then most called."""
    persistence: Persistence
    replication: Replication
    clients: tuple[ClientRow, ...] | None = None
    """All but our own; None: not read, `limits` says why."""
    clients_read_s_ago: float | None = None
    """Long lists are read less often than the rest."""
    slowlog: tuple[SlowEntry, ...] | None = None
    """Newest first."""
    latency: tuple[LatencyEvent, ...] | None = None
    memory_doctor: str | None = None
    """In the server's words."""
    sentinel: tuple[SentinelMaster, ...] = ()
    cluster: Cluster | None = None
    limits: tuple[str, ...] = ()
    """What could not be read, and what would permit it."""

    def measures(self) -> Mapping[str, float | None]:
        """Figures worth a history."""
        return {
            "ops_per_s": self.rates.ops_per_s,
            "hit_ratio": self.rates.hit_ratio,
            "used_memory_bytes": self.memory.used_memory_bytes,
            "connected_clients": self.connected_clients,
        }

    def summary(self) -> str:
        """The server in a few words, for lists and headless output."""
        if self.mode == "sentinel":
            watched = ", ".join(f"{master.name} {master.status}" for master in self.sentinel)
            return f"{self.title} · {watched or 'watches no primary'}"
        return f"{self.title} · memory {self.memory.word} · clients {self.connected_clients}"

    @property
    def title(self) -> str:
        """Product, version and what kind of server it is."""
        role = " replica" if self.replication.is_replica else ""
        mode = "" if self.mode == "standalone" else f" {self.mode}"
        return f"{self.product} {self.version}{mode}{role}"

    @property
    def default_database(self) -> DatabaseIdentity:
        """What actions on the server as a whole are asked for."""
        return DatabaseIdentity(self.run_id, self.default_db)

    def client_identity(self, client: ClientRow) -> ClientIdentity:
        """What an action on a client hits."""
        return ClientIdentity(self.run_id, client.id)
