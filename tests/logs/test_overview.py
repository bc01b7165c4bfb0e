"""The panel of logs on the overview."""

from collections.abc import Sequence
from typing import Any

import pytest
from rich.cells import cell_len

from opsdash.collectors.feed import TargetView
from opsdash.collectors.lines.record import Level
from opsdash.collectors.lines.summary import LatestLine, SourceSummary, errors_by_minute
from opsdash.collectors.logs.rows import LogData
from opsdash.collectors.snapshot import Failure, FailureKind, Snapshot
from opsdash.tui.findings.logs import findings
from opsdash.widgets.lines import span_text
from opsdash.widgets.panels.log.overview import errors_per_min, overview_lines
from tests.findings.test_logs import MINUTE, NOW, TARGET, minutes, source

MONO_S = 1000.0
LOST = Failure(kind=FailureKind.REFUSED, reason="docker.sock: connection refused")


def line(number: int, text: str, level: Level | None = Level.INFO, ago_s: float = 0.0) -> LatestLine:
    return LatestLine(number=number, at=MINUTE + 40 - ago_s, level=level, text=text)


def view(*sources: SourceSummary, failure: Failure | None = None, has_data: bool = True) -> TargetView:
    good: Snapshot[Any] = Snapshot(
        target=TARGET.id, sequence=1, taken_at=NOW, taken_mono_s=MONO_S, took_s=0.01,
        data=LogData(taken_at=NOW, logs=sources),
    )  # fmt: skip
    failed: Snapshot[Any] = Snapshot(
        target=TARGET.id, sequence=2, taken_at=NOW, taken_mono_s=MONO_S, took_s=0.01, failure=LOST
    )
    return TargetView(
        target=TARGET,
        latest=failed if failure else good,
        good=good if has_data else None,
        failures=1 if failure else 0,
    )


def panel(views: Sequence[TargetView], width: int = 132, height: int = 8) -> list[str]:
    told = [f for v in views if v.data is not None for f in findings(v.data, v.target)]
    lines = overview_lines(views, told, mono_s=MONO_S, width=width, height=height)
    return ["".join(map(span_text, one)) for one in lines]


LOCK = line(41, 'could not obtain lock on relation "stock" (request 7f3a91)', Level.ERROR, 1)
POOL = line(17, "pool exhausted: 60/60 checked out, waiting 2.1 s", Level.WARN, 1)
KILLED = line(9, "Killed", None)
BURST = source(
    minutes([0] * 29 + [3, 38, 20]), "api-1", latest=(line(40, "POST /orders"), LOCK), latest_trouble=(LOCK,)
)
OTHER = source(minutes([0] * 31), "web-2", latest=(POOL, KILLED), latest_trouble=(POOL,))
FULL = (view(BURST, OTHER),)


def test_errors_a_minute_and_the_newest_lines_that_matter_are_shown() -> None:
    head, *rows = panel(FULL, height=4)
    assert head.startswith("── 5 Logs · 2 sources ───")
    assert head.endswith("─ ERROR 38/min ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁█▅ ──")
    assert cell_len(head) == 132
    assert rows == [
        '03:12:39 api-1 ERROR  could not obtain lock on relation "stock" (request 7f3a91)',
        "03:12:39 web-2 WARN   pool exhausted: 60/60 checked out, waiting 2.1 s",
        "03:12:40 web-2 -      Killed",
    ]


def test_bad_lines_win_over_newer_ones_where_there_is_little_room() -> None:
    shown = panel(FULL, height=3)
    assert [one.split()[2] for one in shown[1:]] == ["ERROR", "WARN"]


def test_old_bad_lines_are_no_news() -> None:
    old = line(3, "long ago", Level.ERROR, ago_s=16 * 60)
    calm = source(minutes([0] * 20), latest=(line(7, "up"), line(8, "still up")), latest_trouble=(old,))
    assert [one.split(maxsplit=3)[3] for one in panel([view(calm)], height=3)[1:]] == ["up", "still up"]


@pytest.mark.parametrize("width", [60, 80, 100, 132, 200])
@pytest.mark.parametrize("height", [1, 2, 3, 4, 8, 20])
def test_it_fits_at_every_size(width: int, height: int) -> None:
    wide = line(50, "日本語 " * 60, Level.FATAL)
    long = source(minutes([9]), "a-name-as-long-as-some-are.log", latest_trouble=(wide,), failure=LOST)
    for views in (
        FULL,
        [view(BURST, long), view(failure=LOST)],
        [view()],
        [view(has_data=False, failure=LOST)],
    ):
        shown = panel(views, width, height)
        assert 1 <= len(shown) <= height
        assert all(cell_len(one) <= width for one in shown if "connection refused" not in one)


def test_in_one_line_the_worst_is_named() -> None:
    (folded,) = panel(FULL, 80, 1)
    assert folded.startswith("5 Logs        ▲ api-1: ERROR 38/min")
    assert folded.endswith("2 sources")
    (calm,) = panel([view(OTHER)], 80, 2)
    assert calm.startswith("5 Logs        ● ERROR 0/min")


def test_what_cannot_be_read_is_said_with_its_reason() -> None:
    denied = source((), "secret.log", failure=LOST, latest=(), latest_trouble=())
    assert "? secret.log not followed: docker.sock: connection refused" in panel([view(denied)])
    shown = panel([view(BURST, failure=LOST)])
    assert "stale 0s: connection refused  docker.sock: connection refused" in shown[1]
    (folded,) = panel([view(failure=LOST, has_data=False)], 80, 1)
    assert "? api: connection refused" in folded


def test_before_the_first_reading_nothing_is_claimed() -> None:
    shown = panel([view(has_data=False)])
    assert "ERROR" not in shown[0]
    assert "waiting for the first lines" in panel([view(has_data=False)], 80, 1)[0]


def test_a_minute_that_was_not_read_to_its_end_is_unknown_in_the_bar() -> None:
    sources = [source(minutes([1, 2, 3], blind=[1])), source(minutes([5, 5, 5]), "b.log")]
    assert errors_by_minute(sources, 4) == (6, None, 8)
    assert errors_by_minute(sources, 2) == (None, 8)
    assert errors_per_min(sources) == 8
    assert errors_by_minute([], 4) == ()
