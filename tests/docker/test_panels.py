"""What panels say of readings made by hand, at every width and height."""

from collections.abc import Sequence

import msgspec
import pytest
from rich.cells import cell_len

from opsdash.collectors.docker.rows import Container
from opsdash.collectors.feed import Point, TargetView
from opsdash.collectors.snapshot import Failure, FailureKind
from opsdash.collectors.target import TargetId
from opsdash.tui.findings.docker import findings
from opsdash.widgets.lines import Line, span_text
from opsdash.widgets.panels.docker.container import container_detail
from opsdash.widgets.panels.docker.containers import CONTAINER_COLUMNS, container_lines
from opsdash.widgets.panels.docker.overview import containers_in_view, overview_lines
from tests.support.docker_readings import (
    alone,
    container,
    crashes,
    ended,
    engine_reading,
    engine_view,
    looping,
    unwell,
    used,
)
from tests.support.readings import MONO_S

LOOP = looping("web-2", 137, oom_killed=True)
SHOP = engine_reading(
    container("web-1"),
    LOOP,
    unwell("api-1"),
    container("worker-1", health=None),
    *(container(f"job-{n}") for n in range(1, 10)),
    ended("migrate-1", 0),
    alone("日本語-тест", state="paused"),
    events=tuple(crashes(LOOP, 500, 300, 100, oom=True)),
    usage={container("web-1").id: used(throttled_ratio=0.4)},
)
DEAD = Failure(kind=FailureKind.REFUSED, reason="/run/x.sock: Connection refused", hint="start it")
VIEWS = (
    engine_view(engine_reading(container("db-1")), name="edge"),
    engine_view(SHOP),
    engine_view(name="gone", failure=DEAD),
    engine_view(name="new"),
)


def text(line: Line) -> str:
    return "".join(span_text(span) for span in line)


def panel(views: Sequence[TargetView], width: int, height: int) -> list[str]:
    told = [f for v in views if v.data is not None for f in findings(v.data, v.target)]
    lines = overview_lines(views, told, mono_s=MONO_S, width=width, height=height)
    return [text(line) for line in lines]


@pytest.mark.parametrize("width", [60, 80, 100, 132, 180, 200])
@pytest.mark.parametrize("height", [1, 2, 3, 4, 5, 6, 8, 20, 40])
def test_it_fits_at_every_size_and_has_the_worst_first(width: int, height: int) -> None:
    lines = panel(VIEWS, width, height)
    assert 1 <= len(lines) <= height
    assert all(cell_len(line) <= width for line in lines if "refused" not in line)
    assert "local" in lines[0]
    if height >= 3:
        assert next(line for line in lines if "-1" in line or "-2" in line).startswith(("✖ api-1", "✖ web-2"))


def test_in_one_line_conditions_are_counted_worst_first() -> None:
    assert panel([engine_view(SHOP)], 80, 1) == [
        "4 Containers  ✖ local  1 restarting  1 unhealthy  1 paused  10 healthy …"
    ]
    two, *_ = panel(VIEWS[:2], 80, 1)
    assert two.startswith("4 Containers  ✖ local  1 restarting  1 unhealthy")
    assert two.endswith(" ● 1")


def test_the_worst_engine_is_shown_in_full_and_the_others_in_a_line() -> None:
    lines = panel(VIEWS, 132, 12)
    assert lines[0].startswith("── 4 Containers · local · Docker 20.10.24 ──")
    assert lines[0].endswith("1 paused  10 healthy  1 running  1 exited · ● <2s ──")
    assert lines[1].split() == [
        *["NAME", "PROJECT/SERVICE", "STATE", "CPU", "CPU", "BEFORE", "MEM/LIMIT", "RESTARTS", "AGE", "IMAGE"]
    ]
    assert [line.split()[1] for line in lines[2:5]] == ["api-1", "web-2", "web-1"]
    assert lines[3].split()[3:] == ["restarting", "-", "-/256", "MiB", "4", "2s", "shop/web:1.4"]
    assert "61%▾" in lines[4], "held back by its limit"
    assert lines[8] == "  +9 more"
    assert lines[9].startswith("● edge            Docker 20.10.24   1 healthy")
    assert lines[10].startswith("● gone") or "connection refused, no data yet" in lines[10]
    assert lines[11] == "? new             waiting for the first reading"


def test_a_narrow_heading_keeps_the_worst_counts_and_the_age() -> None:
    heading, *_ = panel([engine_view(SHOP)], 80, 8)
    assert heading.endswith(" 1 restarting  1 unhealthy  1 paused … · ● <2s ──")
    assert cell_len(heading) == 80


def test_the_heading_says_when_it_is_stale() -> None:
    heading, *_ = panel([engine_view(SHOP, failure=DEAD)], 132, 8)
    assert "▲ stale 0s: connection refused ──" in heading


def test_an_engine_without_containers_says_so() -> None:
    assert panel([engine_view(engine_reading())], 80, 1) == ["4 Containers  ● local  no containers"]
    assert "the engine has no containers" in panel([engine_view(engine_reading())], 80, 5)[1]


def test_the_containers_in_view_are_those_drawn_of_the_worst_engine() -> None:
    told = [f for v in VIEWS if v.data is not None for f in findings(v.data, v.target)]
    for height in (1, 2, 3, 5, 8, 12, 40):
        drawn = "\n".join(panel(VIEWS, 180, height))
        seen = containers_in_view(VIEWS, told, height=height)
        names = {c.id: c.name for c in SHOP.containers if c.state in ("running", "paused")}
        in_rows = {id for id, name in names.items() if f" {name} " in drawn and height >= 3}
        assert set(seen[TargetId("docker", "local")]) == in_rows
        assert all(ids == () for target, ids in seen.items() if target.name != "local")


def test_what_is_unknown_is_never_zero() -> None:
    blank = Container(id="a" * 64, name="new", image="x", state="running")
    nothing = used(
        window_s=None,
        cpu_ratio=None,
        throttled_ratio=None,
        memory_bytes=None,
        memory_before_bytes=None,
        pids=None,
        received_per_s=None,
        sent_per_s=None,
        read_per_s=None,
        written_per_s=None,
    )
    view = engine_view(engine_reading(blank, usage={blank.id: nothing}))
    cells = [
        column.cell(container_lines(view.data, view, ())[0])
        for column in CONTAINER_COLUMNS
        if column.key not in ("name", "state", "image", "history")
    ]
    assert {cell if isinstance(cell, str) else cell[0] for cell in cells} == {"-"}
    told = "\n".join(map(text, container_detail(view.data, view, blank, (), 100)))
    assert "the engine was not asked yet" in told
    assert " 0" not in told


def test_a_container_is_told_in_full_at_any_width() -> None:
    sick = unwell("api-1", "line one\nline two " + "x" * 200, ports=("0.0.0.0:8080->80/tcp",))
    view = engine_view(engine_reading(sick, usage={sick.id: used(throttled_ratio=0.4)}))
    told = findings(view.data, view.target)
    for width in (40, 58, 78, 130):
        lines = container_detail(view.data, view, sick, told, width)
        assert all(cell_len(text(line)) <= width for line in lines)
    whole = "\n".join(map(text, container_detail(view.data, view, sick, told, 130)))
    for words in (
        "api-1 · 6170692d3100 · shop/api number 1",
        "61% of one core over 2s",
        "held back in 40% of periods",
        "201/256 MiB  ▕█████████▍  ▏  78.5%",
        "0.0.0.0:8080->80/tcp",
    ):
        assert words in whole, whole


def test_a_history_names_its_time() -> None:
    one = container("web-1")
    data = engine_reading(one, usage={one.id: used()})
    values = {f"cpu {one.id}": 0.5, f"memory {one.id}": 1e6}
    points = tuple(Point(mono_s=MONO_S - 20 + 2 * n, values=values if n else {}) for n in range(11))
    view = msgspec.structs.replace(engine_view(data), points=points)
    lines = [text(line) for line in container_detail(data, view, one, (), 130)]
    assert any("██████████ 18s" in line for line in lines if line.startswith("CPU"))
