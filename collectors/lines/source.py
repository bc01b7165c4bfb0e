"""One source of lines, as screens and rules know it."""

from typing import Protocol, runtime_checkable

import msgspec

from opsdash.collectors.lines.buffer import LogBuffer
from opsdash.collectors.target import TargetId


class LogSource(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A file or a container, and what is held of what it printed."""

    target: TargetId
    """What it belongs to: the log target, or the engine of the container."""
    name: str
    """Unique among the sources of its target: the file's name, the container's name."""
    identity: str
    """What stays the same when the name does not: the path, the container's id."""
    buffer: LogBuffer


@runtime_checkable
class HasLogs(Protocol):
    """A collector that also reads lines."""

    def log_sources(self) -> tuple[LogSource, ...]:
        """Every source that it knows now, in a steady order; the buffers grow while it reads."""
