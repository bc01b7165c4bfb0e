"""A Redis that is full, or refuses writes. Pure."""

from collections.abc import Iterator

from opsdash.collectors.finding import Finding, Severity, SuggestedAction
from opsdash.collectors.format import age, percent, plural, size
from opsdash.collectors.redis.memory import expiry_words, policy_words, refuses_when_full
from opsdash.collectors.redis.rows import Recent, RedisData
from opsdash.collectors.redis.settings import RedisThresholds
from opsdash.collectors.target import TargetId

SYSTEM_WARN_RATIO, SYSTEM_CRIT_RATIO = 0.80, 0.90
"""Share of the machine's memory, for a server without a limit of its own."""


def memory(data: RedisData, target: TargetId, limits: RedisThresholds) -> Iterator[Finding]:
    """A server that will refuse writes when full, near that; or one without a limit, near the machine's.

    A full cache that evicts is doing its work, and no finding. A replica keeps what its primary keeps.
    """
    if data.replication.is_replica or data.mode == "sentinel":
        return
    if data.memory.maxmemory_bytes == 0:
        yield from _unlimited(data, target)
        return
    ratio = data.memory.used_ratio
    if ratio is None or not refuses_when_full(data.memory, data.databases):
        return
    if ratio < limits.memory_warn_ratio:
        return
    policy = data.memory.maxmemory_policy
    refused = _recent_error(data, "OOM")
    told = (
        f"{refused} writes refused (OOM) in {age(data.recent.span_s)}" if refused else "full: writes refused"
    )
    if ratio < 1 and not refused:
        told = f"writes are refused at 100 %, now {percent(ratio)}"
    nothing = "" if policy == "noeviction" else ", nothing can be evicted"
    yield Finding(
        severity=Severity.CRIT if ratio >= limits.memory_crit_ratio else Severity.WARN,
        target=target,
        rule="redis.memory",
        title=f"memory {data.memory.word}, {policy}{nothing} · {told}",
        short=f"memory {data.memory.word}{', writes refused' if refused or ratio >= 1 else ''}, {policy}",
        evidence=tuple(_memory_evidence(data)),
        cause=_cause(data),
        basis="one reading" if not refused else f"readings over {age(data.recent.span_s)}",
        place="figures",
        actions=_on_server(data, "redis.maxmemory", "redis.policy", "redis.purge"),
        weight=ratio + per_s(refused, data.recent),
    )


def _memory_evidence(data: RedisData) -> Iterator[str]:
    held = data.memory
    yield f"{size(held.counted_bytes)} of maxmemory {size(held.maxmemory_bytes)} ({percent(held.used_ratio)})"
    yield policy_words(held, data.databases)
    yield expiry_words(data.databases)
    if held.clients_bytes and held.counted_bytes and held.clients_bytes > held.counted_bytes * 0.1:
        yield f"{size(held.clients_bytes)} of it are buffers of clients: see the largest among them"
    if held.total_system_memory_bytes:
        yield f"the machine has {size(held.total_system_memory_bytes)}"


def _cause(data: RedisData) -> str:
    held = data.memory
    if held.clients_bytes and held.counted_bytes and held.clients_bytes > held.counted_bytes * 0.3:
        return "buffers of clients take a good part of it: one reads slowly, or asks for too much at once"
    if held.maxmemory_policy == "noeviction":
        return "data grows and nothing is evicted: a cache needs another policy, all else a larger limit"
    return "only keys with an expiry may be evicted, and none has one"


def _unlimited(data: RedisData, target: TargetId) -> Iterator[Finding]:
    """Without maxmemory the machine's memory is the limit, and the kernel ends who reaches it."""
    rss, total = data.memory.used_memory_rss_bytes, data.memory.total_system_memory_bytes
    if rss is None or not total or rss / total < SYSTEM_WARN_RATIO:
        return
    yield Finding(
        severity=Severity.CRIT if rss / total >= SYSTEM_CRIT_RATIO else Severity.WARN,
        target=target,
        rule="redis.memory",
        title=f"takes {size(rss)} of the machine's {size(total)}, and has no maxmemory",
        short=f"{percent(rss / total)} of the machine's memory",
        evidence=(f"used_memory_rss is {percent(rss / total)} of total_system_memory",),
        cause="nothing limits it: the kernel ends it when memory runs out, also during a save",
        place="figures",
        actions=_on_server(data, "redis.maxmemory"),
        weight=rss / total,
    )


_REFUSALS = {
    "OOM": ("OOM: it is full", Severity.CRIT, "maxmemory is reached and nothing can be evicted"),
    "MISCONF": (
        "MISCONF: its last save failed",
        Severity.CRIT,
        "it cannot save to disk, and refuses writes rather than lose them: see its log, disk and memory",
    ),
    "NOREPLICAS": (
        "NOREPLICAS: too few replicas follow",
        Severity.CRIT,
        "min-replicas-to-write is not met: see the replicas",
    ),
    "READONLY": (
        "READONLY: it is a replica",
        Severity.WARN,
        "clients write to a replica: they were configured so, or there was a failover that they missed",
    ),
    "CLUSTERDOWN": (
        "CLUSTERDOWN: slots are not served",
        Severity.CRIT,
        "see CLUSTER INFO and the other nodes",
    ),
}


_ROOM_BELOW = 0.9
"""Share of maxmemory below which a server is not full any more."""


def refused_writes(data: RedisData, target: TargetId, *, is_told_full: bool) -> Iterator[Finding]:
    """Clients were told in the last minute that their write is not taken, by reason.

    Args:
        data: The reading.
        target: Its target.
        is_told_full: Whether another finding says already that it is full.
    """
    for name, (words, severity, cause) in _REFUSALS.items():
        count = _recent_error(data, name)
        if not count or (name == "OOM" and is_told_full):
            continue
        span = age(data.recent.span_s)
        if name == "OOM" and _has_room(data):
            words, severity = f"OOM: it was full, memory {data.memory.word} now", Severity.WARN
        yield Finding(
            severity=severity,
            target=target,
            rule="redis.refused",
            subject=name,
            title=f"{plural(count, 'write')} refused in {span} · {words}",
            short=f"{plural(count, 'write')} refused, {name}",
            evidence=(f"errorstat_{name} grew by {count} in {span}", *_memory_evidence(data)),
            cause=cause,
            basis=f"readings over {span}",
            place="keyspace" if name in ("MISCONF", "NOREPLICAS") else "figures",
            actions=_on_server(data, "redis.maxmemory", "redis.purge") if name == "OOM" else (),
            weight=1 + per_s(count, data.recent),
        )


def _has_room(data: RedisData) -> bool:
    """Whether it has room again: what was refused was before that."""
    ratio = data.memory.used_ratio
    return ratio is not None and ratio < _ROOM_BELOW


def per_s(count: int, recent: Recent) -> float:
    """How many a second, where `count` was seen in the window of `recent`."""
    return count / max(recent.span_s or 0.0, 1.0)


def _recent_error(data: RedisData, name: str) -> int:
    return next((e.recent or 0 for e in data.errors if e.name == name), 0)


def _on_server(data: RedisData, *actions: str) -> tuple[SuggestedAction, ...]:
    return tuple(SuggestedAction(action=name, identity=data.default_database) for name in actions)
