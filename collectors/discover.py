"""Targets that the environment names. Nothing is connected to, and no name is looked up."""

from collections.abc import Callable, Mapping

import msgspec

from opsdash.collectors.registry import KINDS, load
from opsdash.collectors.target import Environment, Target, TargetId

INTERVAL_S = 2.0
"""How often a target is read when nobody said otherwise."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A target that the environment names."""

    name: str
    """What people will see and type; cleaned; holds no secret."""
    settings: msgspec.Struct
    source: str
    """The variables that named it: "DATABASE_URL", "PGHOST, PGDATABASE"."""


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the environment that looked like a target and is none that can be watched."""

    source: str
    reason: str


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind found; returned by the function that its registration names as `discover`."""

    looked_for: tuple[str, ...]
    """The variables it looks at, the most usual first."""
    found: tuple[Found, ...] = ()
    skipped: tuple[Skipped, ...] = ()


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found, and the report of it."""

    targets: tuple[Target, ...]
    notes: tuple[str, ...]
    """One line per thing found or skipped, and why."""
    looked_for: tuple[str, ...]


def discover(environ: Mapping[str, str], environment: Environment) -> Discovery:
    """Look for targets of every kind in the environment's variables.

    Args:
        environ: The variables, as in `os.environ`.
        environment: Where the targets belong; `Environment()` when nobody stated it.
    """
    targets: list[Target] = []
    notes: list[str] = []
    looked_for: list[str] = []
    for name, kind in KINDS.items():
        look: Callable[[Mapping[str, str]], Looked] = load(kind.discover)
        looked = look(environ)
        looked_for.extend(looked.looked_for)
        for found in looked.found:
            notes.append(f"found {name} {found.name} in {found.source}")
            targets.append(
                Target(
                    id=TargetId(name, found.name),
                    environment=environment,
                    interval_s=INTERVAL_S,
                    settings=found.settings,
                    source=found.source,
                )
            )
        notes.extend(f"skipped {skipped.source}: {skipped.reason}" for skipped in looked.skipped)
    return Discovery(targets=tuple(targets), notes=tuple(notes), looked_for=tuple(looked_for))
