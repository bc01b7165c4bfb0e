"""Replication, persistence, sentinels and cluster of a Redis. Pure."""

from collections.abc import Iterator

from opsdash.collectors.finding import Finding, Severity, below_one
from opsdash.collectors.format import age, plural, size
from opsdash.collectors.redis.rows import RedisData, Replica
from opsdash.collectors.redis.settings import RedisThresholds
from opsdash.collectors.target import TargetId

PLACE = "keyspace"
"""The view with persistence and replication."""


def replication(data: RedisData, target: TargetId) -> Iterator[Finding]:
    """A replica whose link to its primary is down, or that fetches everything anew."""
    link = data.replication
    if not link.is_replica or link.link_status in (None, "up"):
        return
    lasting = f" for {age(link.link_down_for_s)}" if link.link_down_for_s is not None else ""
    left = f", {size(link.sync_left_bytes)} left" if link.sync_left_bytes else ""
    doing = f"fetches a full copy of {link.primary_address}{left}"
    down = f"link to its primary {link.primary_address} is down{lasting}"
    yield Finding(
        severity=Severity.WARN if link.is_syncing else Severity.CRIT,
        target=target,
        rule="redis.replication",
        title=doing if link.is_syncing else down,
        short=f"full sync{left}" if link.is_syncing else f"link to primary down{lasting}",
        evidence=(
            f"master_link_status {link.link_status}" + (f", down{lasting}" if lasting else ""),
            "what it answers is as old as that, where it answers at all (replica-serve-stale-data)",
        ),
        cause="the copy it had was lost or too old to be continued"
        if link.is_syncing
        else "the primary is down, refuses it (masterauth), or the network between them broke",
        place=PLACE,
        weight=2 + below_one(link.link_down_for_s or 0, 60),
    )


def replicas(data: RedisData, target: TargetId, limits: RedisThresholds) -> Iterator[Finding]:
    """Replicas that do not keep up, as their primary sees them."""
    for replica in data.replication.replicas:
        why = _behind(replica, limits)
        if why is not None:
            yield Finding(
                severity=Severity.WARN,
                target=target,
                rule="redis.replica",
                subject=replica.address,
                title=f"replica {replica.address} {why}",
                short=f"replica {replica.address} {why}",
                evidence=(
                    f"state {replica.state}, last heard of {age(replica.lag_s)} ago, "
                    f"{size(replica.lag_bytes)} behind",
                ),
                cause="it is slow, busy loading, or the network to it is",
                place=PLACE,
                weight=below_one(replica.lag_s or 0, 10),
            )


def _behind(replica: Replica, limits: RedisThresholds) -> str | None:
    if replica.state != "online":
        return f"is not online: {replica.state}"
    if replica.lag_s is not None and replica.lag_s >= limits.replica_lag_s:
        return f"was last heard of {age(replica.lag_s)} ago"
    return None


def persistence(data: RedisData, target: TargetId) -> Iterator[Finding]:
    """Saves that failed: what was written since would be lost with the process."""
    saved = data.persistence
    failed = {
        "the last save (RDB)": saved.rdb_last_bgsave_status,
        "the last write of the append-only file": saved.aof_last_write_status,
        "the last rewrite of the append-only file": saved.aof_last_bgrewrite_status,
    }
    for what, status in failed.items():
        if status in (None, "ok") or ("append-only" in what and not saved.aof_enabled):
            continue
        changes = saved.rdb_changes_since_last_save
        is_grave = "rewrite" not in what
        yield Finding(
            severity=Severity.CRIT if is_grave else Severity.WARN,
            target=target,
            rule="redis.save",
            subject=what,
            title=f"{what} failed" + (f" · {changes} changes not saved" if changes and is_grave else ""),
            short="save failed" if is_grave else "AOF rewrite failed",
            evidence=tuple(_save_evidence(data)),
            cause="no room on its disk, no right to write there, or no memory to fork: see its log",
            place=PLACE,
            weight=2.0,
        )


def _save_evidence(data: RedisData) -> Iterator[str]:
    saved = data.persistence
    if saved.rdb_last_save_at is not None and data.server_now is not None:
        ago = (data.server_now - saved.rdb_last_save_at).total_seconds()
        yield f"the last save that worked (or the start) was {age(ago)} ago"
    if saved.rdb_changes_since_last_save is not None:
        yield f"{plural(saved.rdb_changes_since_last_save, 'change')} since: lost if the process ends now"
    yield "with stop-writes-on-bgsave-error, the default, all writes are refused (MISCONF) until a save works"


def sentinel(data: RedisData, target: TargetId) -> Iterator[Finding]:
    """Primaries that a sentinel holds for down, and failovers that could not be agreed upon."""
    for master in data.sentinel:
        if master.status != "ok":
            is_agreed = master.status != "sdown"
            yield Finding(
                severity=Severity.CRIT if is_agreed else Severity.WARN,
                target=target,
                rule="redis.sentinel",
                subject=f"{master.name} down",
                title=f"primary {master.name} ({master.address}) is {master.status}",
                short=f"{master.name} is {master.status}",
                evidence=(
                    f"{plural(master.replicas or 0, 'replica')} and {master.sentinels} sentinels are known",
                    *((master.quorum,) if master.quorum else ()),
                ),
                cause="the sentinels agree that it is down, and should promote a replica"
                if is_agreed
                else "this sentinel cannot reach it; the others do not say so (yet)",
                place="figures",
                weight=2.0,
            )
        if master.has_quorum is False:
            yield Finding(
                severity=Severity.CRIT,
                target=target,
                rule="redis.sentinel",
                subject=f"{master.name} quorum",
                title=f"no failover of {master.name} is possible: {master.quorum}",
                short=f"{master.name}: no quorum",
                evidence=(f"SENTINEL CKQUORUM {master.name}: {master.quorum}",),
                cause="too few sentinels can be reached",
                place="figures",
                weight=1.0,
            )


def cluster(data: RedisData, target: TargetId) -> Iterator[Finding]:
    """A cluster, as this node sees it, that does not serve all its slots."""
    seen = data.cluster
    if seen is None or (seen.state in (None, "ok") and not seen.slots_fail and not seen.slots_pfail):
        return
    is_down = seen.state not in (None, "ok")
    slots = f"{seen.slots_fail or 0} slots fail, {seen.slots_pfail or 0} perhaps"
    yield Finding(
        severity=Severity.CRIT if is_down else Severity.WARN,
        target=target,
        rule="redis.cluster",
        title=f"cluster state {seen.state}: {slots}",
        short=f"cluster {seen.state}, {slots}",
        evidence=(
            f"cluster_slots_assigned {seen.slots_assigned} of 16384",
            f"{seen.known_nodes} nodes known, {seen.size} primaries serve slots",
        ),
        cause="a primary is gone and no replica took over, or slots belong to nobody",
        place="figures",
        weight=2 + below_one(seen.slots_fail or 0, 16384),
    )
