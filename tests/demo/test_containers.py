"""The demo's containers: only its own are seen, one is healed by a restart, and none is left."""

import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.collector import DockerCollector
from opsdash.collectors.docker.rows import EngineData
from opsdash.tui.demo import containers, targets
from opsdash.tui.demo.run import start_demo
from tests.demo.owning import IMPORTABLE
from tests.support.engine import IMAGE, TestEngine
from tests.support.waiting import wait_until, wait_until_async

RUN = "t1"
_OWNER = """
import os, sys, time
from pathlib import Path
from opsdash.tui.demo.containers import start_containers
from opsdash.tui.demo.keeper_link import Keeper
keeper = Keeper()
script, path, run = sys.argv[1:]
keeper.at_end([sys.executable, "-I", "-S", script, path, run], env={"PATH": os.defpath})
start_containers(path, run)
print("started", flush=True)
time.sleep(600)
"""


@pytest.fixture
def busybox(engine: TestEngine) -> Iterator[TestEngine]:
    """An engine that has an image such as people have."""
    engine.docker("tag", IMAGE, "busybox:latest")
    yield engine
    engine.docker("rmi", "--no-prune", "busybox:latest")


def labelled(engine: TestEngine) -> list[str]:
    """Names of the demo's containers, running or not."""
    return sorted(
        engine.docker("ps", "-a", "--filter", f"label={containers.LABEL}", "--format", "{{.Names}}").split()
    )


def health(engine: TestEngine, name: str) -> str:
    return str(engine.inspect(name)["State"]["Health"]["Status"])


async def test_one_is_well_and_the_other_until_it_is_restarted_is_not(busybox: TestEngine) -> None:
    other = busybox.run("of-somebody-else")
    containers.start_containers(str(busybox.socket), RUN)
    well, unwell = labelled(busybox)
    target = targets.engine(str(busybox.socket), RUN)
    collector = DockerCollector(target, Clock())

    try:
        data = await wait_until_async(
            lambda: _when(collector.collect, lambda d: _healths(d) == ["healthy", "unhealthy"]),
            60,
            "both are judged",
        )
        assert [c.name for c in data.containers] == [well, unwell]
        assert {event.name for event in data.events} == {well, unwell}, "nobody else's events"
        assert [(c.project, c.service, c.number) for c in data.containers] == [
            ("demo-t1", "web", 1),
            ("demo-t1", "web", 2),
        ]
        assert "pool is closed" in data.containers[1].health_log[0].output
        assert "ERROR web: GET /cart 500: sessions: pool is closed" in busybox.docker("logs", unwell)
        busybox.docker("restart", "--time", "2", unwell)
        await wait_until_async(
            lambda: _when(collector.collect, lambda d: _healths(d) == ["healthy", "healthy"]),
            60,
            "the restart heals it",
        )
    finally:
        await collector.close()
    containers.remove_containers(str(busybox.socket), RUN)
    assert labelled(busybox) == []
    assert busybox.inspect(other)["State"]["Running"], "somebody else's goes on"


def _healths(data: EngineData) -> list[str | None]:
    return [c.health for c in data.containers]


async def _when(
    read: Callable[[], Awaitable[EngineData]], claim: Callable[[EngineData], bool]
) -> EngineData | None:
    data = await read()
    return data if claim(data) else None


def test_containers_of_one_demo_are_not_another_ones(busybox: TestEngine) -> None:
    path = str(busybox.socket)
    containers.start_containers(path, "one")
    containers.start_containers(path, "two")
    containers.remove_containers(path, "one")
    assert labelled(busybox) == ["web-1-two", "web-2-two"]
    containers.remove_containers(path, "two")


def test_they_go_however_the_demo_ends(busybox: TestEngine) -> None:
    argv = [sys.executable, "-c", _OWNER, containers.__file__, str(busybox.socket), RUN]
    env = {"PYTHONPATH": IMPORTABLE, "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=env, cwd="/") as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"started\n"
        assert len(labelled(busybox)) == 2
        owner.send_signal(signal.SIGKILL)
    wait_until(lambda: labelled(busybox) == [], 60, "they are removed")


def test_the_demo_has_them_as_a_target_and_closes_without_them(busybox: TestEngine) -> None:
    with start_demo(engine=str(busybox.socket)) as demo:
        (target,) = (t for t in demo.targets if t.id.kind == "docker")
        assert len(labelled(busybox)) == 2
        assert msgspec.to_builtins(target.settings)["host"] == busybox.host
        assert "engine: two containers; web-2 is unhealthy until it is restarted" in demo.describe()
    assert labelled(busybox) == []


def test_an_engine_without_a_small_image_is_left_alone(engine: TestEngine) -> None:
    before = len(engine.requests())
    with pytest.raises(containers.EngineProblem, match="no image busybox or alpine"):
        containers.start_containers(str(engine.socket), RUN)
    assert {method for method, _ in engine.requests()[before:]} <= {"GET"}


def test_only_an_engine_of_this_machine_that_answers_is_used(engine: TestEngine, tmp_path: Path) -> None:
    assert containers.local_engine({"DOCKER_HOST": engine.host}) == str(engine.socket)
    assert containers.local_engine({"DOCKER_HOST": "tcp://build.internal:2375"}) is None
    assert containers.local_engine({"DOCKER_HOST": "ssh://root@build.internal"}) is None
    assert containers.local_engine({"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}) is None
