"""What is wrong inside a Redis or Valkey server that answers. Pure."""

from collections.abc import Iterator

from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.format import age, duration, percent, plural
from opsdash.collectors.redis.rows import RedisData
from opsdash.collectors.redis.settings import RedisSettings, RedisThresholds
from opsdash.collectors.target import Target
from opsdash.tui.findings.redis_memory import memory, per_s, refused_writes
from opsdash.tui.findings.redis_replication import cluster, persistence, replicas, replication, sentinel
from opsdash.tui.findings.redis_slow import slow_commands


def findings(data: RedisData, target: Target) -> tuple[Finding, ...]:
    """All findings of one reading, in no particular order.

    Args:
        data: The reading.
        target: Its target; the settings are `RedisSettings`.
    """
    settings = target.settings
    limits = settings.thresholds if isinstance(settings, RedisSettings) else RedisThresholds()
    full = tuple(memory(data, target.id, limits))
    return (
        *full,
        *refused_writes(data, target.id, is_told_full=bool(full)),
        *_rejected(data, target),
        *_clients(data, target, limits),
        *_blocked(data, target, limits),
        *_hit_ratio(data, target, limits),
        *slow_commands(data, target.id, limits),
        *persistence(data, target.id),
        *replication(data, target.id),
        *replicas(data, target.id, limits),
        *sentinel(data, target.id),
        *cluster(data, target.id),
    )


def _rejected(data: RedisData, target: Target) -> Iterator[Finding]:
    """Connections that were turned away because maxclients was reached."""
    recent = data.recent
    if not recent.rejected_connections:
        return
    count = plural(recent.rejected_connections, "connection")
    yield Finding(
        severity=Severity.CRIT,
        target=target.id,
        rule="redis.rejected",
        title=f"{count} turned away in {age(recent.span_s)}: clients {_clients_word(data)}",
        short=f"{count} turned away, clients {_clients_word(data)}",
        evidence=(
            f"rejected_connections grew by {recent.rejected_connections} in {age(recent.span_s)}",
            *_clients_evidence(data),
        ),
        cause="maxclients is reached: whoever connects now gets an error",
        basis=f"readings over {age(recent.span_s)}",
        place="clients",
        weight=1 + per_s(recent.rejected_connections, recent),
    )


def _clients(data: RedisData, target: Target, limits: RedisThresholds) -> Iterator[Finding]:
    """Clients near maxclients."""
    used, most = data.connected_clients, data.maxclients
    if (
        used is None
        or not most
        or used / most < limits.clients_warn_ratio
        or data.recent.rejected_connections
    ):
        return
    yield Finding(
        severity=Severity.WARN,
        target=target.id,
        rule="redis.clients",
        title=f"clients {used} of {most} ({percent(used / most)})",
        short=f"clients {used}/{most}",
        evidence=tuple(_clients_evidence(data)),
        cause="pools are larger than they need to be, or connections leak",
        place="clients",
        weight=used / most,
    )


def _clients_word(data: RedisData) -> str:
    return f"{data.connected_clients}/{data.maxclients}"


def _clients_evidence(data: RedisData) -> Iterator[str]:
    yield f"connected_clients {data.connected_clients}, maxclients {data.maxclients}"
    names: dict[str, int] = {}
    for client in data.clients or ():
        who = client.name or client.addr.rpartition(":")[0]
        names[who] = names.get(who, 0) + 1
    most = sorted(names.items(), key=lambda item: -item[1])[:5]
    if most:
        yield "by name or address: " + ", ".join(f"{who} {count}" for who, count in most)


def _blocked(data: RedisData, target: Target, limits: RedisThresholds) -> Iterator[Finding]:
    """Many clients in blocking commands."""
    if data.blocked_clients is None or data.blocked_clients < limits.blocked_clients:
        return
    blocked = [client for client in data.clients or () if client.is_blocked]
    commands: dict[str, int] = {}
    for client in blocked:
        commands[client.command] = commands.get(client.command, 0) + 1
    listed = ", ".join(f"{name} {count}" for name, count in sorted(commands.items(), key=lambda c: -c[1])[:3])
    longest = max((c.idle_s for c in blocked if c.idle_s is not None), default=None)
    yield Finding(
        severity=Severity.WARN,
        target=target.id,
        rule="redis.blocked",
        title=f"{data.blocked_clients} clients blocked" + (f" in {listed}" if listed else ""),
        short=f"{data.blocked_clients} clients blocked",
        evidence=(
            f"blocked_clients {data.blocked_clients} of {data.connected_clients} connected",
            *((f"the longest waits for {age(longest)}",) if longest is not None else ()),
        ),
        cause="consumers with nothing to consume: look at who should fill their lists or streams",
        place="clients",
        weight=float(data.blocked_clients),
    )


def _hit_ratio(data: RedisData, target: Target, limits: RedisThresholds) -> Iterator[Finding]:
    """A hit ratio that fell well below the usual one."""
    recent, usual = data.recent, data.hit_ratio
    if recent.hit_ratio is None or usual is None or (recent.lookups or 0) < limits.hit_min_lookups:
        return
    if round(usual - recent.hit_ratio, 6) < limits.hit_drop_ratio:  # 0.97 - 0.77 is 0.2 here
        return
    span = age(recent.span_s)
    evicted = recent.evicted_keys or 0
    cause = "many keys expired or were deleted at once, or another set of keys is asked for"
    if evicted:
        cause = f"{plural(evicted, 'key')} evicted in {span}: the working set does not fit"
    yield Finding(
        severity=Severity.WARN,
        target=target.id,
        rule="redis.hit_ratio",
        title=f"hit ratio {percent(recent.hit_ratio)} over {span}, {percent(usual)} since start",
        short=f"hit ratio {percent(recent.hit_ratio)}, usually {percent(usual)}",
        evidence=(
            f"{recent.lookups} lookups in {span}, {percent(1 - recent.hit_ratio)} of them missed",
            f"since start or CONFIG RESETSTAT {percent(usual)} hit; up for {duration(data.uptime_s)}",
        ),
        cause=cause,
        basis=f"readings over {span}",
        place="figures",
        weight=usual - recent.hit_ratio,
    )
