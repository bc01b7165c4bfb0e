"""The whole app on readings that a test makes by hand."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

from textual.pilot import Pilot

from opsdash.collectors.clock import Clock
from opsdash.collectors.snapshot import Snapshot
from opsdash.collectors.target import Target, TargetId
from opsdash.tui.actions import registry
from opsdash.tui.actions.action import ActionKit
from opsdash.tui.actions.audit import AuditLog
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.app import OpsdashApp
from opsdash.tui.screen_settings import ScreenSettings
from opsdash.tui.watch import Watch
from tests.actions.lamps import maria


class StillWatch(Watch):
    """Reads nothing by itself: a test says what was read."""

    async def start(self) -> None:
        return


W = TypeVar("W", bound=StillWatch)


class AppStage(Generic[W]):
    """One app with its targets, of which it hears what a test says; maria is at the keys."""

    def __init__(
        self,
        folder: Path,
        targets: Sequence[Target],
        watch: type[W],
        clock: Clock,
        *,
        permitted: bool = True,
        make_kit: Callable[[str, Clock], ActionKit | None] = registry.make_kit,
        notes: Sequence[str] = (),
        settings: ScreenSettings | None = None,
    ) -> None:
        self.targets = targets
        self.audit_path = folder / "audit.jsonl"
        self.gateway = Gateway(
            targets,
            AuditLog(self.audit_path, clock=clock),
            clock=clock,
            permitted=permitted,
            make_kit=make_kit,
            operator=maria,
        )
        self.watch = watch(targets, self.gateway, clock, notes=notes)
        self.app = OpsdashApp(self.watch, settings)
        self._clock = clock
        self._readings = 0

    def push(self, target: TargetId, **what: Any) -> None:
        """The target was read now: `data`, or `failure`; the clock says when."""
        self._readings += 1
        self.watch.feed.push(
            Snapshot(
                target=target,
                sequence=self._readings,
                taken_at=self._clock.now(),
                taken_mono_s=self._clock.mono_s(),
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
