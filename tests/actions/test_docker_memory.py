"""The memory limit of containers, set through the gateway; the engine and the kernel are asked afterwards."""

from pathlib import Path
from typing import Any

import pytest

from opsdash.tui.actions.action import OutcomeKind
from opsdash.tui.actions.docker import MEMORY
from opsdash.tui.actions.guard import GuardKind
from opsdash.tui.actions.running import Planned
from tests.actions.docker_desk import Desk, at_desk, outcome, posts, said
from tests.actions.gatekeeper import gatekeeper
from tests.support.engine import TestEngine
from tests.support.waiting import wait_until

MIB = 2**20


async def _plan(desk: Desk, name: str, limit: str) -> Planned:
    assert MEMORY.answered is not None
    return await desk.plan("memory", MEMORY.answered(desk.identity(name), limit))


def _limits(engine: TestEngine, name: str) -> tuple[Any, Any]:
    found = engine.inspect(name)["HostConfig"]
    return found["Memory"], found["MemorySwap"]


@pytest.mark.parametrize(
    ("former_swap", "swap"),
    [("80m", 64 * MIB + 48 * MIB), ("-1", -1)],
)
async def test_a_limit_is_raised_and_swap_stays_what_it_was(
    former_swap: str, swap: int, engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("web", memory="32m", options=["--memory-swap", former_swap])
    began = engine.inspect("web")["State"]["StartedAt"]
    async with at_desk(engine, tmp_path) as desk:
        planned = await _plan(desk, "web", "64m")
        assert planned.plan.can_undo
        assert "undo: set 32 MiB (33554432) again" in said(planned)
        assert "lost when the container is made anew" in said(planned)
        running = await desk.run(planned)
    kind, text = outcome(running)
    assert kind is OutcomeKind.DONE
    assert "the kernel says so too" in text
    assert _limits(engine, "web") == (64 * MIB, swap)
    _, stats = engine.api("GET", "/containers/web/stats?stream=false&one-shot=true")
    assert stats["memory_stats"]["limit"] == 64 * MIB
    assert engine.inspect("web")["State"]["StartedAt"] == began


async def test_a_limit_where_there_was_none_cannot_be_taken_back_and_says_so(
    engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("web")
    async with at_desk(engine, tmp_path) as desk:
        planned = await _plan(desk, "web", "64m")
        assert not planned.plan.can_undo
        assert "the engine cannot take one away" in said(planned)
        assert outcome(await desk.run(planned))[0] is OutcomeKind.DONE
    assert _limits(engine, "web") == (64 * MIB, -1)


async def test_a_limit_that_somebody_set_meanwhile_is_not_overwritten(
    engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("web", memory="32m")
    async with at_desk(engine, tmp_path) as desk:
        planned = await _plan(desk, "web", "64m")
        engine.docker("update", "--memory", "48m", "--memory-swap", "96m", "web")
        running = await desk.run(planned)
    kind, text = outcome(running)
    assert kind is OutcomeKind.REFUSED
    assert "its limit was set meanwhile: 48 MiB, and 48 MiB of swap; nothing was sent" in text
    assert _limits(engine, "web") == (48 * MIB, 96 * MIB)


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        ("lots", "is no size as docker takes it"),
        ("1m", "no limit below 6 MiB"),
        ("32m", "is 32 MiB already"),
        ("900t", "more than the engine's machine has"),
        ("12m", "is less than its reservation of 16 MiB"),
    ],
)
async def test_a_limit_that_cannot_be_is_refused(
    limit: str, why: str, engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("web", memory="32m", options=["--memory-reservation", "16m"])
    sent = posts(engine)
    async with at_desk(engine, tmp_path) as desk:
        planned = await _plan(desk, "web", limit)
        assert planned.guard.kind is GuardKind.DENY
        assert why in (planned.plan.refusal or "")
        assert outcome(await desk.run(planned))[0] is OutcomeKind.REFUSED
    assert posts(engine) == sent


async def test_a_limit_below_what_is_used_is_refused_but_not_for_page_cache(
    engine: TestEngine, tmp_path: Path
) -> None:
    holds = "dd if=/dev/zero bs=20M count=1 of=/shm/x; sleep 1000"
    engine.run("holder", ("sh", "-c", holds), memory="64m", options=["--tmpfs", "/shm:size=32m"])
    reads = "dd if=/dev/zero bs=1M count=20 of=/tmp/x; cat /tmp/x >/dev/null; sleep 1000"
    engine.run("reader", ("sh", "-c", reads), memory="64m")
    for name in ("holder", "reader"):
        wait_until(lambda name=name: _used(engine, name) > 20 * MIB, 30, f"{name} has it")
    async with at_desk(engine, tmp_path) as desk:
        held = await _plan(desk, "holder", "10m")
        assert "holder uses 20" in (held.plan.refusal or "")
        cached = await _plan(desk, "reader", "16m")
        assert cached.plan.refusal is None
        assert "lost: page cache, at once" in said(cached)
        assert outcome(await desk.run(cached))[0] is OutcomeKind.DONE
    assert _limits(engine, "reader")[0] == 16 * MIB
    assert engine.inspect("reader")["State"]["Running"]


def _used(engine: TestEngine, name: str) -> int:
    _, stats = engine.api("GET", f"/containers/{name}/stats?stream=false&one-shot=true")
    return int(stats["memory_stats"].get("usage", 0))


async def test_a_stopped_container_gets_its_limit_for_its_next_start(
    engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("web", memory="32m")
    engine.docker("kill", "web")
    async with at_desk(engine, tmp_path) as desk:
        planned = await _plan(desk, "web", "64m")
        assert "used: not known: it does not run" in said(planned)
        running = await desk.run(planned)
    assert outcome(running)[0] is OutcomeKind.DONE
    assert "from its next start on" in outcome(running)[1]
    assert _limits(engine, "web")[0] == 64 * MIB


async def test_a_proxy_that_hides_the_machine_is_said_in_the_plan(engine: TestEngine, tmp_path: Path) -> None:
    engine.run("web", memory="32m")
    async with gatekeeper(engine.socket, tmp_path) as gate, at_desk(engine, tmp_path, host=gate.host) as desk:
        gate.forbids = "/info"
        planned = await _plan(desk, "web", "64m")
        assert "not known: how much the machine has" in said(planned)
        assert outcome(await desk.run(planned))[0] is OutcomeKind.DONE
