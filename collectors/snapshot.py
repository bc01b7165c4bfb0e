"""What a collector saw at one moment, as an immutable value."""

import enum
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from opsdash.collectors.target import TargetId

T_co = TypeVar("T_co", covariant=True)


class FailureKind(enum.Enum):
    """Why a read failed, told apart as a person would; the value is the word shown."""

    REFUSED = "connection refused"
    TIMED_OUT = "timed out"
    NAME_UNKNOWN = "name unknown"
    NAME_LOOKUP_HANGS = "name lookup hangs"
    LOST = "connection lost"
    AUTHENTICATION = "authentication failed"
    NO_PERMISSION = "no permission"
    TOO_MANY_CLIENTS = "too many clients"
    STARTING_UP = "starting up"
    RECOVERY = "in recovery"
    SHUTTING_DOWN = "shutting down"
    TLS = "TLS failed"
    READ_ONLY = "read-only"
    WRITES_REFUSED = "writes refused"
    NOT_SUPPORTED = "not supported"
    BAD_REPLY = "bad reply"
    NOT_THERE = "not there"
    INTERNAL = "error in opsdash"


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A read that failed."""

    kind: FailureKind
    reason: str
    """In the target's own words, one line, cleaned."""
    hint: str | None = None
    """What to do next; None when nothing better than "look at the target" can be said."""


class Snapshot(msgspec.Struct, Generic[T_co], frozen=True, kw_only=True, eq=False):
    """One reading of one target. Either `data` or `failure` is set."""

    target: TargetId
    sequence: int
    """Counts up per target, from 1; a reading older than the one held is dropped."""
    taken_at: datetime
    """When the reading was complete: aware, UTC, our own clock."""
    taken_mono_s: float
    took_s: float
    data: T_co | None = None
    failure: Failure | None = None
