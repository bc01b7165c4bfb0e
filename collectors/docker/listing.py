"""Containers as the list and an inspection tell them, in the API's own shapes -> `Container`. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from opsdash.collectors.docker.rows import Container, HealthCheck
from opsdash.collectors.text import clean, one_line

_COMPOSE = "com.docker.compose"
_OUTPUT_CHARS = 4096


class _Port(msgspec.Struct, frozen=True):
    PrivatePort: int
    Type: str = "tcp"
    IP: str = ""
    PublicPort: int | None = None


class Listed(msgspec.Struct, frozen=True):
    """One entry of GET /containers/json."""

    Id: str
    Names: tuple[str, ...] | None = None
    Image: str = ""
    ImageID: str = ""
    Created: int = 0
    """Unix time."""
    Ports: tuple[_Port, ...] | None = None
    Labels: Mapping[str, str] | None = None
    State: str = ""
    Status: str = ""
    """For people: "Up 3 seconds (healthy)"."""


class _CheckRun(msgspec.Struct, frozen=True):
    Start: str = ""
    End: str = ""
    ExitCode: int | None = None
    Output: str = ""


class _Health(msgspec.Struct, frozen=True):
    Status: str = ""
    FailingStreak: int | None = None
    Log: tuple[_CheckRun, ...] | None = None


class _State(msgspec.Struct, frozen=True):
    Status: str = ""
    OOMKilled: bool | None = None
    Pid: int = 0
    ExitCode: int | None = None
    Error: str = ""
    StartedAt: str = ""
    FinishedAt: str = ""
    Health: _Health | None = None


class _RestartPolicy(msgspec.Struct, frozen=True):
    Name: str = ""
    MaximumRetryCount: int = 0


class _LogConfig(msgspec.Struct, frozen=True):
    Type: str = ""


class _HostConfig(msgspec.Struct, frozen=True):
    Memory: int | None = None
    MemorySwap: int | None = None
    NanoCpus: int | None = None
    CpuQuota: int | None = None
    CpuPeriod: int | None = None
    RestartPolicy: _RestartPolicy = _RestartPolicy()
    LogConfig: _LogConfig = _LogConfig()


class _Config(msgspec.Struct, frozen=True):
    Tty: bool = False


class Inspected(msgspec.Struct, frozen=True):
    """GET /containers/{id}/json, as far as the table of containers needs it."""

    Id: str
    Name: str
    State: _State
    Created: str = ""
    RestartCount: int | None = None
    HostConfig: _HostConfig = _HostConfig()
    Config: _Config = _Config()


def moment(text: str) -> datetime | None:
    """A time as the engine writes it; None for the year 1, by which it means never.

    >>> moment("2026-11-22T06:48:24.916746348Z").isoformat()
    '2026-11-22T06:48:24.916746+00:00'
    >>> moment("0001-01-01T00:00:00Z") is None, moment("") is None
    (True, True)
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year > 1 and found.tzinfo is not None else None


def health_of(listed: Listed) -> str | None:
    """The health that the list has within its words.

    >>> health_of(Listed(Id="1", Status="Up 3 seconds (health: starting)"))
    'starting'
    >>> health_of(Listed(Id="1", Status="Up 3 hours (Paused)")) is None
    True
    """
    words = listed.Status.rpartition("(")[2].rstrip(")").removeprefix("health: ")
    return words if words in ("starting", "healthy", "unhealthy") else None


def differs(listed: Listed, inspected: Inspected) -> bool:
    """Whether an inspection is older than what the list says."""
    return listed.State != inspected.State.Status or health_of(listed) != _health(inspected)


def container(listed: Listed, inspected: Inspected | None, last_exit: int | None = None) -> Container:
    """One container from both.

    Args:
        listed: Its entry of the list.
        inspected: None: not inspected yet, or it could not be.
        last_exit: The exit code of its last run by the engine's events; an inspection forgets it as
            soon as the next run begins.
    """
    labels = listed.Labels or {}
    known = Container(
        id=listed.Id,
        name=_name(listed),
        image=one_line(listed.Image),
        image_id=listed.ImageID,
        project=_label(labels, "project"),
        # one of `compose run` does a job beside the service, and does not stand in for it
        service=None if _label(labels, "oneoff") == "True" else _label(labels, "service"),
        number=_number(labels),
        state=one_line(listed.State),
        health=health_of(listed),
        created_at=datetime.fromtimestamp(listed.Created, UTC) if listed.Created else None,
        ports=_ports(listed.Ports or ()),
    )
    return known if inspected is None else _with_inspection(known, inspected, last_exit)


def _with_inspection(known: Container, inspected: Inspected, last_exit: int | None) -> Container:
    state, host = inspected.State, inspected.HostConfig
    has_ended = state.Status in ("exited", "dead", "restarting", "removing")
    health = state.Health
    return msgspec.structs.replace(
        known,
        name=one_line(inspected.Name).removeprefix("/"),
        state=one_line(state.Status),
        health=_health(inspected),
        health_log=tuple(map(_check, reversed((health.Log if health else None) or ()))),
        failing_streak=health.FailingStreak if health else None,
        created_at=moment(inspected.Created) or known.created_at,
        started_at=moment(state.StartedAt),
        finished_at=moment(state.FinishedAt),
        exit_code=state.ExitCode if has_ended and moment(state.FinishedAt) else last_exit,
        oom_killed=state.OOMKilled,
        error=one_line(state.Error),
        restart_count=inspected.RestartCount,
        restart_policy=_policy(host.RestartPolicy),
        memory_limit_bytes=host.Memory or None,
        swap_limit_bytes=host.MemorySwap or None,
        cpu_limit=_cores(host),
        has_tty=inspected.Config.Tty,
        log_driver=one_line(host.LogConfig.Type),
        pid=state.Pid or None,
        is_inspected=True,
    )


def _name(listed: Listed) -> str:
    """Its own name: the others are links of other containers, which have two slashes."""
    names = [name for name in listed.Names or () if name.count("/") <= 1] or [listed.Id[:12]]
    return one_line(names[0]).removeprefix("/")


def _label(labels: Mapping[str, str], name: str) -> str | None:
    return one_line(labels.get(f"{_COMPOSE}.{name}", "")) or None


def _number(labels: Mapping[str, str]) -> int | None:
    text = labels.get(f"{_COMPOSE}.container-number", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _ports(ports: Sequence[_Port]) -> tuple[str, ...]:
    """Each once, those that are published first.

    >>> _ports([_Port(PrivatePort=80, PublicPort=8080, IP="0.0.0.0"), _Port(PrivatePort=443)])
    ('0.0.0.0:8080->80/tcp', '443/tcp')
    >>> _ports([_Port(PrivatePort=80, PublicPort=8080, IP="::")])
    ('[::]:8080->80/tcp',)
    """

    def words(port: _Port) -> str:
        inside = f"{port.PrivatePort}/{one_line(port.Type)}"
        if port.PublicPort is None:
            return inside
        address = one_line(port.IP)
        address = f"[{address}]" if ":" in address else address
        return f"{address}:{port.PublicPort}->{inside}"

    ordered = sorted(ports, key=lambda port: (port.PublicPort is None, port.PrivatePort, port.IP))
    return tuple(dict.fromkeys(map(words, ordered)))


def _health(inspected: Inspected) -> str | None:
    health = inspected.State.Health
    status = one_line(health.Status) if health else ""
    return None if status in ("", "none") else status


def _check(run: _CheckRun) -> HealthCheck:
    return HealthCheck(
        started_at=moment(run.Start),
        ended_at=moment(run.End),
        exit_code=run.ExitCode,
        output=clean(run.Output[:_OUTPUT_CHARS]).strip(),
    )


def _policy(policy: _RestartPolicy) -> str:
    """A restart policy as `docker run` takes it.

    >>> _policy(_RestartPolicy("on-failure", 5)), _policy(_RestartPolicy())
    ('on-failure:5', 'no')
    """
    name = one_line(policy.Name) or "no"
    return f"{name}:{policy.MaximumRetryCount}" if policy.MaximumRetryCount else name


def _cores(host: _HostConfig) -> float | None:
    """The CPU limit, however it was stated.

    >>> _cores(_HostConfig(NanoCpus=1_500_000_000)), _cores(_HostConfig(CpuQuota=50_000))
    (1.5, 0.5)
    """
    if host.NanoCpus:
        return host.NanoCpus / 1e9
    if host.CpuQuota and host.CpuQuota > 0:
        return host.CpuQuota / (host.CpuPeriod or 100_000)
    return None


def by_place(found: Container) -> tuple[bool, str, str, int, str]:
    """The order of containers: by project, service, number and name; those of no project last."""
    return (found.project is None, found.project or "", found.service or "", found.number or 0, found.name)
