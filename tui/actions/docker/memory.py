"""Sets the memory limit of containers, and asks the kernel whether it holds."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.failures import EngineError
from opsdash.collectors.errors import PermissionDenied, TargetError, TimedOut
from opsdash.collectors.format import size
from opsdash.collectors.target import Target
from opsdash.tui.actions.action import Effect, Hit, Plan, PlanLine, Step
from opsdash.tui.actions.docker import MEMORY
from opsdash.tui.actions.docker.connection import Lane
from opsdash.tui.actions.docker.containers import Connections, so_far
from opsdash.tui.actions.docker.deeds import state_words
from opsdash.tui.actions.docker.follow import Patience
from opsdash.tui.actions.docker.identities import MemoryChange, MemoryWish
from opsdash.tui.actions.docker.inspection import Seen
from opsdash.tui.actions.docker.limits import (
    MemoryUse,
    memory_of,
    plan_lines,
    refusal,
    swap_for,
    words,
)
from opsdash.tui.actions.docker.sighting import look_at
from opsdash.tui.actions.docker.wording import line


class SetMemory:
    """See `Action` for what each method promises."""

    def __init__(self, connections: Connections, clock: Clock, patience: Patience) -> None:
        self._connections = connections
        self._clock = clock
        self._patience = patience

    spec = MEMORY

    async def plan(self, target: Target, identities: Sequence[msgspec.Struct], *, may_act: bool) -> Plan:
        """Read container, use and machine, and say what the limit would mean; see `Action.plan`."""
        lanes = self._connections.kept(target) if may_act else self._connections.short_lived(target)
        try:
            async with lanes.lane() as lane:
                return await self._planned(target, lane, identities)
        finally:
            if not may_act:
                await lanes.close()

    async def _planned(self, target: Target, lane: Lane, identities: Sequence[msgspec.Struct]) -> Plan:
        host_bytes = await _machine_bytes(lane)
        changes: list[MemoryChange] = []
        refused: list[str] = []
        lines: list[PlanLine] = []
        for wish in _wishes(identities):
            found = await self._draft(lane, wish, host_bytes)
            if isinstance(found, str):
                refused.append(found)
            else:
                changes.append(found[0])
                lines += found[1]
        if host_bytes is None:
            text = "how much the machine has: /info may not be read. More than that would be no limit"
            lines.append(line("not known", text, is_warning=True))
        lines += [line("left out", why, is_warning=True) for why in refused]
        return Plan(
            action=MEMORY.name,
            target=target.id,
            title=_title(changes),
            identities=tuple(changes) or tuple(identities),
            lines=tuple(lines) if changes else (),
            can_undo=all(change.former_bytes for change in changes),
            planned_at=self._clock.now(),
            refusal=None if changes else " · ".join(refused) or "nothing was chosen",
        )

    async def _draft(
        self, lane: Lane, wish: MemoryWish, host_bytes: int | None
    ) -> tuple[MemoryChange, list[PlanLine]] | str:
        """The change that a wish means with what is said of it; a text says why there is none."""
        seen = await look_at(lane, wish.id)
        if seen is None:
            return f"container {wish} is gone: nothing is left to do"
        now = lane.engine_now or self._clock.now()
        use = await memory_use(lane, seen)
        wanted = memory_of(wish.limit)
        why = refusal(wanted, wish.limit, seen, use, host_bytes)
        if why is not None or wanted is None:
            return why or ""
        change = MemoryChange(
            id=seen.id,
            started_at=seen.started_at,
            name=seen.name,
            memory_bytes=wanted,
            swap_bytes=swap_for(wanted, seen.memory_bytes, seen.swap_bytes),
            former_bytes=seen.memory_bytes,
            former_swap_bytes=seen.swap_bytes,
        )
        return change, [*plan_lines(seen, change, use, state_words(seen, now))]

    async def run(self, target: Target, plan: Plan) -> tuple[Hit, ...]:
        """Read the limit again, then set it; see `Action.run`."""
        changes = _changes(plan.identities)
        hits: list[Hit] = []
        async with self._connections.kept(target).lane() as lane:
            for change in changes:
                try:
                    hits.append(await self._one(lane, change))
                except TargetError as error:
                    if not any(hit.effect is Effect.SENT for hit in hits):
                        raise
                    raise TimedOut(target.id, so_far(hits, changes, error), hint=error.hint) from error
        return tuple(hits)

    async def _one(self, lane: Lane, change: MemoryChange) -> Hit:
        try:
            seen = await look_at(lane, change.id)
        except TargetError as error:
            text = f"nothing was sent: {error.reason}"
            raise TargetError(lane.target.id, text, hint=error.hint) from error
        if seen is None:
            return Hit(identity=change, effect=Effect.GONE, detail="nothing was sent")
        if (seen.memory_bytes, seen.swap_bytes) != (change.former_bytes, change.former_swap_bytes):
            text = (
                f"its limit was set meanwhile: {words(seen.memory_bytes, seen.swap_bytes)}; nothing was sent"
            )
            return Hit(identity=change, effect=Effect.CHANGED, detail=text)
        body = {"Memory": change.memory_bytes, "MemorySwap": change.swap_bytes}
        try:
            await lane.act(f"/containers/{change.id}/update", {}, body, self._patience.engine_s)
        except PermissionDenied as error:
            return Hit(identity=change, effect=Effect.DENIED, detail=error.reason)
        except EngineError as error:
            return Hit(identity=change, effect=Effect.FAILED, detail=error.reason)
        return Hit(identity=change, effect=Effect.SENT, detail="former limit re-checked · set")

    async def verify(self, target: Target, plan: Plan, hits: Sequence[Hit]) -> AsyncIterator[Step]:
        """Ask the engine, and the kernel through it; see `Action.verify`."""
        sent = _changes([hit.identity for hit in hits if hit.effect is Effect.SENT])
        told: list[str] = []
        is_ok = True
        async with self._connections.kept(target).lane() as lane:
            for change in sent:
                text, is_there = await _effect(lane, change)
                told.append(f"{change.name}: {text}")
                is_ok = is_ok and is_there
        yield Step(text=" · ".join(told), at=self._clock.now(), is_ok=is_ok, is_final=True)


async def memory_use(lane: Lane, seen: Seen) -> MemoryUse | None:
    """What a running container uses; None: it does not run, or the kernel does not count."""
    if seen.status not in ("running", "paused"):
        return None
    stats = (
        await lane.get(f"/containers/{seen.id}/stats", _Stats, stream="false", **{"one-shot": "true"})
    ).memory_stats
    if stats.usage is None or stats.limit is None:
        return None
    files = ("inactive_file", "active_file")
    # version 1 of cgroups counts children only in total_…; version 2 has no total_…
    cache_bytes = sum(stats.stats.get(f"total_{name}", stats.stats.get(name, 0)) for name in files)
    return MemoryUse(used_bytes=stats.usage, cache_bytes=cache_bytes, limit_bytes=stats.limit)


async def _machine_bytes(lane: Lane) -> int | None:
    """The memory of the engine's machine; None: that may not be asked."""
    try:
        return (await lane.get("/info", _Info)).MemTotal or None
    except PermissionDenied:
        return None


async def _effect(lane: Lane, change: MemoryChange) -> tuple[str, bool]:
    seen = await look_at(lane, change.id)
    if seen is None:
        return "is gone", False
    said = words(seen.memory_bytes, seen.swap_bytes)
    if seen.memory_bytes != change.memory_bytes:
        return f"the engine says {said}", False
    use = await memory_use(lane, seen)
    if use is None:
        return f"{said}, from its next start on", True
    if abs(use.limit_bytes - change.memory_bytes) > _PAGES_BYTES:
        return f"the engine says {said}, but the kernel's limit is {size(use.limit_bytes)}", False
    return f"{said}, the kernel says so too; {size(use.kept_bytes)} used", True


_PAGES_BYTES = 2**16
"""A limit is rounded down to pages, of 64 KiB at most."""


class _Info(msgspec.Struct):
    MemTotal: int = 0


class _MemoryStats(msgspec.Struct):
    usage: int | None = None
    limit: int | None = None
    stats: dict[str, int] = {}


class _Stats(msgspec.Struct):
    memory_stats: _MemoryStats = msgspec.field(default_factory=_MemoryStats)


def _title(changes: Sequence[MemoryChange]) -> str:
    if not changes:
        return MEMORY.title
    names = ", ".join(change.name for change in changes)
    return f"Set the memory limit of {names} to {size(changes[0].memory_bytes)}"


def _wishes(identities: Sequence[msgspec.Struct]) -> list[MemoryWish]:
    found = [identity for identity in identities if isinstance(identity, MemoryWish)]
    if len(found) != len(identities):
        raise TypeError("a memory limit is set for containers, with the limit stated")
    return list(dict.fromkeys(found))


def _changes(identities: Sequence[msgspec.Struct]) -> list[MemoryChange]:
    found = [identity for identity in identities if isinstance(identity, MemoryChange)]
    if len(found) != len(identities):
        raise TypeError("a plan for memory limits holds changes only")
    return found
