"""What is read of a real engine: containers and their runs, events, health, limits, and at what cost."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.collector import Attentive
from opsdash.collectors.docker.collector import DockerCollector
from opsdash.collectors.docker.rows import EngineData
from opsdash.collectors.errors import ConnectionRefused, TargetError
from opsdash.collectors.lines.source import HasLogs
from tests.docker.reading import named, reading, until
from tests.support.engine import IMAGE, TestEngine, compose_labels, docker_target
from tests.support.waiting import wait_until


class SteppedClock(Clock):
    """Goes on by itself, and jumps when a test says so."""

    ahead_s = 0.0

    def mono_s(self) -> float:
        return super().mono_s() + self.ahead_s


def asked_since(engine: TestEngine, before: int) -> list[str]:
    """Paths of the requests since, ids shortened, without queries, apart from logs and statistics."""
    paths = [re.sub(r"[0-9a-f]{64}", "ID", path.partition("?")[0]) for _, path in engine.requests()[before:]]
    return [path.removeprefix("/v1.41") for path in paths if not path.endswith(("/logs", "/stats"))]


async def test_the_first_reading_has_all_that_an_inspection_tells(engine: TestEngine) -> None:
    id = engine.run(
        "shop-web-1",
        labels=compose_labels("shop", "web", 1),
        health="true",
        memory="32m",
        restart="on-failure:5",
        options=("--cpus", "0.5", "--memory-swap", "64m"),
    )
    async with reading(engine, logs=False) as collector:
        data = await collector.collect()
        web = named(data, "shop-web-1")
        told = engine.inspect("shop-web-1")
    assert isinstance(collector, Attentive)
    assert isinstance(collector, HasLogs)
    assert (web.id, web.image, web.project, web.service, web.number) == (id, IMAGE, "shop", "web", 1)
    assert (web.state, web.restart_policy, web.restart_count) == ("running", "on-failure:5", 0)
    assert (web.memory_limit_bytes, web.swap_limit_bytes, web.cpu_limit) == (32 << 20, 64 << 20, 0.5)
    assert (web.pid, web.log_driver, web.has_tty) == (told["State"]["Pid"], "json-file", False)
    assert web.is_inspected
    assert (web.exit_code, web.finished_at) == (None, None), "its first run goes on"
    assert told["State"]["StartedAt"].startswith(web.started_at.isoformat()[:23] if web.started_at else "?")
    assert data.engine.version.startswith("20.10")
    assert data.engine.is_local
    assert abs(data.now - Clock().now()) < timedelta(seconds=5)


async def test_containers_are_known_by_their_labels_whatever_compose_named_them(engine: TestEngine) -> None:
    for name, project, service, number in [
        ("blog_web_1", "blog", "web", 1),
        ("shop-web-2", "shop", "web", 2),
        ("shop-web-1", "shop", "web", 1),
        ("shop-db-1", "shop", "db", 1),
    ]:
        engine.run(name, labels=compose_labels(project, service, number))
    engine.run("alone")
    async with reading(engine, logs=False) as collector:
        data = await collector.collect()
    found = [(each.project, each.service, each.number, each.name) for each in data.containers]
    assert found == [
        ("blog", "web", 1, "blog_web_1"),
        ("shop", "db", 1, "shop-db-1"),
        ("shop", "web", 1, "shop-web-1"),
        ("shop", "web", 2, "shop-web-2"),
        (None, None, None, "alone"),
    ]


async def test_health_and_what_its_checks_said(engine: TestEngine) -> None:
    engine.run("sick", health="echo pool exhausted; exit 3")
    async with reading(engine, logs=False) as collector:
        data = await until(
            collector, lambda data: named(data, "sick").health == "unhealthy", "it is unhealthy"
        )
        sick = named(data, "sick")
        assert (sick.failing_streak or 0) >= 2
        assert (sick.health_log[0].exit_code, sick.health_log[0].output) == (3, "pool exhausted")
        starts = [check.started_at for check in sick.health_log if check.started_at]
        assert starts == sorted(starts, reverse=True), "newest first"
        assert any(event.action == "health_status: unhealthy" for event in data.events)


async def test_a_restart_loop_is_counted_with_its_exit_code(engine: TestEngine) -> None:
    engine.run("loop", ("sh", "-c", "exit 3"), restart="always")
    async with reading(engine, logs=False) as collector:
        data = await until(collector, lambda data: len(deaths(data, "loop")) >= 3, "it died three times")
    loop = named(data, "loop")
    assert (loop.restart_count or 0) >= 2
    assert loop.exit_code == 3
    assert loop.finished_at is not None
    assert set(deaths(data, "loop")) == {3}
    times = [event.at for event in data.events]
    assert times == sorted(times)


def deaths(data: EngineData, name: str) -> list[int | None]:
    """The exit codes of a container's runs, by the engine's events."""
    return [event.exit_code for event in data.events if event.action == "die" and event.name == name]


async def test_a_container_killed_for_its_memory_says_so(engine: TestEngine) -> None:
    engine.run("glutton", ("dd", "if=/dev/zero", "of=/dev/null", "bs=64M"), memory="16m")

    def is_noticed() -> bool:
        """Where the engine was told of its end before the kernel's word, it does not say so: again."""
        state = engine.inspect("glutton")["State"]
        if state["Status"] == "exited" and not state["OOMKilled"]:
            engine.docker("start", "glutton")
        return bool(state["OOMKilled"])

    wait_until(is_noticed, 60, "the kernel has killed it, and the engine has noticed")
    async with reading(engine, logs=False) as collector:
        data = await until(collector, lambda data: named(data, "glutton").state == "exited", "it was killed")
    glutton = named(data, "glutton")
    assert glutton.oom_killed
    assert glutton.memory_limit_bytes == 16 << 20
    assert any(event.action == "oom" and event.container == glutton.id for event in data.events)


async def test_one_that_could_not_be_started_says_why(engine: TestEngine) -> None:
    engine.docker("create", "--name", "broken", "--network", "none", IMAGE, "/no/such/program")
    status, _ = engine.api("POST", "/containers/broken/start")
    assert status >= 400
    async with reading(engine, logs=False) as collector:
        broken = named(await collector.collect(), "broken")
    assert broken.state == "created"
    assert "/no/such/program" in broken.error
    assert (broken.started_at, broken.exit_code) == (None, None)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("stop", "web"), {"state": "exited", "exit_code": 143}),
        (("kill", "web"), {"state": "exited", "exit_code": 137}),
        (("pause", "web"), {"state": "paused"}),
        (("rename", "web", "api"), {"name": "api"}),
        (("update", "--memory", "64m", "--memory-swap", "64m", "web"), {"memory_limit_bytes": 64 << 20}),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
async def test_a_change_is_in_the_next_reading(
    engine: TestEngine, words: tuple[str, ...], expected: dict[str, object]
) -> None:
    id = engine.run("web", memory="32m")
    async with reading(engine, logs=False) as collector:
        await collector.collect()
        engine.docker(*words)
        data = await collector.collect()
    (web,) = data.containers
    assert web.id == id
    assert {key: getattr(web, key) for key in expected} == expected


async def test_a_new_run_is_another_identity_and_remembers_how_the_last_one_ended(engine: TestEngine) -> None:
    engine.run("web")
    async with reading(engine, logs=False) as collector:
        before = named(await collector.collect(), "web")
        engine.docker("restart", "web")
        after = named(await collector.collect(), "web")
    assert before.id == after.id
    assert before.identity != after.identity
    assert (after.state, after.exit_code) == ("running", 143)


async def test_one_that_comes_or_goes_is_in_the_next_reading(engine: TestEngine) -> None:
    engine.run("first")
    async with reading(engine, logs=False) as collector:
        await collector.collect()
        engine.run("second")
        assert [each.name for each in (await collector.collect()).containers] == ["first", "second"]
        engine.docker("rm", "--force", "first")
        assert [each.name for each in (await collector.collect()).containers] == ["second"]


async def test_a_quiet_engine_is_asked_one_question_per_reading(engine: TestEngine) -> None:
    for name in ("one", "two", "three"):
        engine.run(name)
    clock = SteppedClock()
    async with reading(engine, clock, logs=False) as collector:
        await collector.collect()
        await until(collector, lambda _: is_quiet(engine), "the events of the start are past")
        before = len(engine.requests())
        await collector.collect()
        await collector.collect()
        assert asked_since(engine, before) == ["/events", "/events"]
        clock.ahead_s += 31
        before = len(engine.requests())
        await collector.collect()
        assert asked_since(engine, before) == ["/events", "/containers/json"]


def is_quiet(engine: TestEngine) -> bool:
    return asked_since(engine, 0)[-1:] == ["/events"]


async def test_only_the_container_that_something_happened_to_is_inspected(engine: TestEngine) -> None:
    for name in ("one", "two", "three"):
        engine.run(name)
    async with reading(engine, logs=False) as collector:
        await collector.collect()
        await until(collector, lambda _: is_quiet(engine), "the events of the start are past")
        engine.docker("pause", "two")
        before = len(engine.requests())
        await collector.collect()
        assert asked_since(engine, before) == ["/events", "/containers/json", "/containers/ID/json"]


async def test_a_container_that_cannot_be_inspected_keeps_no_other_from_being_read(
    engine: TestEngine,
) -> None:
    engine.run("well")
    stuck = engine.run("stuck")
    async with HalfAnEngine(engine, stuck) as host:
        collector = DockerCollector(docker_target(host, logs=False), Clock())
        data = await collector.collect()
        assert (named(data, "well").is_inspected, named(data, "stuck").is_inspected) == (True, False)
        assert named(data, "stuck").state == "running", "as the list says"
        await collector.close()


class HalfAnEngine:
    """Stands before an engine, and answers no question about one of its containers."""

    def __init__(self, engine: TestEngine, silent_about: str) -> None:
        self._engine, self._silent_about = engine, silent_about

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_engine, to_engine = await asyncio.open_unix_connection(self._engine.socket)
        answers = asyncio.ensure_future(_copy(from_engine, writer))
        try:
            while asked := await reader.readuntil(b"\r\n\r\n"):
                if self._silent_about.encode() not in asked:
                    to_engine.write(asked)
        except (asyncio.IncompleteReadError, ConnectionError):
            answers.cancel()
        to_engine.close()
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)


async def test_an_engine_that_went_and_came_back_is_read_anew(
    start_engine: Callable[..., TestEngine],
) -> None:
    engine = start_engine()
    engine.run("web", restart="always")
    async with reading(engine, logs=False) as collector:
        before = named(await collector.collect(), "web")
        await asyncio.to_thread(engine.stop)
        failures = [await failure(collector.collect()) for _ in range(2)]
        assert isinstance(failures[-1], ConnectionRefused)
        await asyncio.to_thread(engine.start)
        data = await until(collector, lambda data: named(data, "web").state == "running", "it runs again")
        after = named(data, "web")
    assert after.identity != before.identity
    assert any(event.action == "create" for event in data.events), "what was known of before stays known"
    assert data.events_since is not None
    assert before.started_at is not None
    assert data.events_since > before.started_at, "but not that nothing else happened"


async def failure(read: Awaitable[object]) -> TargetError:
    with pytest.raises(TargetError) as caught:
        await read
    return caught.value


async def test_text_of_containers_is_harmless_wherever_it_comes_from(engine: TestEngine) -> None:
    labels = compose_labels("sh\x1b[2Jop", "we\u202eb")
    engine.run("web", labels=labels, health="printf 'a\\033]0;x\\007\\nb'; exit 1")
    async with reading(engine, logs=False) as collector:
        data = await until(collector, lambda data: named(data, "web").health_log, "it was checked")
    web = named(data, "web")
    assert (web.project, web.service) == ("sh␛[2Jop", "we�b")
    assert web.health_log[0].output == "a␛]0;x␇\nb"


async def test_logs_are_followed_unless_the_configuration_says_no(engine: TestEngine) -> None:
    engine.run("web", ("sh", "-c", "echo ready to serve; sleep 100000"))
    async with reading(engine) as collector:
        data = await until(collector, lambda data: any(log.end for log in data.logs), "its line came")
        (source,) = collector.log_sources()
        assert (source.name, source.identity) == ("web", named(data, "web").id)
        assert b"ready to serve" in source.buffer.line(0)
    async with reading(engine, logs=False) as collector:
        data = await collector.collect()
        assert (data.logs, collector.log_sources()) == ((), ())


async def test_files_tell_of_every_container_and_history_is_kept_of_what_is_looked_at(
    engine: TestEngine,
) -> None:
    one, two = engine.run("one"), engine.run("two")
    async with reading(engine, logs=False) as collector:
        data = await until(collector, lambda data: data.usage.keys() == {one, two}, "there are samples")
        assert data.out_of_sight == {one, two}
        collector.look_at((two,), None)
        data = await collector.collect()
        assert (data.usage.keys(), data.out_of_sight) == ({one, two}, {one})
        assert f"memory {two}" in data.measures()
        assert f"memory {one}" not in data.measures()
