"""What is alike in all actions but the purge: the plan, the re-check, the command, the following."""

from collections.abc import AsyncIterator, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import PermissionDenied, TargetError, TimedOut
from opsdash.collectors.target import Target
from opsdash.tui.actions.action import ActionSpec, Effect, Hit, Plan, PlanLine, Step
from opsdash.tui.actions.redis.connection import ActionConnection
from opsdash.tui.actions.redis.sighting import Sighting, look

Thing = TypeVar("Thing", bound=msgspec.Struct)


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long an effect is waited for."""

    effect_s: float = 10.0
    poll_s: float = 0.2


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What a deed says of the things it would hit; the rest of a plan is alike for all."""

    title: str
    identities: tuple[msgspec.Struct, ...]
    lines: tuple[PlanLine, ...] = ()
    can_undo: bool = False
    refusal: str | None = None
    always_type: bool = False


class Deed(Protocol[Thing]):
    """One action: what is its own."""

    spec: ActionSpec
    on: type[Thing]
    """The identities that it plans for."""

    async def draft(
        self, connection: ActionConnection, target: Target, things: Sequence[Thing], now: Sighting
    ) -> Draft:
        """What would happen; raises TargetError when the target could not be read."""

    async def changed(self, connection: ActionConnection, thing: Thing, now: Sighting) -> Hit | None:
        """Read again right before acting: why it is not done, or None when it is still what was planned."""

    async def send(self, connection: ActionConnection, thing: Thing) -> Hit:
        """Act, once; raises TargetError."""

    async def effect(self, connection: ActionConnection, things: Sequence[Thing]) -> tuple[bool, str]:
        """Whether the effect is there, and how it looks; raises TargetError."""


class DeedAction(Generic[Thing]):
    """A deed as an action: see `Action` for what each method promises."""

    def __init__(
        self, deed: Deed[Thing], connections: "Connections", clock: Clock, patience: Patience
    ) -> None:
        self._deed = deed
        self._connections = connections
        self._clock = clock
        self._patience = patience

    @property
    def spec(self) -> ActionSpec:
        """What it is called and what it works on."""
        return self._deed.spec

    async def plan(self, target: Target, identities: Sequence[msgspec.Struct], *, may_act: bool) -> Plan:
        """Read the server afresh and say what would happen; see `Action.plan`."""
        connection = self._connections.kept(target) if may_act else self._connections.short_lived(target)
        try:
            now = await look(connection, self._clock.mono_s())
            draft = await self._deed.draft(connection, target, self._things(identities), now)
        finally:
            if not may_act:
                connection.close()
        return Plan(
            action=self.spec.name,
            target=target.id,
            title=draft.title,
            identities=draft.identities,
            lines=draft.lines,
            can_undo=draft.can_undo,
            planned_at=self._clock.now(),
            refusal=draft.refusal,
            always_type=draft.always_type,
        )

    async def run(self, target: Target, plan: Plan) -> tuple[Hit, ...]:
        """Read each again, then act on it; see `Action.run`."""
        connection = self._connections.kept(target)
        hits: list[Hit] = []
        for thing in self._things(plan.identities):
            try:
                hits.append(await self._one(connection, thing))
            except TargetError as error:
                if not any(hit.effect is Effect.SENT for hit in hits):
                    raise
                told = ", ".join(f"{hit.identity} {hit.effect.value}" for hit in hits)
                raise TimedOut(target.id, f"{told}; then {thing}: {error.reason}", hint=error.hint) from error
        return tuple(hits)

    async def _one(self, connection: ActionConnection, thing: Thing) -> Hit:
        try:
            now = await look(connection, self._clock.mono_s())
            lapsed = await self._deed.changed(connection, thing, now)
        except TargetError as error:
            raise TargetError(
                connection.target.id, f"nothing was sent: {error.reason}", hint=error.hint
            ) from error
        if lapsed is not None:
            return lapsed
        try:
            return await self._deed.send(connection, thing)
        except PermissionDenied as error:
            return Hit(identity=thing, effect=Effect.DENIED, detail=error.reason)

    async def verify(self, target: Target, plan: Plan, hits: Sequence[Hit]) -> AsyncIterator[Step]:
        """Look at the effect until it is there; see `Action.verify`."""
        connection = self._connections.kept(target)
        sent = self._things([hit.identity for hit in hits if hit.effect is Effect.SENT])
        deadline_s = self._clock.mono_s() + self._patience.effect_s
        while True:
            is_there, text = await self._deed.effect(connection, sent)
            is_late = self._clock.mono_s() >= deadline_s
            if is_there or is_late:
                after = "" if is_there else f"after {self._patience.effect_s:g} s: "
                yield Step(text=f"{after}{text}", at=self._clock.now(), is_ok=is_there, is_final=True)
                return
            await self._clock.sleep(self._patience.poll_s)

    def _things(self, identities: Sequence[msgspec.Struct]) -> list[Thing]:
        found = [identity for identity in identities if isinstance(identity, self._deed.on)]
        if len(found) != len(identities):
            raise TypeError(f"{self.spec.name} hits {self._deed.on.__name__} only")
        return list(dict.fromkeys(found))


class Connections(Protocol):
    """Where actions get their connection from."""

    def kept(self, target: Target) -> ActionConnection:
        """The action connection of `target`, open or not yet."""

    def short_lived(self, target: Target) -> ActionConnection:
        """A connection as the monitoring user, for one plan; the caller closes it."""


def line(label: str, text: str, *, is_warning: bool = False) -> PlanLine:
    """One labelled fact of a plan."""
    return PlanLine(label=label, text=text, is_warning=is_warning)
