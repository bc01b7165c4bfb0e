"""The one door to a target: plan -> guard -> intent on disk -> run -> verify -> outcome on disk."""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import TargetError
from opsdash.collectors.target import Target, TargetId
from opsdash.tui.actions import registry
from opsdash.tui.actions.action import Action, ActionKit, Outcome, OutcomeKind
from opsdash.tui.actions.arming import ARMED_S, Arming
from opsdash.tui.actions.audit import AuditError, AuditLog
from opsdash.tui.actions.guard import Decision, Guard, GuardKind, Mode, guard, is_satisfied, mode_denies
from opsdash.tui.actions.running import Planned, Running, act
from opsdash.tui.actions.who import Operator, find_operator

log = logging.getLogger(__name__)

KEPT_RUNS = 200
_CLOSE_S = 0.5
"""How long closing waits for records and connections, which may hang."""


class Gateway:
    """Everything that changes a target goes through here, and nothing else knows how."""

    def __init__(
        self,
        targets: Iterable[Target],
        audit: AuditLog,
        *,
        clock: Clock,
        permitted: bool,
        read_only: bool = False,
        make_kit: Callable[[str, Clock], ActionKit | None] = registry.make_kit,
        operator: Callable[[], Awaitable[Operator]] = find_operator,
    ) -> None:
        """Args: what is watched, where actions are recorded, and the flags of the command line."""
        self._targets = {target.id: target for target in targets}
        self._audit = audit
        self._clock = clock
        self._permitted = permitted
        self._read_only = read_only
        self._make_kit = make_kit
        self._operator = operator
        self._asking = asyncio.Lock()
        self._switching = asyncio.Lock()
        self._arming = Arming(clock, self._expired)
        self._kits: dict[str, ActionKit | None] = {}
        self._listeners: list[Callable[[], None]] = []
        self._runs: tuple[Running, ...] = ()
        self._opening: asyncio.Task[Any] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        """Runs and records under way."""

    # what the screen shows

    @property
    def mode(self) -> Mode:
        """What may be done at this moment."""
        return Mode(read_only=self._read_only, permitted=self._permitted, armed=self._arming.left_s > 0)

    @property
    def armed_left_s(self) -> float:
        """Seconds until arming expires; 0 when not armed."""
        return self._arming.left_s

    @property
    def record_path(self) -> Path:
        """The audit log."""
        return self._audit.path

    @property
    def runs(self) -> tuple[Running, ...]:
        """Actions of this session, newest first."""
        return self._runs

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever the mode or a run has changed."""
        self._listeners.append(listener)

    # arming

    async def arm(self) -> str | None:
        """Arm for ten minutes, recorded first.

        Returns:
            None when armed; else why not and what would help.
        """
        async with self._switching:
            refusal = mode_denies(msgspec.structs.replace(self.mode, armed=True))
            if refusal is not None:
                return refusal
            try:
                await self.record("armed", for_s=ARMED_S)
            except AuditError as error:
                return str(error)
            self._arming.start()
            self._opening = asyncio.create_task(self.open())  # those that could not be opened before
        self._notify()
        return None

    async def disarm(self) -> str | None:
        """Disarm, at once; recorded afterwards.

        Returns:
            Why it could not be recorded; None when it was, or nothing was armed.
        """
        if not self._arming.stop():
            return None
        self._notify()
        return await self._record_disarmed("by key")

    def _expired(self) -> None:
        self._notify()
        self._spawn(self._record_disarmed("by time"))

    async def _record_disarmed(self, how: str) -> str | None:
        try:
            await self.record("disarmed", how=how)
        except AuditError as error:
            return str(error)
        return None

    # acting

    async def open(self) -> Mapping[TargetId, TargetError]:
        """Open the kept action connections, where arming is permitted: a server may be full later.

        Returns:
            Those that could not be opened, and why.
        """
        targets = [target for target in self._targets.values() if self._may_act(target)]
        results = await asyncio.gather(*(self._open(target) for target in targets))
        return {error.target: error for error in results if error is not None}

    async def _open(self, target: Target) -> TargetError | None:
        kit = self._kit(target.id.kind)
        try:
            if kit is not None:
                await kit.open(target)
        except TargetError as error:
            return error
        return None

    async def plan(self, action: str, target: TargetId, identities: Sequence[msgspec.Struct]) -> Planned:
        """Read the target afresh and say what the action would do.

        Raises:
            TargetError: The target could not be read.
        """
        watched = self._targets[target]
        operator = await self._who()
        plan = await self._action(action, target).plan(watched, identities, may_act=self._may_act(watched))
        return Planned(
            plan=plan,
            guard=guard(plan, watched.environment, self.mode),
            environment=watched.environment,
            operator=operator.label,
            planned_at=self._clock.now(),
        )

    def guard(self, planned: Planned) -> Guard:
        """How `planned` is guarded now; it may have been armed or disarmed since."""
        return guard(planned.plan, self._targets[planned.plan.target].environment, self.mode)

    def perform(self, planned: Planned, decision: Decision) -> Running:
        """Carry out what was decided, in the background.

        Guard and decision are judged here and now, and nobody else's action may be on the same thing.
        """
        running = Running(secrets.token_hex(6), planned, self._clock, self._notify)
        refusal = self._refusal(planned, decision)
        ended = [run for run in self._runs[KEPT_RUNS - 1 :] if run.is_done]
        self._runs = (running, *(run for run in self._runs if run not in ended))
        self._spawn(self._carry_out(running, refusal))
        self._notify()
        return running

    async def record(self, event: str, **fields: Any) -> None:
        """Record something that a person did and that needs no plan (masked values were shown).

        Raises:
            AuditError: It could not be recorded, so it must not be done.
        """
        operator = await self._who()
        await self._audit.append(event, {**_signature(operator), **fields})

    async def close(self, wait_s: float = 0.0) -> None:
        """End: wait for running actions up to `wait_s`, break off the rest, let go of connections.

        Never waits for a target or a disk longer than `wait_s` and about a second.
        """
        if wait_s > 0 and self._tasks:
            await asyncio.wait(self._tasks, timeout=wait_s)
        if self._arming.stop():
            self._spawn(self._record_disarmed("by quitting"))
        for running in self._runs:
            running.abort()
        if self._opening is not None:
            self._opening.cancel()
        kits = [kit for kit in self._kits.values() if kit is not None]
        for kit in kits:
            kit.abort()
        closing = [asyncio.ensure_future(kit.close()) for kit in kits]
        ending = {*self._tasks, *closing}
        if ending:
            _, late = await asyncio.wait(ending, timeout=_CLOSE_S)
            for task in late:
                task.cancel()

    # how

    def _may_act(self, target: Target) -> bool:
        return self._permitted and not self._read_only and target.environment.actions != "deny"

    def _kit(self, kind: str) -> ActionKit | None:
        if kind not in self._kits:
            self._kits[kind] = self._make_kit(kind, self._clock)
        return self._kits[kind]

    def _action(self, name: str, target: TargetId) -> Action:
        kit = self._kit(target.kind)
        if kit is None:
            raise KeyError(name)
        return kit.actions[name]

    async def _who(self) -> Operator:
        async with self._asking:
            return await self._operator()

    def _refusal(self, planned: Planned, decision: Decision) -> str | None:
        now = self.guard(planned)
        if not is_satisfied(now, decision):
            if now.kind is GuardKind.DENY:
                return now.reason
            return f"the target's name was not typed: {now.must_type}"
        wanted = {str(identity) for identity in planned.plan.identities}
        for other in self._runs:
            plan = other.planned.plan
            both = wanted & {str(identity) for identity in plan.identities}
            if not other.is_done and plan.target == planned.plan.target and both:
                return f"{plan.title} is still under way: no two actions on {min(both)}"
        return None

    async def _carry_out(self, running: Running, refusal: str | None) -> None:
        try:
            await self._recorded(running, refusal)
        except Exception as error:  # an action ends and is told, whatever opsdash does wrong
            log.exception("action %s %s", running.planned.plan.action, running.id)
            if not running.is_done:
                kind = OutcomeKind.UNKNOWN if running.steps else OutcomeKind.REFUSED
                text = f"opsdash failed ({type(error).__name__}; see its log)"
                running.end(Outcome(kind=kind, text=text))

    async def _recorded(self, running: Running, refusal: str | None) -> None:
        operator = await self._who()
        if refusal is None:
            try:
                await self._audit.append("intent", {**_intent(running), **_signature(operator)})
            except AuditError as error:
                running.end(Outcome(kind=OutcomeKind.REFUSED, text=f"nothing was sent: {error}"))
                return
            running.say("intent recorded")
            plan = running.planned.plan
            target = self._targets[plan.target]
            outcome, event = await act(running, self._action(plan.action, plan.target), target), "outcome"
        else:
            outcome, event = Outcome(kind=OutcomeKind.REFUSED, text=refusal), "refused"
        running.end(outcome)
        try:
            await self._audit.append(event, {**_ending(running, outcome), **_signature(operator)})
        except AuditError as error:
            running.say(f"the outcome could not be recorded: {error.reason}", is_ok=False)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _notify(self) -> None:
        for listener in self._listeners:
            try:
                listener()
            except Exception:  # who looks on must not stop an action half way
                log.exception("telling of a change")


def _about(running: Running) -> dict[str, Any]:
    plan = running.planned.plan
    return {"id": running.id, "action": plan.action, "target": str(plan.target)}


def _intent(running: Running) -> dict[str, Any]:
    planned = running.planned
    return {
        **_about(running),
        "environment": planned.environment.label,
        "production": planned.environment.production,
        "title": planned.plan.title,
        "identities": planned.plan.identities,
        "plan": [{line.label: line.text} for line in planned.plan.lines],
        "planned_at": planned.planned_at,
    }


def _ending(running: Running, outcome: Outcome) -> dict[str, Any]:
    return {
        **_about(running),
        "outcome": outcome.kind,
        "text": outcome.text,
        "hits": running.hits,
        "steps": [{"at": step.at, "text": step.text, "ok": step.is_ok} for step in running.steps],
    }


def _signature(operator: Operator) -> dict[str, Any]:
    """Who, and which opsdash: several write one file."""
    return {
        "who": operator.label,
        "operator": operator,
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }
