"""Lines of one Redis: memory, replication, persistence, errors, latency, in plain words."""

from collections.abc import Iterator

from opsdash.collectors.format import age, number, percent, plural, size
from opsdash.collectors.redis.memory import fragmentation_words, policy_words
from opsdash.collectors.redis.rows import ClientRow, RedisData
from opsdash.widgets.facts import Fact, fact_lines
from opsdash.widgets.lines import Line
from opsdash.widgets.panels.redis.tables import state_word
from opsdash.widgets.status import Tone

_INDENT = 13
_MOST = 8
"""Lines of a list of errors or events."""


def figure_lines(data: RedisData, width: int) -> tuple[Line, ...]:
    """Everything that is not a table."""
    return fact_lines(_figures(data), width, indent=_INDENT)


def _figures(data: RedisData) -> Iterator[Fact]:
    yield from _memory(data)
    yield from _work(data)
    yield from _cluster(data)
    yield from _errors(data)
    yield from _latency(data)
    if data.memory_doctor is not None:
        yield "doctor", data.memory_doctor, Tone.NORMAL
    for limit in data.limits:
        yield "not seen", limit, Tone.MUTED


def _memory(data: RedisData) -> Iterator[Fact]:
    held = data.memory
    if held.used_memory_bytes is None:
        return
    policy = policy_words(held, data.databases, is_replica=data.replication.is_replica)
    yield "memory", f"{held.word} · {policy}", Tone.NORMAL
    yield (
        "",
        f"peak {size(held.used_memory_peak_bytes)} · taken from the system "
        f"{size(held.used_memory_rss_bytes)} of {size(held.total_system_memory_bytes)} · "
        f"buffers of clients {size(held.clients_bytes)}",
        Tone.NORMAL,
    )
    words = fragmentation_words(held)
    ratio = "-" if held.fragmentation_ratio is None else f"{held.fragmentation_ratio:.1f}"
    wasted = size(held.fragmentation_bytes)
    yield "", words or f"fragmentation {ratio}, {wasted}: nothing to worry about", _tone(words)
    if held.lazyfree_pending:
        yield "", f"{plural(held.lazyfree_pending, 'value')} unlinked, not freed yet", Tone.NORMAL


def _tone(warning: str | None) -> Tone:
    return Tone.WARN if warning else Tone.NORMAL


def _work(data: RedisData) -> Iterator[Fact]:
    live, recent = data.rates, data.recent
    if live.span_s is None:
        yield "rates", "two readings are needed, one is there", Tone.MUTED
    else:
        yield (
            "rates",
            f"over {age(live.span_s)}: ops {number(live.ops_per_s)}/s · "
            f"lookups {number(live.lookups_per_s)}/s · hit {percent(live.hit_ratio)} · "
            f"evicted {number(live.evicted_per_s)}/s · expired {number(live.expired_per_s)}/s · "
            f"new connections {number(live.connections_per_s)}/s",
            Tone.NORMAL,
        )
        yield (
            "",
            f"over {age(recent.span_s)}: hit {percent(recent.hit_ratio)} of {number(recent.lookups)} "
            f"lookups · evicted {number(recent.evicted_keys)} · rejected connections "
            f"{number(recent.rejected_connections)}",
            Tone.NORMAL,
        )
    yield (
        "since start",
        f"{age(data.uptime_s)} (or CONFIG RESETSTAT): hit {percent(data.hit_ratio)} · "
        f"evicted {number(data.evicted_keys)} · rejected connections {number(data.rejected_connections)}",
        Tone.NORMAL,
    )


def _cluster(data: RedisData) -> Iterator[Fact]:
    if data.cluster is not None:
        seen = data.cluster
        is_ok = seen.state == "ok"
        yield (
            "cluster",
            f"{seen.state} · slots {number(seen.slots_assigned)} of 16384, {seen.slots_fail} fail, "
            f"{seen.slots_pfail} perhaps · {seen.known_nodes} nodes, {seen.size} serve slots",
            Tone.OK if is_ok else Tone.CRIT,
        )
    for master in data.sentinel:
        yield (
            "watches",
            f"{master.name} {master.status} at {master.address} · replicas {master.replicas} · "
            f"sentinels {master.sentinels} · {master.quorum or 'quorum unknown'}",
            Tone.OK if master.status == "ok" and master.has_quorum is not False else Tone.CRIT,
        )


def _errors(data: RedisData) -> Iterator[Fact]:
    for index, error in enumerate(data.errors[:_MOST]):
        recent = "" if error.recent is None else f", {error.recent} in {age(data.recent.span_s)}"
        tone = Tone.WARN if error.recent else Tone.MUTED
        yield "" if index else "errors", f"{error.name}: {error.count} since start{recent}", tone


def _latency(data: RedisData) -> Iterator[Fact]:
    if data.latency is None:
        return
    if not data.latency:
        yield "latency", "no event recorded (latency-monitor-threshold 0 records none)", Tone.MUTED
    for index, event in enumerate(data.latency[:_MOST]):
        text = f"{event.event}: worst {event.max_ms} ms, last {event.latest_ms} ms at {event.at:%H:%M:%S} UTC"
        yield "" if index else "latency", text, Tone.NORMAL


def keyspace_lines(data: RedisData, width: int) -> tuple[Line, ...]:
    """Persistence and replication, below the table of databases."""
    return fact_lines(_keyspace(data), width, indent=_INDENT)


def _keyspace(data: RedisData) -> Iterator[Fact]:
    yield from _persistence(data)
    yield from _replication(data)
    for limit in data.limits:
        yield "not seen", limit, Tone.MUTED


def _persistence(data: RedisData) -> Iterator[Fact]:
    saved = data.persistence
    status = saved.rdb_last_bgsave_status
    if status is None:
        return
    ago = None
    if saved.rdb_last_save_at is not None and data.server_now is not None:
        ago = (data.server_now - saved.rdb_last_save_at).total_seconds()
    took = "" if saved.rdb_last_bgsave_s is None else f", took {age(saved.rdb_last_bgsave_s)}"
    running = " · one runs now" if saved.rdb_bgsave_in_progress else ""
    yield (
        "save (RDB)",
        f"last {status}{took} · saved, or started, {age(ago)} ago · "
        f"{number(saved.rdb_changes_since_last_save)} changes since{running}",
        Tone.NORMAL if status == "ok" else Tone.CRIT,
    )
    if saved.aof_enabled:
        is_ok = saved.aof_last_write_status == "ok"
        text = f"last write {saved.aof_last_write_status} · last rewrite {saved.aof_last_bgrewrite_status}"
        yield "append-only", text, Tone.NORMAL if is_ok else Tone.CRIT
    else:
        yield "append-only", "off: what was written since the last save is lost with the process", Tone.NORMAL
    if saved.latest_fork_ms is not None:
        yield "fork", f"the last one held everybody up for {number(saved.latest_fork_ms)} ms", Tone.NORMAL


def _replication(data: RedisData) -> Iterator[Fact]:
    link = data.replication
    if link.is_replica:
        down = f" for {age(link.link_down_for_s)}" if link.link_down_for_s is not None else ""
        left = f" · full copy, {size(link.sync_left_bytes)} left" if link.is_syncing else ""
        yield (
            "replica of",
            f"{link.primary_address} · link {link.link_status}{down} · "
            f"last heard {age(link.last_io_s)} ago{left}",
            Tone.NORMAL if link.link_status == "up" else Tone.CRIT,
        )
    elif not link.replicas:
        yield "replicas", "none", Tone.MUTED
    for index, replica in enumerate(link.replicas):
        yield (
            "" if index else "replicas",
            f"{replica.address} {replica.state} · last heard {age(replica.lag_s)} ago · "
            f"{size(replica.lag_bytes)} behind",
            Tone.NORMAL if replica.state == "online" else Tone.WARN,
        )


def client_detail(client: ClientRow, width: int) -> tuple[Line, ...]:
    """All that CLIENT LIST says of one client."""
    return fact_lines(_client(client), width, indent=_INDENT)


def _client(client: ClientRow) -> Iterator[Fact]:
    yield "client", f"{client.id} · {client.addr} · {client.name or 'no name'}", Tone.NORMAL
    library = f" · library {client.library}" if client.library else ""
    yield "user", f"{client.user or 'unknown'} · database {client.db}{library}", Tone.NORMAL
    yield "connected", f"for {age(client.age_s)}, idle for {age(client.idle_s)}", Tone.NORMAL
    yield "last command", f"{client.command or 'none'} (its arguments are not kept)", Tone.NORMAL
    state = state_word(client)
    if state:
        yield "state", state, Tone.WARN if client.is_blocked else Tone.NORMAL
    if client.queued is not None:
        yield "transaction", f"{plural(client.queued, 'command')} queued in MULTI", Tone.NORMAL
    if client.subscriptions:
        yield (
            "subscribed",
            plural(client.subscriptions, "channel", "channels or patterns"),
            Tone.NORMAL,
        )
    yield "memory", f"{size(client.memory_bytes)}, answers not read {size(client.output_bytes)}", Tone.NORMAL
