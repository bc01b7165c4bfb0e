"""The text of INFO -> rows. Pure; what a version does not tell is None."""

from collections.abc import Mapping
from datetime import UTC, datetime

from opsdash.collectors.redis.rows import (
    Cluster,
    Database,
    Memory,
    Persistence,
    Replica,
    Replication,
    SentinelMaster,
)
from opsdash.collectors.text import clean

Info = Mapping[str, str]

_PRODUCTS = {"valkey": "Valkey", "redis": "Redis"}


def parse(text: str) -> dict[str, str]:
    r"""The lines of INFO, cleaned, by name.

    >>> parse("# Server\r\nredis_version:7.0.15\r\nconfig_file:\r\n\r\n")
    {'redis_version': '7.0.15', 'config_file': ''}
    """
    lines = clean("\n".join(text.splitlines())).split("\n")
    return {
        name: value
        for name, colon, value in (line.partition(":") for line in lines if line[:1] != "#")
        if colon
    }


def fields(text: str) -> dict[str, str]:
    """The `name=value` pairs of one line.

    >>> fields("keys=9,expires=0,avg_ttl=0")
    {'keys': '9', 'expires': '0', 'avg_ttl': '0'}
    """
    return dict(pair.partition("=")[::2] for pair in text.split(","))


def integer(info: Info, name: str) -> int | None:
    """A whole number; None where it is not told.

    >>> integer({"a": "7", "b": "x"}, "a"), integer({"b": "x"}, "b"), integer({}, "a")
    (7, None, None)
    """
    value = info.get(name)
    if value is None:
        return None
    try:
        return int(value)
    except ValueError:
        return None


def number(info: Info, name: str) -> float | None:
    """A number; None where it is not told."""
    try:
        return float(info[name])
    except (KeyError, ValueError):
        return None


def flag(info: Info, name: str) -> bool | None:
    """0 or 1; None where it is not told."""
    value = integer(info, name)
    return None if value is None else bool(value)


def moment(seconds: float | None) -> datetime | None:
    """A Unix time in UTC; None for nothing and for what no calendar has."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def product(info: Info) -> tuple[str, str]:
    """What it calls itself, and its version.

    >>> product({"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "9.1.2"})
    ('Valkey', '9.1.2')
    >>> product({"redis_version": "7.0.15"})
    ('Redis', '7.0.15')
    """
    name = info.get("server_name") or "redis"
    version = info.get(f"{name}_version") or info.get("redis_version") or "of unknown version"
    return _PRODUCTS.get(name, name), version


def mode(info: Info) -> str:
    """standalone, sentinel or cluster."""
    return info.get("redis_mode") or info.get("server_mode") or "standalone"


def server_now(info: Info) -> datetime | None:
    """The server's clock; None before Redis 6.2."""
    microseconds = integer(info, "server_time_usec")
    return None if microseconds is None else moment(microseconds / 1e6)


def memory(info: Info) -> Memory:
    """INFO memory."""
    used = integer(info, "used_memory")
    return Memory(
        used_memory_bytes=used,
        used_memory_rss_bytes=integer(info, "used_memory_rss"),
        used_memory_peak_bytes=integer(info, "used_memory_peak"),
        counted_bytes=None if used is None else used - (integer(info, "mem_not_counted_for_evict") or 0),
        maxmemory_bytes=integer(info, "maxmemory"),
        maxmemory_policy=info.get("maxmemory_policy"),
        fragmentation_ratio=number(info, "mem_fragmentation_ratio"),
        fragmentation_bytes=integer(info, "mem_fragmentation_bytes"),
        total_system_memory_bytes=integer(info, "total_system_memory"),
        clients_bytes=integer(info, "mem_clients_normal"),
        lazyfree_pending=integer(info, "lazyfree_pending_objects"),
    )


def databases(info: Info) -> tuple[Database, ...]:
    """INFO keyspace, by number.

    >>> databases({"db3": "keys=9,expires=1,avg_ttl=2500", "db_size": "1"})[0]
    Database(db=3, keys=9, expires=1, avg_ttl_s=2.5)
    """
    found = []
    for name, value in info.items():
        if name.startswith("db") and name[2:].isdecimal():
            told = fields(value)
            ttl_ms = integer(told, "avg_ttl")
            found.append(
                Database(
                    db=int(name[2:]),
                    keys=integer(told, "keys") or 0,
                    expires=integer(told, "expires") or 0,
                    avg_ttl_s=ttl_ms / 1000 if ttl_ms else None,
                )
            )
    return tuple(sorted(found, key=lambda d: d.db))


def persistence(info: Info) -> Persistence:
    """INFO persistence."""
    fork_usec = integer(info, "latest_fork_usec")
    last_s = integer(info, "rdb_last_bgsave_time_sec")
    return Persistence(
        rdb_last_save_at=moment(integer(info, "rdb_last_save_time")),
        rdb_last_bgsave_status=info.get("rdb_last_bgsave_status"),
        rdb_changes_since_last_save=integer(info, "rdb_changes_since_last_save"),
        rdb_bgsave_in_progress=flag(info, "rdb_bgsave_in_progress"),
        rdb_last_bgsave_s=None if last_s is None or last_s < 0 else last_s,
        aof_enabled=flag(info, "aof_enabled"),
        aof_last_write_status=info.get("aof_last_write_status"),
        aof_last_bgrewrite_status=info.get("aof_last_bgrewrite_status"),
        latest_fork_ms=fork_usec / 1000 if fork_usec else None,
    )


def replication(info: Info) -> Replication:
    """INFO replication."""
    host = info.get("master_host")
    left = integer(info, "master_sync_left_bytes")
    last_io_s = integer(info, "master_last_io_seconds_ago")
    return Replication(
        role=info.get("role"),
        primary_address=None if host is None else f"{host}:{info.get('master_port', '')}",
        link_status=info.get("master_link_status"),
        link_down_for_s=_known(integer(info, "master_link_down_since_seconds")),
        is_syncing=flag(info, "master_sync_in_progress"),
        sync_left_bytes=_known(left),
        last_io_s=_known(last_io_s),
        replicas=tuple(_replicas(info)),
    )


def _known(value: int | None) -> int | None:
    """-1 is how INFO says unknown."""
    return None if value is None or value < 0 else value


def _replicas(info: Info) -> list[Replica]:
    own = integer(info, "master_repl_offset")
    found = []
    for name, value in info.items():
        if name.startswith("slave") and name[5:].isdecimal():
            told = fields(value)
            offset = integer(told, "offset")
            found.append(
                Replica(
                    address=f"{told.get('ip', '')}:{told.get('port', '')}",
                    state=told.get("state", ""),
                    lag_s=_known(integer(told, "lag")),
                    lag_bytes=None if own is None or offset is None else max(0, own - offset),
                )
            )
    return found


def sentinel_masters(info: Info) -> tuple[SentinelMaster, ...]:
    """INFO sentinel.

    >>> line = "name=m1,status=odown,address=10.0.0.5:6379,slaves=2,sentinels=3"
    >>> [(m.name, m.status, m.sentinels) for m in sentinel_masters({"master0": line, "masters": "1"})]
    [('m1', 'odown', 3)]
    """
    return tuple(
        SentinelMaster(
            name=told.get("name", ""),
            address=told.get("address", ""),
            status=told.get("status", ""),
            replicas=integer(told, "slaves"),
            sentinels=integer(told, "sentinels"),
        )
        for name, value in info.items()
        if name.startswith("master") and name[6:].isdecimal()
        for told in [fields(value)]
    )


def cluster(told: Info) -> Cluster:
    """CLUSTER INFO."""
    return Cluster(
        state=told.get("cluster_state"),
        slots_assigned=integer(told, "cluster_slots_assigned"),
        slots_pfail=integer(told, "cluster_slots_pfail"),
        slots_fail=integer(told, "cluster_slots_fail"),
        known_nodes=integer(told, "cluster_known_nodes"),
        size=integer(told, "cluster_size"),
    )
