"""The three actions, and the connections they share."""

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import TargetError, TimedOut
from opsdash.collectors.postgres.rows import SessionIdentity, SessionRow
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.target import Target, TargetId
from opsdash.tui.actions.action import Action, ActionSpec, Effect, Hit, Plan, PlanLine, Step
from opsdash.tui.actions.postgres import (
    ANALYZE,
    ANALYZE_SESSION,
    LOG_SLOW,
    RESET_STATEMENTS,
    RESTORE_LOG_SLOW,
    TERMINATE_IDLE,
)
from opsdash.tui.actions.postgres.analyze import AnalyzeAction
from opsdash.tui.actions.postgres.connection import BoundedConnection
from opsdash.tui.actions.postgres.deeds import Deed, refusal
from opsdash.tui.actions.postgres.follow import Follower, Patience
from opsdash.tui.actions.postgres.idle import TerminateIdle
from opsdash.tui.actions.postgres.instance import InstanceAction, InstanceDeed
from opsdash.tui.actions.postgres.log_slow import Former, LogSlow
from opsdash.tui.actions.postgres.reset import ResetStatements
from opsdash.tui.actions.postgres.sighting import Sighting, look
from opsdash.tui.actions.postgres.signals import signal
from opsdash.tui.actions.postgres.waiting import behind
from opsdash.tui.actions.postgres.wording import lines

STATEMENT_S = 5.0
"""How long a statement of an action may take before its socket is shut."""


class PostgresKit:
    """Actions on PostgreSQL, with one kept action connection per target."""

    def __init__(
        self, clock: Clock, *, statement_s: float = STATEMENT_S, patience: Patience | None = None
    ) -> None:
        self._clock = clock
        self._statement_s = statement_s
        self._kept: dict[TargetId, BoundedConnection] = {}
        follow = patience or Patience()
        actions: list[Action] = [
            *(SessionAction(deed, self, clock, follow) for deed in Deed),
            *(AnalyzeAction(spec, clock) for spec in (ANALYZE, ANALYZE_SESSION)),
            TerminateIdle(TERMINATE_IDLE, self, clock, follow),
            *(InstanceAction(deed, self, clock) for deed in instance_deeds()),
        ]
        self.actions: Mapping[str, Action] = {action.spec.name: action for action in actions}

    async def open(self, target: Target) -> None:
        """Open the kept action connection ahead of need: on a full server it could no longer be.

        Raises:
            TargetError: It could not be opened.
        """
        await self.kept(target).open()

    def kept(self, target: Target) -> BoundedConnection:
        """The action connection of `target`, open or not yet."""
        if target.id not in self._kept:
            self._kept[target.id] = self._make(target, is_for_acting=True)
        return self._kept[target.id]

    def short_lived(self, target: Target) -> BoundedConnection:
        """A connection with the monitoring role, for one plan; the caller closes it."""
        return self._make(target, is_for_acting=False)

    async def close(self) -> None:
        """Let go of all connections; never waits for a target."""
        self.abort()
        for connection in self._kept.values():
            await connection.close()

    def abort(self) -> None:
        """Shut all sockets, now and without waiting."""
        for connection in self._kept.values():
            connection.abort()

    def _make(self, target: Target, *, is_for_acting: bool) -> BoundedConnection:
        return BoundedConnection(target, deadline_s=self._statement_s, is_for_acting=is_for_acting)


def instance_deeds() -> tuple[InstanceDeed, ...]:
    """The actions on the whole server; two of them share what was there before."""
    former: Former = {}
    return LogSlow(LOG_SLOW, former), LogSlow(RESTORE_LOG_SLOW, former), ResetStatements(RESET_STATEMENTS)


class SessionAction:
    """One of the three actions: see `Action` for what each method promises."""

    def __init__(self, deed: Deed, kit: PostgresKit, clock: Clock, patience: Patience) -> None:
        self._deed = deed
        self._kit = kit
        self._clock = clock
        self._patience = patience

    @property
    def spec(self) -> ActionSpec:
        """What it is called and what it works on."""
        return self._deed.spec

    async def plan(self, target: Target, identities: Sequence[msgspec.Struct], *, may_act: bool) -> Plan:
        """Read the sessions afresh and say what would happen; see `Action.plan`."""
        chosen = sessions_of(identities)
        pids = [identity.pid for identity in chosen]
        if may_act:
            sighting = await look(self._kit.kept(target), pids)
        else:
            connection = self._kit.short_lived(target)
            try:
                sighting = await look(connection, pids)
            finally:
                await connection.close()
        return self._planned(target, chosen, sighting, knows_role=may_act or not _has_own_role(target))

    def _planned(
        self, target: Target, chosen: Sequence[SessionIdentity], sighting: Sighting, *, knows_role: bool
    ) -> Plan:
        refused = {
            identity: why
            for identity in chosen
            if (why := refusal(self._deed, identity, sighting, knows_role=knows_role)) is not None
        }
        hit = [sighting.seen[i.pid].session for i in chosen if i not in refused]
        pids = [session.pid for session in hit]
        return Plan(
            action=self.spec.name,
            target=target.id,
            title=_title(self.spec, hit, chosen),
            identities=tuple(session.identity for session in hit) or tuple(chosen),
            lines=_lines(self._deed, hit, refused, sighting, knows_role=knows_role),
            can_undo=False,
            planned_at=self._clock.now(),
            followed=behind(sighting.blockers, pids),
            refusal=None if hit else " · ".join(dict.fromkeys(refused.values())) or "nothing was chosen",
        )

    async def run(self, target: Target, plan: Plan) -> tuple[Hit, ...]:
        """Signal each session by a statement of its own; see `Action.run`."""
        connection = self._kit.kept(target)
        hits: list[Hit] = []
        for identity in sessions_of(plan.identities):
            try:
                hits.append(await signal(connection, self._deed, identity))
            except TargetError as error:
                if not any(hit.effect is Effect.SENT for hit in hits):
                    raise
                raise TimedOut(target.id, _so_far(hits, identity, error), hint=error.hint) from error
        return tuple(hits)

    async def verify(self, target: Target, plan: Plan, hits: Sequence[Hit]) -> AsyncIterator[Step]:
        """Follow the sessions until they are gone, then their waiters; see `Action.verify`."""
        sent = sessions_of([hit.identity for hit in hits if hit.effect is Effect.SENT])
        follower = Follower(self._kit.kept(target), self._clock, self._deed, self._patience)
        async for step in follower.steps(sent, plan.followed):
            yield step


def sessions_of(identities: Sequence[msgspec.Struct]) -> list[SessionIdentity]:
    """The identities as sessions, each once. Raises TypeError for another kind's identity."""
    found = [identity for identity in identities if isinstance(identity, SessionIdentity)]
    if len(found) != len(identities):
        raise TypeError("these actions hit sessions only")
    return list(dict.fromkeys(found))


def _has_own_role(target: Target) -> bool:
    return isinstance(target.settings, PostgresSettings) and target.settings.act_dsn is not None


def _title(spec: ActionSpec, hit: Sequence[SessionRow], chosen: Sequence[SessionIdentity]) -> str:
    pids = [session.pid for session in hit] or [identity.pid for identity in chosen]
    return f"{spec.title} {pids[0]}" if len(pids) == 1 else f"{spec.title}: {len(pids)} sessions"


def _lines(
    deed: Deed,
    hit: Sequence[SessionRow],
    refused: Mapping[SessionIdentity, str],
    sighting: Sighting,
    *,
    knows_role: bool,
) -> tuple[PlanLine, ...]:
    if not hit:
        return ()
    found = list(lines(deed, hit, sighting))
    found += [PlanLine(label="left out", text=why, is_warning=True) for why in refused.values()]
    if not knows_role:
        text = "whether the role of act_dsn may do this: that is read once actions are permitted"
        found.append(PlanLine(label="not known", text=text, is_warning=True))
    return tuple(found)


def _so_far(hits: Sequence[Hit], identity: SessionIdentity, error: TargetError) -> str:
    told = ", ".join(f"{hit.identity} {hit.effect.value}" for hit in hits)
    return f"{told}; then {identity}: {error.reason}; the others were not tried"
