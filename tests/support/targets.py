"""Targets made by hand."""

from typing import Any

from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.target import Environment, Target, TargetId


def postgres_target(dsn: str, *, name: str = "orders", interval_s: float = 2.0, **settings: Any) -> Target:
    """A PostgreSQL target outside production; `settings` are those of its kind."""
    return Target(
        id=TargetId("postgres", name),
        environment=Environment(name="test", production=False),
        interval_s=interval_s,
        settings=PostgresSettings(dsn=dsn, **settings),
        source="a test",
    )
