"""What `up` and `down` would change of a project, service by service. Pure."""

import enum
from collections.abc import Mapping, Sequence

import msgspec

from opsdash.tui.actions.docker.inspection import Listed


class Fate(enum.Enum):
    """What `up` does with a service."""

    MADE = "is made: it has no container"
    MADE_ANEW = "is made anew: its configuration is another one by now"
    STARTED = "is started"
    RUN_AGAIN = "is run again: it had ended without an error, as a job does"
    KEPT = "stays as it is"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One service and what becomes of it."""

    service: str
    fate: Fate
    containers: tuple[Listed, ...]


def up(hashes: Mapping[str, str], members: Sequence[Listed], only: str | None = None) -> tuple[Change, ...]:
    """What `up` does, by service.

    Args:
        hashes: Of the configuration that the files hold now, by service.
        members: The project's containers.
        only: One service; None: all.
    """
    wanted = [name for name in sorted(hashes) if only in (None, name)]
    return tuple(_change(name, hashes[name], of_service(members, name)) for name in wanted)


def _change(service: str, config_hash: str, containers: tuple[Listed, ...]) -> Change:
    ended = [each for each in containers if each.state not in ("running", "paused", "restarting")]
    fate = Fate.KEPT
    if not containers:
        fate = Fate.MADE
    elif any(each.compose is None or each.compose.config_hash != config_hash for each in containers):
        fate = Fate.MADE_ANEW
    elif ended:
        is_job = all(each.status.startswith("Exited (0)") for each in ended)
        fate = Fate.RUN_AGAIN if is_job else Fate.STARTED
    return Change(service=service, fate=fate, containers=containers)


def of_service(members: Sequence[Listed], service: str) -> tuple[Listed, ...]:
    """The containers of one service."""
    return tuple(each for each in members if each.compose is not None and each.compose.service == service)


def orphans(hashes: Mapping[str, str], members: Sequence[Listed]) -> tuple[Listed, ...]:
    """Containers of the project whose service the files do not name (any more)."""
    return tuple(each for each in members if each.compose is None or each.compose.service not in hashes)


def scales(changes: Sequence[Change]) -> tuple[str, ...]:
    """Options that keep services at their number of containers: `up` alone goes back to what the file says.

    >>> scales(())
    ()
    """
    return tuple(
        word
        for change in changes
        if len(change.containers) > 1
        for word in ("--scale", f"{change.service}={len(change.containers)}")
    )
