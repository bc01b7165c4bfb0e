"""An engine as it is now, read afresh for a plan or a re-check."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.failures import EngineError
from opsdash.collectors.docker.rows import ServiceIdentity
from opsdash.tui.actions.docker.connection import Lane
from opsdash.tui.actions.docker.inspection import Listed, Seen, inspect, listed


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan may need to know."""

    now: datetime
    """The engine's clock, to the second."""
    listed: tuple[Listed, ...]
    """All containers, by name."""
    seen: Mapping[str, Seen]
    """By id, those that were asked for and are there."""

    def others_of_service(self, seen: Seen) -> tuple[Listed, ...]:
        """The other containers of the same compose service."""
        mine = seen.compose
        if mine is None:
            return ()
        return tuple(
            each for each in self.members(ServiceIdentity(mine.project, mine.service)) if each.id != seen.id
        )

    def members(self, of: ServiceIdentity) -> tuple[Listed, ...]:
        """The containers of a service or project; those of `compose run` are none."""
        return tuple(
            each
            for each in self.listed
            if each.compose is not None
            and each.compose.project == of.project
            and of.service in (None, each.compose.service)
            and not each.compose.is_one_off
        )

    def depending_on(self, seen: Seen) -> tuple[str, ...]:
        """Names of the containers whose service states that it depends on that of `seen`."""
        mine = seen.compose
        if mine is None:
            return ()
        return tuple(
            each.name
            for each in self.members(ServiceIdentity(mine.project))
            if each.compose is not None and mine.service in each.compose.depends_on
        )

    def in_network_of(self, id: str) -> tuple[str, ...]:
        """Names of the running containers that use the network of container `id`."""
        mode = f"container:{id}"
        return tuple(
            each.name for each in self.listed if each.network_mode == mode and each.state == "running"
        )

    def named(self, name: str) -> Listed | None:
        """The container that has this name now."""
        return next((each for each in self.listed if each.name == name), None)


async def look(lane: Lane, ids: Sequence[str], clock: Clock) -> Sighting:
    """List all containers and inspect those with `ids`; raises TargetError."""
    found = await listed(lane)
    known = {each.id for each in found}
    seen = [await look_at(lane, id) for id in ids if id in known]
    return Sighting(
        now=lane.engine_now or clock.now(),
        listed=found,
        seen={each.id: each for each in seen if each is not None},
    )


async def look_at(lane: Lane, id: str) -> Seen | None:
    """One container; None: it is gone. Raises TargetError."""
    try:
        return await inspect(lane, id)
    except EngineError as error:
        if error.status == 404:
            return None
        raise
