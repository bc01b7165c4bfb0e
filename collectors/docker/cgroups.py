"""Where the kernel keeps what a container used: the folders of its cgroup. Pure.

Works for cgroup v1, v2 and both at once, with the cgroupfs and the systemd driver, below any parent. It is
judged by the container's id in the path, never by the process id alone: an engine behind a forwarded socket
runs on another machine, and there the same process id is something else.
"""

import re
from typing import Literal

import msgspec

Controller = Literal["cpu", "cpuacct", "memory", "pids", "blkio", "unified"]
_CONTROLLERS: tuple[Controller, ...] = ("cpu", "cpuacct", "memory", "pids", "blkio", "unified")

_ESCAPED = re.compile(r"\\([0-7]{3})")


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """A place where a hierarchy of cgroups can be seen."""

    controllers: tuple[str, ...]
    """Those of a v1 hierarchy; `("unified",)` is v2."""
    root: str
    """The cgroup that the mount shows as its top: / unless we are in a container ourselves."""
    point: str
    """The folder."""


def mounts_in(mountinfo: str) -> tuple[Mount, ...]:
    """The hierarchies in /proc/self/mountinfo.

    >>> text = "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
    >>> mounts_in(text)
    (Mount(controllers=('unified',), root='/', point='/sys/fs/cgroup'),)

    Source:
        proc_pid_mountinfo(5).
    """
    found: list[Mount] = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        words, kind = before.split(" "), after.split(" ")
        if len(words) < 6 or len(kind) < 3 or kind[0] not in ("cgroup", "cgroup2"):
            continue
        controllers = ("unified",) if kind[0] == "cgroup2" else tuple(kind[2].split(","))
        found.append(Mount(controllers=controllers, root=_plain(words[3]), point=_plain(words[4])))
    return tuple(found)


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)


def folders(membership: str, mounts: tuple[Mount, ...], id: str) -> dict[Controller, str]:
    """The folders of one container's cgroup, by controller.

    Args:
        membership: /proc/<pid>/cgroup of its first process.
        mounts: See `mounts_in`.
        id: The container's full id.

    Returns:
        `unified` is the v2 folder. Empty when the process is not in a cgroup of this container: then it is
        not its process.

    >>> v2 = (Mount(controllers=("unified",), root="/", point="/sys/fs/cgroup"),)
    >>> folders("0::/system.slice/docker-abc.scope/init.scope", v2, "abc")
    {'unified': '/sys/fs/cgroup/system.slice/docker-abc.scope'}
    >>> folders("0::/user.slice", v2, "abc")
    {}
    """
    found: dict[Controller, str] = {}
    for line in membership.splitlines():
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        own = _own_cgroup(path, id)
        if own is None:
            continue
        listed = tuple(names.split(",")) if names else ("unified",)
        for controller in _CONTROLLERS:
            if controller in listed and (folder := _seen_at(own, controller, mounts)) is not None:
                found[controller] = folder
    return found


def _own_cgroup(path: str, id: str) -> str | None:
    """The part of a cgroup's path up to the container's own; it may have others below."""
    parts = path.split("/")
    for place, part in enumerate(parts):
        if id in part:
            return "/".join(parts[: place + 1])
    return None


def _seen_at(cgroup: str, controller: str, mounts: tuple[Mount, ...]) -> str | None:
    for mount in mounts:
        if controller in mount.controllers:
            root = mount.root.rstrip("/")
            if cgroup.startswith(f"{root}/"):
                return mount.point + cgroup[len(root) :]
    return None
