"""What is watched: names, environments and settings. Never a client."""

import re
from typing import Literal

import msgspec

GuardPolicy = Literal["deny", "confirm", "type"]
"""How strict the guard of a target is at least: refuse, ask for `y`, ask for the typed name."""

_PRODUCTION_NAME = re.compile(r"^(prod|production|prd|live)([-_. ]|$)", re.IGNORECASE)


class TargetId(msgspec.Struct, frozen=True, order=True):
    """The identity of a target: its kind (`postgres`) and its name in the configuration (`orders`)."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Where a target belongs, and how strict the guard is there."""

    name: str | None = None
    """None: nobody stated it. The target is then treated as production and shown as `env unknown`."""
    production: bool = True
    actions: GuardPolicy = "confirm"

    @property
    def label(self) -> str:
        """The word shown beside the target's name.

        >>> Environment(name="staging", production=False).label, Environment().label
        ('staging', 'env unknown')
        """
        return self.name or "env unknown"


def environment(
    name: str | None, production: bool | None = None, actions: GuardPolicy = "confirm"
) -> Environment:
    """An environment from what the configuration states.

    A name alone is production when it begins with prod, production, prd or live; a stated
    `production` wins over the name; nothing stated counts as production.

    >>> environment("prod-eu").production, environment("staging").production
    (True, False)
    >>> environment(None).production, environment(None, production=False).label
    (True, 'not production')
    """
    if name is None and production is None:
        return Environment(actions=actions)
    if production is None:
        production = _PRODUCTION_NAME.match(name or "") is not None
    if name is None:
        name = "production" if production else "not production"
    return Environment(name=name, production=production, actions=actions)


class Target(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One thing that is watched."""

    id: TargetId
    environment: Environment
    interval_s: float
    settings: msgspec.Struct
    """The kind's own settings, decoded: for example `postgres.settings.PostgresSettings`."""
    source: str
    """Where opsdash has it from, for people: a file and key, or the environment variable that named it."""

    @property
    def name(self) -> str:
        """The name people gave it."""
        return self.id.name
