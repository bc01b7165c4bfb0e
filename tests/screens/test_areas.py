"""The five areas on the overview: where they stand, what of them is shown, and how old it is."""

from pathlib import Path

import pytest

from opsdash.collectors.feed import TargetView
from opsdash.tui.screens.arrangement import Area, arranged, columns
from opsdash.widgets.lines import Line, span_text
from opsdash.widgets.panel import one_line_each
from opsdash.widgets.panels.postgres import overview
from tests.support.every_kind import EveryKind
from tests.support.redis_readings import redis_reading
from tests.support.screen import SIZES, assert_fills, line_with, text_of, until
from tests.support.targets import postgres_target

AREAS = ("1 Health", "2 Database", "3 Cache", "4 Containers", "5 Logs")
FIVE = tuple(Area(kinds=(area,), needs_width=area == "5 Logs") for area in AREAS)


def row_of(lines: list[str], words: str) -> int:
    return next(y for y, line in enumerate(lines) if words in line)


@pytest.mark.parametrize("size", [(180, 46), (132, 34), (120, 24)])
async def test_on_a_wide_terminal_two_areas_stand_beside_each_other(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    stage = EveryKind(tmp_path)
    async with stage.at(*size) as pilot:
        await until(pilot, "4 Containers")
        lines = text_of(stage.app).splitlines()
        health, database, cache, containers, logs = (row_of(lines, f"{area} ") for area in AREAS)
        assert health == database < cache < logs
        assert database < containers < logs
        assert all(line[(size[0] - 3) // 2 + 1] in "│┬┌┤├┼" for line in lines[health:logs])
        assert lines[logs].startswith("── 5 Logs")
        assert_fills(stage.app)


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_on_a_small_terminal_each_area_folds_to_a_line(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = EveryKind(tmp_path)
    async with stage.at(*size) as pilot:
        await until(pilot, "4 Containers")
        lines = text_of(stage.app).splitlines()
        starts = [row_of(lines, f"{area} ") for area in AREAS[1:]]
        assert starts == [*range(starts[0], starts[0] + 4)]
        assert row_of(lines, "1 Health ") == starts[0] - 2, "the host has the line between"
        assert "8 waiting" in lines[starts[0]]
        assert "1 unhealthy" in lines[starts[2]]
        assert_fills(stage.app)


@pytest.mark.parametrize("size", SIZES)
async def test_every_area_tells_the_age_of_what_is_old(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = EveryKind(tmp_path)
    async with stage.at(*size) as pilot:
        await until(pilot, "4 Containers")
        stage.clock.advance(42.0)
        for target in stage.targets[::2]:
            stage.fail(target)
        await until(pilot, "5 down, 4 stale")
        lines = text_of(stage.app).splitlines()
        panels = "\n".join(lines[row_of(lines, "1 Health ") :])
        shown = sum(panels.count(f"{target.name} ") > 0 for target in stage.targets)
        assert panels.count("▲ stale 42s") >= min(shown, 5)
        assert "● 4" not in panels


@pytest.mark.parametrize("size", SIZES)
async def test_before_the_first_reading_nothing_is_counted(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = EveryKind(tmp_path)
    async with stage.at(*size, is_read=False) as pilot:
        await until(pilot, "reading 9 targets for the first time")
        text = text_of(stage.app)
        assert text.count("waiting for the first reading") + text.count("not read yet") >= 6
        assert "not rea…" not in text
        assert "0 sources" not in text
        assert_fills(stage.app)


@pytest.mark.parametrize("size", SIZES)
async def test_list_has_the_worst_target_first_and_says_what_is_wrong(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    stage = EveryKind(tmp_path)
    sessions, cache = (target for target in stage.targets if target.id.kind == "redis")
    stage.push(sessions.id, data=redis_reading())
    async with stage.at(*size, is_read=False) as pilot:
        stage.read(cache)
        await pilot.press("3")
        await until(pilot, "✖ cache")
        text = text_of(stage.app)
        assert text.index("✖ cache") < text.index("● sessions")
        assert "▸ ● sessions" in text, "the cursor stays on its thing"
        if size[0] >= 132:
            assert "● <2s · memory 4" in line_with(stage.app, "✖ cache")
            assert line_with(stage.app, "● sessions").endswith("● <2s")
        assert_fills(stage.app)


def drawn(kind: str, width: int, height: int) -> tuple[Line, ...]:
    """As many lines as there may be, each with the kind and the width."""
    return tuple((f"{kind} {width}",) for _ in range(height))


def texts(lines: tuple[Line, ...]) -> list[str]:
    return ["".join(map(span_text, line)) for line in lines]


def test_what_is_wrong_now_does_not_move_areas_to_the_other_side() -> None:
    assert columns(FIVE, width=132, sure=15) == ((FIVE[0], FIVE[2]), (FIVE[1], FIVE[3]), (FIVE[4],))
    for height in range(9, 30):
        lines = texts(arranged(FIVE, drawn, width=132, height=height, sure=15))
        assert len(lines) == height
        assert lines[0].startswith("1 Health 64")
        assert lines[0].endswith("2 Database 65")
        assert lines[-1] == "5 Logs 132"


def test_lines_that_one_column_leaves_empty_go_to_what_is_below() -> None:
    def two_of_one(kind: str, width: int, height: int) -> tuple[Line, ...]:
        return drawn(kind, width, min(height, 2) if kind in ("1 Health", "3 Cache") else height)

    lines = texts(arranged(FIVE, two_of_one, width=132, height=24, sure=15))
    assert len(lines) == 24
    assert sum("5 Logs" in line for line in lines) == 16, "half of what the columns could have stays theirs"
    quiet = texts(arranged(FIVE[:4], two_of_one, width=132, height=24, sure=15))
    assert sum("2 Database" in line or "4 Containers" in line for line in quiet) == 24


def test_short_right_column_takes_nothing_from_the_left_one() -> None:
    def short_right(kind: str, width: int, height: int) -> tuple[Line, ...]:
        return drawn(kind, width, min(height, 2) if kind in ("2 Database", "4 Containers") else height)

    lines = texts(arranged(FIVE, short_right, width=132, height=24, sure=15))
    assert sum("1 Health" in line or "3 Cache" in line for line in lines) == 16


def test_what_is_below_leaves_its_lines_to_the_columns() -> None:
    def two_logs(kind: str, width: int, height: int) -> tuple[Line, ...]:
        return drawn(kind, width, min(height, 2) if kind == "5 Logs" else height)

    lines = texts(arranged(FIVE, two_logs, width=132, height=24, sure=15))
    assert [("5 Logs" in line) for line in lines] == [False] * 22 + [True] * 2


def test_areas_have_the_whole_width_where_there_is_room_for_all() -> None:
    two = FIVE[1:3]
    assert texts(arranged(two, drawn, width=132, height=20, sure=15))[::10] == [
        "2 Database 132",
        "3 Cache 132",
    ]


@pytest.mark.parametrize("height", range(1, 30))
@pytest.mark.parametrize("width", [60, 80, 132])
def test_areas_never_take_more_lines_than_there_are(width: int, height: int) -> None:
    areas = (Area(kinds=("http", "host")), *FIVE[1:])
    assert len(arranged(areas, drawn, width=width, height=height, sure=height // 2)) <= height


def test_targets_without_a_line_of_their_own_are_counted() -> None:
    views = [
        TargetView(target=postgres_target("host=/x", name=f"db-{n}"), latest=None, good=None, failures=0)
        for n in range(12)
    ]
    lines = texts(overview.overview_lines(views, (), mono_s=0.0, width=80, height=5))
    assert len(lines) == 5
    assert lines[-1] == "  +9 more: ? 9"
    assert texts(one_line_each(views[:2], lambda view: (view.target.name,), (), 2)) == ["db-0", "db-1"]
