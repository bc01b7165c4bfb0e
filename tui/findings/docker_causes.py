"""Containers that explain what is wrong with a target that runs in them: same name, and not well. Pure."""

from collections.abc import Iterable, Sequence

from opsdash.collectors.docker.concern import concerned
from opsdash.collectors.docker.rows import Container, EngineData
from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding

_DOWN = (
    "docker.restarts",
    "docker.oom",
    "docker.exited",
    "docker.not_started",
    "docker.dead",
    "docker.unhealthy",
)
"""Rules whose findings mean that what runs in the container does not serve."""


def containers_behind(
    finding: Finding, views: Iterable[TargetView], findings: Sequence[Finding]
) -> tuple[Finding, ...]:
    """What is found on the containers that have the name of a finding's target, worst first.

    Only what is at least as bad explains it, and nothing on an engine is explained so: it is told there.

    Args:
        finding: On something that may run in a container.
        views: All targets.
        findings: Worst first.
    """
    if finding.target.kind == "docker":
        return ()
    engines = [(view, view.data) for view in views if isinstance(view.data, EngineData)]
    ids = {c.id for _, data in engines for c in data.containers if _is_called(c, finding.target.name)}
    return tuple(
        other
        for other in findings
        if other.rule in _DOWN and other.severity >= finding.severity and ids & concerned(other)
    )


def named(finding: Finding, view: TargetView) -> str:
    """What a finding is about, as a name in a list of causes: the container on an engine, else the target."""
    if isinstance(view.data, EngineData):
        ids = concerned(finding)
        names = [container.name for container in view.data.containers if container.id in ids]
        return f"container {names[0]}" if names else finding.target.name
    return finding.target.name


def _is_called(container: Container, name: str) -> bool:
    """Whether a target's name is that of a container or of its service.

    >>> one = Container(id="1", name="shop-orders-db-1", image="", state="exited", service="orders-db")
    >>> _is_called(one, "Orders-DB"), _is_called(one, "shop-orders-db-1"), _is_called(one, "orders")
    (True, True, False)
    """
    return name.lower() in (container.name.lower(), (container.service or "").lower())
