"""What containers use: two samples, and readings of a real engine."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.cgroup_files import CgroupFiles
from opsdash.collectors.docker.client import EngineClient
from opsdash.collectors.docker.rows import Container, Engine, Usage
from opsdash.collectors.docker.stats import EngineStats, Sample, sample_of, usage
from opsdash.collectors.docker.usage import LONGEST_WINDOW_S, OUT_OF_SIGHT, OUT_OF_SIGHT_S, UsageReader
from tests.docker.following import LIMIT_S, container_of
from tests.support.engine import TestEngine, docker_target
from tests.support.waiting import wait_until_async

HERE = Engine(name="here", version="20.10", api_version="1.41", is_local=True)
ELSEWHERE = msgspec.structs.replace(HERE, is_local=False)

BUSY = ("sh", "-c", "while true; do :; done")
STARTED = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def sample(at_s: float, **known: object) -> Sample:
    return Sample(at_s=at_s, taken_mono_s=at_s, **known)  # type: ignore[arg-type]  # named figures


# two samples


def test_a_rate_is_over_the_time_between_the_samples() -> None:
    before = sample(10.0, cpu_s=1.0, received_bytes=0, sent_bytes=10, read_bytes=100, written_bytes=1000)
    after = sample(14.0, cpu_s=3.0, received_bytes=8, sent_bytes=10, read_bytes=200, written_bytes=5000)
    found = usage(before, after)
    assert (found.window_s, found.cpu_ratio) == (4.0, 0.5)
    assert (found.received_per_s, found.sent_per_s) == (2.0, 0.0)
    assert (found.read_per_s, found.written_per_s) == (25.0, 1000.0)


def test_one_sample_gives_no_rate_but_what_is_held() -> None:
    found = usage(None, sample(10.0, cpu_s=5.0, memory_bytes=7, pids=2))
    assert (found.window_s, found.cpu_ratio, found.memory_bytes, found.pids) == (None, None, 7, 2)


def test_a_container_that_was_started_again_in_between_has_no_rate() -> None:
    before = sample(10.0, cpu_s=100.0, received_bytes=5)
    after = sample(12.0, cpu_s=1.0, received_bytes=999)  # the network counts more already than before
    found = usage(before, after)
    assert (found.window_s, found.cpu_ratio, found.received_per_s) == (None, None, None)
    other_run = usage(sample(10.0, cpu_s=1.0, run="a"), sample(12.0, cpu_s=2.0, run="b"))
    assert other_run.cpu_ratio is None


def test_without_a_quota_nothing_is_said_of_throttling() -> None:
    without = usage(
        sample(10.0, periods=0, throttled_periods=0), sample(12.0, periods=0, throttled_periods=0)
    )
    assert without.throttled_ratio is None
    held_back = usage(
        sample(10.0, periods=10, throttled_periods=2), sample(12.0, periods=30, throttled_periods=12)
    )
    assert held_back.throttled_ratio == 0.5


# an engine's answer


def answer(**changed: object) -> EngineStats:
    told: dict[str, object] = {
        "read": "2026-11-22T03:12:40.5Z",
        "cpu_stats": {
            "cpu_usage": {"total_usage": 2_500_000_000},
            "throttling_data": {"periods": 40, "throttled_periods": 10},
        },
        "memory_stats": {"usage": 1_000_000, "stats": {"inactive_file": 1, "total_inactive_file": 400_000}},
        "pids_stats": {"current": 3},
        "networks": {"eth0": {"rx_bytes": 1500, "tx_bytes": 700}, "eth1": {"rx_bytes": 500, "tx_bytes": 300}},
        "blkio_stats": {
            "io_service_bytes_recursive": [{"op": "Read", "value": 4}, {"op": "write", "value": 5}]
        },
        **changed,
    }
    return msgspec.json.decode(msgspec.json.encode(told), type=EngineStats)


def test_an_answer_of_the_engine_is_read() -> None:
    found = sample_of(answer(), started_at=STARTED, taken_mono_s=9.0)
    assert found is not None
    assert (found.cpu_s, found.periods, found.throttled_periods) == (2.5, 40, 10)
    assert (found.memory_bytes, found.pids) == (600_000, 3)
    assert (found.received_bytes, found.sent_bytes) == (2000, 1000)
    assert (found.read_bytes, found.written_bytes) == (4, 5)
    assert found.taken_mono_s == 9.0


def test_cgroup_v2_names_the_cache_differently() -> None:
    told = answer(memory_stats={"usage": 1_000_000, "stats": {"inactive_file": 300_000}})
    found = sample_of(told, started_at=STARTED, taken_mono_s=9.0)
    assert found is not None
    assert found.memory_bytes == 700_000


def test_memory_is_never_below_nothing() -> None:
    told = answer(memory_stats={"usage": 10, "stats": {"inactive_file": 300_000}})
    found = sample_of(told, started_at=STARTED, taken_mono_s=9.0)
    assert found is not None
    assert found.memory_bytes == 0


def test_what_an_engine_leaves_out_is_unknown() -> None:
    told = answer(
        memory_stats={}, networks=None, pids_stats={}, blkio_stats={"io_service_bytes_recursive": None}
    )
    found = sample_of(told, started_at=STARTED, taken_mono_s=9.0)
    assert found is not None
    assert found.memory_bytes is None
    assert found.pids is None
    assert found.received_bytes is None
    assert found.read_bytes is None


def test_an_answer_from_before_the_start_is_dropped() -> None:
    later = STARTED + timedelta(hours=1)
    assert sample_of(answer(), started_at=later, taken_mono_s=9.0) is None
    assert sample_of(answer(read="0001-01-01T00:00:00Z"), started_at=STARTED, taken_mono_s=9.0) is None


# a real engine


class MovableClock(Clock):
    """The real clock, moved on by as much as a test says."""

    ahead_s = 0.0

    def mono_s(self) -> float:
        return super().mono_s() + self.ahead_s


class Reading:
    """A reader on a real engine, and its containers."""

    def __init__(self, engine: TestEngine, reader: UsageReader, clock: MovableClock) -> None:
        self.engine = engine
        self.reader = reader
        self.clock = clock
        self.source = ""

    def containers(self) -> list[Container]:
        _, found = self.engine.api("GET", "/containers/json?all=1")
        return [container_of(self.engine.inspect(each["Id"])) for each in found]

    async def read(self) -> dict[str, Usage]:
        found, self.source = await self.reader.read(self.containers())
        return dict(found)

    async def until(self, condition: Callable[[dict[str, Usage]], object], message: str) -> None:
        async def is_there() -> object:
            return condition(await self.read())

        await wait_until_async(is_there, LIMIT_S, message)

    def asked(self) -> list[str]:
        """Paths of all questions for the usage of its containers so far."""
        ids = [container.id for container in self.containers()]
        paths = [path for _, path in self.engine.requests() if "/stats" in path]
        return [path for path in paths if any(id in path for id in ids)]


@asynccontextmanager
async def reading(
    engine: TestEngine, of: Engine, *, files: CgroupFiles | None = None, out_of_sight: int = OUT_OF_SIGHT
) -> AsyncIterator[Reading]:
    clock = MovableClock()
    client = EngineClient(docker_target(engine.host), clock)
    reader = UsageReader(client, of, clock, files=files, out_of_sight=out_of_sight)
    try:
        yield Reading(engine, reader, clock)
    finally:
        reader.close()
        await client.close()


@pytest.mark.parametrize("of", [HERE, ELSEWHERE], ids=["files", "engine"])
async def test_a_busy_container_shows_what_it_uses(of: Engine, engine: TestEngine) -> None:
    id = engine.run("busy", BUSY, options=("--cpus", "0.2"), memory="32m")
    async with reading(engine, of) as it:
        it.reader.look_at((id,), None)

        def is_busy(found: dict[str, Usage]) -> bool:
            it.clock.ahead_s += 0.0 if of is HERE else 0.1
            seen = found.get(id)
            return (
                seen is not None
                and seen.window_s is not None
                and 0.02 < (seen.cpu_ratio or 0) < 0.6
                and (seen.throttled_ratio or 0) > 0.3
                and 0 < (seen.memory_bytes or 0) < 32 * 1024 * 1024
            )

        await it.until(is_busy, "its usage")
        assert it.source == ("cgroup files" if of is HERE else "engine, one at a time")
        assert bool(it.asked()) == (of is ELSEWHERE)


async def test_nothing_is_asked_while_nothing_is_looked_at(engine: TestEngine) -> None:
    id = engine.run("unseen")
    async with reading(engine, ELSEWHERE) as it:
        asked = len(it.asked())
        for _ in range(5):
            assert await it.read() == {}
            assert it.source == ""
        assert len(it.asked()) == asked
        it.reader.look_at((id,), None)
        await it.until(lambda found: id in found, "its usage, now that it is looked at")


async def test_files_tell_also_of_what_nobody_looks_at_and_the_engine_is_not_asked(
    engine: TestEngine,
) -> None:
    id = engine.run("unseen", BUSY, options=("--cpus", "0.2"), memory="32m")
    async with reading(engine, HERE) as it:
        first = (await it.read())[id]
        assert first.memory_bytes
        again = (await it.read())[id]
        assert again.taken_mono_s == first.taken_mono_s  # not so soon
        it.clock.ahead_s += OUT_OF_SIGHT_S
        later = (await it.read())[id]
        assert later.window_s is not None
        assert it.source == "cgroup files"
        assert [path for path in it.asked() if id in path] == []


async def test_of_many_that_nobody_looks_at_some_are_read_each_time(
    engine: TestEngine,
) -> None:
    ids = {engine.run(f"many{number}") for number in range(3)}
    async with reading(engine, HERE, out_of_sight=1) as it:
        assert [len(await it.read()) for _ in range(3)] == [1, 2, 3]
        it.clock.ahead_s += OUT_OF_SIGHT_S
        before = {id: used.taken_mono_s for id, used in (await it.read()).items()}
        for _ in range(2):
            await it.read()
        after = {id: used.taken_mono_s for id, used in (await it.read()).items()}
        assert before.keys() == after.keys() == ids
        assert sum(after[id] > before[id] for id in ids) == 2


async def test_only_what_is_visible_is_asked_for(engine: TestEngine) -> None:
    seen, unseen = engine.run("seen"), engine.run("unseen")
    async with reading(engine, ELSEWHERE) as it:
        it.reader.look_at((seen,), None)
        await it.until(lambda found: seen in found, "its usage")
        assert [path for path in it.asked() if unseen in path] == []


async def test_a_reading_does_not_wait_for_the_engine(engine: TestEngine) -> None:
    id = engine.run("slow")
    async with reading(engine, ELSEWHERE) as it:
        it.reader.look_at((id,), None)
        containers = it.containers()
        engine.freeze()
        try:
            found, source = await it.reader.read(containers)
        finally:
            engine.thaw()
        assert (found, source) == ({}, "engine, one at a time")


async def test_of_the_opened_one_the_engine_sends_by_itself(engine: TestEngine) -> None:
    id = engine.run("opened", BUSY, options=("--cpus", "0.2"))
    async with reading(engine, ELSEWHERE) as it:
        it.reader.look_at((id,), id)
        await it.until(lambda found: id in found and found[id].window_s is not None, "two samples")
        (path,) = {path for path in it.asked() if id in path}
        assert "stream=1" in path
        assert len([path for path in it.asked() if id in path]) == 1


async def test_of_the_one_that_was_opened_before_the_engine_sends_no_more(engine: TestEngine) -> None:
    first, second = engine.run("first"), engine.run("second")
    async with reading(engine, ELSEWHERE) as it:
        it.reader.look_at((first, second), first)
        await it.until(lambda found: first in found, "the first one's usage")
        before = {task for task in asyncio.all_tasks() if "_follow" in repr(task.get_coro())}
        it.reader.look_at((first, second), second)
        await it.read()
        await wait_until_async(lambda: all(task.done() for task in before), LIMIT_S, "its stream is ended")
        assert before


async def test_files_that_cannot_be_read_are_replaced_by_questions(
    engine: TestEngine, tmp_path: Path
) -> None:
    id = engine.run("hidden")
    async with reading(engine, HERE, files=CgroupFiles(tmp_path)) as it:
        it.reader.look_at((id,), None)
        await it.until(lambda found: id in found, "its usage")
        assert it.source == "engine, one at a time"


async def test_a_container_that_is_started_again_begins_anew(engine: TestEngine) -> None:
    id = engine.run("again", BUSY, options=("--cpus", "0.2"))
    async with reading(engine, HERE) as it:
        it.reader.look_at((id,), None)
        await it.until(lambda found: id in found and found[id].window_s is not None, "two samples")
        engine.docker("restart", "--time", "0", "again")
        found = await it.read()
        assert found[id].window_s is None
        assert found[id].cpu_ratio is None


async def test_after_a_long_time_out_of_sight_no_average_over_it_is_shown(engine: TestEngine) -> None:
    id = engine.run("back")
    async with reading(engine, HERE) as it:
        it.reader.look_at((id,), None)
        await it.until(lambda found: id in found and found[id].window_s is not None, "two samples")
        it.clock.ahead_s += LONGEST_WINDOW_S + 1
        found = await it.read()
        assert found[id].window_s is None


async def test_what_is_not_looked_at_any_more_is_broken_off(engine: TestEngine) -> None:
    ids = tuple(engine.run(f"many{number}") for number in range(3))
    async with reading(engine, ELSEWHERE) as it:
        before = asyncio.all_tasks()
        it.reader.look_at(ids, ids[0])
        await it.read()
        assert asyncio.all_tasks() - before
        it.reader.look_at((), None)
        await wait_until_async(lambda: asyncio.all_tasks() <= before, LIMIT_S, "no question is under way")
