"""Who waits for whom, arranged as people read it. Pure."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from opsdash.collectors.postgres.rows import LockWait, PreparedTransaction, SessionRow


class BlockingNode(msgspec.Struct, frozen=True, kw_only=True):
    """One backend of a blocking tree."""

    pid: int
    """0: a prepared transaction (`prepared` says which)."""
    session: SessionRow | None
    """None: gone between two reads, or a prepared transaction."""
    wait: LockWait | None
    """None for a root."""
    place_in_line: int | None
    """1 is next; None for a root, or where no order is known."""
    waiters: int
    """How many wait below it, directly or not."""
    longest_wait_s: float | None
    """The longest wait below it."""
    in_cycle: bool = False
    prepared: PreparedTransaction | None = None
    children: tuple["BlockingNode", ...] = ()


def blocking_forest(
    sessions: Sequence[SessionRow],
    waits: Sequence[LockWait],
    prepared: Sequence[PreparedTransaction] = (),
    *,
    now: datetime,
) -> tuple[BlockingNode, ...]:
    """Arrange waiting backends under the one they wait for. (See the brief in the module's tests.)"""
    raise NotImplementedError
