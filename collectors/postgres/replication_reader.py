"""Reads who follows a server, when that is due."""

from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg
from psycopg.pq import TransactionStatus

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres import decode
from opsdash.collectors.postgres.ask import ask
from opsdash.collectors.postgres.client import Connection, translate
from opsdash.collectors.postgres.replication_rows import Receiver, Replication, Slot, Standby
from opsdash.collectors.target import TargetId

UNWATCHED_S = 10.0
"""How often it is read while nobody looks."""


class ReplicationReader:
    """Keeps the last reading, to tell which slots grow."""

    def __init__(self, target: TargetId, clock: Clock) -> None:
        self._target = target
        self._clock = clock
        self._last: Replication | None = None
        self._is_watched = False

    def look_at(self, opened: str | None) -> None:
        """Which view is on the screen."""
        self._is_watched = opened == "replication"

    async def read(
        self, connection: Connection, *, may_be_followed: bool, is_in_recovery: bool
    ) -> Replication:
        """The newest reading; another one where it is due. An error of these statements is a value.

        Args:
            connection: The MONITOR connection.
            may_be_followed: Whether there is a walsender, as far as this role may know.
            is_in_recovery: Whether the server is a standby itself.

        Raises:
            psycopg.Error: The connection is broken.
        """
        now = self._clock.mono_s()
        last = self._last
        if last is not None and not self._is_watched and now - last.read_mono_s < UNWATCHED_S:
            return last
        try:
            standbys = await ask(connection, "standbys") if may_be_followed else ()
            self._last = await _read(connection, standbys, last, now, is_in_recovery=is_in_recovery)
        except psycopg.Error as error:
            if connection.closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
                raise
            self._last = Replication(read_mono_s=now, limit=translate(self._target, error).reason)
        return self._last


async def _read(
    connection: Connection,
    standbys: Sequence[Sequence[Any]],
    last: Replication | None,
    now: float,
    *,
    is_in_recovery: bool,
) -> Replication:
    before = {slot.name: slot.retained_bytes for slot in last.slots} if last is not None else {}
    slots = [_slot(row, before) for row in await ask(connection, "slots")]
    receiver = None
    if is_in_recovery:
        (row,) = await ask(connection, "receiver")
        receiver = Receiver(**_named(Receiver, row))
    return Replication(
        standbys=tuple([Standby(**_named(Standby, row)) for row in standbys]),
        slots=tuple(slots),
        receiver=receiver,
        span_s=now - last.read_mono_s if last is not None else None,
        read_mono_s=now,
    )


def _named(kind: type[msgspec.Struct], row: Sequence[Any]) -> dict[str, Any]:
    """A row's values by the names of the fields, which stand in the order of its columns."""
    return dict(zip(kind.__struct_fields__, decode.texts(row), strict=True))


def _slot(row: Sequence[Any], before: dict[str, int | None]) -> Slot:
    name, slot_type, database, plugin, is_active, retained, wal_status, safe, unused_s = decode.texts(row)
    earlier = before.get(name)
    return Slot(
        name=name,
        slot_type=slot_type,
        database=database,
        plugin=plugin,
        is_active=is_active,
        retained_bytes=retained,
        grown_bytes=retained - earlier if retained is not None and earlier is not None else None,
        wal_status=wal_status,
        safe_wal_bytes=safe,
        unused_s=unused_s,
    )
