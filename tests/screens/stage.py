"""The whole app on readings made by hand, with a clock and with actions that tests hold in their hands."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from textual.pilot import Pilot

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import TargetError
from opsdash.collectors.postgres.rows import SessionIdentity, SessionRow
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.snapshot import Failure, FailureKind
from opsdash.collectors.target import Environment, Target, TargetId, environment
from opsdash.tui.actions import registry
from opsdash.tui.actions.action import ActionSpec, Effect, Hit, Plan, PlanLine, Step
from opsdash.tui.screen_settings import ScreenSettings
from tests.actions.lamps import ManualClock
from tests.support.app_stage import AppStage, StillWatch
from tests.support.readings import reading, row_line, session

ORDERS = TargetId("postgres", "orders")
LEDGER = TargetId("postgres", "ledger")
STAGING = environment("staging")
PRODUCTION = environment("prod-eu")


class HandAction:
    """One action. What it was asked to send is kept; its effect comes when a test says so."""

    def __init__(self, spec: ActionSpec, clock: Clock) -> None:
        self.spec = spec
        self.plans = 0
        self.sent: list[msgspec.Struct] = []
        self.fails: TargetError | None = None
        self.lines: tuple[PlanLine, ...] = (
            PlanLine(label="will run", text="pg_terminate_backend, only if it is still the same transaction"),
            PlanLine(label="lost", text="its open transaction", is_warning=True),
            PlanLine(label="undo", text="none; the client sees a lost connection and may retry"),
        )
        self._clock = clock
        self._steps: asyncio.Queue[Step] = asyncio.Queue()

    def goes_on(self, text: str, *, is_final: bool = False) -> None:
        """Something is seen of its effect."""
        self._steps.put_nowait(Step(text=text, at=self._clock.now(), is_final=is_final))

    async def plan(self, target: Target, identities: Sequence[msgspec.Struct], *, may_act: bool) -> Plan:
        self.plans += 1
        if self.fails is not None:
            raise self.fails
        return Plan(
            action=self.spec.name,
            target=target.id,
            title=f"{self.spec.title} {identities[0]}",
            identities=tuple(identities),
            lines=self.lines,
            can_undo=False,
            planned_at=self._clock.now(),
        )

    async def run(self, target: Target, plan: Plan) -> tuple[Hit, ...]:
        self.sent += plan.identities
        text = "same transaction re-checked · signal sent"
        return tuple(Hit(identity=i, effect=Effect.SENT, detail=text) for i in plan.identities)

    async def verify(self, target: Target, plan: Plan, hits: Sequence[Hit]) -> AsyncIterator[Step]:
        while True:
            step = await self._steps.get()
            yield step
            if step.is_final:
                return


class HandKit:
    """All actions of a kind, by hand."""

    def __init__(self, clock: Clock, kind: str = "postgres") -> None:
        self.actions = {spec.name: HandAction(spec, clock) for spec in registry.specs(kind)}

    async def open(self, target: Target) -> None:
        return

    def abort(self) -> None:
        return

    async def close(self) -> None:
        return


class Stage(AppStage[StillWatch]):
    """One app with its targets."""

    def __init__(
        self,
        folder: Path,
        *names: str,
        where: Environment = STAGING,
        permitted: bool = True,
        notes: Sequence[str] = (),
        settings: ScreenSettings | None = None,
    ) -> None:
        self.clock = ManualClock()
        self.kit = HandKit(self.clock)
        super().__init__(
            folder,
            [_target(name, where) for name in names or ("orders",)],
            StillWatch,
            self.clock,
            permitted=permitted,
            make_kit=lambda kind, clock: self.kit,
            notes=notes,
            settings=settings,
        )

    @property
    def terminate(self) -> HandAction:
        return self.kit.actions["postgres.terminate"]

    @property
    def sent(self) -> list[int]:
        """The sessions that anything was sent to."""
        found = (identity for action in self.kit.actions.values() for identity in action.sent)
        return [identity.pid for identity in found if isinstance(identity, SessionIdentity)]

    def read(self, data: Any, target: TargetId = ORDERS) -> None:
        """The target was read now."""
        self.push(target, data=data)

    def fail(self, kind: FailureKind, reason: str, target: TargetId = ORDERS) -> None:
        """The target could not be read now."""
        self.push(target, failure=Failure(kind=kind, reason=reason, hint="look at its log"))

    async def press(self, pilot: Pilot[Any], *keys: str) -> None:
        """Keys that a dialog takes: it has been open for a second."""
        await pilot.pause()
        self.clock.advance(1.0)
        await pilot.press(*keys)
        await pilot.pause()


def _target(name: str, where: Environment) -> Target:
    return Target(
        id=TargetId("postgres", name),
        environment=where,
        interval_s=2.0,
        settings=PostgresSettings(dsn="host=/nowhere dbname=shop"),
        source="a test",
    )


def blocker(pid: int = 4312, state: str | None = "idle in transaction", **facts: Any) -> SessionRow:
    """A session that was left idle in its transaction."""
    known: dict[str, Any] = {
        "for_s": 372.0,
        "application_name": "checkout",
        "user": "shop",
        "database": "shop",
        "client_addr": "10.2.0.31",
        "backend_xid": 88213,
        "query": "update stock set qty = qty - ? where sku = $1",
    }
    return session(pid, state, **(known | facts))


def incident(waiting: int = 14, root: SessionRow | None = None, **facts: Any) -> Any:
    """A reading in which one idle session makes `waiting` others wait for a row; the last one is idle."""
    root = root or blocker()
    pids = range(root.pid + 65, root.pid + 65 + waiting)
    waiters = [
        session(
            pid,
            wait_event_type="Lock",
            wait_event="tuple",
            application_name="api",
            user="shop",
            database="shop",
            client_addr="10.2.0.32",
            query="update stock set qty = qty - ? where sku = $1",
            for_s=300.0 - place,
        )
        for place, pid in enumerate(pids)
    ]
    idle = session(5000, "idle", application_name="reporting", for_s=20.0, xact_start=None)
    waits = row_line(root.pid, list(pids), longest_s=358.0) if waiting else []
    return reading([root, *waiters, idle], waits, **facts)
