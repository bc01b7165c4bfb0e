"""`opsdash doctor` for one Docker engine: what may be reached, what may be read, and what that amounts to."""

from collections.abc import Iterator

from opsdash.collectors.clock import Clock
from opsdash.collectors.diagnosis import Check, Diagnosis, Fix, advice, missing, ok
from opsdash.collectors.docker.cgroup_files import CgroupFiles
from opsdash.collectors.docker.client import NEWEST
from opsdash.collectors.docker.collector import DockerCollector
from opsdash.collectors.docker.rows import Container, EngineData
from opsdash.collectors.docker.settings import DockerSettings
from opsdash.collectors.docker.way import Way, find_way
from opsdash.collectors.errors import PermissionDenied, TargetError
from opsdash.collectors.target import Target
from opsdash.collectors.threads import StillRunning, call_in_thread

_UNREADABLE = ("none",)
"""Log drivers of which the engine keeps nothing. Since 20.10 it keeps a copy for those that send them on."""

_FILES_LIMIT_S = 2.0


async def diagnose(target: Target) -> Diagnosis:
    """Look at what works and what is missing; reads as a collector does, and nothing more.

    Raises:
        TargetError: It broke off, or is no Docker engine.
    """
    settings = target.settings
    assert isinstance(settings, DockerSettings)
    collector = DockerCollector(target, Clock())
    try:
        way = await find_way(target)
        data = await collector.collect()
    except TargetError as error:
        return Diagnosis(failure=error.failure(), checks=tuple(_denied(error)))
    finally:
        await collector.close()
    engine = data.engine
    checks = (
        ok("reading", f"the engine answers; API {engine.api_version}, opsdash knows up to {_newest()}"),
        _access(way, target),
        *await _usage(target, data),
        *_logs(data.containers, settings),
    )
    return Diagnosis(checks=checks, summary=f"Docker {engine.version}")


def _denied(error: TargetError) -> Iterator[Check]:
    """What lets us in where the socket does not."""
    if isinstance(error, PermissionDenied) and ".sock" in error.reason:
        yield missing(
            "socket",
            "only root and its group may open it; whoever is in that group is as good as root here",
            Fix(where="in a shell, then log in anew", lines=('sudo usermod -aG docker "$USER"',)),
        )


def _access(way: Way, target: Target) -> Check:
    """What the access that we have amounts to: the API knows no rights."""
    denied = target.environment.actions == "deny"
    acting = 'actions = "deny" keeps opsdash from using it' if denied else "actions use the same access"
    if way.tls is not None:
        return ok(
            "access",
            f"encrypted, and the engine's certificate is verified; it is as much as root there; {acting}",
        )
    if way.tunnel is not None:
        return ok("access", f"through ssh; the socket behind it is as much as root there; {acting}")
    if way.path is not None:
        return ok("access", f"the socket {way.path}, which is as much as root on this machine; {acting}")
    return advice(
        "access",
        "not encrypted, and nobody is asked who they are: whoever reaches this port is root there; "
        "an ssh:// host needs no open port, and --tlsverify asks for certificates",
    )


async def _usage(target: Target, data: EngineData) -> tuple[Check, ...]:
    """Whether what containers use can be read without asking the engine."""
    running = next((c for c in data.containers if c.state == "running" and c.pid is not None), None)
    from_engine = "what containers use is asked from the engine, of those on the screen only"
    if not data.engine.is_local:
        return (ok("usage", f"the engine is elsewhere: {from_engine}"),)
    if running is None or running.pid is None:
        return ()
    id, pid = running.id, running.pid
    try:
        sample = await call_in_thread(
            lambda: CgroupFiles().sample(id, pid, mono_s=0.0),
            key=f"cgroups of {target.id}, for doctor",
            timeout_s=_FILES_LIMIT_S,
        )
    except (TimeoutError, StillRunning):
        sample = None
    if sample is not None:
        return (
            ok("usage", f"read from cgroup files (v{data.engine.cgroup_version}), at no cost for the engine"),
        )
    return (advice("usage", f"the cgroup files of {running.name} cannot be read here: {from_engine}"),)


def _logs(containers: tuple[Container, ...], settings: DockerSettings) -> Iterator[Check]:
    if not settings.logs:
        yield ok("logs", "logs = false: none are followed")
        return
    unreadable = [c.name for c in containers if c.log_driver in _UNREADABLE]
    if unreadable:
        names = ", ".join(unreadable[:5]) + (
            "" if len(unreadable) <= 5 else f" and {len(unreadable) - 5} more"
        )
        yield advice("logs", f"log driver none: what {names} print can be read by nobody")
    elif containers:
        drivers = ", ".join(sorted({c.log_driver for c in containers if c.log_driver}))
        yield ok("logs", f"can be read of all containers (log driver {drivers})")


def _newest() -> str:
    return f"{NEWEST[0]}.{NEWEST[1]}"
