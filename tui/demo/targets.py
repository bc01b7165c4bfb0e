"""What opsdash is told of the demo's servers; its thresholds are seconds: nobody watches for minutes."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from opsdash.collectors.docker.settings import DockerSettings
from opsdash.collectors.http.settings import HttpSettings, HttpThresholds
from opsdash.collectors.logs.settings import LogSettings
from opsdash.collectors.postgres.settings import PostgresSettings, PostgresThresholds
from opsdash.collectors.redis.settings import RedisSettings
from opsdash.collectors.target import Target, TargetId, environment
from opsdash.tui.demo.containers import LABEL
from opsdash.tui.demo.schema import ACTION_ROLE, MONITOR_ROLE
from opsdash.tui.demo.servers import HOST
from opsdash.tui.demo.stories import SHOP_NAME

_INTERVAL_S = 1.0
_LOG_INTERVAL_S = 0.25
_POSTGRES = PostgresThresholds(wait_warn_s=5.0, wait_crit_s=20.0, idle_in_transaction_s=20.0)
_HTTP = HttpThresholds(latency_warn_s=0.3, latency_crit_s=1.0)
_WINDOW = 15
"""Probes that the figures of an endpoint are over: a solved incident is green soon after."""

SERVICE = "api"
"""The name that the shop's endpoints stand under."""


def postgres(name: str, port: int, database: str) -> Target:
    """A PostgreSQL server, watched by one role and acted upon by another."""

    def dsn(role: str) -> str:
        # Encryption is stated, so that a PGSSLMODE of the person who tries the demo cannot get in the way.
        return f"host={HOST} port={port} dbname={database} user={role} sslmode=disable gssencmode=disable"

    settings = PostgresSettings(dsn=dsn(MONITOR_ROLE), act_dsn=dsn(ACTION_ROLE), thresholds=_POSTGRES)
    return _target("postgres", name, settings)


def redis(name: str, url: str) -> Target:
    """A Valkey server."""
    return _target("redis", name, RedisSettings(url=url))


def endpoint(path: str, port: int, depends: dict[str, str]) -> Target:
    """A path of the shop's interface.

    Args:
        path: "/health", for example.
        port: Where it listens, without TLS.
        depends: What its body calls a dependency -> the name of its target.
    """
    settings = HttpSettings(
        url=f"http://{HOST}:{port}{path}",
        service=SERVICE,
        depends=depends,
        window=_WINDOW,
        thresholds=_HTTP,
    )
    return _target("http", f"{SERVICE} {path}", settings)


def page(name: str, port: int, ca_file: str) -> Target:
    """The shop's pages over TLS, under a name that no name server needs to know."""
    settings = HttpSettings(
        url=f"https://{SHOP_NAME}:{port}/",
        connect=f"{HOST}:{port}",
        ca_file=ca_file,
        window=_WINDOW,
        thresholds=_HTTP,
    )
    return _target("http", name, settings)


def engine(path: str, run: str) -> Target:
    """A Docker engine, of which only this demo's containers are looked at, and can be acted upon."""
    settings = DockerSettings(host=f"unix://{path}", label=f"{LABEL}={run}")
    return _target("docker", "engine", settings)


def logs(paths: Iterable[Path]) -> Target:
    """What the demo's programs print."""
    return _target("log", "logs", LogSettings(path=tuple(map(str, paths))), _LOG_INTERVAL_S)


def _target(kind: str, name: str, settings: msgspec.Struct, interval_s: float = _INTERVAL_S) -> Target:
    return Target(
        id=TargetId(kind, name),
        environment=environment("demo", production=False),
        interval_s=interval_s,
        settings=settings,
        source="opsdash demo",
    )
