"""What actions on a whole server share: a plan read afresh, one acting statement, and its effect followed."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres.rows import InstanceIdentity
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.target import Target
from opsdash.tui.actions.action import ActionSpec, Effect, Hit, Plan, PlanLine, Step
from opsdash.tui.actions.postgres.connection import BoundedConnection

_EFFECT_S = 10.0
_STEP_S = 0.2


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What a deed makes of a server as it is now."""

    title: str
    lines: tuple[PlanLine, ...] = ()
    can_undo: bool = False
    refusal: str | None = None


class InstanceDeed(Protocol):
    """One thing done to a whole server."""

    @property
    def spec(self) -> ActionSpec:
        """What it is called."""

    async def draft(
        self, connection: BoundedConnection, server: InstanceIdentity, *, knows_role: bool
    ) -> Draft:
        """Read the server and say what would happen; `knows_role`: over the role that would act."""

    async def send(self, connection: BoundedConnection, server: InstanceIdentity) -> Hit:
        """Re-check and do it."""

    async def effect(self, connection: BoundedConnection, server: InstanceIdentity) -> str | None:
        """What is to be seen of it now; None: nothing yet."""


class Connections(Protocol):
    """The connections of the kit."""

    def kept(self, target: Target) -> BoundedConnection:
        """The action connection."""

    def short_lived(self, target: Target) -> BoundedConnection:
        """One with the monitoring role, which the caller closes."""


def line(label: str, text: str, *, is_warning: bool = False) -> PlanLine:
    """A line of a plan."""
    return PlanLine(label=label, text=text, is_warning=is_warning)


def restarted(server: InstanceIdentity, started_at: datetime) -> str | None:
    """Why it is not the server that was chosen; None when it is."""
    if server.started_at == started_at:
        return None
    return f"the server was restarted at {started_at:%Y-%m-%d %H:%M:%S} UTC: look again"


class InstanceAction:
    """One action on a whole server: see `Action` for what each method promises."""

    def __init__(self, deed: InstanceDeed, connections: Connections, clock: Clock) -> None:
        self._deed = deed
        self._connections = connections
        self._clock = clock

    @property
    def spec(self) -> ActionSpec:
        """What it is called and what it works on."""
        return self._deed.spec

    async def plan(self, target: Target, identities: Sequence[msgspec.Struct], *, may_act: bool) -> Plan:
        """Read the server afresh and say what would happen; see `Action.plan`."""
        server = _server(identities)
        if may_act:
            draft = await self._deed.draft(self._connections.kept(target), server, knows_role=True)
        else:
            connection = self._connections.short_lived(target)
            try:
                draft = await self._deed.draft(connection, server, knows_role=not has_own_role(target))
            finally:
                await connection.close()
        return Plan(
            action=self.spec.name,
            target=target.id,
            title=draft.title,
            identities=(server,),
            lines=draft.lines,
            can_undo=draft.can_undo,
            planned_at=self._clock.now(),
            refusal=draft.refusal,
        )

    async def run(self, target: Target, plan: Plan) -> tuple[Hit, ...]:
        """Do it; see `Action.run`."""
        return (await self._deed.send(self._connections.kept(target), _server(plan.identities)),)

    async def verify(self, target: Target, plan: Plan, hits: Sequence[Hit]) -> AsyncIterator[Step]:
        """Read until the effect is there; see `Action.verify`."""
        server, connection = _server(plan.identities), self._connections.kept(target)
        until = self._clock.mono_s() + _EFFECT_S
        while (seen := await self._deed.effect(connection, server)) is None:
            if self._clock.mono_s() > until:
                text = f"no effect within {_EFFECT_S:g} s: look at the server"
                yield Step(text=text, at=self._clock.now(), is_ok=False, is_final=True)
                return
            await self._clock.sleep(_STEP_S)
        yield Step(text=seen, at=self._clock.now(), is_final=True)


def has_own_role(target: Target) -> bool:
    """Whether actions have a role of their own, whose rights the monitoring role does not know."""
    return isinstance(target.settings, PostgresSettings) and target.settings.act_dsn is not None


def _server(identities: Sequence[msgspec.Struct]) -> InstanceIdentity:
    (server,) = identities
    assert isinstance(server, InstanceIdentity)
    return server


def refused(identity: InstanceIdentity, why: str) -> Hit:
    """Nothing was sent."""
    return Hit(identity=identity, effect=Effect.CHANGED, detail=f"{why}; nothing was sent")
