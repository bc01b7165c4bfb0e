"""The actions, and the connections they share."""

from collections.abc import Mapping

from opsdash.collectors.clock import Clock
from opsdash.collectors.target import Target, TargetId
from opsdash.tui.actions.action import Action
from opsdash.tui.actions.docker import DOWN, SPECS, UP
from opsdash.tui.actions.docker.connection import Lanes
from opsdash.tui.actions.docker.containers import ContainerAction
from opsdash.tui.actions.docker.deeds import Deed
from opsdash.tui.actions.docker.follow import Patience
from opsdash.tui.actions.docker.memory import SetMemory
from opsdash.tui.actions.docker.project import ProjectAction


class DockerKit:
    """Actions on Docker engines, with kept connections per target."""

    def __init__(self, clock: Clock, *, patience: Patience | None = None) -> None:
        self._kept: dict[TargetId, Lanes] = {}
        patience = patience or Patience()
        self._projects = [ProjectAction(spec, self, clock, patience) for spec in (UP, DOWN)]
        actions: list[Action] = [
            SetMemory(self, clock, patience),
            *self._projects,
            *(
                ContainerAction(deed, spec, self, clock, patience)
                for deed in Deed
                for spec in (deed.spec, deed.service_spec)
                if spec is not None
            ),
        ]
        known = {action.spec.name: action for action in actions}
        self.actions: Mapping[str, Action] = {s.name: known[s.name] for s in SPECS}

    async def open(self, target: Target) -> None:
        """Open a kept connection ahead of need; raises TargetError where it cannot be."""
        await self.kept(target).open()

    def kept(self, target: Target) -> Lanes:
        """The connections for actions on `target`, open or not yet."""
        if target.id not in self._kept:
            self._kept[target.id] = Lanes(target)
        return self._kept[target.id]

    def short_lived(self, target: Target) -> Lanes:
        """Connections for one plan; the caller closes them."""
        return Lanes(target)

    def abort(self) -> None:
        """Break off whatever waits for an engine, now and without waiting."""
        for project in self._projects:
            project.abort()
        for lanes in self._kept.values():
            lanes.abort()

    async def close(self) -> None:
        """Let go of all connections; never waits for an engine."""
        for lanes in self._kept.values():
            await lanes.close()
