"""A gateway to one engine, armed, and what tests ask of the engine past it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.listing import moment
from opsdash.collectors.docker.rows import ContainerIdentity
from opsdash.collectors.target import Target
from opsdash.tui.actions.action import OutcomeKind
from opsdash.tui.actions.audit import AuditLog
from opsdash.tui.actions.docker.follow import Patience
from opsdash.tui.actions.docker.kit import DockerKit
from opsdash.tui.actions.guard import Decision
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.actions.running import Planned, Running
from tests.actions.lamps import maria
from tests.support.engine import TestEngine, docker_target
from tests.support.waiting import wait_until_async

LIMIT_S = 60.0

SHORT = Patience(settle_s=0.3, poll_s=0.05)


class Desk:
    """Somebody who is armed and sits before one engine."""

    def __init__(
        self, engine: TestEngine, target: Target, folder: Path, *, permitted: bool, patience: Patience
    ) -> None:
        self.engine = engine
        self.target = target
        self.path = folder / "audit.jsonl"
        clock = Clock()
        self.kit = DockerKit(clock, patience=patience)
        self.gateway = Gateway(
            [target],
            AuditLog(self.path, clock=clock),
            clock=clock,
            permitted=permitted,
            make_kit=lambda kind, clock: self.kit,
            operator=maria,
        )

    def identity(self, name: str) -> ContainerIdentity:
        """As a row of the screen has it now."""
        found = self.engine.inspect(name)
        return ContainerIdentity(found["Id"], moment(found["State"]["StartedAt"]))

    async def plan(self, action: str, *things: str | msgspec.Struct) -> Planned:
        """Args: names of containers, or identities."""
        identities = [self.identity(thing) if isinstance(thing, str) else thing for thing in things]
        return await self.gateway.plan(f"docker.{action}", self.target.id, identities)

    def start(self, planned: Planned) -> Running:
        """Decide for it, as its guard asks."""
        return self.gateway.perform(planned, Decision(typed=planned.guard.must_type))

    async def run(self, planned: Planned) -> Running:
        """The same, and wait for its end."""
        running = self.start(planned)
        await wait_until_async(lambda: running.is_done, LIMIT_S, "the action ends")
        return running

    async def do(self, action: str, *things: str | msgspec.Struct) -> Running:
        return await self.run(await self.plan(action, *things))

    def events(self) -> list[str]:
        """What is recorded; an outcome is recorded right after the action has ended."""
        return [msgspec.json.decode(line)["event"] for line in self.path.read_bytes().splitlines()]


@asynccontextmanager
async def at_desk(
    engine: TestEngine,
    folder: Path,
    *,
    host: str | None = None,
    permitted: bool = True,
    patience: Patience = SHORT,
) -> AsyncIterator[Desk]:
    """A desk before `engine`, which is reached by `host` where that is stated."""
    desk = Desk(engine, docker_target(host or engine.host), folder, permitted=permitted, patience=patience)
    assert (await desk.gateway.arm() is None) == permitted
    try:
        yield desk
    finally:
        await desk.gateway.close()


def said(planned: Planned) -> str:
    return "\n".join(f"{line.label}: {line.text}" for line in planned.plan.lines)


def outcome(running: Running) -> tuple[OutcomeKind, str]:
    assert running.outcome is not None
    return running.outcome.kind, running.outcome.text


def told(running: Running) -> str:
    return "\n".join(step.text for step in running.steps)


def posts(engine: TestEngine) -> list[str]:
    """Paths of all requests so far that were not reads, by the engine's own log."""
    return [path for method, path in engine.requests() if method != "GET"]
