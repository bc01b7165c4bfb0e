"""The app on endpoints and hosts whose readings a test makes by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opsdash.collectors.target import Target
from tests.actions.lamps import ManualClock
from tests.support.app_stage import AppStage, StillWatch


class HealthStage(AppStage[Any]):
    """One app with its targets; nothing is read but what a test says."""

    def __init__(self, folder: Path, targets: Sequence[Target], watch: type[StillWatch] = StillWatch) -> None:
        self.clock = ManualClock()
        super().__init__(folder, targets, watch, self.clock, permitted=False)

    def read(self, target: Target, data: Any = None, **what: Any) -> None:
        """The target was read now."""
        self.push(target.id, data=data, **what)
