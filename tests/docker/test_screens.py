"""The containers area on readings made by hand, by keys."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from opsdash.collectors.docker.rows import EngineData
from opsdash.collectors.snapshot import FailureKind
from opsdash.collectors.target import TargetId
from tests.docker.stage import Yard
from tests.support.docker_readings import (
    alone,
    container,
    crashes,
    ended,
    engine_reading,
    event,
    looping,
    unwell,
    used,
)
from tests.support.screen import SIZES, assert_fills, cursor_line, line_with, said, text_of, until
from tests.support.waiting import wait_until_async

LOOP = looping("web-2", 137, oom_killed=True)


def shop(**facts: Any) -> EngineData:
    known: dict[str, Any] = {
        "events": tuple(crashes(LOOP, 500, 300, 100, oom=True, exit_code=137)),
        "usage": {container("web-1").id: used()},
    }
    return engine_reading(
        container("web-1"),
        LOOP,
        unwell("api-1"),
        *(container(f"job-{n}", health=None) for n in range(1, 30)),
        ended("migrate-1", 0),
        alone("tool"),
        **(known | facts),
    )


async def open_engine(pilot: Pilot[Any], *keys: str) -> None:
    await pilot.press("4")
    await until(pilot, "TARGET")
    await pilot.press("enter")
    await until(pilot, "[containers")
    await pilot.press(*keys)


async def go_to(pilot: Pilot[Any], words: str) -> None:
    """Put the cursor on the row with `words` in it."""
    await until(pilot, words.strip())
    await pilot.press("g")
    for _ in range(60):
        if words in cursor_line(pilot.app):
            return
        await pilot.press("j")
    raise AssertionError(f"no row with {words!r}:\n{text_of(pilot.app)}")


@pytest.mark.parametrize("size", SIZES)
async def test_every_view_fits_and_says_what_it_shows(tmp_path: Path, size: tuple[int, int]) -> None:
    yard = Yard(tmp_path)
    yard.read(shop())
    async with yard.at(*size) as pilot:
        await until(pilot, "4 Containers · local")
        assert_fills(yard.app)
        await open_engine(pilot)
        for words in ("api-1", "PROJECT, SERVICE", "die: it ended"):
            await until(pilot, words)
            assert_fills(yard.app)
            await pilot.press("tab")
        await until(pilot, "[containers 34]")
        await pilot.press("enter")
        for words in ("[state]", "✖ ", "✖ ", "no events of this container"):
            await until(pilot, words)
            assert_fills(yard.app)
            await pilot.press("tab")
        await pilot.press("escape")
        await until(pilot, "[containers 34]")


async def test_state_health_usage_and_exit_stand_in_the_row(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.read(shop())
    async with yard.at(180, 46) as pilot:
        await open_engine(pilot)
        row = line_with(yard.app, " web-1 ").split()
        assert row[1:10] == ["web-1", "shop/web", "running", "healthy", "61%", "█", "201/256", "MiB", "12"]
        assert "↓1.2k ↑300" in line_with(yard.app, " web-1 ")
        assert line_with(yard.app, " web-2 ").split()[1:5] == ["web-2", "shop/web", "restarting", "-"]
        assert "137 OOM" in line_with(yard.app, " web-2 ")
        lines = text_of(yard.app).splitlines()
        places = [next(i for i, line in enumerate(lines) if f" {name} " in line) for name in NAMES]
        assert places == sorted(places), "the worst of the project first, what compose did not make last"


NAMES = ("api-1", "web-2", "job-1", "web-1", "migrate-1", "tool")


async def test_a_finding_leads_to_its_container_which_says_why(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.read(shop())
    async with yard.at(132, 46) as pilot:
        await until(pilot, "api-1 unhealthy")
        await pilot.press("enter")
        await until(pilot, "local (test) › api-1")
        told = said(yard.app)
        for words in (
            "CRIT api-1 unhealthy, 4 checks in a row failed",
            "likely nothing listens where its check asks",
            "exit 1: connect: connection refused",
            "shop/api number 1",
            "memory 256 MiB · swap 256 MiB · CPU 0.5 cores",
        ):
            assert words in told, words


async def test_the_exit_code_is_explained(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.read(shop())
    async with yard.at(132, 34) as pilot:
        await open_engine(pilot)
        await go_to(pilot, "web-2")
        await pilot.press("enter")
        await until(pilot, "137 SIGKILL, by the kernel for memory (OOMKilled) · 2s ago")
        await pilot.press("shift+tab")
        await until(pilot, "oom: killed for memory")
        await until(pilot, "known since 02:12:41 UTC (1h00m)")


async def test_services_are_counted_and_lead_to_their_worst_container(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.read(shop())
    async with yard.at(132, 46) as pilot:
        await open_engine(pilot, "tab")
        await go_to(pilot, "  web ")
        assert cursor_line(yard.app).split()[1:6] == ["▲", "web", "1/2", "1/2", "restarting"]
        await pilot.press("enter")
        await until(pilot, "[containers 34]")
        assert "web-2" in cursor_line(yard.app)


async def test_an_event_leads_to_its_container(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.read(shop())
    async with yard.at(132, 34) as pilot:
        await open_engine(pilot, "tab", "tab")
        await until(pilot, "[events 9]")
        assert "start" in cursor_line(yard.app), "the newest is first"
        await pilot.press("enter")
        await until(pilot, "local (test) › web-2")


async def test_the_cursor_stays_on_its_container_when_the_order_changes(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.read(engine_reading(container("a-1"), container("b-1"), container("c-1")))
    async with yard.at(80, 24) as pilot:
        await open_engine(pilot)
        await go_to(pilot, "b-1")
        yard.read(engine_reading(container("a-1"), container("b-1"), unwell("c-1")))
        await until(pilot, "1 unhealthy")
        assert "b-1" in cursor_line(yard.app)


# What is looked at


async def test_the_overview_looks_at_what_it_draws_until_it_is_left(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.read(shop())
    async with yard.at(80, 24) as pilot:
        await until(pilot, "job-1")
        await wait_until_async(lambda: len(yard.looked_at()[0]) > 3, 30, "the overview looks")
        assert unwell("api-1").id == yard.looked_at()[0][0]
        await pilot.press("4")
        await until(pilot, "TARGET")
        await wait_until_async(lambda: yard.looked_at() == ((), None), 30, "the list shows no usage")
        await pilot.press("escape")
        await wait_until_async(lambda: len(yard.looked_at()[0]) > 3, 30, "the overview looks again")


async def test_only_what_is_in_view_is_looked_at(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    data = shop()
    yard.read(data)
    async with yard.at(80, 24) as pilot:
        await open_engine(pilot)
        first, opened = yard.looked_at()
        assert opened is None
        assert 5 < len(first) < 20
        assert container("web-1").id not in first, "it is further down"
        assert LOOP.id not in first, "one that does not run uses nothing"
        await pilot.press("G")
        await wait_until_async(lambda: alone("tool").id in yard.looked_at()[0], 30, "the end is looked at")
        assert first[0] not in yard.looked_at()[0]
        await pilot.press("tab")
        await until(pilot, "PROJECT, SERVICE")
        await wait_until_async(lambda: len(yard.looked_at()[0]) == 31, 30, "all that run of the services")
        await pilot.press("tab")
        await until(pilot, "[events")
        await wait_until_async(lambda: yard.looked_at() == ((), None), 30, "events use nothing")


async def test_the_opened_container_is_looked_at_alone_and_nothing_once_it_is_left(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.read(shop())
    async with yard.at(80, 24) as pilot:
        await open_engine(pilot, "enter")
        await until(pilot, "› api-1")
        mine = container("api-1").id
        await wait_until_async(lambda: yard.looked_at() == ((mine,), mine), 30, "this one alone")
        await pilot.press("escape")
        await until(pilot, "[containers")
        await wait_until_async(lambda: len(yard.looked_at()[0]) > 5, 30, "the table again")
        await pilot.press("l")
        await until(pilot, "5 Logs")
        await wait_until_async(lambda: yard.looked_at() == ((), None), 30, "its lines are in front")
        await pilot.press("escape")
        await wait_until_async(lambda: len(yard.looked_at()[0]) > 5, 30, "the table once more")
        await pilot.press("9")
        await wait_until_async(lambda: yard.looked_at() == ((), None), 30, "another area is in front")


async def test_the_next_engine_is_one_key_away_and_the_former_is_left_alone(tmp_path: Path) -> None:
    yard = Yard(tmp_path, "local", "edge")
    edge = TargetId("docker", "edge")
    yard.read(shop())
    yard.fail(FailureKind.REFUSED, "/run/edge.sock: Connection refused", edge)
    async with yard.at(80, 24) as pilot:
        await open_engine(pilot)
        await pilot.press("right_square_bracket")
        await until(pilot, "edge (test)")
        await until(pilot, "connection refused: /run/edge.sock")
        assert yard.looked_at() == ((), None)
        await pilot.press("left_square_bracket")
        await until(pilot, "[containers 34]")
        await wait_until_async(lambda: len(yard.looked_at()[0]) > 5, 30, "looked at again")


# What changes while one looks


async def test_a_container_that_is_gone_is_said_to_be_gone_with_what_took_its_place(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.read(engine_reading(container("web-1")))
    async with yard.at(132, 34) as pilot:
        await open_engine(pilot, "enter")
        await until(pilot, "› web-1")
        yard.read(engine_reading(container("web-1", id="f" * 64)))
        await until(pilot, "the engine has no container 7765622d3100 any more")
        await until(pilot, "web-1 is another container now, ffffffffffff")
        yard.read(engine_reading())
        await until(pilot, lambda text: "another container now" not in text)
        await pilot.press("escape")
        await until(pilot, "the engine has no containers")


async def test_what_is_shown_while_reads_fail_is_said_to_be_stale(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.read(shop())
    async with yard.at(80, 24) as pilot:
        await open_engine(pilot)
        yard.clock.advance(12)
        yard.fail(FailureKind.TIMED_OUT, "no answer within 5 s")
        await until(pilot, "▲ stale 12s: timed out")
        await until(pilot, "no answer within 5 s; look at its log")
        assert "api-1" in text_of(yard.app)


async def test_actions_are_offered_on_containers_and_on_services(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.read(shop())
    async with yard.at(132, 34) as pilot:
        await open_engine(pilot, "a")
        await until(pilot, "Restart container")
        assert "Set memory limit" in said(yard.app)
        await pilot.press("escape", "tab", "a")
        await until(pilot, "Restart its containers")
        await pilot.press("escape", "tab", "enter")
        await until(pilot, "local (test) › web-2")
        await pilot.press("a")
        await until(pilot, "Restart container")


async def test_an_event_of_a_container_that_is_gone_leads_nowhere(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    gone = container("old-1")
    yard.read(engine_reading(container("web-1"), events=(event(gone, "destroy", for_s=5),)))
    async with yard.at(80, 24) as pilot:
        await open_engine(pilot, "tab", "tab")
        await until(pilot, "old-1")
        await pilot.press("enter", "a")
        await until(pilot, "nothing to act on here")
