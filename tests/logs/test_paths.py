"""What a `[[log]]` table's paths come to: none, no file at all, times of another zone; what check says."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.finding import Severity
from opsdash.collectors.lines.source_lines import SourceLines
from opsdash.collectors.logs.collector import LogCollector
from opsdash.collectors.logs.settings import LogSettings
from opsdash.collectors.target import Target, TargetId, environment
from opsdash.tui.check import look
from tests.actions.lamps import ManualClock


def log_target(path: Path, **settings: Any) -> Target:
    return Target(
        id=TargetId("log", "api"),
        environment=environment("staging"),
        interval_s=0.25,
        settings=LogSettings(path=str(path), **settings),
        source="a test",
    )


async def checked(path: Path) -> list[tuple[Severity, str]]:
    report = await look([log_target(path)], Clock())
    return [(finding.severity, finding.title) for finding in report.findings]


async def test_a_check_warns_of_a_path_that_no_file_matches(tmp_path: Path) -> None:
    path = tmp_path / "mistyped.log"
    assert await checked(path) == [(Severity.WARN, f"{path}: no file matches yet")]


async def test_a_check_does_not_know_what_a_fifo_says(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.log")
    assert await checked(tmp_path / "pipe.log") == [
        (Severity.UNKNOWN, "pipe.log cannot be read: it is a FIFO")
    ]


async def test_a_fifo_that_a_wildcard_happens_to_match_is_left_out_by_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "app.log").write_text("one\n")
    collector = LogCollector(log_target(tmp_path / "*.log"), ManualClock())
    data = await collector.collect()
    await collector.close()
    assert [source.name for source in data.logs] == ["app.log"]
    assert [(one.path, one.reason) for one in data.not_followed] == [
        (str(tmp_path / "pipe.log"), "it is a FIFO, and only regular files are followed")
    ]


async def test_a_path_whose_file_is_gone_is_told_after_a_while(tmp_path: Path) -> None:
    path, clock = tmp_path / "app.log", ManualClock()
    path.write_text("one\n")
    collector = LogCollector(log_target(path), clock)
    assert (await collector.collect()).absent == ()
    path.unlink()
    clock.advance(2.1)
    assert (await collector.collect()).absent == (), "a new one may be on its way"
    clock.advance(10.1)
    ((pattern, failure),) = (await collector.collect()).absent
    assert (pattern, failure.reason) == (str(path), "no file matches any more")
    path.write_text("two\n")
    clock.advance(2.1)
    assert (await collector.collect()).absent == ()
    await collector.close()


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine's zone: five hours behind UTC in November."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("new_york")
@pytest.mark.parametrize(("utc", "hour"), [(True, 3), (False, 8)])
async def test_times_without_a_zone_are_of_this_machine_or_utc(tmp_path: Path, utc: bool, hour: int) -> None:
    (tmp_path / "app.log").write_text("2026-11-22 03:12:40,204 ERROR no lock\n")
    collector = LogCollector(log_target(tmp_path / "app.log", utc=utc), ManualClock())
    (summary,) = (await collector.collect()).logs
    assert datetime.fromtimestamp(summary.latest[0].at, UTC).hour == hour, "in the summary"
    at = SourceLines(*collector.log_sources()).record(0).at
    assert at is not None
    assert datetime.fromtimestamp(at, UTC).hour == hour, "in the lines"
    await collector.close()
