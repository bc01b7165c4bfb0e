"""Rules on one reading of a Redis server."""

from typing import Any

import msgspec
import pytest

from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.redis.identities import DatabaseIdentity
from opsdash.collectors.redis.rows import (
    Cluster,
    Database,
    Persistence,
    Recent,
    RedisData,
    Replica,
    Replication,
    SentinelMaster,
)
from opsdash.collectors.redis.settings import RedisSettings, RedisThresholds
from opsdash.tui.actions import registry
from opsdash.tui.findings.redis import findings
from tests.support.readings import ago
from tests.support.redis_readings import RUN_ID, client, errors, memory, redis_reading, slow
from tests.support.redis_servers import redis_target

WARN, CRIT = Severity.WARN, Severity.CRIT


def found(data: RedisData, **thresholds: Any) -> tuple[Finding, ...]:
    wanted = RedisSettings(thresholds=RedisThresholds(**thresholds))
    return findings(data, msgspec.structs.replace(redis_target("redis://cache"), settings=wanted))


def only(data: RedisData, **thresholds: Any) -> Finding:
    (finding,) = found(data, **thresholds)
    return finding


def test_a_cache_that_is_well_has_no_findings() -> None:
    assert found(redis_reading()) == ()


# Memory


@pytest.mark.parametrize(
    ("used", "policy", "expires", "severity"),
    [
        (400, "noeviction", 0, None),
        (410, "noeviction", 0, WARN),
        (461, "noeviction", 0, CRIT),
        (512, "noeviction", 0, CRIT),
        (512, "allkeys-lru", 0, None),
        (520, "allkeys-lfu", 0, None),
        (512, "volatile-lru", 900, None),
        (512, "volatile-lru", 0, CRIT),
        (410, "volatile-ttl", 0, WARN),
    ],
)
def test_only_a_full_server_that_will_refuse_writes_is_an_alarm(
    used: float, policy: str, expires: int, severity: Severity | None
) -> None:
    databases = (Database(db=0, keys=1000, expires=expires),)
    data = redis_reading(memory=memory(used, policy=policy), databases=databases)
    assert [f.severity for f in found(data)] == ([] if severity is None else [severity])


def test_a_full_server_is_told_with_what_was_refused_and_since_when() -> None:
    finding = only(redis_reading(memory=memory(512, policy="noeviction"), **errors(OOM=31)))
    assert finding.title == "memory 512/512 MiB, noeviction · 31 writes refused (OOM) in 12s"
    assert finding.short == "memory 512/512 MiB, writes refused, noeviction"
    assert finding.basis == "readings over 12s"
    assert finding.weight == pytest.approx(1 + 31 / 12), "by how many a second, as others by who waits now"
    assert finding.identity is None
    assert [a.identity for a in finding.actions] == [DatabaseIdentity(RUN_ID, 0)] * 3
    assert all(registry.spec(a.action) for a in finding.actions), "each suggestion is an action that there is"


def test_a_replica_over_its_limit_is_no_alarm() -> None:
    follows = Replication(role="slave", link_status="up")
    assert found(redis_reading(memory=memory(512, policy="noeviction"), replication=follows)) == ()


@pytest.mark.parametrize(("rss_gib", "severity"), [(12, None), (13, WARN), (15, CRIT)])
def test_without_a_limit_the_machines_memory_counts(rss_gib: int, severity: Severity | None) -> None:
    unlimited = memory(limit_mib=0, policy="noeviction", used_memory_rss_bytes=rss_gib * 2**30)
    assert [f.severity for f in found(redis_reading(memory=unlimited))] == (
        [] if severity is None else [severity]
    )


def test_what_is_unknown_is_no_alarm() -> None:
    nothing = memory(512, maxmemory_bytes=None, maxmemory_policy=None)
    blank = redis_reading(
        memory=nothing,
        connected_clients=None,
        blocked_clients=None,
        hit_ratio=None,
        recent=Recent(),
        server_now=None,
        clients=None,
        slowlog=None,
        persistence=Persistence(),
        replication=Replication(),
    )
    assert found(blank) == ()


@pytest.mark.parametrize(
    ("name", "severity", "says"),
    [
        ("MISCONF", CRIT, "its last save failed"),
        ("NOREPLICAS", CRIT, "too few replicas"),
        ("READONLY", WARN, "it is a replica"),
        ("OOM", CRIT, "it is full"),
        ("CLUSTERDOWN", CRIT, "slots are not served"),
    ],
)
def test_refused_writes_are_told_apart_by_reason(name: str, severity: Severity, says: str) -> None:
    finding = only(redis_reading(memory=memory(512), **errors(**{name: 7})))
    assert finding.severity is severity
    assert finding.title.startswith("7 writes refused in 12s")
    assert says in finding.title


def test_server_that_has_room_again_is_not_called_full() -> None:
    finding = only(redis_reading(memory=memory(100, policy="noeviction"), **errors(OOM=254)))
    assert finding.severity is WARN
    assert finding.title == "254 writes refused in 12s · OOM: it was full, memory 100/512 MiB now"


def test_errors_of_the_past_and_other_errors_are_no_alarm() -> None:
    assert found(redis_reading(**errors(OOM=0, WRONGTYPE=400, ERR=3))) == ()
    assert found(redis_reading(**errors(None, OOM=7))) == (), "before the second reading nothing is known"


# Clients


def test_connections_that_were_turned_away_are_told() -> None:
    recent = Recent(span_s=60.0, lookups=0, rejected_connections=14)
    data = redis_reading(
        connected_clients=50, maxclients=50, recent=recent, clients=tuple(client(n) for n in range(50))
    )
    finding = only(data)
    assert finding.severity is CRIT
    assert finding.title == "14 connections turned away in 1m00s: clients 50/50"
    assert "by name or address: checkout 50" in finding.evidence


@pytest.mark.parametrize(("used", "is_told"), [(89, False), (90, True)])
def test_clients_near_maxclients_are_told(used: int, is_told: bool) -> None:
    assert bool(found(redis_reading(connected_clients=used, maxclients=100))) is is_told


def test_many_blocked_clients_are_told_by_command() -> None:
    rows = [client(n, flags="b", command="blpop", idle_s=n) for n in range(60)]
    finding = only(redis_reading(blocked_clients=60, clients=tuple(rows)))
    assert finding.severity is WARN
    assert finding.title == "60 clients blocked in blpop 60"
    assert "the longest waits for 59s" in finding.evidence
    assert found(redis_reading(blocked_clients=49)) == ()


@pytest.mark.parametrize(
    ("live", "usual", "lookups", "is_told"),
    [
        (0.61, 0.97, 540_000, True),
        (0.77, 0.97, 540_000, True),
        (0.78, 0.97, 540_000, False),
        (0.61, 0.97, 999, False),
        (0.40, 0.45, 540_000, False),
        (None, 0.97, 0, False),
    ],
)
def test_a_hit_ratio_far_below_the_usual_is_told(
    live: float | None, usual: float, lookups: int, is_told: bool
) -> None:
    recent = Recent(span_s=60.0, lookups=lookups, hit_ratio=live, evicted_keys=0, rejected_connections=0)
    assert bool(found(redis_reading(recent=recent, hit_ratio=usual))) is is_told


def test_evictions_are_named_as_the_cause_of_misses() -> None:
    recent = Recent(span_s=60.0, lookups=540_000, hit_ratio=0.61, evicted_keys=4000, rejected_connections=0)
    finding = only(redis_reading(recent=recent))
    assert finding.title == "hit ratio 61% over 1m00s, 97% since start"
    assert finding.cause == "4000 keys evicted in 1m00s: the working set does not fit"


# Slow commands


def test_slow_commands_that_grow_with_the_data_are_named_with_what_is_gentler() -> None:
    entries = (slow(3, "KEYS", 905.0), slow(2, "KEYS", 800.0, for_s=200), slow(1, "SMEMBERS", 60.0))
    keys, smembers = sorted(found(redis_reading(slowlog=entries)), key=lambda f: f.subject)
    assert keys.title == "KEYS took 905ms, 2 times in 5m00s · from reporting"
    assert "instead: SCAN in steps" in keys.evidence
    assert smembers.subject == "SMEMBERS"
    assert keys.severity is WARN


@pytest.mark.parametrize(
    "entry", [slow(1, "KEYS", 905.0, for_s=301), slow(1, "KEYS", 49.0), slow(1, "GET", 905.0)]
)
def test_old_short_and_other_slow_commands_are_no_finding(entry: Any) -> None:
    assert found(redis_reading(slowlog=(entry,))) == ()


# Persistence, replication, sentinels, cluster


def test_a_failed_save_is_told_with_what_would_be_lost() -> None:
    saved = Persistence(
        rdb_last_save_at=ago(4000), rdb_last_bgsave_status="err", rdb_changes_since_last_save=41_000
    )
    finding = only(redis_reading(persistence=saved))
    assert finding.severity is CRIT
    assert finding.title == "the last save (RDB) failed · 41000 changes not saved"
    assert "the last save that worked (or the start) was 1h06m ago" in finding.evidence


@pytest.mark.parametrize(
    ("facts", "severity"),
    [
        ({"aof_last_write_status": "err"}, CRIT),
        ({"aof_last_bgrewrite_status": "err"}, WARN),
        ({"aof_last_write_status": "err", "aof_enabled": False}, None),
    ],
)
def test_a_failing_append_only_file_is_told_where_it_is_used(
    facts: dict[str, Any], severity: Severity | None
) -> None:
    saved = Persistence(**{"rdb_last_bgsave_status": "ok", "aof_enabled": True, **facts})
    assert [f.severity for f in found(redis_reading(persistence=saved))] == (
        [] if severity is None else [severity]
    )


def test_a_replica_without_its_primary_is_told() -> None:
    down = Replication(
        role="slave",
        primary_address="10.0.0.5:6379",
        link_status="down",
        link_down_for_s=95,
        is_syncing=False,
    )
    finding = only(redis_reading(replication=down))
    assert finding.severity is CRIT
    assert finding.title == "link to its primary 10.0.0.5:6379 is down for 1m35s"
    syncing = msgspec.structs.replace(down, is_syncing=True, sync_left_bytes=2**30)
    assert only(redis_reading(replication=syncing)).severity is WARN


def test_replicas_that_do_not_keep_up_are_told_one_by_one() -> None:
    follow = (
        Replica(address="10.0.0.6:6379", state="online", lag_s=1, lag_bytes=0),
        Replica(address="10.0.0.7:6379", state="online", lag_s=40, lag_bytes=2**20),
        Replica(address="10.0.0.8:6379", state="send_bulk", lag_s=0),
    )
    told = found(redis_reading(replication=Replication(role="master", replicas=follow)))
    assert sorted(f.subject for f in told) == ["10.0.0.7:6379", "10.0.0.8:6379"]


@pytest.mark.parametrize(
    ("status", "has_quorum", "severities"),
    [
        ("ok", True, []),
        ("ok", None, []),
        ("sdown", True, [WARN]),
        ("odown", True, [CRIT]),
        ("ok", False, [CRIT]),
        ("odown", False, [CRIT, CRIT]),
    ],
)
def test_a_sentinel_tells_of_its_primaries(
    status: str, has_quorum: bool | None, severities: list[Severity]
) -> None:
    master = SentinelMaster(name="m1", address="10.0.0.5:6379", status=status, has_quorum=has_quorum)
    data = redis_reading(mode="sentinel", sentinel=(master,), memory=memory(512, policy="noeviction"))
    assert [f.severity for f in found(data)] == severities


def test_a_cluster_that_does_not_serve_all_slots_is_told() -> None:
    assert found(redis_reading(cluster=Cluster(state="ok", slots_fail=0, slots_pfail=0))) == ()
    finding = only(redis_reading(cluster=Cluster(state="fail", slots_fail=5461, slots_pfail=0)))
    assert finding.severity is CRIT
    assert finding.title == "cluster state fail: 5461 slots fail, 0 perhaps"


def test_thresholds_come_from_the_configuration() -> None:
    data = redis_reading(memory=memory(300, policy="noeviction"), blocked_clients=3)
    told = found(data, memory_warn_ratio=0.5, memory_crit_ratio=0.55, blocked_clients=3)
    assert {f.rule: f.severity for f in told} == {"redis.memory": CRIT, "redis.blocked": WARN}
