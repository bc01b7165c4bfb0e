"""What the engine says of containers, as far as plans, re-checks and the following need it."""

from datetime import UTC, datetime

import msgspec

from opsdash.collectors.docker.exits import exit_brief
from opsdash.collectors.docker.listing import moment
from opsdash.collectors.lines.mask import mask
from opsdash.collectors.text import one_line
from opsdash.tui.actions.docker.connection import Lane

_LABEL = "com.docker.compose."
_OUTPUT = 160
"""Characters of a health check's output in a plan or step."""
_NANO = 1e9
_KILLED_AFTER_S = 10
"""Unless the container states another time, the engine waits so long between SIGTERM and SIGKILL."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A container's health check."""

    interval_s: float
    timeout_s: float
    start_period_s: float
    retries: int


class Compose(msgspec.Struct, frozen=True, kw_only=True):
    """What compose wrote on a container."""

    project: str
    service: str
    is_one_off: bool = False
    """Made by `compose run`, not by `up`."""
    depends_on: tuple[str, ...] = ()
    """Services of the same project; Compose 1 does not write them down."""
    config_hash: str = ""
    folder: str = ""
    files: tuple[str, ...] = ()
    """As they were given: Compose 1 has them relative to `folder`."""
    env_files: tuple[str, ...] = ()
    version: str = ""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One container of the list."""

    id: str
    name: str
    state: str
    status: str
    """In the engine's words: "Up 3 days (healthy)"."""
    created_at: datetime
    image: str
    network_mode: str
    compose: Compose | None

    @property
    def serves(self) -> bool:
        """Whether it runs, and its health check, if it has one, says nothing against it."""
        return self.state == "running" and not any(
            word in self.status for word in ("(unhealthy)", "(health: starting)")
        )


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One container, inspected."""

    id: str
    name: str
    image: str
    status: str
    """created, running, paused, restarting, removing, exited or dead."""
    started_at: datetime | None
    finished_at: datetime | None
    exit_code: int
    oom_killed: bool
    error: str
    """Why the engine could not start it."""
    health: str | None
    """starting, healthy or unhealthy; None: there is no check."""
    health_output: str
    """Of the last check; masked, one line."""
    failing_streak: int
    check: Check | None
    restarts: int
    policy: str
    """no, always, unless-stopped, on-failure."""
    is_removed_at_end: bool
    """`--rm`."""
    stop_signal: str
    stop_timeout_s: int
    has_tty: bool
    tmpfs: tuple[str, ...]
    memory_bytes: int
    """0: no limit."""
    swap_bytes: int
    """Memory and swap; -1: unlimited; 0: as the engine likes."""
    reservation_bytes: int
    compose: Compose | None

    @property
    def is_up(self) -> bool:
        """Whether it runs, or will in a moment by its restart policy."""
        return self.status in ("running", "paused", "restarting")

    @property
    def ended(self) -> str:
        """How the last run ended: "exit 137 SIGKILL"."""
        return exit_brief(self.exit_code, self.oom_killed)


async def inspect(lane: Lane, id: str) -> Seen:
    """One container. Raises EngineError (404: it is gone) and other TargetErrors."""
    return _seen(await lane.get(f"/containers/{id}/json", _Inspected))


async def listed(lane: Lane) -> tuple[Listed, ...]:
    """All containers, by name; raises TargetError."""
    found = await lane.get("/containers/json", list[_Row], all="1")
    return tuple(sorted(map(_listed, found), key=lambda each: each.name))


def compose_of(labels: dict[str, str] | None) -> Compose | None:
    """What compose wrote; None: it did not make this container.

    >>> labels = {"com.docker.compose." + key: value for key, value in
    ...           {"project": "shop", "service": "web", "depends_on": "db:service_healthy:true,mq:"}.items()}
    >>> compose_of(labels).depends_on, compose_of({"project": "shop"})
    (('db', 'mq'), None)
    """
    said = {key.removeprefix(_LABEL): one_line(value) for key, value in (labels or {}).items()}
    if f"{_LABEL}project" not in (labels or {}) or "service" not in said:
        return None
    depends_on = (part.partition(":")[0] for part in said.get("depends_on", "").split(","))
    return Compose(
        project=said["project"],
        service=said["service"],
        is_one_off=said.get("oneoff", "").lower() == "true",
        depends_on=tuple(name for name in depends_on if name),
        config_hash=said.get("config-hash", ""),
        folder=said.get("project.working_dir", ""),
        files=_split(said.get("project.config_files", "")),
        env_files=_split(said.get("project.environment_file", "")),
        version=said.get("version", ""),
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


class _State(msgspec.Struct, rename="pascal"):
    status: str
    exit_code: int = 0
    error: str = ""
    started_at: str = ""
    finished_at: str = ""
    health: "_Health | None" = None
    oom_killed: bool = msgspec.field(name="OOMKilled", default=False)


class _Health(msgspec.Struct, rename="pascal"):
    status: str = "none"
    failing_streak: int = 0
    log: "list[_Probe] | None" = None


class _Probe(msgspec.Struct, rename="pascal"):
    output: str = ""


class _Test(msgspec.Struct, rename="pascal"):
    test: list[str] | None = None
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    retries: int = 0


class _Config(msgspec.Struct, rename="pascal"):
    image: str = ""
    tty: bool = False
    labels: dict[str, str] | None = None
    healthcheck: _Test | None = None
    stop_signal: str = ""
    stop_timeout: int | None = None


class _Policy(msgspec.Struct, rename="pascal"):
    name: str = ""


class _HostConfig(msgspec.Struct, rename="pascal"):
    restart_policy: _Policy = msgspec.field(default_factory=_Policy)
    auto_remove: bool = False
    tmpfs: dict[str, str] | None = None
    memory: int = 0
    memory_swap: int = 0
    memory_reservation: int = 0
    network_mode: str = ""


class _Inspected(msgspec.Struct, rename="pascal"):
    id: str
    name: str
    state: _State
    config: _Config
    host_config: _HostConfig
    restart_count: int = 0


class _Row(msgspec.Struct, rename="pascal"):
    id: str
    names: list[str]
    state: str
    status: str
    created: int
    image: str = ""
    labels: dict[str, str] | None = None
    host_config: _HostConfig | None = None


def _seen(said: _Inspected) -> Seen:
    state, config, host = said.state, said.config, said.host_config
    health = state.health if state.health is not None and state.health.status != "none" else None
    probes = health.log or [] if health is not None else []
    return Seen(
        id=said.id,
        name=_name(said.name),
        image=one_line(config.image),
        status=state.status,
        started_at=moment(state.started_at),
        finished_at=moment(state.finished_at),
        exit_code=state.exit_code,
        oom_killed=state.oom_killed,
        error=one_line(state.error),
        health=health.status if health is not None else None,
        health_output=brief(probes[-1].output) if probes else "",
        failing_streak=health.failing_streak if health is not None else 0,
        check=_check(config.healthcheck) if health is not None else None,
        restarts=said.restart_count,
        policy=host.restart_policy.name or "no",
        is_removed_at_end=host.auto_remove,
        stop_signal=config.stop_signal or "SIGTERM",
        stop_timeout_s=_KILLED_AFTER_S if config.stop_timeout is None else config.stop_timeout,
        has_tty=config.tty,
        tmpfs=tuple(sorted(map(one_line, host.tmpfs or {}))),
        memory_bytes=host.memory,
        swap_bytes=host.memory_swap,
        reservation_bytes=host.memory_reservation,
        compose=compose_of(config.labels),
    )


def brief(text: str) -> str:
    """What a container printed, in a step or plan: masked, one line, cut."""
    words = one_line(mask(text))
    return words if len(words) <= _OUTPUT else words[: _OUTPUT - 1] + "…"


def _check(test: _Test | None) -> Check:
    """With the engine's defaults where nothing is stated; of an image's check nothing may be."""
    test = test or _Test()
    return Check(
        interval_s=test.interval / _NANO or 30.0,
        timeout_s=test.timeout / _NANO or 30.0,
        start_period_s=test.start_period / _NANO,
        retries=test.retries or 3,
    )


def _listed(row: _Row) -> Listed:
    return Listed(
        id=row.id,
        name=_name(min(row.names, key=lambda name: name.count("/"), default=row.id[:12])),
        state=row.state,
        status=one_line(row.status),
        created_at=datetime.fromtimestamp(row.created, UTC),
        image=one_line(row.image),
        network_mode=row.host_config.network_mode if row.host_config is not None else "",
        compose=compose_of(row.labels),
    )


def _name(name: str) -> str:
    return one_line(name.removeprefix("/"))
