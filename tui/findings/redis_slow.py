"""Commands in the slow log whose cost grows with the data, and what to use instead. Pure."""

from collections.abc import Iterator
from datetime import timedelta

from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.format import age, duration, moment, plural
from opsdash.collectors.redis.rows import RedisData, SlowEntry
from opsdash.collectors.redis.settings import RedisThresholds
from opsdash.collectors.target import TargetId

INSTEAD = {
    "KEYS": "SCAN in steps",
    "SMEMBERS": "SSCAN in steps, or SISMEMBER",
    "HGETALL": "HSCAN in steps, or HMGET of the fields needed",
    "HKEYS": "HSCAN in steps",
    "HVALS": "HSCAN in steps",
    "LRANGE": "a shorter range",
    "ZRANGE": "a shorter range",
    "ZREVRANGE": "a shorter range",
    "ZRANGEBYSCORE": "LIMIT",
    "ZREVRANGEBYSCORE": "LIMIT",
    "LREM": "a set or a stream",
    "LINDEX": "a hash",
    "LINSERT": "a sorted set",
    "SORT": "a sorted set",
    "SORT_RO": "a sorted set",
    "SUNION": "smaller sets",
    "SUNIONSTORE": "smaller sets, on a replica",
    "SINTER": "smaller sets, or SINTERCARD with LIMIT",
    "SINTERSTORE": "smaller sets",
    "SDIFF": "smaller sets",
    "SDIFFSTORE": "smaller sets",
    "ZUNIONSTORE": "smaller sets",
    "ZINTERSTORE": "smaller sets",
    "DEL": "UNLINK, which frees in the background",
    "FLUSHALL": "FLUSHALL ASYNC",
    "FLUSHDB": "FLUSHDB ASYNC",
    "MGET": "fewer keys at once",
    "MSET": "fewer keys at once",
    "XRANGE": "COUNT",
    "XREVRANGE": "COUNT",
    "BITCOUNT": "a shorter range",
    "BITOP": "a replica",
    "PFCOUNT": "fewer keys at once",
    "EVAL": "a shorter script",
    "EVALSHA": "a shorter script",
    "FCALL": "a shorter function",
}
"""Commands that are O(N), by the documentation of each, and what is gentler."""


def slow_commands(data: RedisData, target: TargetId, limits: RedisThresholds) -> Iterator[Finding]:
    """One finding for each such command that lately took long; it held up every other client meanwhile."""
    if data.server_now is None:
        return
    since = data.server_now - timedelta(seconds=limits.slow_within_s)
    by_command: dict[str, list[SlowEntry]] = {}
    for entry in data.slowlog or ():
        if entry.at >= since and entry.took_ms >= limits.slow_command_ms and entry.command in INSTEAD:
            by_command.setdefault(entry.command, []).append(entry)
    for command, entries in by_command.items():
        yield _finding(data, target, command, entries, limits)


def _finding(
    data: RedisData, target: TargetId, command: str, entries: list[SlowEntry], limits: RedisThresholds
) -> Finding:
    longest = max(entries, key=lambda entry: entry.took_ms)
    took = duration(longest.took_ms / 1000)
    span = age(limits.slow_within_s)
    who = longest.client_name or longest.client_addr
    return Finding(
        severity=Severity.WARN,
        target=target,
        rule="redis.slow",
        subject=command,
        title=f"{command} took {took}, {plural(len(entries), 'time')} in {span}"
        + (f" · from {who}" if who else ""),
        short=f"{command} took {took}, {len(entries)}x in {span}",
        evidence=(
            f"slow log: {command} with {plural(longest.arguments, 'argument')} at {moment(longest.at)} UTC",
            "nobody else was served meanwhile: commands run one at a time",
            f"instead: {INSTEAD[command]}",
        ),
        cause=f"{command} takes longer the more data there is",
        basis="the server's slow log",
        place="slowlog",
        weight=longest.took_ms / 1000,
    )
