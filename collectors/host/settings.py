"""What the configuration says of the local host."""

from typing import Annotated

import msgspec

Ratio = Annotated[float, msgspec.Meta(ge=0, le=1)]
Amount = Annotated[float, msgspec.Meta(ge=0)]


class HostThresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a rule fires. `[host.thresholds]` below a `[[host]]` table."""

    disk_warn_ratio: Ratio = 0.80
    """Share of a file system that is used, of what an ordinary user may use."""
    disk_crit_ratio: Ratio = 0.85
    """The same, critical."""
    inodes_warn_ratio: Ratio = 0.80
    """Share of a file system's inodes that is used."""
    inodes_crit_ratio: Ratio = 0.85
    """The same, critical."""
    memory_warn_ratio: Ratio = 0.10
    """Share of the memory that is still available; fires below."""
    memory_crit_ratio: Ratio = 0.05
    """The same, critical."""
    load_warn_per_core: Amount = 1.5
    """Load average of the last minute, per core."""
    load_crit_per_core: Amount = 3.0
    """The same, critical."""
    oom_recent_s: Amount = 600.0
    """How long an OOM kill is told after it was seen."""


class HostSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[host]]` table, but for the keys that every kind has (name, interval, environment, …)."""

    disks: tuple[str, ...] = ()
    """Mount points; empty: all that hold files on a disk or on another machine."""
    thresholds: HostThresholds = HostThresholds()

    def mistakes(self) -> tuple[tuple[str, str], ...]:
        """What is wrong beyond the types, as (key, what was expected)."""
        if all(disk.startswith("/") for disk in self.disks):
            return ()
        return (("disks", 'expected mount points such as "/" and "/var"'),)

    def inline_secrets(self) -> tuple[str, ...]:
        """No key holds a secret."""
        return ()

    def commands(self) -> tuple[str, ...]:
        """No key names a program."""
        return ()
