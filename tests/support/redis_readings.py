"""Redis readings by hand: only what a test is about is spelt out."""

from datetime import timedelta
from typing import Any

from opsdash.collectors.redis.rows import (
    ClientRow,
    Database,
    ErrorCount,
    Memory,
    Persistence,
    Rates,
    Recent,
    RedisData,
    Replication,
    SlowEntry,
)
from tests.support.readings import NOW, ago

RUN_ID = "e94f2e1d5786bc4a30b4bcc77c8529780ada2c50"
MIB = 2**20


def memory(
    used_mib: float = 100.0, limit_mib: float = 512.0, policy: str = "allkeys-lru", **facts: Any
) -> Memory:
    known: dict[str, Any] = {
        "used_memory_bytes": int(used_mib * MIB),
        "counted_bytes": int(used_mib * MIB),
        "used_memory_rss_bytes": int(used_mib * MIB * 1.1),
        "used_memory_peak_bytes": int(used_mib * MIB * 1.2),
        "maxmemory_bytes": int(limit_mib * MIB),
        "maxmemory_policy": policy,
        "fragmentation_ratio": 1.1,
        "fragmentation_bytes": int(used_mib * MIB * 0.1),
        "total_system_memory_bytes": 16 * 2**30,
        "clients_bytes": 2 * MIB,
        "lazyfree_pending": 0,
    }
    return Memory(**(known | facts))


def client(number: int, **facts: Any) -> ClientRow:
    known: dict[str, Any] = {
        "addr": f"10.2.0.31:{40000 + number}",
        "name": "checkout",
        "user": "shop",
        "db": 0,
        "age_s": 900,
        "idle_s": 1,
        "flags": "N",
        "command": "get",
        "memory_bytes": 22_000,
        "output_bytes": 0,
    }
    return ClientRow(id=number, **(known | facts))


def slow(number: int, command: str, took_ms: float, *, for_s: float = 30.0, **facts: Any) -> SlowEntry:
    known: dict[str, Any] = {"arguments": 1, "client_addr": "10.2.0.31:40001", "client_name": "reporting"}
    return SlowEntry(id=number, at=ago(for_s), took_ms=took_ms, command=command, **(known | facts))


def errors(span_s: float | None = 12.0, **counts: int) -> dict[str, Any]:
    """Errors of the last `span_s`, for `redis_reading`."""
    return {
        "errors": tuple(
            ErrorCount(name=name, count=count + 100, recent=None if span_s is None else count)
            for name, count in counts.items()
        ),
        "recent": Recent(
            span_s=span_s, lookups=0, evicted_keys=0, rejected_connections=0 if span_s is not None else None
        ),
    }


def redis_reading(**facts: Any) -> RedisData:
    """A reading of a cache that is well."""
    known: dict[str, Any] = {
        "product": "Redis",
        "version": "7.2.4",
        "mode": "standalone",
        "run_id": RUN_ID,
        "server_now": NOW,
        "uptime_s": 300_000,
        "roundtrip_s": 0.0004,
        "memory": memory(),
        "databases": (Database(db=0, keys=1000, expires=900, avg_ttl_s=60.0),),
        "default_db": 0,
        "connected_clients": 212,
        "maxclients": 10_000,
        "blocked_clients": 0,
        "rates": Rates(
            span_s=2.0,
            ops_per_s=18_200.0,
            hit_ratio=0.97,
            lookups_per_s=9000.0,
            evicted_per_s=0.0,
            expired_per_s=3.0,
            connections_per_s=1.0,
            input_bytes_per_s=90_000.0,
            output_bytes_per_s=700_000.0,
        ),
        "recent": Recent(
            span_s=60.0, lookups=540_000, hit_ratio=0.97, evicted_keys=0, rejected_connections=0
        ),
        "hit_ratio": 0.97,
        "rejected_connections": 0,
        "evicted_keys": 0,
        "errors": (),
        "commands": (),
        "persistence": Persistence(
            rdb_last_save_at=NOW - timedelta(seconds=300),
            rdb_last_bgsave_status="ok",
            rdb_changes_since_last_save=40,
            aof_enabled=False,
            aof_last_write_status="ok",
            aof_last_bgrewrite_status="ok",
        ),
        "replication": Replication(role="master"),
        "clients": (),
        "clients_read_s_ago": 0.0,
        "slowlog": (),
        "latency": (),
        "memory_doctor": "Hi Sam, I can't find any memory issue in your instance.",
    }
    return RedisData(**(known | facts))
