"""Terminates sessions that do nothing for too long: idle, or idle in transaction, by application."""

import re
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import PermissionDenied, TargetError, TimedOut
from opsdash.collectors.format import age, plural
from opsdash.collectors.postgres.rows import InstanceIdentity, SessionRow
from opsdash.collectors.target import Target
from opsdash.tui.actions.action import ActionSpec, Effect, Hit, Plan, PlanLine, Step
from opsdash.tui.actions.postgres.connection import BoundedConnection
from opsdash.tui.actions.postgres.deeds import Deed, refusal
from opsdash.tui.actions.postgres.follow import Follower, Patience
from opsdash.tui.actions.postgres.identities import IdleIdentity
from opsdash.tui.actions.postgres.instance import Connections, has_own_role, line
from opsdash.tui.actions.postgres.sighting import Sighting, look
from opsdash.tui.actions.postgres.signals import CHECK_AT_MOST
from opsdash.tui.actions.postgres.wording import lines as session_lines

MOST = 200
"""Sessions that one plan names; more are done by planning again."""
_TYPED = 10
"""From so many on, the target's name is typed in every environment."""

_CANDIDATES = """/* opsdash:idle_sessions */
select pg_postmaster_start_time(),
       array(select a.pid from pg_stat_activity a
              where a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
                and a.application_name <> 'opsdash' and a.application_name not like 'pg_cron%%'
                and a.state = any(%(states)s) and clock_timestamp() - a.state_change >= %(at_least)s
                and (%(application)s::text is null or a.application_name = %(application)s)
              order by a.state_change)
"""
_TERMINATE = """/* opsdash:terminate_idle */
select case when clock_timestamp() - began.at < %(at_most)s then pg_terminate_backend(a.pid) end
  from (select clock_timestamp() as at, %(pid)s::int as pid offset 0) began
 cross join lateral pg_stat_get_activity(began.pid) a
 where a.pid = began.pid and a.pid <> pg_backend_pid() and a.backend_type = 'client backend'
   and a.backend_start = %(backend_start)s
   and a.xact_start is not distinct from %(xact_start)s::timestamptz
   and a.state = %(state)s and a.state_change = %(state_change)s
"""

_ASKED = re.compile(r"(idle-tx|idle)\s+(\d{1,6})\s*([ms]?)(?:\s+(\S.*))?")
_STATES = {"idle": ["idle"], "idle-tx": ["idle in transaction", "idle in transaction (aborted)"]}
_EXPECTED = 'expected "idle-tx 10" or "idle 60" (minutes), then an application\'s name if only its own'


class Wanted(msgspec.Struct, frozen=True):
    """Which sessions are meant."""

    kind: str
    """idle or idle-tx."""
    seconds: int
    application: str | None = None
    """None: of every application."""


def wanted(typed: str | None) -> Wanted | None:
    """What was typed; None when it means nothing.

    >>> wanted("idle-tx 10") == Wanted("idle-tx", 600)
    True
    >>> wanted("idle 30s  check out") == Wanted("idle", 30, "check out")
    True
    >>> wanted("idle"), wanted("all 5"), wanted("idle-tx 0")
    (None, None, None)
    """
    found = _ASKED.fullmatch((typed or "").strip())
    if found is None or int(found[2]) == 0:
        return None
    return Wanted(found[1], int(found[2]) * (1 if found[3] == "s" else 60), found[4])


class TerminateIdle:
    """See `Action` for what each method promises."""

    def __init__(self, spec: ActionSpec, connections: Connections, clock: Clock, patience: Patience) -> None:
        self.spec = spec
        self._connections = connections
        self._clock = clock
        self._patience = patience

    async def plan(self, target: Target, identities: Sequence[msgspec.Struct], *, may_act: bool) -> Plan:
        """Find the sessions as they are now; see `Action.plan`."""
        (server,) = identities
        assert isinstance(server, InstanceIdentity)
        asked = wanted(server.value)
        if asked is None:
            return self._plan(target, (server,), title=self.spec.title, refusal=_EXPECTED)
        knows_role = may_act or not has_own_role(target)
        if may_act:
            return await self._found(self._connections.kept(target), target, server, asked, knows_role)
        connection = self._connections.short_lived(target)
        try:
            return await self._found(connection, target, server, asked, knows_role)
        finally:
            await connection.close()

    async def _found(
        self,
        connection: BoundedConnection,
        target: Target,
        server: InstanceIdentity,
        asked: Wanted,
        knows_role: bool,
    ) -> Plan:
        at_least = timedelta(seconds=asked.seconds)
        ((_, pids),) = await connection.read(
            _CANDIDATES,
            {"states": _STATES[asked.kind], "at_least": at_least, "application": asked.application},
        )
        sighting = await look(connection, pids[:MOST])
        idle = [s for pid in pids[:MOST] if (s := _session(sighting, pid)) and _is_meant(s, asked, sighting)]
        left_out = {
            s.pid: why
            for s in idle
            if (why := refusal(Deed.TERMINATE, s.identity, sighting, knows_role=knows_role)) is not None
        }
        hit = [s for s in idle if s.pid not in left_out]
        whose = f" of {asked.application}" if asked.application else ""
        what = f"{asked.kind} for over {age(asked.seconds)}{whose}"
        if not hit:
            why = " · ".join(dict.fromkeys(left_out.values())) or f"no client session is {what}"
            return self._plan(target, (server,), title=self.spec.title, refusal=why)
        return self._plan(
            target,
            tuple(IdleIdentity(s.identity, s.state or "", s.state_change or sighting.now) for s in hit),
            title=f"Terminate {plural(len(hit), 'session')} {what}",
            lines=(
                line("meant", f"{what}; the longest for {age(_idle_s(hit[0], sighting))}"),
                *session_lines(Deed.TERMINATE, hit, sighting),
                line(
                    "same", "state and the time since when it is idle are part of each statement's condition"
                ),
                *([line("not all", f"the {MOST} longest of {len(pids)}")] if len(pids) > MOST else []),
                *(line("left out", why, is_warning=True) for why in dict.fromkeys(left_out.values())),
            ),
            always_type=len(hit) >= _TYPED,
        )

    def _plan(
        self,
        target: Target,
        identities: tuple[msgspec.Struct, ...],
        *,
        title: str,
        lines: tuple[PlanLine, ...] = (),
        refusal: str | None = None,
        always_type: bool = False,
    ) -> Plan:
        return Plan(
            action=self.spec.name,
            target=target.id,
            title=title,
            identities=identities,
            lines=lines,
            can_undo=False,
            planned_at=self._clock.now(),
            refusal=refusal,
            always_type=always_type,
        )

    async def run(self, target: Target, plan: Plan) -> tuple[Hit, ...]:
        """Signal each by a statement of its own; see `Action.run`."""
        connection = self._connections.kept(target)
        hits: list[Hit] = []
        for identity in plan.identities:
            assert isinstance(identity, IdleIdentity)
            try:
                hits.append(await _signal(connection, identity))
            except TargetError as error:
                if not any(hit.effect is Effect.SENT for hit in hits):
                    raise
                told = f"{len(hits)} of {len(plan.identities)} done, then {identity}: {error.reason}"
                raise TimedOut(target.id, told, hint=error.hint) from error
        return tuple(hits)

    async def verify(self, target: Target, plan: Plan, hits: Sequence[Hit]) -> AsyncIterator[Step]:
        """Follow the sessions until they are gone; see `Action.verify`."""
        sent = [
            hit.identity.session
            for hit in hits
            if hit.effect is Effect.SENT and isinstance(hit.identity, IdleIdentity)
        ]
        follower = Follower(self._connections.kept(target), self._clock, Deed.TERMINATE, self._patience)
        async for step in follower.steps(sent, plan.followed):
            yield step


def _session(sighting: Sighting, pid: int) -> SessionRow | None:
    seen = sighting.seen.get(pid)
    return seen.session if seen is not None else None


def _is_meant(session: SessionRow, asked: Wanted, sighting: Sighting) -> bool:
    """Whether it is still idle in the way that was asked for: it was read again since."""
    return session.state in _STATES[asked.kind] and _idle_s(session, sighting) >= asked.seconds


def _idle_s(session: SessionRow, sighting: Sighting) -> float:
    """Seconds it has been idle; 0 where it does not say."""
    return (sighting.now - (session.state_change or sighting.now)).total_seconds()


async def _signal(connection: BoundedConnection, identity: IdleIdentity) -> Hit:
    """Terminate one, if it has done nothing since it was chosen."""
    session = identity.session
    parameters = {
        "pid": session.pid,
        "backend_start": session.backend_start,
        "xact_start": session.xact_start,
        "state": identity.state,
        "state_change": identity.state_change,
    }
    for at_most in CHECK_AT_MOST:
        try:
            rows = await connection.act(_TERMINATE, {**parameters, "at_most": at_most})
        except PermissionDenied as error:
            return Hit(identity=identity, effect=Effect.DENIED, detail=error.reason)
        if not rows:
            detail = "it is gone, or has done something since; nothing was sent"
            return Hit(identity=identity, effect=Effect.CHANGED, detail=detail)
        if rows[0][0] is not None:
            effect = Effect.SENT if rows[0][0] else Effect.GONE
            return Hit(identity=identity, effect=effect, detail="still idle · signal sent")
    raise TargetError(
        connection.target.id, "nothing was sent: the server is too slow to signal what it checked"
    )
