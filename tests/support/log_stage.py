"""The app on sources of lines that a test makes by hand."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from opsdash.collectors.clock import Clock
from opsdash.collectors.lines.source import LogSource
from opsdash.collectors.lines.source_lines import LineRef
from opsdash.collectors.lines.summary import SourceSummary
from opsdash.collectors.lines.tally import Tally
from opsdash.collectors.logs.rows import LogData
from opsdash.collectors.logs.settings import LogSettings
from opsdash.collectors.snapshot import Failure
from opsdash.collectors.target import Target, environment
from opsdash.widgets.logview import LogView
from tests.actions.lamps import ManualClock
from tests.support.app_stage import AppStage, StillWatch
from tests.support.log_lines import SHOP, START_S


class LogWatch(StillWatch):
    """Its sources are those of a test."""

    sources: tuple[LogSource, ...] = ()

    def log_sources(self) -> tuple[LogSource, ...]:
        return self.sources


class LogStage(AppStage[LogWatch]):
    """One app that looks at logs."""

    def __init__(self, folder: Path, *sources: LogSource, clock: Clock | None = None) -> None:
        self.clock = clock or ManualClock()
        target = Target(
            id=SHOP,
            environment=environment("staging"),
            interval_s=0.25,
            settings=LogSettings(path="/var/log/*"),
            source="a test",
        )
        super().__init__(folder, [target], LogWatch, self.clock, permitted=False)
        self.watch.sources = sources

    def read(self, *failing: tuple[LogSource, Failure]) -> None:
        """The target was read: the app hears of the sources as they are now."""
        failures = {id(source): failure for source, failure in failing}
        summaries = tuple(summary(source, failures.get(id(source))) for source in self.watch.sources)
        self.push(SHOP, data=LogData(taken_at=self.clock.now(), logs=summaries))

    def tick(self) -> None:
        """A frame's time passes."""
        assert isinstance(self.clock, ManualClock)
        self.clock.advance(0.3)

    @property
    def view(self) -> LogView:
        return self.app.screen.query_one(LogView)

    @property
    def cursor(self) -> str:
        """The message under the cursor."""
        line = self.view.cursor
        return "" if line is None else line.record.message

    @property
    def shown(self) -> Sequence[LineRef]:
        return self.view.window.shown

    @asynccontextmanager
    async def at(self, width: int, height: int) -> AsyncIterator[Pilot[Any]]:
        """The running app on a terminal of this size, in its log area."""
        async with super().at(width, height) as pilot:
            self.read()
            await pilot.press("5")
            await pilot.pause()
            yield pilot


def summary(source: LogSource, failure: Failure | None = None) -> SourceSummary:
    """What a collector would say of a source."""
    tally = Tally(source.zone)
    for block in source.buffer.blocks():
        tally.add(block.data, block.arrived_at)
    return tally.summary(
        source.name,
        source.identity,
        source.buffer,
        now=START_S + 30,
        watched_since=START_S - 600,
        failure=failure,
    )
