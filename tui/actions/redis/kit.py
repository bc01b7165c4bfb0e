"""The actions, and the connections they share."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.redis.identities import ServerIdentity, SettingIdentity
from opsdash.collectors.target import Target, TargetId
from opsdash.tui.actions.action import Action, Plan
from opsdash.tui.actions.redis import FLUSHALL, MAXMEMORY, POLICY, SPECS
from opsdash.tui.actions.redis.clients import Kill
from opsdash.tui.actions.redis.connection import ActionConnection
from opsdash.tui.actions.redis.deed import Connections, Deed, DeedAction, Patience
from opsdash.tui.actions.redis.flush import Flush, FlushDatabase, ResetSlowlog
from opsdash.tui.actions.redis.limits import Former, Restore, SetLimits
from opsdash.tui.actions.redis.purge import PurgeAction
from opsdash.tui.actions.redis.survey import Pace


class RedisKit:
    """Actions on Redis, with one kept action connection per target."""

    def __init__(self, clock: Clock, *, patience: Patience | None = None, pace: Pace | None = None) -> None:
        self._kept: dict[TargetId, ActionConnection] = {}
        former: Former = {}
        patience = patience or Patience()
        deeds: Sequence[Deed[Any]] = (
            Kill(),
            SetLimits(MAXMEMORY, former),
            SetLimits(POLICY, former),
            ResetSlowlog(),
            FlushDatabase(clock),
            Flush(FLUSHALL, clock),
        )
        restore = RestoreAction(Restore(former), self, clock, patience)
        actions: list[Action] = [
            *(DeedAction(deed, self, clock, patience) for deed in deeds),
            restore,
            PurgeAction(self, clock, pace),
        ]
        known = {action.spec.name: action for action in actions}
        self.actions: Mapping[str, Action] = {spec.name: known[spec.name] for spec in SPECS}

    async def open(self, target: Target) -> None:
        """Open the kept action connection ahead of need: at maxclients it could no longer be.

        Raises:
            TargetError: It could not be opened.
        """
        await self.kept(target).open()

    def kept(self, target: Target) -> ActionConnection:
        """The action connection of `target`, open or not yet."""
        if target.id not in self._kept:
            self._kept[target.id] = ActionConnection(target, is_for_acting=True)
        return self._kept[target.id]

    def short_lived(self, target: Target) -> ActionConnection:
        """A connection as the monitoring user, for one plan; the caller closes it."""
        return ActionConnection(target, is_for_acting=False)

    def abort(self) -> None:
        """Shut all sockets, now and without waiting."""
        for connection in self._kept.values():
            connection.abort()

    async def close(self) -> None:
        """Let go of all connections; never waits for a target."""
        self.abort()


class RestoreAction(DeedAction[SettingIdentity]):
    """Is asked for a server, and finds out itself what there is to set again."""

    def __init__(self, deed: Restore, connections: Connections, clock: Clock, patience: Patience) -> None:
        super().__init__(deed, connections, clock, patience)
        self._restore = deed

    async def plan(self, target: Target, identities: Sequence[msgspec.Struct], *, may_act: bool) -> Plan:
        """Say what would be set again; see `Action.plan`."""
        things: list[SettingIdentity] = []
        for identity in identities:
            if isinstance(identity, ServerIdentity):
                things += self._restore.things_of(target.id, identity)
        return await super().plan(target, things, may_act=may_act)
