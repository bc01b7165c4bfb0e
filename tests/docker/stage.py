"""The app on readings of engines made by hand; what the screens say they look at is kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from opsdash.collectors.docker.rows import EngineData
from opsdash.collectors.snapshot import Failure, FailureKind, Snapshot
from opsdash.collectors.target import Target, TargetId
from opsdash.tui.actions.audit import AuditLog
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.app import OpsdashApp
from tests.actions.lamps import ManualClock, maria
from tests.screens.stage import StillWatch
from tests.support.docker_readings import docker_target

LOCAL = TargetId("docker", "local")


class SeenWatch(StillWatch):
    """Keeps what is looked at on each target."""

    looks: dict[TargetId, tuple[tuple[str, ...], str | None]]

    def look_at(self, target: TargetId, visible: tuple[str, ...], opened: str | None = None) -> None:
        self.__dict__.setdefault("looks", {})[target] = (visible, opened)


class Yard:
    """One app with its engines."""

    def __init__(self, folder: Path, *names: str, targets: tuple[Target, ...] = ()) -> None:
        self.clock = ManualClock()
        targets = targets or tuple(docker_target(name) for name in names or ("local",))
        self.audit_path = folder / "audit.jsonl"
        self.gateway = Gateway(
            targets,
            AuditLog(self.audit_path, clock=self.clock),
            clock=self.clock,
            permitted=True,
            operator=maria,
        )
        self.watch = SeenWatch(targets, self.gateway, self.clock)
        self.app = OpsdashApp(self.watch)
        self._readings = 0

    def looked_at(self, target: TargetId = LOCAL) -> tuple[tuple[str, ...], str | None]:
        """What the screens said last: ids in view, and the one opened."""
        return self.watch.__dict__.get("looks", {}).get(target, ((), None))

    def read(self, data: EngineData, target: TargetId = LOCAL) -> None:
        """The engine was read now."""
        self._push(target, data=data)

    def fail(self, kind: FailureKind, reason: str, target: TargetId = LOCAL) -> None:
        """The engine could not be read now."""
        self._push(target, failure=Failure(kind=kind, reason=reason, hint="look at its log"))

    def _push(self, target: TargetId, **what: Any) -> None:
        self._readings += 1
        self.watch.feed.push(
            Snapshot(
                target=target,
                sequence=self._readings,
                taken_at=self.clock.now(),
                taken_mono_s=self.clock.mono_s(),
                took_s=0.01,
                **what,
            )
        )

    @asynccontextmanager
    async def at(self, width: int, height: int) -> AsyncIterator[Pilot[Any]]:
        """The running app on a terminal of this size."""
        async with self.app.run_test(size=(width, height)) as pilot:
            await pilot.pause()
            yield pilot
        await self.gateway.close()
