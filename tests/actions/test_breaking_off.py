"""Actions at the same time, and actions that are broken off."""

import asyncio

import pytest

from opsdash.tui.actions.action import OutcomeKind
from opsdash.tui.actions.perform import KEPT_RUNS
from opsdash.tui.actions.running import GRACE_S
from tests.actions.lamps import YES, House, armed_plan, ended, outcome, plan
from tests.support.waiting import wait_until_async


def hold(house: House, stage: str) -> asyncio.Event:
    """Hold actions up at `stage`; the event returned is set when one is there."""
    there = asyncio.Event()

    async def wait() -> None:
        there.set()
        await asyncio.Event().wait()

    house.off.reach = lambda reached: wait() if reached == stage else None
    return there


async def test_no_two_actions_on_one_thing(house: House) -> None:
    there = hold(house, "verify")
    first = house.gateway.perform(await armed_plan(house, 1, 2), YES)
    await asyncio.wait_for(there.wait(), 30)
    second = house.gateway.perform(await plan(house, 2, 3), YES)
    other = house.gateway.perform(await plan(house, 4), YES)
    await wait_until_async(lambda: second.is_done and house.sent_lamps() == [1, 2, 4], 30, "only 4 is sent")
    assert outcome(second) == (
        OutcomeKind.REFUSED,
        "Switch off lamp 1, lamp 2 is still under way: no two actions on lamp 2",
    )
    assert house.gateway.runs == (other, second, first)
    first.abort()
    other.abort()
    await wait_until_async(lambda: first.is_done and other.is_done, 30, "both end")
    house.off.reach = lambda stage: None
    await ended(house, house.gateway.perform(await plan(house, 2), YES))
    assert house.sent_lamps() == [1, 2, 4, 2]


@pytest.mark.parametrize("gap", ["two decisions in one turn", "one turn between"])
async def test_two_decisions_on_one_plan_send_it_once(house: House, gap: str) -> None:
    planned = await armed_plan(house)
    first = house.gateway.perform(planned, YES)
    if gap == "one turn between":
        await asyncio.sleep(0)
    second = house.gateway.perform(planned, YES)
    await ended(house, first)
    assert house.sent_lamps() == [1]
    assert outcome(second)[0] is OutcomeKind.REFUSED


@pytest.mark.parametrize(
    ("stage", "sent", "text"),
    [
        ("run", [], "aborted: sent perhaps; look at the target"),
        ("sent", [1], "aborted: sent perhaps; look at the target"),
        ("verify", [1], "aborted after it was sent: not followed to the end; look at the target"),
    ],
)
async def test_an_aborted_action_says_how_far_it_came(
    house: House, stage: str, sent: list[int], text: str
) -> None:
    there = hold(house, stage)
    running = house.gateway.perform(await armed_plan(house), YES)
    await asyncio.wait_for(there.wait(), 30)
    running.abort()
    await ended(house, running)
    assert outcome(running) == (OutcomeKind.UNKNOWN, text)
    assert house.sent_lamps() == sent
    assert house.records()[2]["text"] == text


async def test_aborted_before_it_was_sent_nothing_was(house: House) -> None:
    running = house.gateway.perform(await armed_plan(house), YES)
    running.abort()
    await ended(house, running)
    assert outcome(running) == (OutcomeKind.REFUSED, "aborted before anything was sent")
    assert house.sent_lamps() == []


async def test_aborting_does_not_wait_for_a_library_that_cannot_be_cancelled(house: House) -> None:
    there = asyncio.Event()
    free = asyncio.Event()

    async def stubborn() -> None:
        there.set()
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue

    house.off.reach = lambda stage: stubborn() if stage == "run" else None
    running = house.gateway.perform(await armed_plan(house), YES)
    await asyncio.wait_for(there.wait(), 30)
    running.abort()
    try:
        await wait_until_async(lambda: running.is_done, GRACE_S * 20, "it is left behind")
    finally:
        free.set()
    assert outcome(running)[0] is OutcomeKind.UNKNOWN


async def test_quitting_breaks_off_what_runs_records_it_and_lets_go(house: House) -> None:
    there = hold(house, "verify")
    running = house.gateway.perform(await armed_plan(house), YES)
    await asyncio.wait_for(there.wait(), 30)
    await asyncio.wait_for(house.gateway.close(), 5)
    assert outcome(running)[0] is OutcomeKind.UNKNOWN
    assert sorted(map(str, house.events())) == ["armed", "disarmed", "intent", "outcome"]
    assert (house.kit.is_aborted, house.kit.is_closed) == (True, True)


async def test_the_list_of_runs_is_bounded_newest_first(house: House) -> None:
    planned = await plan(house)  # not armed: each is refused at once
    runs = [house.gateway.perform(planned, YES) for _ in range(KEPT_RUNS + 5)]
    assert len(house.gateway.runs) == KEPT_RUNS + 5  # one that has not ended is never dropped
    await wait_until_async(lambda: all(run.is_done for run in runs), 60, "all are refused")
    runs.append(house.gateway.perform(planned, YES))
    assert house.gateway.runs == tuple(reversed(runs[6:]))
    await house.gateway.close(wait_s=60)
