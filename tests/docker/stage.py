"""The app on readings of engines made by hand; what the screens say they look at is kept."""

from pathlib import Path

from opsdash.collectors.docker.rows import EngineData
from opsdash.collectors.snapshot import Failure, FailureKind
from opsdash.collectors.target import Target, TargetId
from tests.actions.lamps import ManualClock
from tests.support.app_stage import AppStage, StillWatch
from tests.support.docker_readings import docker_target

LOCAL = TargetId("docker", "local")


class SeenWatch(StillWatch):
    """Keeps what is looked at on each target."""

    looks: dict[TargetId, tuple[tuple[str, ...], str | None]]

    def look_at(self, target: TargetId, visible: tuple[str, ...], opened: str | None = None) -> None:
        self.__dict__.setdefault("looks", {})[target] = (visible, opened)


class Yard(AppStage[SeenWatch]):
    """One app with its engines."""

    def __init__(self, folder: Path, *names: str, targets: tuple[Target, ...] = ()) -> None:
        self.clock = ManualClock()
        targets = targets or tuple(docker_target(name) for name in names or ("local",))
        super().__init__(folder, targets, SeenWatch, self.clock)

    def looked_at(self, target: TargetId = LOCAL) -> tuple[tuple[str, ...], str | None]:
        """What the screens said last: ids in view, and the one opened."""
        return self.watch.__dict__.get("looks", {}).get(target, ((), None))

    def read(self, data: EngineData, target: TargetId = LOCAL) -> None:
        """The engine was read now."""
        self.push(target, data=data)

    def fail(self, kind: FailureKind, reason: str, target: TargetId = LOCAL) -> None:
        """The engine could not be read now."""
        self.push(target, failure=Failure(kind=kind, reason=reason, hint="look at its log"))
