"""Reads of one container that a person asks for, each on a short-lived connection of its own.

Values of its environment are never kept: names are shown, and one value is read again when it is asked for.
What a command line or a label shows is masked by pattern, best effort.
"""

from typing import TypeVar

import msgspec

from opsdash.collectors.docker.client import EngineClient, EngineError
from opsdash.collectors.docker.command_lines import masked_command, masked_line, masked_value
from opsdash.collectors.target import Target
from opsdash.collectors.text import clean, one_line

T = TypeVar("T")

PS_ARGUMENTS = "-eo pid,ppid,user,pcpu,rss,etime,stat,args"
"""Asked of the machine's `ps`, which the engine runs; its own columns say neither memory nor age."""


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """A folder or volume within a container."""

    kind: str
    """bind, volume, tmpfs."""
    source: str
    """A path of the engine's machine, or the volume's name."""
    destination: str
    is_writable: bool


class NetworkLink(msgspec.Struct, frozen=True, kw_only=True):
    """A network that a container is in."""

    name: str
    addresses: tuple[str, ...] = ()
    gateway: str = ""
    aliases: tuple[str, ...] = ()
    """Names under which others in the network find it."""


class ContainerDetail(msgspec.Struct, frozen=True, kw_only=True):
    """What a container was started with. All text is cleaned, on one line, and masked."""

    id: str
    command: str
    """Entry point and arguments, as a shell would take them."""
    working_dir: str
    user: str
    """Empty: root, or what the image says."""
    hostname: str
    env: tuple[str, ...]
    """Names only, in the container's order."""
    labels: tuple[tuple[str, str], ...]
    """By name."""
    mounts: tuple[Mount, ...]
    networks: tuple[NetworkLink, ...]
    network_mode: str
    health_command: str
    """Empty: it has no check of its own."""
    health_interval_s: float | None
    health_timeout_s: float | None
    health_retries: int | None
    stop_signal: str
    stop_timeout_s: float | None
    """None: what the engine uses by itself, usually 10 s."""
    is_privileged: bool
    is_read_only: bool
    """Whether its own file system is."""
    added_capabilities: tuple[str, ...]
    pids_limit: int | None
    """None: no limit."""


class Processes(msgspec.Struct, frozen=True, kw_only=True):
    """What runs in a container, as `docker top` shows it."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """As many cells as titles; the last one is the command, masked by pattern."""


async def read_detail(target: Target, container_id: str) -> ContainerDetail | None:
    """What a container was started with.

    Returns:
        None when the engine has it no more.

    Raises:
        TargetError: The engine could not be asked.
    """
    found = await _ask(target, f"/containers/{container_id}/json", _Inspected)
    return None if found is None else detail_of(found)


async def read_processes(target: Target, container_id: str) -> Processes | None:
    """What runs in a container now.

    Returns:
        None when it does not run, or the engine has it no more.

    Raises:
        TargetError: The engine could not be asked, or its machine has no `ps`.
    """
    path = f"/containers/{container_id}/top"
    try:
        found = await _ask(target, path, _Top, ps_args=PS_ARGUMENTS)
    except EngineError:  # a `ps` that does not know these
        found = await _ask(target, path, _Top)
    if found is None:
        return None
    return Processes(
        titles=tuple(one_line(title) for title in found.Titles),
        rows=tuple(_process(row) for row in found.Processes or ()),
    )


async def reveal_env(target: Target, container_id: str, name: str) -> str | None:
    """One value of a container's environment, read afresh; never stored.

    Returns:
        Cleaned, possibly of several lines. None when the engine has the container no more, or that has no
        such variable.

    Raises:
        TargetError: The engine could not be asked.
    """
    found = await _ask(target, f"/containers/{container_id}/json", _Inspected)
    for entry in () if found is None else found.Config.Env or ():
        key, _, value = entry.partition("=")
        if one_line(key) == name:
            return clean(value)
    return None


async def _ask(target: Target, path: str, as_: type[T], *, ps_args: str | None = None) -> T | None:
    """One answer; None when there is no such container, or it does not run."""
    client = await EngineClient.open(target)
    try:
        return await client.get(path, as_=as_, ps_args=ps_args)
    except EngineError as error:
        if error.status in (404, 409) or "is not running" in error.reason:
            return None
        raise
    finally:
        await client.close()


class _HealthConfig(msgspec.Struct, frozen=True):
    Test: tuple[str, ...] | None = None
    Interval: int | None = None
    """Nanoseconds; 0: the engine's own."""
    Timeout: int | None = None
    Retries: int | None = None


class _Config(msgspec.Struct, frozen=True):
    Hostname: str = ""
    User: str = ""
    WorkingDir: str = ""
    Env: tuple[str, ...] | None = None
    Labels: dict[str, str] | None = None
    Healthcheck: _HealthConfig | None = None
    StopSignal: str = ""
    StopTimeout: float | None = None


class _HostConfig(msgspec.Struct, frozen=True):
    NetworkMode: str = ""
    Privileged: bool = False
    ReadonlyRootfs: bool = False
    CapAdd: tuple[str, ...] | None = None
    PidsLimit: int | None = None


class _Mount(msgspec.Struct, frozen=True):
    Type: str = ""
    Name: str = ""
    Source: str = ""
    Destination: str = ""
    RW: bool = True


class _Network(msgspec.Struct, frozen=True):
    IPAddress: str = ""
    GlobalIPv6Address: str = ""
    Gateway: str = ""
    Aliases: tuple[str, ...] | None = None


class _NetworkSettings(msgspec.Struct, frozen=True):
    Networks: dict[str, _Network] | None = None


class _Inspected(msgspec.Struct, frozen=True):
    """GET /containers/{id}/json, as far as the screen of one container needs it."""

    Id: str
    Path: str = ""
    Args: tuple[str, ...] | None = None
    Config: _Config = _Config()
    HostConfig: _HostConfig = _HostConfig()
    Mounts: tuple[_Mount, ...] | None = None
    NetworkSettings: _NetworkSettings = _NetworkSettings()


class _Top(msgspec.Struct, frozen=True):
    """GET /containers/{id}/top."""

    Titles: tuple[str, ...]
    Processes: tuple[tuple[str, ...], ...] | None = None


def detail_of(found: _Inspected) -> ContainerDetail:
    """An inspection as it is shown."""
    config, host = found.Config, found.HostConfig
    health = config.Healthcheck or _HealthConfig()
    test = health.Test or ()
    return ContainerDetail(
        id=found.Id,
        command=masked_command((found.Path, *(found.Args or ()))),
        working_dir=one_line(config.WorkingDir),
        user=one_line(config.User),
        hostname=one_line(config.Hostname),
        env=tuple(one_line(entry.partition("=")[0]) for entry in config.Env or ()),
        labels=tuple(
            (one_line(name), masked_value(name, value))
            for name, value in sorted((config.Labels or {}).items())
        ),
        mounts=tuple(_mount(each) for each in found.Mounts or ()),
        networks=tuple(_link(name, each) for name, each in (found.NetworkSettings.Networks or {}).items()),
        network_mode=one_line(host.NetworkMode),
        health_command="" if test[:1] in ((), ("NONE",)) else masked_command(test[1:]),
        health_interval_s=_seconds(health.Interval),
        health_timeout_s=_seconds(health.Timeout),
        health_retries=health.Retries or None,
        stop_signal=one_line(config.StopSignal),
        stop_timeout_s=config.StopTimeout,
        is_privileged=host.Privileged,
        is_read_only=host.ReadonlyRootfs,
        added_capabilities=tuple(one_line(each) for each in host.CapAdd or ()),
        pids_limit=host.PidsLimit if host.PidsLimit is not None and host.PidsLimit > 0 else None,
    )


def _process(row: tuple[str, ...]) -> tuple[str, ...]:
    *cells, command = row
    return (*(one_line(cell) for cell in cells), masked_line(command))


def _mount(found: _Mount) -> Mount:
    is_volume = found.Type == "volume" and found.Name
    return Mount(
        kind=one_line(found.Type),
        source=one_line(found.Name if is_volume else found.Source),
        destination=one_line(found.Destination),
        is_writable=found.RW,
    )


def _link(name: str, found: _Network) -> NetworkLink:
    addresses = (found.IPAddress, found.GlobalIPv6Address)
    return NetworkLink(
        name=one_line(name),
        addresses=tuple(one_line(address) for address in addresses if address),
        gateway=one_line(found.Gateway),
        aliases=tuple(one_line(alias) for alias in found.Aliases or ()),
    )


def _seconds(nanoseconds: int | None) -> float | None:
    return nanoseconds / 1e9 if nanoseconds else None
