"""The health area as a person meets it: overview, list, and one endpoint with its tables."""

import re
from pathlib import Path

import pytest

from opsdash.collectors.feed import TargetView
from opsdash.collectors.http.rows import Hop, HttpData, Phases, SubCheck, Trouble, Verdict
from opsdash.collectors.http.settings import HttpThresholds
from opsdash.collectors.snapshot import Failure, FailureKind, Snapshot
from opsdash.collectors.target import Target
from opsdash.tui.findings.http import findings
from opsdash.widgets.lines import line_width, span_text
from opsdash.widgets.panels.http.overview import overview_lines
from opsdash.widgets.panels.http.words import state_word
from opsdash.widgets.status import Tone
from tests.http.probing import MONO_S, NOW, certificate, chain, http_target, probe, reading, series
from tests.http.stage import HealthStage
from tests.support.screen import SIZES, assert_fills, line_with, said, text_of, until

UP, DOWN, DEGRADED = Verdict.UP, Verdict.DOWN, Verdict.DEGRADED
CHECKS = (
    SubCheck(name="database", says="unhealthy", verdict=DOWN, detail="12 ms · pool is empty"),
    SubCheck(name="cache", says="ok", verdict=UP),
)
API = http_target(name="api", service="shop")
READY = http_target("https://api.internal/ready", name="api-ready", service="shop")
BILLING = http_target(name="billing")

BROKEN = reading(
    [*series(UP, UP, DOWN, DOWN), probe(DOWN, checks=CHECKS, reason="503 · database=unhealthy")],
    chain=chain(certificate("api.internal", 80), certificate("R11", 12, issuer="Root X1", is_ca=True)),
)
WELL = reading(series(UP, UP, UP, took_s=0.038), chain=chain(certificate("api.internal", 80)))


def health(folder: Path) -> HealthStage:
    stage = HealthStage(folder, (BILLING, API, READY))
    stage.read(API, BROKEN)
    stage.read(READY, WELL)
    stage.read(BILLING, reading(series(UP, UP, UP, took_s=0.74)))
    return stage


@pytest.mark.parametrize("size", SIZES)
async def test_overview_has_the_broken_endpoint_first(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = health(tmp_path)
    async with stage.at(*size) as pilot:
        await until(pilot, "1 Health")
        text = text_of(stage.app)
        assert "✖ CRIT api" in text
        assert "/health failing 3" in text
        assert "database=un" in text
        assert text.index("✖ api") < text.index("● api-ready")
        assert " 503 " in line_with(stage.app, "✖ api  ")
        assert_fills(stage.app)


@pytest.mark.parametrize("size", SIZES)
async def test_list_has_the_worst_service_first_and_its_probes_together(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    stage = health(tmp_path)
    async with stage.at(*size) as pilot:
        await pilot.press("1")
        await until(pilot, "ENDPOINT")
        text = text_of(stage.app)
        assert text.index("✖ api") < text.index("● api-ready") < text.index("▲ billing")
        assert "down" in line_with(stage.app, "✖ api ")
        assert "slow" in line_with(stage.app, "▲ billing")
        if size[0] >= 132:
            assert " 80 d " in line_with(stage.app, "● api-ready")
            assert " 12 d " in line_with(stage.app, "✖ api ")
            assert "▇▇▁▁▁" in line_with(stage.app, "✖ api ")
        assert_fills(stage.app)


@pytest.mark.parametrize("size", SIZES)
async def test_endpoint_has_probes_phases_checks_and_chain(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = health(tmp_path)
    async with stage.at(*size) as pilot:
        await until(pilot, "✖ CRIT api")
        await pilot.press("enter")
        await until(pilot, "[probes 5]")
        assert text_of(stage.app).count("✖ down") >= 3
        assert "3 of 5 probes failed" in said(stage.app)
        assert_fills(stage.app)
        await pilot.press("tab")
        await until(pilot, "[phases]")
        assert "▕███" in line_with(stage.app, "first byte")
        await pilot.press("tab")
        await until(pilot, "[checks 2]")
        assert "unhealthy" in line_with(stage.app, "✖ database")
        assert "● cache" in text_of(stage.app)
        await pilot.press("tab")
        await until(pilot, "[chain 2]")
        assert "12 d" in line_with(stage.app, "▲ intermediate")
        assert "80 d" in line_with(stage.app, "● certificate")
        assert "intermediate goes first" in said(stage.app)
        assert_fills(stage.app)
        await pilot.press("escape")
        await until(pilot, "What is wrong")


async def test_enter_on_the_certificate_finding_leads_to_the_chain(tmp_path: Path) -> None:
    stage = HealthStage(tmp_path, (API,))
    stage.read(API, reading(series(UP), chain=chain(certificate("api.internal", 3))))
    async with stage.at(132, 34) as pilot:
        await until(pilot, "certificate expires in 3 days")
        await pilot.press("enter")
        await until(pilot, "[chain 1]")


async def test_certificate_that_is_sent_twice_is_shown_twice(tmp_path: Path) -> None:
    twice = certificate("api.internal", 80)
    stage = HealthStage(tmp_path, (API,))
    stage.read(API, reading(series(UP), chain=chain(twice, twice)))
    async with stage.at(132, 34) as pilot:
        await pilot.press("1", "enter", "tab", "tab", "tab")
        await until(pilot, "[chain 2]")
        assert text_of(stage.app).count("● certificate") == 2


async def test_redirects_and_what_was_not_reached_are_shown(tmp_path: Path) -> None:
    last = probe(
        DOWN,
        trouble=Trouble.REDIRECT_LOOP,
        status=None,
        reason="it leads back",
        hops=(Hop(status=302, to="https://api.internal/login"),),
        phases=Phases(name_s=0.01, connect_s=None),
        took_s=0.01,
    )
    stage = HealthStage(tmp_path, (API,))
    stage.read(API, reading([probe(), last]))
    async with stage.at(180, 46) as pilot:
        await pilot.press("1", "enter")
        await until(pilot, "redirect loop: it leads back")
        assert "loop" in text_of(stage.app)
        await pilot.press("tab")
        await until(pilot, "not reached")


async def test_next_endpoint_and_unread_one(tmp_path: Path) -> None:
    stage = HealthStage(tmp_path, (API, READY))
    stage.read(API, WELL)
    stage.read(
        READY, failure=Failure(kind=FailureKind.AUTHENTICATION, reason="headers.X: not set", hint="see it")
    )
    async with stage.at(80, 24) as pilot:
        await pilot.press("1", "enter")
        await until(pilot, "authentication failed: headers.X: not set")
        assert "see it" in said(stage.app)
        assert_fills(stage.app)
        await pilot.press("right_square_bracket")
        await until(pilot, "[probes 3]")


def view(target: Target, data: HttpData) -> TargetView:
    snapshot = Snapshot(
        target=target.id, sequence=1, taken_at=NOW, taken_mono_s=MONO_S, took_s=0.1, data=data
    )
    return TargetView(target=target, latest=snapshot, good=snapshot, reads=1)


def test_one_slow_probe_makes_no_slow_endpoint_in_either_place() -> None:
    once = reading([*series(UP, UP, UP, took_s=0.01), probe(took_s=0.7)])
    assert state_word(once, HttpThresholds()) == ("up", Tone.OK)
    assert findings(once, API) == ()
    twice = reading([*once.probes, probe(took_s=0.7)])
    assert state_word(twice, HttpThresholds()) == ("slow", Tone.WARN)
    assert [found.rule for found in findings(twice, API)] == ["http.slow"]


@pytest.mark.parametrize("width", [58, 64, 80, 88, 132])
def test_columns_of_endpoints_stand_below_each_other(width: int) -> None:
    chained = chain(certificate("shop.internal", 12))
    views = [
        view(http_target(name="api"), reading([probe(DEGRADED, checks=CHECKS, took_s=2.0)] * 12)),
        view(http_target(name="支払い"), reading(series(*[UP] * 12), chain=chained)),
        view(http_target(name="payments-eu-west"), WELL),
    ]
    found = [f for one in views for f in findings(one.data, one.target)]
    lines = overview_lines(views, found, mono_s=MONO_S, width=width, height=9)
    told = [line for line in lines if "200" in "".join(map(span_text, line))]
    places = {
        line_width((text[: re.search("degraded|up ", text).start()],))  # type: ignore[union-attr]
        for text in ("".join(map(span_text, line)) for line in told)
    }
    assert len(told) == 3
    assert len(places) == 1
    assert all(line_width(line) <= width for line in told)
    assert any("12 d" in span_text(span) for span in told[1])


def test_folded_line_says_how_the_worst_is_and_what_the_counts_are() -> None:
    degraded = reading([probe(DEGRADED, checks=CHECKS, took_s=0.02)])
    (line,) = overview_lines(
        [view(API, degraded)], findings(degraded, API), mono_s=MONO_S, width=80, height=1
    )
    assert "".join(map(span_text, line)) == "1 Health      ▲ 1   api 200 20ms degraded"


@pytest.mark.parametrize("width", [60, 80, 100, 132, 160, 200])
@pytest.mark.parametrize("height", [0, 1, 2, 3, 4, 8, 40])
def test_overview_fits_every_room_and_never_hides_the_worst(width: int, height: int) -> None:
    views = [
        view(http_target(name=f"service-{place}"), WELL if place else BROKEN) for place in reversed(range(12))
    ]
    found = [f for one in views for f in findings(one.data, one.target)]
    lines = overview_lines(views, found, mono_s=MONO_S, width=width, height=height)
    assert len(lines) <= height
    texts = ["".join(span_text(span) for span in line) for line in lines]
    if height == 1:
        assert texts == ["1 Health      ✖ 1 ● 11   service-0 503 20ms down"]
    if height > 1:
        assert texts[1].startswith("✖ service-0")
    if height == 8:
        assert texts[2].startswith("  └ failing ")
        assert texts[-1] == "  +7 more: ● 7"
    for line in lines:
        if "└" not in span_text(line[0]):
            assert line_width(line) <= width


def test_the_heading_names_the_fewest_and_the_most_probes_that_its_figures_are_over() -> None:
    views = [view(READY, reading(series(UP, UP))), view(API, reading(series(UP, UP, UP, UP)))]
    heading = overview_lines(views, (), mono_s=MONO_S, width=100, height=5)[0]
    assert "p95 over 2 to 4 probes, 6s" in "".join(map(span_text, heading))
    heading = overview_lines(views[:1], (), mono_s=MONO_S, width=100, height=5)[0]
    assert "p95 over 2 probes, 2s" in "".join(map(span_text, heading))
