"""Restart, stop, start, kill, pause, unpause: planned together, re-checked and done one after the other."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol, TypeVar

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.rows import ContainerIdentity, ServiceIdentity
from opsdash.collectors.errors import TargetError, TimedOut
from opsdash.collectors.format import plural
from opsdash.collectors.target import Target
from opsdash.tui.actions.action import ActionSpec, Effect, Hit, Plan, PlanLine, Progress, Step
from opsdash.tui.actions.docker import wording
from opsdash.tui.actions.docker.act import act_on
from opsdash.tui.actions.docker.connection import Lane, Lanes
from opsdash.tui.actions.docker.deeds import Deed, loops, not_the_same, refusal
from opsdash.tui.actions.docker.follow import Patience, follow
from opsdash.tui.actions.docker.identities import ContainerRun
from opsdash.tui.actions.docker.inspection import Seen
from opsdash.tui.actions.docker.order import by_dependency
from opsdash.tui.actions.docker.sighting import Sighting, look

log = logging.getLogger(__name__)
T = TypeVar("T")


class Connections(Protocol):
    """Where actions get their connections from."""

    def kept(self, target: Target) -> Lanes:
        """Those for actions on `target`, open or not yet."""

    def short_lived(self, target: Target) -> Lanes:
        """For one plan; the caller closes them."""


class Members(msgspec.Struct, frozen=True):
    """Services that were chosen, and the ids of all their containers then."""

    services: tuple[ServiceIdentity, ...]
    ids: frozenset[str]


class ContainerAction:
    """One deed on containers, or on those of services: see `SteppedAction` for what each method promises."""

    def __init__(
        self, deed: Deed, spec: ActionSpec, connections: Connections, clock: Clock, patience: Patience
    ) -> None:
        self._deed = deed
        self._spec = spec
        self._connections = connections
        self._clock = clock
        self._patience = patience
        self._members: dict[tuple[msgspec.Struct, ...], Members] = {}
        """Identities of a plan -> the services it was made for, and who was in them."""

    @property
    def spec(self) -> ActionSpec:
        """What it is called and what it works on."""
        return self._spec

    async def plan(self, target: Target, identities: Sequence[msgspec.Struct], *, may_act: bool) -> Plan:
        """Read the engine afresh and say what would happen; see `Action.plan`."""
        lanes = self._connections.kept(target) if may_act else self._connections.short_lived(target)
        try:
            async with lanes.lane() as lane:
                if self._spec.on is ServiceIdentity:
                    return await self._plan_services(target, lane, services_of(identities))
                return await self._plan_containers(target, lane, containers_of(identities))
        finally:
            if not may_act:
                await lanes.close()

    async def _plan_containers(self, target: Target, lane: Lane, chosen: Sequence[ContainerIdentity]) -> Plan:
        now = await look(lane, [identity.id for identity in chosen], self._clock)
        refused = {i: why for i in chosen if (why := self._against(i, now)) is not None}
        hit = [now.seen[i.id] for i in chosen if i not in refused]
        return self._planned(target, hit, [*refused.values()], now)

    async def _plan_services(self, target: Target, lane: Lane, chosen: Sequence[ServiceIdentity]) -> Plan:
        listing = await look(lane, [], self._clock)
        members = {each.id: identity for identity in chosen for each in listing.members(identity)}
        now = await look(lane, [*members], self._clock)
        refused: dict[str, str] = {}
        hit: list[Seen] = []
        for seen in now.seen.values():
            why = refusal(self._deed, seen, now.now) or self._left_out(seen)
            if why is None:
                hit.append(seen)
            else:
                refused[seen.id] = why
        hit = by_dependency(hit)
        if self._deed is Deed.STOP:
            hit.reverse()
        empty = [f"{identity} has no containers" for identity in chosen if identity not in members.values()]
        plan = self._planned(target, hit, [*refused.values(), *empty], now, chosen)
        self._members[plan.identities] = Members(tuple(chosen), frozenset(members))
        return plan

    def _left_out(self, seen: Seen) -> str | None:
        """Of a service only what runs is restarted: what has ended may be a job that must not run twice."""
        if self._deed is Deed.RESTART and not seen.is_up:
            return f"{seen.name} does not run ({seen.status}, {seen.ended}): {Deed.START.value} it instead"
        return None

    def _against(self, chosen: ContainerIdentity, now: Sighting) -> str | None:
        seen = now.seen.get(chosen.id)
        if seen is None:
            return f"container {chosen} is gone: nothing is left to do"
        lapsed = not_the_same(
            started_at=chosen.started_at, restarts=None, loops=loops(seen, now.now), seen=seen, now=now.now
        )
        return f"{lapsed}; look at it again" if lapsed is not None else refusal(self._deed, seen, now.now)

    def _planned(
        self,
        target: Target,
        hit: Sequence[Seen],
        refused: Sequence[str],
        now: Sighting,
        of: Sequence[ServiceIdentity] = (),
    ) -> Plan:
        lines: list[PlanLine] = []
        if len(hit) == 1 and not of:
            lines += wording.one(self._deed, hit[0], now, self._patience)
        elif hit:
            lines += wording.many(self._deed, hit, now, self._patience, of)
        if hit:
            lines += [wording.line("left out", why, is_warning=True) for why in refused]
        return Plan(
            action=self._spec.name,
            target=target.id,
            title=self._title(hit, of),
            identities=tuple(_run(seen, now) for seen in hit),
            lines=tuple(lines),
            can_undo=self._deed.can_undo,
            planned_at=self._clock.now(),
            refusal=None if hit else " · ".join(dict.fromkeys(refused)) or "nothing was chosen",
        )

    def _title(self, hit: Sequence[Seen], of: Sequence[ServiceIdentity]) -> str:
        verb = self._deed.value.capitalize()
        if of:
            return f"{verb} {plural(len(hit), 'container')} of {wording.names([*map(str, of)])}"
        return f"{verb} {hit[0].name}" if len(hit) == 1 else f"{verb} {plural(len(hit), 'container')}"

    async def run(self, target: Target, plan: Plan, progress: Progress | None = None) -> tuple[Hit, ...]:
        """Read each again, then act on it; see `SteppedAction.run`.

        A restart waits for a container that served to serve again before it goes on to the next one, and
        leaves the others alone when it does not.
        """
        hits: list[Hit] = []
        runs = runs_of(plan.identities)
        async with self._connections.kept(target).lane() as lane:
            for number, run in enumerate(runs):
                if progress is not None and progress.is_aborted:
                    return aborted(hits, runs[number:])
                try:
                    hit, served = await act_on(
                        lane, self._deed, run, self._clock, self._patience, _teller(progress, number, runs)
                    )
                except TargetError as error:
                    if not any(hit.effect is Effect.SENT for hit in hits):
                        raise
                    raise TimedOut(target.id, so_far(hits, runs, error), hint=error.hint) from error
                hits.append(hit)
                left = runs[number + 1 :]
                if left and served and not await self._is_well(lane, hit, progress):
                    return (*hits, *not_tried(left, f"{run.name} did not come back"))
        return tuple(hits)

    async def _is_well(self, lane: Lane, hit: Hit, progress: Progress | None) -> bool:
        """Whether the next one may be restarted too, after one that served: that one must serve again."""
        if self._deed is not Deed.RESTART or hit.effect not in (Effect.SENT, Effect.FAILED):
            return True
        if hit.effect is Effect.FAILED:
            return False
        try:
            async for step in follow(lane, self._deed, runs_of([hit.identity]), self._clock, self._patience):
                if progress is not None:
                    progress.progress(step.text)
                    if progress.is_aborted:
                        return True
                if step.is_final:
                    return step.is_ok
        except TargetError as error:
            log.warning("%s was restarted and cannot be followed: %s", hit.identity, error)
        return False

    async def verify(self, target: Target, plan: Plan, hits: Sequence[Hit]) -> AsyncIterator[Step]:
        """Follow each until it is as it should be; see `Action.verify`."""
        sent = runs_of([hit.identity for hit in hits if hit.effect is Effect.SENT])
        async with self._connections.kept(target).lane() as lane:
            if new := await self._not_planned(lane, plan):
                yield Step(text=new, at=self._clock.now())
            async for step in follow(lane, self._deed, sent, self._clock, self._patience):
                yield step

    async def _not_planned(self, lane: Lane, plan: Plan) -> str | None:
        """The containers that came to the chosen service after the plan, which were not touched."""
        planned = self._members.get(plan.identities)
        if planned is None:
            return None
        listing = await look(lane, [], self._clock)
        members = {each.id: each.name for of in planned.services for each in listing.members(of)}
        new = [name for id, name in members.items() if id not in planned.ids]
        return f"not touched, came after the plan: {wording.names(new)}" if new else None


def _run(seen: Seen, now: Sighting) -> ContainerRun:
    return ContainerRun(
        id=seen.id,
        started_at=seen.started_at,
        name=seen.name,
        restarts=seen.restarts,
        loops=loops(seen, now.now),
    )


def _teller(progress: Progress | None, number: int, runs: Sequence[ContainerRun]) -> Callable[[str], None]:
    """Says how far it is: which one of how many."""
    count = f"{number + 1} of {len(runs)}: " if len(runs) > 1 else ""

    def tell(text: str) -> None:
        if progress is not None:
            progress.progress(f"{count}{text}")

    return tell


def not_tried(runs: Sequence[ContainerRun], why: str) -> tuple[Hit, ...]:
    """Those that were left alone."""
    return tuple(Hit(identity=run, effect=Effect.NOT_TRIED, detail=why) for run in runs)


def aborted(hits: Sequence[Hit], left: Sequence[ContainerRun]) -> tuple[Hit, ...]:
    """Hits whose details name what they hit: that is all that is told of an aborted action."""
    everything = (*hits, *not_tried(left, "aborted"))
    return tuple(
        msgspec.structs.replace(hit, detail=f"{hit.identity} {hit.effect.value}") for hit in everything
    )


def so_far(hits: Sequence[Hit], things: Sequence[msgspec.Struct], error: TargetError) -> str:
    """What became of those before the one at which the engine fell silent, and which were not tried."""
    told = ", ".join(f"{hit.identity} {hit.effect.value}" for hit in hits)
    left = [str(thing) for thing in things[len(hits) + 1 :]]
    rest = f"; not tried: {', '.join(left)}" if left else ""
    return f"{told}; then {things[len(hits)]}: {error.reason}{rest}"


def containers_of(identities: Sequence[msgspec.Struct]) -> list[ContainerIdentity]:
    """The identities as containers, each once. Raises TypeError for another kind's identity."""
    return _all_of(ContainerIdentity, identities)


def services_of(identities: Sequence[msgspec.Struct]) -> list[ServiceIdentity]:
    """The identities as services, each once. Raises TypeError for another kind's identity."""
    return _all_of(ServiceIdentity, identities)


def runs_of(identities: Sequence[msgspec.Struct]) -> list[ContainerRun]:
    """The identities of a plan. Raises TypeError for another plan's."""
    return _all_of(ContainerRun, identities)


def _all_of(kind: type[T], identities: Sequence[msgspec.Struct]) -> list[T]:
    found = [identity for identity in identities if isinstance(identity, kind)]
    if len(found) != len(identities):
        raise TypeError(f"this hits {kind.__name__} only")
    return list(dict.fromkeys(found))
