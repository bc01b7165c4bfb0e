"""What plans hit, each as it was when the plan was read: a re-check can tell whether it is so still."""

from datetime import datetime

import msgspec


class ContainerRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one container, with the name that people know it by."""

    id: str
    """The full id, never reused by an engine."""
    started_at: datetime | None
    """When this run began; None: it never ran."""
    name: str
    restarts: int = 0
    """By its restart policy, since somebody last started it by hand."""
    loops: bool = False
    """It ended and was restarted over and over: then a restart by its policy alone makes it no other one."""

    def __str__(self) -> str:
        return self.name


class MemoryWish(msgspec.Struct, frozen=True):
    """A memory limit that somebody typed for one container."""

    id: str
    started_at: datetime | None
    limit: str
    """As it was typed."""

    def __str__(self) -> str:
        return self.id[:12]


class MemoryChange(msgspec.Struct, frozen=True, kw_only=True):
    """A memory limit as it is and as it is to be."""

    id: str
    started_at: datetime | None
    name: str
    memory_bytes: int
    swap_bytes: int
    """Memory and swap together; -1: unlimited."""
    former_bytes: int
    """0: there is no limit."""
    former_swap_bytes: int

    def __str__(self) -> str:
        return self.name


class ProjectState(msgspec.Struct, frozen=True, kw_only=True):
    """A compose project, or one service of it, with all that a plan for it rests on."""

    project: str
    service: str | None
    """None: all of them."""
    containers: tuple[str, ...]
    """The ids of all containers of the project, sorted."""
    hashes: tuple[tuple[str, str], ...]
    """Service and the hash of its configuration, as the files have it."""

    def __str__(self) -> str:
        return f"project {self.project}"
