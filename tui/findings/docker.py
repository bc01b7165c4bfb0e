"""What is wrong with the containers of an engine that answers. Pure."""

from collections.abc import Iterator

from opsdash.collectors.docker.rows import Container, EngineData, Usage
from opsdash.collectors.docker.services import group_word
from opsdash.collectors.docker.settings import DockerSettings, DockerThresholds
from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.format import age, percent, size
from opsdash.collectors.target import Target
from opsdash.tui.findings.docker_fold import folded
from opsdash.tui.findings.docker_health import unhealthy
from opsdash.tui.findings.docker_lives import dead, exited, killed_for_memory, not_started, restart_loop
from opsdash.tui.findings.docker_seen import Seen, on_container
from opsdash.tui.findings.logs import log_findings


def findings(data: EngineData, target: Target) -> tuple[Finding, ...]:
    """All findings of one reading, in no particular order.

    Args:
        data: The reading.
        target: Its target; the settings are `DockerSettings`.
    """
    settings = target.settings
    limits = settings.thresholds if isinstance(settings, DockerSettings) else DockerThresholds()
    seen = Seen(data, target.id, limits)
    found = [finding for container in data.containers for finding in _of(container, seen)]
    ended = {container.id for container in data.containers if container.state != "running"}
    return (*folded(found, data.containers), *log_findings(data.logs, target, ended=ended))


def _of(container: Container, seen: Seen) -> Iterator[Finding]:
    looping = tuple(restart_loop(container, seen))
    yield from looping
    if not looping:  # which says all that the next two would
        yield from killed_for_memory(container, seen)
        yield from exited(container, seen)
    yield from not_started(container, seen)
    yield from dead(container, seen)
    yield from unhealthy(container, seen)
    usage = seen.data.usage.get(container.id)
    if usage is not None and container.state == "running":
        yield from _memory(container, usage, seen)
        yield from _throttled(container, usage, seen)


def _memory(container: Container, usage: Usage, seen: Seen) -> Iterator[Finding]:
    """Near the limit at which the kernel kills it."""
    used, limit, limits = usage.memory_bytes, container.memory_limit_bytes, seen.limits
    if used is None or not limit or used / limit < limits.memory_warn_ratio:
        return
    before = usage.memory_before_bytes
    # one reading may have met a peak; the engine's sample before it says whether it stays there
    is_full = before is not None and min(used, before) / limit >= limits.memory_crit_ratio
    word = f"memory {size(used)} of {size(limit)} ({percent(used / limit)})"
    swap = container.swap_limit_bytes
    yield Finding(
        severity=Severity.CRIT if is_full else Severity.WARN,
        target=seen.target,
        rule="docker.memory",
        subject=container.id,
        title=f"{container.name} {word}",
        short=f"{container.name} memory {percent(used / limit)}",
        evidence=(
            f"{size(used)} in use without the page cache that could be given back, limit {size(limit)}",
            *((f"{age(usage.window_s)} before it was {size(before)}",) if before is not None else ()),
            *(
                (f"it may swap {size(swap - limit)} beyond that",)
                if swap is not None and swap > limit
                else ()
            ),
        ),
        cause="at the limit the kernel kills it: it needs more than it was given, or it leaks",
        basis=f"2 readings over {age(usage.window_s)}" if is_full else "one reading",
        place="container",
        identity=container.identity,
        actions=on_container(container, "docker.memory", "docker.restart"),
        weight=used / limit,
    )


def _throttled(container: Container, usage: Usage, seen: Seen) -> Iterator[Finding]:
    """Held back by its own CPU limit."""
    ratio = usage.throttled_ratio
    if ratio is None or usage.window_s is None or ratio < seen.limits.throttled_warn_ratio:
        return
    span = age(usage.window_s)
    limit = "" if container.cpu_limit is None else f", limit {container.cpu_limit:g} CPU"
    where = f" of {group_word(container)}" if group_word(container) else ""
    yield Finding(
        severity=Severity.WARN,
        target=seen.target,
        rule="docker.throttled",
        subject=container.id,
        title=f"{container.name} held back by its CPU limit in {percent(ratio)} of periods "
        f"over {span}{limit}",
        short=f"{container.name} CPU throttled {percent(ratio)}",
        evidence=(f"uses {percent(usage.cpu_ratio)} of one core over {span}{limit}",),
        cause=f"more work than its CPU limit allows: raise the limit{where}, or start more of them",
        basis=f"2 readings over {span}",
        place="container",
        identity=container.identity,
        weight=ratio,
    )
