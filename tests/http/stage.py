"""The app on endpoints and hosts whose readings a test makes by hand."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from opsdash.collectors.snapshot import Snapshot
from opsdash.collectors.target import Target
from opsdash.tui.actions.audit import AuditLog
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.app import OpsdashApp
from tests.actions.lamps import ManualClock, maria
from tests.screens.stage import StillWatch


class HealthStage:
    """One app with its targets; nothing is read but what a test says."""

    def __init__(self, folder: Path, targets: Sequence[Target]) -> None:
        self.clock = ManualClock()
        self.gateway = Gateway(
            targets,
            AuditLog(folder / "audit.jsonl", clock=self.clock),
            clock=self.clock,
            permitted=False,
            operator=maria,
        )
        self.app = OpsdashApp(StillWatch(targets, self.gateway, self.clock))
        self._readings = 0

    def read(self, target: Target, data: Any = None, **what: Any) -> None:
        """The target was read now."""
        self._readings += 1
        self.app.watch_over.feed.push(
            Snapshot(
                target=target.id,
                sequence=self._readings,
                taken_at=self.clock.now(),
                taken_mono_s=self.clock.mono_s(),
                took_s=0.01,
                data=data,
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
