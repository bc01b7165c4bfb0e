"""Follows the effect on the target: the session goes, then its waiters get on, or stay behind another."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.format import plural
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.tui.actions.action import Step
from opsdash.tui.actions.postgres.connection import BoundedConnection, in_utc
from opsdash.tui.actions.postgres.deeds import Deed, summary_of
from opsdash.tui.actions.postgres.describe import summary
from opsdash.tui.actions.postgres.sighting import SESSIONS, Sighting, look_at, sighting
from opsdash.tui.actions.postgres.waiting import named

STILL_WAITING = """/* opsdash:action_still_waiting */
with waiting as materialized (select distinct pid from pg_locks where not granted and pid is not null)
select a.pid, a.query_start,
       case when a.pid = any(%(asked)s) then
           array(select b from unnest(pg_blocking_pids(a.pid)) b where b not in (select pid from waiting)) end
  from waiting
  join unnest(%(followed)s::int[]) followed (pid) using (pid)
 cross join lateral pg_stat_get_activity(pid) a
"""
"""pg_blocking_pids stops the lock manager for a moment: it is asked for a few of the followed ones only, and
of what it names those are kept who wait for nobody. Versions: 14 on."""

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
        gone = ""
        async for step in self._until_gone(identities, has_waiters=bool(followed)):
            yield step
            gone = step.text
            if step.is_final:
                return
        async for step in self._until_free(followed, gone):
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

    async def _until_free(self, followed: Sequence[int], gone: str) -> AsyncIterator[Step]:
        at_first = await look_at(self._connection, followed)
        statements = {pid: seen.session.query_start for pid, seen in at_first.seen.items()}
        started = changed = self._clock.mono_s()
        before: Line | None = None
        while True:
            line = await self._line(statements, before)
            now = self._clock.mono_s()
            if before is None or line.key != before.key:
                changed = now
                if line.waiting:
                    yield self._step(line.text)
            elif not line.waiting:  # seen twice: between two locks of its line a session waits for neither
                yield self._step(
                    f"nobody waits any more ({plural(len(followed), 'session')} did)", is_final=True
                )
                return
            before = line
            is_settled = now - changed >= self._patience.settled_s and not line.anybody_runs
            if line.waiting and (is_settled or now - started >= self._patience.waiters_s):
                yield self._step(f"{gone}, but {line.text}", is_ok=False, is_final=True)
                return
            await self._clock.sleep(self._patience.poll_s)

    async def _line(self, statements: Mapping[int, datetime | None], before: "Line | None") -> "Line":
        """Those who wait still, with the statement they waited with at first, and who holds them up."""
        asked = (before.waiting if before and before.waiting else tuple(statements))[:_ASKED]
        parameters = {"followed": list(statements), "asked": list(asked)}
        rows = await self._connection.read(STILL_WAITING, parameters)
        waiting = {pid: held for pid, start, held in rows if in_utc(start) == statements[pid]}
        roots = sorted({root for held in waiting.values() for root in held or ()})
        holders = sighting(await self._connection.read(SESSIONS, {"pids": roots}), {})
        return Line(
            waiting=tuple(sorted(waiting)),
            roots=tuple(roots),
            holders=holders,
            followed=frozenset(statements),
        )


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Who of the followed waits still, and for whom in the end."""

    waiting: tuple[int, ...]
    roots: tuple[int, ...]
    """Empty: not known at this moment, things are changing."""
    holders: Sighting
    followed: frozenset[int]

    @property
    def key(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The same as long as nothing moves."""
        return self.waiting, self.roots

    @property
    def text(self) -> str:
        """Who got on, who waits, and behind whom: "4377 runs now · 13 still wait, behind 4377"."""
        got_on = [
            f"{pid} runs now" if seen.session.state == "active" else f"{pid} is {seen.session.state} now"
            for pid, seen in self.holders.seen.items()
            if pid in self.followed
        ]
        behind = f", behind {named(self.roots)}" if self.roots else ""
        if self.roots and not got_on:  # nobody knows that one yet
            behind = f", behind {summary_of(self.roots[0], self.holders)}"
            behind += f" and {len(self.roots) - 1} more" if len(self.roots) > 1 else ""
        return " · ".join([*got_on[:3], f"{plural(len(self.waiting), 'still waits', 'still wait')}{behind}"])

    @property
    def anybody_runs(self) -> bool:
        """Whether a holder may let go by itself soon; True when that is not known."""
        states = [seen.session.state for seen in self.holders.seen.values()]
        return not self.roots or any(state is None or not state.startswith("idle") for state in states)
