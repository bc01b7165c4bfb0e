"""Logs of real containers of a real engine."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec

from opsdash.collectors.docker.followed import FIRST_LINES
from tests.docker.following import LIMIT_S, container_of, following, numbers_of
from tests.support.engine import TestEngine
from tests.support.waiting import wait_until_async


async def test_lines_come_without_the_engines_frame_and_time(engine: TestEngine) -> None:
    engine.run("plain", ("sh", "-c", "echo one; echo two >&2; sleep 1000"))
    async with following(engine) as it:
        await it.until(lambda: len(it.lines("plain")) == 2, "both lines")
        assert sorted(it.lines("plain")) == [b"one", b"two"]


async def test_lines_of_a_terminal_come_without_its_line_ends(engine: TestEngine) -> None:
    engine.run("teletype", ("sh", "-c", "echo one; echo two; sleep 1000"), options=("--tty",))
    async with following(engine) as it:
        await it.until(lambda: it.lines("teletype") == [b"one", b"two"], "both lines")


async def test_of_what_was_printed_before_the_newest_lines_come(engine: TestEngine) -> None:
    engine.run("counting", ("sh", "-c", "seq 1 5000; sleep 1000"))
    async with following(engine) as it:
        await it.until(lambda: it.lines("counting")[-1:] == [b"5000"], "the newest line")
        assert numbers_of(it.lines("counting"))[-FIRST_LINES:] == list(range(5001 - FIRST_LINES, 5001))


async def test_a_line_counts_for_the_time_at_which_it_was_printed(engine: TestEngine) -> None:
    engine.run("early", ("sh", "-c", "echo ERROR early; sleep 1.2; echo ERROR late; sleep 1000"))
    async with following(engine) as it:
        await it.until(lambda: len(it.lines("early")) == 2, "both lines")
        (summary,) = it.logs.summaries()
        early, late = summary.latest
        assert 1 < late.at - early.at < LIMIT_S
        assert sum(minute.errors for minute in summary.minutes) == 2


async def test_a_container_that_is_started_again_goes_on_without_doubling(engine: TestEngine) -> None:
    engine.run("again", ("sh", "-c", "echo started; sleep 1000"))
    async with following(engine) as it:
        await it.until(lambda: it.lines("again") == [b"started"], "the first run")
        engine.docker("restart", "--time", "0", "again")
        await it.until(lambda: len(it.lines("again")) > 1, "the second run")
        assert it.lines("again") == [b"started", b"started"]


async def test_the_last_lines_of_a_container_that_ended_are_read_once(engine: TestEngine) -> None:
    id = engine.run("crashed", ("sh", "-c", "echo panic: out of luck; exit 3"))
    engine.docker("wait", "crashed")
    async with following(engine) as it:
        await it.until(lambda: it.lines("crashed") == [b"panic: out of luck"], "its last line")
        engine.run("later", ("sh", "-c", "echo here; sleep 1000"))
        await it.until(lambda: it.lines("later"), "the first line of another one, many listings later")
        assert it.lines("crashed") == [b"panic: out of luck"]
        asked = [path for _, path in engine.requests() if f"{id}/logs" in path]
        assert len(asked) == 1


async def test_a_driver_that_gives_nothing_back_is_said_and_not_asked_again(engine: TestEngine) -> None:
    id = engine.run("silent", ("sh", "-c", "echo nobody hears; sleep 1000"), options=("--log-driver", "none"))
    async with following(engine) as it:
        it.look()
        (summary,) = it.logs.summaries()
        assert summary.failure is not None
        assert summary.failure.reason == "none cannot be read back from the engine"
        assert not [path for _, path in engine.requests() if f"{id}/logs" in path]


async def test_a_driver_that_the_engine_refuses_to_read_is_not_asked_again(engine: TestEngine) -> None:
    id = engine.run(
        "refused", ("sh", "-c", "echo nobody hears; sleep 1000"), options=("--log-driver", "none")
    )
    container = msgspec.structs.replace(container_of(engine.inspect("refused")), log_driver="syslog")
    async with following(engine) as it:
        it.logs.follow([container])
        await wait_until_async(
            lambda: it.logs.summaries()[0].failure is not None, LIMIT_S, "it is said that it cannot be read"
        )
        (summary,) = it.logs.summaries()
        assert summary.failure is not None
        assert summary.failure.reason == "syslog cannot be read back from the engine"
        engine.run("later", ("sh", "-c", "echo here; sleep 1000"))
        later = container_of(engine.inspect("later"))

        def is_later_there() -> bool:
            it.logs.follow([container, later])
            return it.lines("later") != []

        await wait_until_async(is_later_there, LIMIT_S, "another one's line, many listings later")
        assert len([path for _, path in engine.requests() if f"{id}/logs" in path]) == 1


async def test_times_of_an_engine_whose_clock_is_wrong_are_put_right(engine: TestEngine) -> None:
    engine.run("skewed", ("sh", "-c", "echo here; sleep 1000"))
    async with following(engine) as it:
        await it.client.negotiate()
        now = datetime.now(UTC)
        it.client.set_clock(now + timedelta(hours=1))  # then what it printed at 12:00 was printed at 11:00
        await it.until(lambda: it.lines("skewed"), "its line")
        buffer = it.buffer("skewed")
        assert buffer is not None
        assert abs(buffer.arrived_at(0) - (now.timestamp() - 3600)) < LIMIT_S


async def test_those_beyond_the_limit_are_named(engine: TestEngine) -> None:
    for name in ("first", "second", "third"):
        engine.run(name, ("sh", "-c", "echo here; sleep 1000"))
    async with following(engine, at_most=2) as it:
        await it.until(lambda: [s for s in it.logs.summaries() if s.end] != [], "a line")
        assert len(it.logs.sources()) == 2
        (left_out,) = [each for each in it.logs.summaries() if each.failure is not None]
        assert left_out.failure is not None
        assert left_out.failure.reason == "not followed: 2 other containers are"


async def test_a_removed_container_takes_its_lines_with_it(engine: TestEngine) -> None:
    engine.run("leaving", ("sh", "-c", "echo here; sleep 1000"))
    async with following(engine) as it:
        await it.until(lambda: it.lines("leaving"), "its line")
        engine.docker("rm", "--force", "leaving")
        it.look()
        assert it.logs.sources() == ()


async def test_a_flood_arrives_whole_and_leaves_others_their_turn(engine: TestEngine) -> None:
    wait = "while [ ! -e /tmp/go ]; do sleep 0.05; done"
    engine.run("flood", ("sh", "-c", f"echo 0; {wait}; seq 1 50000; sleep 1000"))
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    async with following(engine) as it:
        await it.until(lambda: it.lines("flood") == [b"0"], "it is followed")
        engine.docker("exec", "flood", "sh", "-c", "> /tmp/go")
        other = asyncio.create_task(count_turns())
        await it.until(lambda: it.lines("flood")[-1:] == [b"50000"], "the last line")
        other.cancel()
        assert numbers_of(it.lines("flood")) == list(range(50_001))
        assert turns > 10
