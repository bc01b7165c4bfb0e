"""Containers as compose made them: services, and whether anybody of one still serves. Pure."""

from collections.abc import Sequence

from opsdash.collectors.docker.rows import Container, ServiceIdentity


def service_of(container: Container) -> ServiceIdentity | None:
    """The compose service of a container; None: compose did not make it."""
    if container.project is None or container.service is None:
        return None
    return ServiceIdentity(container.project, container.service)


def group_word(container: Container) -> str:
    """Project and service in one word; empty where compose did not make it.

    >>> group_word(Container(id="", name="", image="", state="running", project="shop", service="web"))
    'shop/web'
    """
    return "/".join(part for part in (container.project, container.service) if part)


def serves(container: Container) -> bool:
    """Whether it runs and, where it has a health check, that says so too.

    >>> [serves(Container(id="", name="", image="", state="running", health=h)) for h in (None, "starting")]
    [True, False]
    """
    return container.state == "running" and container.health in (None, "healthy")


def is_last(container: Container, containers: Sequence[Container]) -> bool:
    """Whether no other container of its service serves.

    False where compose did not make it: what else does its work cannot be known then.
    """
    mine = service_of(container)
    others = (c for c in containers if c.id != container.id and service_of(c) == mine)
    return mine is not None and not any(map(serves, others))
