"""Purge the keys that match a pattern: SCAN and UNLINK in small steps, and the truth about how many went."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import ConnectionLost, PermissionDenied, TargetError, TimedOut
from opsdash.collectors.format import duration, number, percent, plural
from opsdash.collectors.redis.client import Session
from opsdash.collectors.redis.identities import PurgeIdentity
from opsdash.collectors.target import Target
from opsdash.tui.actions.action import ActionSpec, Effect, Hit, Plan, PlanLine, Progress, Step
from opsdash.tui.actions.redis import PURGE
from opsdash.tui.actions.redis.connection import ActionConnection
from opsdash.tui.actions.redis.deed import Connections, line
from opsdash.tui.actions.redis.sighting import Sighting, fall_through, look, not_here, not_the_same
from opsdash.tui.actions.redis.survey import Pace, Survey, Walk, shown, survey, without_expiry

TYPE_FROM = 0.5
"""From this share of the keys on the target's name is typed everywhere."""


class Tally(msgspec.Struct, kw_only=True):
    """How far a purge is."""

    expected: int
    """Matching keys, by the plan; an estimate perhaps."""
    gone: int = 0
    sent: int = 0
    """Keys whose answer has not come yet."""
    denied: int = 0
    """Keys that the user may not touch."""
    reason: str = ""
    """Why not, in the server's words."""

    @property
    def words(self) -> str:
        """How many went.

        >>> Tally(expected=100_000, gone=41_500).words
        '41,500 of about 100,000 keys are gone'
        """
        refused = f", {self.denied:,} refused ({self.reason})" if self.denied else ""
        return f"{self.gone:,} of about {self.expected:,} keys are gone{refused}"


class PurgeAction:
    """See `SteppedAction` for what each method promises."""

    def __init__(self, connections: Connections, clock: Clock, pace: Pace | None = None) -> None:
        self._connections = connections
        self._clock = clock
        self._pace = pace or Pace()
        self._expected: dict[PurgeIdentity, int] = {}
        """By the last plan of each."""

    @property
    def spec(self) -> ActionSpec:
        """What it is called and what it works on."""
        return PURGE

    async def plan(self, target: Target, identities: Sequence[msgspec.Struct], *, may_act: bool) -> Plan:
        """Look at the keys for some seconds and say what would go; see `Action.plan`."""
        (thing,) = _things(identities)
        connection = self._connections.kept(target) if may_act else self._connections.short_lived(target)
        try:
            now = await look(connection, self._clock.mono_s())
            refusal = not_the_same(thing.run_id, now) or not_here(now, "keys") or _no_pattern(thing)
            found: Survey | None = None
            lines: tuple[PlanLine, ...] = ()
            if refusal is None:
                found = await survey(
                    connection, self._clock, db=thing.db, pattern=thing.pattern, pace=self._pace
                )
                later = await look(connection, self._clock.mono_s())
                endless = await without_expiry(connection, thing.db, found.samples)
                lines = tuple(self._lines(thing, found, later, fall_through(now, later), endless))
                refusal = _nothing(thing, found)
                self._expected[thing] = found.estimate
        finally:
            if not may_act:
                connection.close()
        return Plan(
            action=self.spec.name,
            target=target.id,
            title=f"Purge {thing.pattern} of db{thing.db}",
            identities=(thing,),
            lines=lines,
            can_undo=False,
            planned_at=self._clock.now(),
            refusal=refusal,
            always_type=found is not None and (_is_all(thing) or found.share > TYPE_FROM),
        )

    def _lines(
        self,
        thing: PurgeIdentity,
        found: Survey,
        now: Sighting,
        lookups: str | None,
        endless: int | None,
    ) -> list[PlanLine]:
        pace = self._pace
        lasts = duration(max(found.keys / pace.keys_per_s, 1.0))
        lines = [
            line("will run", f"on db{thing.db} SCAN MATCH {thing.pattern}, and UNLINK of each key it finds"),
            line("hits", found.words),
            line("such as", "  ".join(map(shown, found.samples)) or "none"),
        ]
        if found.samples:
            lines.append(line("lost", _lost(endless, len(found.samples))))
        if lookups is not None:
            text = f"{lookups} (all keys); those of the purged ones go to whatever is behind this cache"
            lines.append(line("lookups", text, is_warning=True))
        if now.replication.replicas:
            count = plural(len(now.replication.replicas), "replica")
            lines.append(line("replicas", f"{count} of it lose them too"))
        if now.mode == "cluster":
            text = "only the keys of this node; those of the other nodes stay"
            lines.append(line("cluster", text, is_warning=True))
        speed = f"at most {number(pace.keys_per_s)} keys/s are looked at"
        lines.append(line("costs", f"{speed}, so about {lasts}; each command takes it about 1 ms at most"))
        lines.append(line("stops", "b in 9 Actions, at any moment; it tells exactly how many went"))
        return [*lines, line("undo", "none; keys written while it runs may or may not go")]

    async def run(self, target: Target, plan: Plan, progress: Progress | None = None) -> tuple[Hit, ...]:
        """Go through the keys once; see `SteppedAction.run`."""
        (thing,) = _things(plan.identities)
        connection = self._connections.kept(target)
        tally = Tally(expected=self._expected.get(thing, 0))
        try:
            now = await look(connection, self._clock.mono_s())
        except TargetError as error:
            raise TargetError(target.id, f"nothing was sent: {error.reason}", hint=error.hint) from error
        why = not_the_same(thing.run_id, now) or not_here(now, "keys")
        if why is not None:
            return (Hit(identity=thing, effect=Effect.CHANGED, detail=f"{why}; nothing was sent"),)
        try:
            is_over = await self._go_through(connection, thing, tally, progress)
        except (TimedOut, ConnectionLost) as error:
            more = f", perhaps {tally.sent:,} more" if tally.sent else ""
            text = f"{tally.words}{more}; then: {error.reason}"
            raise TimedOut(target.id, text, hint=error.hint) from error
        except TargetError as error:
            if not tally.gone:
                raise
            return (self._hit(thing, tally, f"stopped by the server: {error.reason}"),)
        return (
            self._hit(
                thing, tally, "all of the database was gone through" if is_over else "stopped on request"
            ),
        )

    def _hit(self, thing: PurgeIdentity, tally: Tally, ending: str) -> Hit:
        if tally.denied and not tally.gone:
            return Hit(identity=thing, effect=Effect.DENIED, detail=tally.reason)
        return Hit(identity=thing, effect=Effect.SENT, detail=f"{tally.words} · {ending}")

    async def _go_through(
        self, connection: ActionConnection, thing: PurgeIdentity, tally: Tally, progress: Progress | None
    ) -> bool:
        """Step by step, at the pace; whether the end was reached."""
        walk = Walk(thing.pattern, self._pace)
        session: Session | None = None
        told_s = self._clock.mono_s()
        while not walk.is_over():
            if progress is not None and progress.is_aborted:
                return False
            next_s = self._clock.mono_s() + 1 / self._pace.steps_per_s
            async with connection.turn(thing.db, only=session) as session:
                await _unlink(session, await walk.step(session), tally)
            is_due = self._clock.mono_s() - told_s >= self._pace.tell_every_s
            if progress is not None and is_due and not walk.is_over():
                told_s = self._clock.mono_s()
                progress.progress(tally.words)
            if not walk.is_over():
                await self._clock.sleep(max(0.0, next_s - self._clock.mono_s()))
        return True

    async def verify(self, target: Target, plan: Plan, hits: Sequence[Hit]) -> AsyncIterator[Step]:
        """Look whether keys match still; see `Action.verify`."""
        (thing,) = _things(plan.identities)
        found = await survey(
            self._connections.kept(target), self._clock, db=thing.db, pattern=thing.pattern, pace=self._pace
        )
        where = "" if found.is_complete else f" among about {number(found.looked_at)} looked at"
        text = f"no key matches any more{where}"
        if found.matching:
            text = f"{plural(found.matching, 'key')} match{where}: written since, or refused"
        yield Step(text=f"{hits[0].detail.split(' · ')[0]} · {text}", at=self._clock.now(), is_final=True)


async def _unlink(session: Session, keys: Sequence[bytes], tally: Tally) -> None:
    """One UNLINK a key: none holds the server up, a cluster takes them, and a refusal is for one key only.

    Raises:
        TargetError: The server takes no more, or no answer came; what went before it is counted.
    """
    if not keys:
        return
    refusal: TargetError | None = None
    tally.sent = len(keys)
    replies = await session.ask(*(("UNLINK", key) for key in keys))
    tally.sent = 0
    for reply in replies:
        if isinstance(reply, PermissionDenied):
            tally.denied += 1
            tally.reason = reply.reason
        elif isinstance(reply, TargetError):
            refusal = reply
        else:
            tally.gone += reply
    if refusal is not None:
        raise refusal


def _things(identities: Sequence[msgspec.Struct]) -> tuple[PurgeIdentity, ...]:
    found = tuple(identity for identity in identities if isinstance(identity, PurgeIdentity))
    if len(found) != 1 or len(identities) != 1:
        raise TypeError("a purge hits one pattern of one database")
    return found


def _is_all(thing: PurgeIdentity) -> bool:
    return not thing.pattern.strip("*")


def _no_pattern(thing: PurgeIdentity) -> str | None:
    return None if thing.pattern.strip() else "no pattern was given; cart:* would be one"


def _nothing(thing: PurgeIdentity, found: Survey) -> str | None:
    if found.matching:
        return None
    seen = "of all" if found.is_complete else "of about"
    return f"no key matches {thing.pattern}, {seen} {number(found.looked_at)} looked at in db{thing.db}"


def _lost(endless: int | None, of: int) -> str:
    """What the samples say of the keys: those with an expiry would have gone by themselves."""
    if endless is None:
        return "their values; whether they would expire by themselves may not be asked (PTTL)"
    return f"their values; {endless} of {of} looked at have no expiry ({percent(endless / of)})"
