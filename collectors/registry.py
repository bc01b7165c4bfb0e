"""Kinds of targets: name -> settings and collector, imported only when such a target exists."""

import importlib
from typing import Any

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.collector import Collector
from opsdash.collectors.target import Target


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What the registry knows of a kind without importing its client library."""

    settings: str
    """`module:class` of the settings, decoded from one table of the configuration."""
    collector: str
    """`module:class` of the collector, called with (target, clock)."""
    discover: str
    """`module:function` that finds targets in the environment; see `discover.py`."""
    doctor: str | None = None
    """`module:function` that finds out what is missing, see `diagnosis.py`; None: it is read once."""
    first_table: str | None = None
    """`module:function` that says what `opsdash init` writes, see `first_table.py`; None: nothing."""
    interval_s: float = 2.0
    """Seconds between two readings where the configuration says nothing."""
    shortest_interval_s: float = 0.5
    """The configuration may not ask for less."""


KINDS: dict[str, Kind] = {
    "postgres": Kind(
        settings="opsdash.collectors.postgres.settings:PostgresSettings",
        collector="opsdash.collectors.postgres.collector:PostgresCollector",
        discover="opsdash.collectors.postgres.discover:discover",
        doctor="opsdash.collectors.postgres.doctor:diagnose",
        first_table="opsdash.collectors.postgres.first_table:first_table",
    ),
    "redis": Kind(
        settings="opsdash.collectors.redis.settings:RedisSettings",
        collector="opsdash.collectors.redis.collector:RedisCollector",
        discover="opsdash.collectors.redis.discover:discover",
        doctor="opsdash.collectors.redis.doctor:diagnose",
        first_table="opsdash.collectors.redis.first_table:first_table",
    ),
    "http": Kind(
        settings="opsdash.collectors.http.settings:HttpSettings",
        collector="opsdash.collectors.http.collector:HttpCollector",
        discover="opsdash.collectors.http.discover:discover",
        doctor="opsdash.collectors.http.doctor:diagnose",
    ),
    "docker": Kind(
        settings="opsdash.collectors.docker.settings:DockerSettings",
        collector="opsdash.collectors.docker.collector:DockerCollector",
        discover="opsdash.collectors.docker.discover:discover",
        doctor="opsdash.collectors.docker.doctor:diagnose",
        first_table="opsdash.collectors.docker.first_table:first_table",
    ),
    "host": Kind(
        settings="opsdash.collectors.host.settings:HostSettings",
        collector="opsdash.collectors.host.collector:HostCollector",
        discover="opsdash.collectors.host.discover:discover",
    ),
    "log": Kind(
        settings="opsdash.collectors.logs.settings:LogSettings",
        collector="opsdash.collectors.logs.collector:LogCollector",
        discover="opsdash.collectors.logs.discover:discover",
        doctor="opsdash.collectors.logs.doctor:diagnose",
        interval_s=0.25,
        shortest_interval_s=0.1,
    ),
}


def load(reference: str) -> Any:
    """Import what `module:name` names."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


def make_collector(target: Target, clock: Clock) -> Collector[Any]:
    """The collector of a target; imports its client library."""
    collector: Collector[Any] = load(KINDS[target.id.kind].collector)(target, clock)
    return collector
