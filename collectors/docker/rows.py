"""What is known of a Docker engine and its containers, in the engine's own words."""

from collections.abc import Mapping
from datetime import datetime
from sys import intern

import msgspec

from opsdash.collectors.lines.summary import SourceSummary


class ContainerIdentity(msgspec.Struct, frozen=True):
    """One run of one container: a container that was started again is another run."""

    id: str
    """The full id (64 hex digits), never reused by an engine."""
    started_at: datetime | None
    """When this run began; None: it never ran."""

    def __str__(self) -> str:
        """The first twelve digits, as `docker ps` shows them."""
        return self.id[:12]


class ServiceIdentity(msgspec.Struct, frozen=True):
    """A compose service of a project, or with `service` None the whole project, by labels."""

    project: str
    service: str | None = None

    def __str__(self) -> str:
        """`shop/web`, or `project shop`."""
        return f"project {self.project}" if self.service is None else f"{self.project}/{self.service}"


class HealthCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a health check; the engine keeps the last five."""

    started_at: datetime | None
    ended_at: datetime | None
    exit_code: int | None
    output: str
    """Cleaned, possibly several lines, cut at 4 KiB."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a container used over the time between two of our own samples."""

    window_s: float | None = None
    """Seconds between the two samples; None: there was only one, and nothing is known as a rate."""
    taken_mono_s: float
    """When the newer sample was taken; samples may be older than the listing."""
    cpu_ratio: float | None = None
    """CPU seconds per second: 1.0 is one core."""
    throttled_ratio: float | None = None
    """Share of the CPU quota's periods in which it was held back; None: unknown, or no quota."""
    memory_bytes: int | None = None
    """In use without the page cache that could be given back."""
    memory_before_bytes: int | None = None
    """The same in the older sample; None: there was only one, or it is not known."""
    pids: int | None = None
    received_per_s: float | None = None
    sent_per_s: float | None = None
    read_per_s: float | None = None
    written_per_s: float | None = None
    """Bytes per second."""


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """One container, from the list and from its own inspection."""

    id: str
    name: str
    """Without the leading slash."""
    image: str
    image_id: str = ""
    project: str | None = None
    """`com.docker.compose.project`; None: not made by compose."""
    service: str | None = None
    number: int | None = None
    """`com.docker.compose.container-number`."""
    state: str
    """created, running, paused, restarting, removing, exited or dead."""
    health: str | None = None
    """starting, healthy or unhealthy; None: it has no health check."""
    health_log: tuple[HealthCheck, ...] = ()
    """The engine's last checks, newest first; known once inspected."""
    failing_streak: int | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    """When the run before ended; None: it never ended."""
    exit_code: int | None = None
    """Of the last run that ended; None: still the first, or unknown."""
    oom_killed: bool | None = None
    error: str = ""
    """Why the engine could not start it."""
    restart_count: int | None = None
    """Restarts by the engine's policy since the container was created or started by hand."""
    restart_policy: str = ""
    """no, always, unless-stopped, on-failure:5."""
    memory_limit_bytes: int | None = None
    """None: no limit, or unknown; see `is_inspected`."""
    swap_limit_bytes: int | None = None
    """Memory plus swap; -1: unlimited swap."""
    cpu_limit: float | None = None
    """Cores; None: no quota."""
    ports: tuple[str, ...] = ()
    """`0.0.0.0:8080->80/tcp`, or `80/tcp` where it is not published."""
    has_tty: bool = False
    log_driver: str = ""
    pid: int | None = None
    """Of its first process, as the engine's machine counts; None: it does not run, or not inspected yet."""
    is_inspected: bool = False
    """Whether what only an inspection tells (restarts, limits, health log) is known."""

    @property
    def identity(self) -> ContainerIdentity:
        """This run of it."""
        return ContainerIdentity(self.id, self.started_at)

    @property
    def short_id(self) -> str:
        """The first twelve digits, as `docker ps` shows them."""
        return self.id[:12]


class EngineEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a container, as the engine remembers its last ones (256, since it started)."""

    at: datetime
    action: str
    """start, die, oom, kill, stop, restart, pause, unpause, `health_status: unhealthy`, create, destroy …"""
    container: str
    """Full id."""
    name: str
    exit_code: int | None = None


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """The engine itself."""

    name: str
    """The host name that it states."""
    version: str
    api_version: str
    """The one spoken: the lower of what both sides know."""
    cpus: int | None = None
    memory_bytes: int | None = None
    cgroup_version: str = ""
    storage_driver: str = ""
    is_local: bool = False
    """Whether it runs on this machine, so that its files could be read."""


class EngineData(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One reading of an engine."""

    engine: Engine
    containers: tuple[Container, ...]
    """By project, service, number, name."""
    events: tuple[EngineEvent, ...] = ()
    """Newest last, at most the last hour and 500."""
    events_since: datetime | None = None
    """From when on events are known; None: none could be read."""
    usage: Mapping[str, Usage] = {}
    """Container id -> what it uses: of all where the kernel's files tell it, else of those looked at."""
    usage_source: str = ""
    """Where usage comes from: "cgroup files", "engine, one at a time"; empty: there is none."""
    out_of_sight: frozenset[str] = frozenset()
    """Ids of containers that have a usage although nobody looks at them: no history of it is kept."""
    listed_mono_s: float | None = None
    """When the full list was read; between two full lists, events change single containers."""
    logs: tuple[SourceSummary, ...] = ()
    """What the followed containers print."""
    now: datetime
    """The engine's clock: ages are computed against it."""

    def measures(self) -> Mapping[str, float | None]:
        """Counts, and per container CPU and memory of those looked at, under names made once."""
        found: dict[str, float | None] = {
            "running": sum(1 for c in self.containers if c.state == "running"),
            "unhealthy": sum(1 for c in self.containers if c.health == "unhealthy"),
        }
        for id, usage in self.usage.items():
            if id not in self.out_of_sight:
                found[intern(f"cpu {id}")] = usage.cpu_ratio
                found[intern(f"memory {id}")] = usage.memory_bytes
        return found
