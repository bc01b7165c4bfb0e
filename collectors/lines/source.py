"""One source of lines, as screens and rules know it."""

from datetime import tzinfo
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
    zone: tzinfo | None = None
    """Of times in it that state none, for `read_line`: UTC for containers; None: this machine's."""
    is_timed: bool = False
    """Whether `buffer.arrived_at` is when a line was printed, as an engine states, not when it was read."""


@runtime_checkable
class HasLogs(Protocol):
    """A collector that also reads lines."""

    def log_sources(self) -> tuple[LogSource, ...]:
        """Every source that it knows now, in a steady order; the buffers grow while it reads."""
