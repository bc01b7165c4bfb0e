"""Follows the effect on the target: the session goes, then its waiters get on, or stay behind another."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.format import plural
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.tui.actions.action import Step
from opsdash.tui.actions.postgres.connection import BoundedConnection
from opsdash.tui.actions.postgres.deeds import Deed, summary_of
from opsdash.tui.actions.postgres.describe import summary
from opsdash.tui.actions.postgres.sighting import SESSIONS, Sighting, look_at, sighting
from opsdash.tui.actions.postgres.waiting import named

STILL_WAITING = """/* opsdash:action_still_waiting */
select w.pid, case when w.pid = any(%(asked)s) then pg_blocking_pids(w.pid) end
  from (select distinct pid from pg_locks where not granted and pid is not null) w
"""
"""pg_blocking_pids stops the lock manager for a moment: it is asked for a few of the followed ones only."""

_ASKED = 32
"""Waiters whose blockers are asked for: each names everybody before it, so few show all the roots."""


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long an effect is waited for."""

    gone_s: float = 10.0
    """Until the session is gone, or the statement ended."""
    waiters_s: float = 30.0
    """Until nobody waits."""
    settled_s: float = 3.0
    """How long the rest may wait unchanged behind a session that runs nothing, before that is the end."""
    poll_s: float = 0.2


class Follower:
    """Follows one action that was sent."""

    def __init__(self, connection: BoundedConnection, clock: Clock, deed: Deed, patience: Patience) -> None:
        self._connection = connection
        self._clock = clock
        self._deed = deed
        self._patience = patience

    async def steps(
        self, identities: Sequence[SessionIdentity], followed: Sequence[int]
    ) -> AsyncIterator[Step]:
        """The effect as it comes about; the last step is final.

        Raises:
            TargetError: The target cannot be read any more.
        """
        async for step in self._until_gone(identities, has_waiters=bool(followed)):
            yield step
            if step.is_final:
                return
        async for step in self._until_free(followed):
            yield step

    def _step(self, text: str, *, is_ok: bool = True, is_final: bool = False) -> Step:
        return Step(text=text, at=self._clock.now(), is_ok=is_ok, is_final=is_final)

    async def _until_gone(
        self, identities: Sequence[SessionIdentity], *, has_waiters: bool
    ) -> AsyncIterator[Step]:
        deadline = self._clock.mono_s() + self._patience.gone_s
        left = list(identities)
        while True:
            now = await look_at(self._connection, [i.pid for i in left])
            still = [i for i in left if self._is_there(i, now)]
            if not still:
                yield self._step(self._gone_text(identities, now), is_final=not has_waiters)
                return
            if self._clock.mono_s() >= deadline:
                names = ", ".join(summary_of(i.pid, now) for i in still[:3])
                text = f"still there after {self._patience.gone_s:g} s: {names}"
                yield self._step(text, is_ok=False, is_final=True)
                return
            if len(still) < len(left):
                yield self._step(f"{plural(len(still), 'session')} of {len(identities)} still there")
            left = still
            await self._clock.sleep(self._patience.poll_s)

    def _is_there(self, identity: SessionIdentity, now: Sighting) -> bool:
        seen = now.seen.get(identity.pid)
        if seen is None or seen.session.backend_start != identity.backend_start:
            return False
        if self._deed is not Deed.CANCEL:
            return True
        return seen.session.query_start == identity.query_start and seen.session.state == "active"

    def _gone_text(self, identities: Sequence[SessionIdentity], now: Sighting) -> str:
        if self._deed is not Deed.CANCEL:
            return "session is gone" if len(identities) == 1 else f"all {len(identities)} sessions are gone"
        if len(identities) > 1:
            return f"all {len(identities)} statements ended"
        seen = now.seen.get(identities[0].pid)
        return "statement ended" + (
            f"; now {summary(seen.session, now.now)}" if seen else " with its session"
        )

    async def _until_free(self, followed: Sequence[int]) -> AsyncIterator[Step]:
        started = changed = self._clock.mono_s()
        waiting = list(followed)
        before: tuple[list[int], tuple[int, ...]] | None = None
        while True:
            waiting, held_by = await self._still_waiting(waiting)
            if not waiting:
                yield self._step("nobody waits", is_final=True)
                return
            holders = await self._holders(held_by)
            text = _waiting_text(len(waiting), held_by, holders, followed)
            now = self._clock.mono_s()
            if before != (waiting, held_by):
                before, changed = (waiting, held_by), now
                yield self._step(text)
            if now - started >= self._patience.waiters_s:
                text = f"after {self._patience.waiters_s:g} s: {text}"
                yield self._step(text, is_ok=False, is_final=True)
                return
            if now - changed >= self._patience.settled_s and not _anybody_runs(holders):
                yield self._step(f"no change: {text}", is_ok=False, is_final=True)
                return
            await self._clock.sleep(self._patience.poll_s)

    async def _still_waiting(self, followed: Sequence[int]) -> tuple[list[int], tuple[int, ...]]:
        """Those of `followed` who wait still, and the roots they wait for."""
        asked = list(followed[:_ASKED])
        rows = await self._connection.read(STILL_WAITING, {"asked": asked})
        blockers = {pid: frozenset(held or ()) for pid, held in rows}
        waiting = [pid for pid in followed if pid in blockers]
        above = {b for pid in asked for b in blockers.get(pid, ())}
        return waiting, tuple(sorted(above - set(blockers)))

    async def _holders(self, pids: Sequence[int]) -> Sighting:
        return sighting(await self._connection.read(SESSIONS, {"pids": list(pids)}), {})


def _waiting_text(count: int, held_by: Sequence[int], holders: Sighting, followed: Sequence[int]) -> str:
    parts = []
    for pid in held_by[:3]:
        seen = holders.seen.get(pid)
        if seen is not None and pid in followed:
            state = seen.session.state
            parts.append(f"{pid} runs now" if state == "active" else f"{pid} is {state} now")
    behind = f", behind {named(held_by)}" if held_by else ""
    if held_by and not parts:
        behind = f", behind {summary_of(held_by[0], holders)}"
        behind += f" and {len(held_by) - 1} more" if len(held_by) > 1 else ""
    parts.append(f"{count} still {'waits' if count == 1 else 'wait'}{behind}")
    return " · ".join(parts)


def _anybody_runs(holders: Sighting) -> bool:
    """Whether the holders may let go by themselves soon; True when it is not known."""
    states = [seen.session.state for seen in holders.seen.values()]
    return not states or not all(state is not None and state.startswith("idle") for state in states)
