"""The parts of a line about a Redis: each a few words with its tone."""

from opsdash.collectors.feed import TargetView
from opsdash.collectors.format import age, number, percent
from opsdash.collectors.redis.memory import refuses_when_full
from opsdash.collectors.redis.rows import RedisData
from opsdash.collectors.redis.settings import RedisSettings, RedisThresholds
from opsdash.widgets.status import Tone

WRITE_REFUSALS = ("OOM", "MISCONF", "NOREPLICAS", "READONLY", "CLUSTERDOWN")
"""Errors that refuse a write."""


def thresholds_of(view: TargetView) -> RedisThresholds:
    """The thresholds of a Redis target."""
    settings = view.target.settings
    assert isinstance(settings, RedisSettings)
    return settings.thresholds


def memory_tone(data: RedisData, thresholds: RedisThresholds) -> Tone:
    """Red and yellow only where a full server refuses writes; a full cache is fine."""
    ratio = data.memory.used_ratio
    if data.memory.maxmemory_bytes is None:
        return Tone.UNKNOWN
    if ratio is None or data.replication.is_replica or not refuses_when_full(data.memory, data.databases):
        return Tone.OK
    if ratio >= thresholds.memory_crit_ratio:
        return Tone.CRIT
    return Tone.WARN if ratio >= thresholds.memory_warn_ratio else Tone.OK


def refused_writes(data: RedisData) -> int | None:
    """Writes refused in the last minute, for whatever reason; None when not known yet."""
    if data.recent.span_s is None:
        return None
    return sum(error.recent or 0 for error in data.errors if error.name in WRITE_REFUSALS)


def hit_ratio(data: RedisData) -> float | None:
    """Live where anything was looked up, else since start; None without any lookup."""
    return data.hit_ratio if data.rates.hit_ratio is None else data.rates.hit_ratio


def hit_word(data: RedisData) -> str:
    """The same with the time that it is about."""
    if data.rates.hit_ratio is not None:
        return f"hit ratio {percent(data.rates.hit_ratio)} over {age(data.rates.span_s)}"
    if data.hit_ratio is not None:
        return f"hit ratio {percent(data.hit_ratio)} since start"
    return "hit ratio - (no lookups)"


def ops_word(data: RedisData) -> str:
    """Commands per second."""
    return f"ops {number(data.rates.ops_per_s)}/s"


def clients_word(data: RedisData) -> str:
    """Connected clients, and what the server takes at most.

    >>> from types import SimpleNamespace as D
    >>> clients_word(D(connected_clients=212, maxclients=10000)), clients_word(D(connected_clients=None))
    ('clients 212/10.0k', 'clients -')
    """
    if data.connected_clients is None:
        return "clients -"
    most = f"/{number(data.maxclients)}" if data.maxclients else ""
    return f"clients {data.connected_clients}{most}"
