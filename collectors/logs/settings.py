"""What the configuration says of one group of log files."""

from typing import Annotated

import msgspec

from opsdash.collectors.lines.buffer import MAX_BYTES

Count = Annotated[int, msgspec.Meta(ge=1)]
Factor = Annotated[float, msgspec.Meta(ge=1)]
Amount = Annotated[float, msgspec.Meta(ge=0)]


class LogThresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a rule fires. `[log.thresholds]` below a `[[log]]` table; the defaults also judge containers."""

    burst_warn_per_min: Count = 5
    """Lines of ERROR or worse in one minute; fewer are never a burst."""
    burst_warn_factor: Factor = 5.0
    """And so many times the median of the minutes seen before."""
    burst_crit_per_min: Count = 50
    """The same, critical."""
    burst_crit_factor: Factor = 10.0
    """The same, critical."""
    silent_s: Amount = 300.0
    """How long a source that used to print may be silent at least before that is told."""
    silent_factor: Factor = 10.0
    """And so many times the gap that is usual between its lines."""


class LogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[log]]` table, but for the keys that every kind has (name, interval, environment, …)."""

    path: str | tuple[str, ...]
    """A file or a pattern with `*`, `?`, `[…]` and `**` for folders at any depth; or a list of them. `~` is
    the home folder. The 64 files that changed last are followed. Lines are read as UTF-8."""
    max_bytes: Annotated[int, msgspec.Meta(ge=65_536, le=1_073_741_824)] = MAX_BYTES
    """Held of each file; the files of one target share 128 MiB, or as much as this where it is more."""
    utc: bool = False
    """Times that state no zone are UTC, as in the logs of most servers; otherwise they are this machine's."""
    thresholds: LogThresholds = LogThresholds()

    @property
    def paths(self) -> tuple[str, ...]:
        """The patterns, each once.

        >>> LogSettings(path="/var/log/a.log").paths, LogSettings(path=("/a", "/b", "/a")).paths
        (('/var/log/a.log',), ('/a', '/b'))
        """
        return (self.path,) if isinstance(self.path, str) else tuple(dict.fromkeys(self.path))

    def mistakes(self) -> tuple[tuple[str, str], ...]:
        """What is wrong beyond the types, as (key, what was expected)."""
        paths = self.paths
        if not paths:
            return (("path", "expected at least one path"),)
        if all(path.startswith(("/", "~")) and "\0" not in path for path in paths):
            return ()
        return (("path", 'expected paths from / or ~ on, such as "/var/log/api/*.log"'),)

    def inline_secrets(self) -> tuple[str, ...]:
        """No key holds a secret."""
        return ()

    def commands(self) -> tuple[str, ...]:
        """No key names a program."""
        return ()
