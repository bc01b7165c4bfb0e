"""Which mounted file systems hold files that people care about. Pure."""

import re
from collections.abc import Iterable, Sequence

from opsdash.collectors.host.rows import Mount
from opsdash.collectors.text import one_line

_REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs", "lustre", "9p", "virtiofs", "afs"})
_LOCAL = frozenset({"zfs", "btrfs", "bcachefs", "fuseblk"})
_ALWAYS_FULL = frozenset({"squashfs", "iso9660", "erofs", "udf"})
_OF_CONTAINERS = frozenset({"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"})
"""Files that container engines mount one by one."""
_OCTAL = re.compile(r"\\([0-7]{3})")


def parse_mounts(text: str) -> tuple[Mount, ...]:
    r"""The lines of /proc/self/mounts, in their order.

    >>> parse_mounts("/dev/sda1 /a\\040b ext4 rw,relatime 0 0")[0].point
    '/a b'
    """
    found = []
    for line in text.splitlines():
        fields = line.split(" ")
        if len(fields) >= 4:
            device, point, kind, options = (_unescaped(field) for field in fields[:4])
            found.append(
                Mount(point=point, device=device, type=kind, is_read_only="ro" in options.split(","))
            )
    return tuple(found)


def _unescaped(field: str) -> str:
    return one_line(_OCTAL.sub(lambda match: chr(int(match[1], 8)), field))


def real(mounts: Iterable[Mount]) -> tuple[Mount, ...]:
    r"""Those with files on a disk or on another machine, each file system once, at its shortest path.

    Left out are what the kernel makes up (proc, cgroup, tmpfs, …), read-only images, which are always full,
    and the files that a container engine mounts.

    >>> text = "proc /proc proc rw 0 0\n/dev/sda1 / ext4 rw 0 0\n/dev/sda1 /var/lib/x ext4 rw 0 0\n"
    >>> text += "nas:/home /home nfs4 rw 0 0\n/dev/loop3 /snap/core squashfs ro 0 0\n"
    >>> [(mount.point, mount.type) for mount in real(parse_mounts(text))]
    [('/', 'ext4'), ('/home', 'nfs4')]
    """
    visible: dict[str, Mount] = {}
    for mount in mounts:  # a later mount at the same place covers the earlier one
        visible[mount.point] = mount
    by_device: dict[str, Mount] = {}
    for mount in sorted(visible.values(), key=lambda mount: (len(mount.point), mount.point)):
        if _is_real(mount):
            by_device.setdefault(mount.device, mount)
    return tuple(by_device.values())


def _is_real(mount: Mount) -> bool:
    if mount.type in _ALWAYS_FULL or mount.point in _OF_CONTAINERS:
        return False
    if mount.type == "overlay":
        return mount.point == "/"
    is_remote = mount.type in _REMOTE or mount.type.startswith("fuse.sshfs")
    return is_remote or mount.type in _LOCAL or mount.device.startswith("/dev/")


def chosen(mounts: Sequence[Mount], points: Sequence[str]) -> tuple[tuple[Mount, bool], ...]:
    """The mounts to look at, and whether each is mounted.

    Args:
        mounts: All of them.
        points: Mount points that the configuration names; empty: all real ones.
    """
    if not points:
        return tuple((mount, True) for mount in real(mounts))
    by_point = {mount.point: mount for mount in mounts}
    return tuple(
        (by_point[point], True) if point in by_point else (Mount(point=point, device="-", type="-"), False)
        for point in points
    )
