"""EXPLAIN ANALYZE as a guarded, costly read: it executes a SELECT of the target, once, and rolls back."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import ConnectionLost, NotSupported, TargetError, TimedOut
from opsdash.collectors.format import duration, number, plural
from opsdash.collectors.postgres.plan import Plan as QueryPlan
from opsdash.collectors.postgres.plan_text import misjudged, outline, own_ms, slowest
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.collectors.postgres.statement_rows import StatementId
from opsdash.collectors.target import Target
from opsdash.tui.actions.action import ActionSpec, Effect, Hit, Plan, PlanLine, Step
from opsdash.tui.actions.postgres.identities import AnalyzeIdentity

if TYPE_CHECKING:
    from opsdash.collectors.postgres.analyze import Examined

_SHOWN = 300
"""Characters of the statement in a plan."""


class AnalyzeAction:
    """Executes one statement to see where its time goes: see `Action` for what each method promises."""

    def __init__(self, spec: ActionSpec, clock: Clock) -> None:
        self.spec = spec
        self._clock = clock

    async def plan(self, target: Target, identities: Sequence[msgspec.Struct], *, may_act: bool) -> Plan:
        """Read and examine the statement; see `Action.plan`."""
        from opsdash.collectors.postgres.analyze import examine, values_in

        chosen = [i for i in identities if isinstance(i, (AnalyzeIdentity, SessionIdentity))][:1]
        subject = _subject(chosen[0]) if chosen else None
        found, against = None, "nothing was chosen"
        if subject is not None:
            try:
                found = await examine(target, subject)
                against = "the statement is gone, or the session runs another one by now"
            except NotSupported as error:
                against = error.reason
        values = values_in(_typed(chosen[0])) if chosen else ()
        return Plan(
            action=self.spec.name,
            target=target.id,
            title=f"{self.spec.title} on {subject}",
            identities=tuple(chosen) or tuple(identities),
            lines=tuple(_lines(found)) if found is not None else (),
            can_undo=True,
            planned_at=self._clock.now(),
            refusal=against if found is None else found.refusal or _misfit(found, values),
        )

    async def run(self, target: Target, plan: Plan) -> tuple[Hit, ...]:
        """Execute it once; the steps of its plan are what the hit tells. See `Action.run`."""
        from opsdash.collectors.postgres.analyze import analyze, values_in

        (identity,) = plan.identities
        assert isinstance(identity, (AnalyzeIdentity, SessionIdentity))
        values = values_in(_typed(identity))
        assert not isinstance(values, str), "the plan refuses it"
        try:
            found = await analyze(target, _subject(identity), values)
        except (TimedOut, ConnectionLost) as error:
            # elsewhere these leave it open what was done; here nothing can have been
            raise TargetError(target.id, f"{error.reason}: broken off, and rolled back") from error
        if isinstance(found, str):
            return (Hit(identity=identity, effect=Effect.CHANGED, detail=f"{found}; it was not executed"),)
        told = ("examined again", "executed once, read-only, and rolled back", *_steps(found))
        return (Hit(identity=identity, effect=Effect.SENT, detail=" · ".join(told)),)

    async def verify(self, target: Target, plan: Plan, hits: Sequence[Hit]) -> AsyncIterator[Step]:
        """Nothing is left to follow: it has ended; see `Action.verify`."""
        yield Step(text="it has ended, nothing was changed", at=self._clock.now(), is_final=True)


def _subject(identity: AnalyzeIdentity | SessionIdentity) -> StatementId | SessionIdentity:
    return identity.statement if isinstance(identity, AnalyzeIdentity) else identity


def _typed(identity: AnalyzeIdentity | SessionIdentity) -> str:
    return identity.values.reveal() if isinstance(identity, AnalyzeIdentity) else ""


def _misfit(found: "Examined", values: Sequence[str | None] | str) -> str | None:
    """Why the values do not belong to the statement; None when they do."""
    if isinstance(values, str):
        return values
    if len(values) == found.parameters:
        return None
    if not values:
        return (
            f"it has {plural(found.parameters, 'parameter')}, whose values the server does not keep: from "
            "the table of statements this action asks for them"
        )
    return f"it has {plural(found.parameters, 'parameter')}, and was given {plural(len(values), 'value')}"


def _lines(found: "Examined") -> Sequence[PlanLine]:
    sql = found.sql if len(found.sql) <= _SHOWN else found.sql[: _SHOWN - 1] + "…"
    lines = [
        PlanLine(label="will run", text=f"EXPLAIN (ANALYZE, BUFFERS) {sql}"),
        PlanLine(label="where", text=f"database {found.database}, on a connection of its own"),
        PlanLine(
            label="bounds",
            text="READ ONLY transaction, rolled back; statement_timeout 10 s, lock_timeout 500 ms",
        ),
    ]
    if found.plan is not None:
        root = found.plan.root
        expected = f"cost {number(root.total_cost)}, rows {number(root.rows)}, as the planner expects"
        lines.append(PlanLine(label="expected", text=expected))
    lines.append(
        PlanLine(
            label="costs",
            text="the server executes it in full, up to 10 s: CPU, reads, temporary files, and its place in "
            "shared buffers",
            is_warning=True,
        )
    )
    lines.append(PlanLine(label="undo", text="nothing to undo: it changes nothing"))
    return lines


def _steps(plan: QueryPlan) -> Sequence[str]:
    """The executed plan as lines, and where its time went."""
    worst = slowest(plan)
    whole = duration((plan.root.actual_ms or 0.0) / 1000)
    most = f"{whole} in all, most of it in {worst.label}: {duration(own_ms(worst) / 1000)}"
    return (most, *_estimate(plan), *outline(plan))


def _estimate(plan: QueryPlan) -> Sequence[str]:
    """Where the planner was far off."""
    found = misjudged(plan)
    if found is None:
        return ()
    told = f"{number(found.actual_rows)} rows, where {number(found.expected_rows)} were expected"
    return (f"the planner was far off in {found.label}: {told} (ANALYZE, or CREATE STATISTICS)",)
