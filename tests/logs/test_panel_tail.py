"""The lines on the overview are the newest there are, with nothing left out between them."""

from datetime import UTC, datetime

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.lines.record import Level
from opsdash.collectors.lines.summary import LATEST, LATEST_TROUBLE, LatestLine, SourceSummary
from opsdash.collectors.snapshot import Snapshot
from opsdash.collectors.target import Environment, Target, TargetId
from opsdash.widgets.lines import span_text
from opsdash.widgets.panels.log.overview import overview_lines

NOW = datetime(2026, 11, 22, 3, 12, 40, tzinfo=UTC)


class Data(msgspec.Struct, frozen=True):
    logs: tuple[SourceSummary, ...]


def source(name: str, *seconds_ago: float) -> SourceSummary:
    lines = tuple(
        LatestLine(number=number, at=NOW.timestamp() - ago, level=Level.ERROR, text=f"{name} {ago:g}")
        for number, ago in enumerate(seconds_ago)
    )
    return SourceSummary(
        name=name,
        identity=name,
        format="plain",
        first=0,
        end=100,
        dropped=0,
        held_bytes=1,
        latest=lines[-LATEST:],
        latest_trouble=lines,
        watched_since=0.0,
    )


def shown(*sources: SourceSummary) -> list[str]:
    target = TargetId("log", "logs")
    settings = msgspec.defstruct("Nothing", [], frozen=True)()
    view = TargetView(
        target=Target(
            id=target, environment=Environment(), interval_s=1.0, settings=settings, source="a test"
        ),
        good=Snapshot(
            target=target, sequence=1, taken_at=NOW, taken_mono_s=0.0, took_s=0.0, data=Data(logs=sources)
        ),
    )
    lines = overview_lines((view,), (), mono_s=0.0, width=180, height=20)
    return ["".join(map(span_text, line)) for line in lines[1:]]


def test_a_line_from_before_what_is_known_of_a_busy_source_is_left_out() -> None:
    busy = source("busy.log", *range(LATEST_TROUBLE, 0, -1))
    quiet = source("quiet.log", 300.0, 2.5)
    told = shown(busy, quiet)
    assert not any("quiet.log 300" in line for line in told)
    assert any("quiet.log 2.5" in line for line in told)
    assert sum("busy.log" in line for line in told) == LATEST_TROUBLE


def test_of_quiet_sources_old_lines_are_shown() -> None:
    assert any("quiet.log 300" in line for line in shown(source("quiet.log", 300.0, 2.5)))


def test_a_long_name_is_whole_where_there_is_room() -> None:
    assert any("inventory-db.log " in line for line in shown(source("inventory-db.log", 1.0)))
