"""What every kind of target is tried with: the table of faults, and what a cell of it says."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import msgspec
import pytest

from opsdash.collectors.collector import Collector
from opsdash.collectors.snapshot import FailureKind

FAULTS = (
    "refused",
    "hang after accept",
    "hang mid-answer",
    "reset mid-answer",
    "slow drip",
    "garbage",
    "restart",
    "limits reached",
    "rights revoked",
    "wrong password",
    "name unknown",
    "name lookup hangs",
    "connection frozen",
    "server frozen",
    "starting up",
    "in recovery",
    "shutting down",
)
"""Each kind has a cell for each of them; a kind without one fails the suite."""

SECRET = "hunter2x-s3cret"
"""The password in every target of the suite; it may be in nothing that comes out."""


async def nothing() -> None:
    """What there is to do where nothing is."""


class Expected(msgspec.Struct, kw_only=True):
    """What a fault must be called. Empty: the read works."""

    open: frozenset[FailureKind]
    """By a read on the connection that was open before."""
    fresh: frozenset[FailureKind]
    """By a read that connects anew."""
    before_fresh: Callable[[], Awaitable[None]] = nothing
    """Waits until the fault is there for a new connection too."""


class Rig(Protocol):
    """One target of a kind, of its own, that can be broken."""

    deadline_s: float
    """What the reads of this target have; each fault must be told within it."""

    @property
    def collector(self) -> Collector[Any]:
        """Reads the target, with SECRET as its password."""

    async def cut(self) -> None:
        """End the collector's connection."""

    async def read_everything(self) -> None:
        """Read while there is something to see for every question that the collector may ask."""

    def foreign_statements(self) -> set[str]:
        """What the server saw on the collector's connections that is not shipped as a read-only question."""


Cell = Callable[[Any], AbstractAsyncContextManager[Expected]]
"""Brings a fault about on a rig, for the length of a block."""


class NotApplicable(msgspec.Struct):
    """Says why a fault cannot happen to a kind."""

    reason: str


class Trial(msgspec.Struct, kw_only=True):
    """What a kind of target brings to the suite."""

    start: Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[Rig]]
    """Starts a rig for one test; fixtures come from the request."""
    cells: Mapping[str, Cell | NotApplicable]
    """One for each of FAULTS."""
