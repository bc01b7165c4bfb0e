"""A kind of target made for tests: lamps that can be switched off. What was sent stands in a file."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.target import Environment, Target, TargetId
from opsdash.tui.actions.action import ActionKit, ActionSpec, Effect, Hit, OutcomeKind, Plan, PlanLine, Step
from opsdash.tui.actions.audit import AuditLog
from opsdash.tui.actions.guard import Decision
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.actions.running import Planned, Running
from opsdash.tui.actions.who import Operator
from tests.support.waiting import wait_until_async

HALL = TargetId("lamps", "hall")
MARIA = Operator(uid=1000, user="maria", ssh_from="10.0.4.7")


class Lamp(msgspec.Struct, frozen=True):
    number: int

    def __str__(self) -> str:
        return f"lamp {self.number}"


def hall(**environment: object) -> Target:
    stated = Environment(**{"name": "staging", "production": False, **environment})  # type: ignore[arg-type]
    return Target(id=HALL, environment=stated, interval_s=2.0, settings=Lamp(0), source="test")


class ManualClock(Clock):
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self._mono_s = 1000.0
        self._now = datetime(2026, 3, 14, 3, 12, 41, tzinfo=UTC)
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def mono_s(self) -> float:
        return self._mono_s

    def now(self) -> datetime:
        return self._now

    async def sleep(self, delay_s: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._mono_s + delay_s, future))
        await future

    def advance(self, mono_s: float, wall_s: float | None = None) -> None:
        """Move on; the wall clock by as much unless said otherwise."""
        self._mono_s += mono_s
        self._now += timedelta(seconds=mono_s if wall_s is None else wall_s)
        for due, future in self._sleepers:
            if due <= self._mono_s and not future.done():
                future.set_result(None)
        self._sleepers = [(due, f) for due, f in self._sleepers if not f.done()]


class SwitchOff:
    """Switches lamps off by writing their numbers into the file `sent`."""

    spec = ActionSpec(name="lamps.off", kind="lamps", title="Switch off", key="O", on=Lamp)

    def __init__(self, sent: Path, clock: Clock) -> None:
        self.sent = sent
        self.clock = clock
        self.effects: Mapping[int, Effect] = {}
        self.refusal: str | None = None
        self.always_type = False
        self.fail_plan: Exception | None = None
        self.fail_run: Exception | None = None
        self.fail_verify: Exception | None = None
        self.final: Step | None = self.step("it is dark", is_final=True)
        self.reach: Callable[[str], object] = lambda stage: None
        """Called at each stage; may return an awaitable that holds the action up."""

    def step(self, text: str, *, is_ok: bool = True, is_final: bool = False) -> Step:
        return Step(text=text, at=self.clock.now(), is_ok=is_ok, is_final=is_final)

    async def _at(self, stage: str) -> None:
        held = self.reach(stage)
        if asyncio.isfuture(held) or asyncio.iscoroutine(held):
            await held

    async def plan(self, target: Target, identities: Sequence[msgspec.Struct], *, may_act: bool) -> Plan:
        if self.fail_plan is not None:
            raise self.fail_plan
        return Plan(
            action=self.spec.name,
            target=target.id,
            title=f"Switch off {', '.join(map(str, identities))}",
            identities=tuple(identities),
            lines=(PlanLine(label="will run", text="off()"), PlanLine(label="over", text=str(may_act))),
            can_undo=False,
            planned_at=self.clock.now(),
            refusal=self.refusal,
            always_type=self.always_type,
        )

    async def run(self, target: Target, plan: Plan) -> tuple[Hit, ...]:
        await self._at("run")
        if self.fail_run is not None:
            raise self.fail_run
        hits = []
        for identity in plan.identities:
            assert isinstance(identity, Lamp)
            effect = self.effects.get(identity.number, Effect.SENT)
            detail = "same lamp re-checked · switched" if effect is Effect.SENT else ""
            if effect is Effect.SENT:
                with self.sent.open("a") as file:
                    file.write(f"{identity.number}\n")
            hits.append(Hit(identity=identity, effect=effect, detail=detail))
        await self._at("sent")
        return tuple(hits)

    async def verify(self, target: Target, plan: Plan, hits: Sequence[Hit]) -> AsyncIterator[Step]:
        yield self.step("it glows on")
        await self._at("verify")
        if self.fail_verify is not None:
            raise self.fail_verify
        if self.final is not None:
            yield self.final


class LampKit:
    """The one action, and what was asked of the kept connections."""

    def __init__(self, off: SwitchOff) -> None:
        self.actions = {off.spec.name: off}
        self.opened: list[TargetId] = []
        self.fail_open: dict[TargetId, Exception] = {}
        self.is_aborted = False
        self.is_closed = False

    async def open(self, target: Target) -> None:
        if target.id in self.fail_open:
            raise self.fail_open[target.id]
        self.opened.append(target.id)

    def abort(self) -> None:
        self.is_aborted = True

    async def close(self) -> None:
        self.is_closed = True


async def maria() -> Operator:
    return MARIA


class House:
    """A gateway to lamps, its log, and what really was sent."""

    def __init__(self, folder: Path, *targets: Target, clock: Clock | None = None, **options: object) -> None:
        self.clock = clock or Clock()
        self.sent = folder / "sent"
        self.off = SwitchOff(self.sent, self.clock)
        self.kit = LampKit(self.off)
        self.path = folder / "state" / "audit.jsonl"
        audit = options.pop("audit", None) or AuditLog(self.path, clock=self.clock)
        wanted = {"permitted": True, "operator": maria, **options}
        self.gateway = Gateway(targets or [hall()], audit, clock=self.clock, make_kit=self._kit, **wanted)  # type: ignore[arg-type]

    def _kit(self, kind: str, clock: Clock) -> ActionKit | None:
        return self.kit if kind == "lamps" else None

    def sent_lamps(self) -> list[int]:
        return [int(line) for line in self.sent.read_text().split()] if self.sent.exists() else []

    def records(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        return [msgspec.json.decode(line) for line in self.path.read_bytes().splitlines()]

    def events(self) -> list[str]:
        return [record["event"] for record in self.records()]


YES = Decision()


async def plan(house: House, *numbers: int) -> Planned:
    return await house.gateway.plan("lamps.off", HALL, [Lamp(n) for n in numbers or (1,)])


async def ended(house: House, running: Running) -> Running:
    """Wait until it has ended and that is on disk."""
    await wait_until_async(lambda: running.is_done, 30, "the action ends")
    await house.gateway.close(wait_s=30)
    return running


async def armed_plan(house: House, *numbers: int) -> Planned:
    assert await house.gateway.arm() is None
    return await plan(house, *numbers)


async def performed(house: House, *numbers: int, decision: Decision = YES) -> Running:
    planned = await armed_plan(house, *numbers)
    return await ended(house, house.gateway.perform(planned, decision))


def outcome(running: Running) -> tuple[OutcomeKind, str]:
    assert running.outcome is not None
    return running.outcome.kind, running.outcome.text
