"""Readings of a Docker engine by hand, and what the feed holds of them: only what a test is about is spelt
out.
"""

from collections.abc import Sequence
from typing import Any

from opsdash.collectors.docker.rows import Container, Engine, EngineData, EngineEvent, HealthCheck, Usage
from opsdash.collectors.docker.settings import DockerSettings
from opsdash.collectors.feed import TargetView
from opsdash.collectors.snapshot import Failure, Snapshot
from opsdash.collectors.target import Environment, Target, TargetId
from tests.support.readings import MONO_S, NOW, ago

MIB = 2**20


def docker_target(name: str = "local", interval_s: float = 2.0, **settings: Any) -> Target:
    """An engine outside production; `settings` are those of its kind."""
    return Target(
        id=TargetId("docker", name),
        environment=Environment(name="test", production=False),
        interval_s=interval_s,
        settings=DockerSettings(**({"host": "unix:///nowhere/docker.sock"} | settings)),
        source="a test",
    )


def container(name: str, **facts: Any) -> Container:
    """One that is well; `web-1` belongs to the service `web` of the project `shop`."""
    service, _, number = name.rpartition("-")
    known: dict[str, Any] = {
        "id": (name.encode().hex() + "0" * 64)[:64],
        "image": f"shop/{service or name}:1.4",
        "project": "shop",
        "service": service or name,
        "number": int(number) if number.isdigit() else 1,
        "state": "running",
        "health": "healthy",
        "created_at": ago(300_000),
        "started_at": ago(260_000),
        "restart_count": 0,
        "restart_policy": "unless-stopped",
        "memory_limit_bytes": 256 * MIB,
        "swap_limit_bytes": 512 * MIB,
        "cpu_limit": 0.5,
        "is_inspected": True,
    }
    return Container(name=name, **(known | facts))


def alone(name: str, **facts: Any) -> Container:
    """One that compose did not make."""
    return container(name, **({"project": None, "service": None, "number": None} | facts))


def check(output: str, exit_code: int | None = 1, *, for_s: float = 3.0) -> HealthCheck:
    """A run of a health check."""
    return HealthCheck(started_at=ago(for_s + 0.1), ended_at=ago(for_s), exit_code=exit_code, output=output)


def unwell(name: str, output: str = "connect: connection refused", **facts: Any) -> Container:
    """One whose health check fails."""
    known: dict[str, Any] = {"health": "unhealthy", "failing_streak": 4, "health_log": (check(output),)}
    return container(name, **(known | facts))


def ended(name: str, exit_code: int = 1, *, for_s: float = 30.0, **facts: Any) -> Container:
    """One that ended by itself."""
    known: dict[str, Any] = {
        "state": "exited",
        "health": None,
        "exit_code": exit_code,
        "started_at": ago(for_s + 600),
        "finished_at": ago(for_s),
        "oom_killed": False,
    }
    return container(name, **(known | facts))


def looping(name: str, exit_code: int = 1, **facts: Any) -> Container:
    """One that waits for its next start."""
    known: dict[str, Any] = {"state": "restarting", "restart_count": 4}
    return ended(name, exit_code, for_s=2.0, **(known | facts))


def event(of: Container, action: str, *, for_s: float, exit_code: int | None = None) -> EngineEvent:
    return EngineEvent(at=ago(for_s), action=action, container=of.id, name=of.name, exit_code=exit_code)


def crashes(of: Container, *seconds: float, oom: bool = False, exit_code: int = 1) -> list[EngineEvent]:
    """It ended and was started again at each of these times before NOW."""
    events = []
    for for_s in sorted(seconds, reverse=True):
        if oom:
            events.append(event(of, "oom", for_s=for_s + 0.2))
        events.append(event(of, "die", for_s=for_s + 0.1, exit_code=exit_code))
        events.append(event(of, "start", for_s=for_s))
    return events


def used(**facts: Any) -> Usage:
    """What a container uses, over two seconds."""
    known: dict[str, Any] = {
        "window_s": 2.0,
        "taken_mono_s": MONO_S,
        "cpu_ratio": 0.61,
        "throttled_ratio": 0.0,
        "memory_bytes": 201 * MIB,
        "memory_before_bytes": 200 * MIB,
        "pids": 12,
        "received_per_s": 1200.0,
        "sent_per_s": 300.0,
        "read_per_s": 0.0,
        "written_per_s": 4096.0,
    }
    return Usage(**(known | facts))


def engine_reading(*containers: Container, **facts: Any) -> EngineData:
    """A reading of an engine with these containers."""
    known: dict[str, Any] = {
        "engine": Engine(
            name="bastion",
            version="20.10.24",
            api_version="1.41",
            cpus=2,
            memory_bytes=8 * 2**30,
            cgroup_version="1",
            storage_driver="overlay2",
            is_local=True,
        ),
        "events_since": ago(3600),
        "listed_mono_s": MONO_S,
        "now": NOW,
    }
    if facts.get("usage"):
        known["usage_source"] = "cgroup files"
    return EngineData(containers=containers, **(known | facts))


def engine_view(
    data: EngineData | None = None,
    *,
    name: str = "local",
    failure: Failure | None = None,
    before: Sequence[EngineData] = (),
) -> TargetView:
    """What the feed holds of an engine: not read yet, read once, or failed once (after `data`)."""
    target = docker_target(name)
    if data is None and failure is None:
        return TargetView(target=target)

    def snapshot(**what: Any) -> Snapshot[Any]:
        return Snapshot(target=target.id, sequence=1, taken_at=NOW, taken_mono_s=MONO_S, took_s=0.01, **what)

    good = snapshot(data=data) if data is not None else None
    return TargetView(
        target=target,
        latest=snapshot(failure=failure) if failure else good,
        good=good,
        failures=1 if failure else 0,
        failing_since=NOW if failure else None,
        reads=1,
    )
