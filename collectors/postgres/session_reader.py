"""Reads the sessions of a server: in full those that did something, of the others what may have changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from opsdash.collectors.postgres import decode
from opsdash.collectors.postgres.ask import ask
from opsdash.collectors.postgres.client import Connection
from opsdash.collectors.postgres.rows import SessionRow

MARGIN = timedelta(seconds=5)
"""What a session did so shortly before a reading may have been told to the server's statistics after it."""
ANEW = timedelta(seconds=30)
"""At least so often every session is read in full, whatever the server's clock did meanwhile."""

Row = tuple[Any, ...]


class SessionReader:
    """Keeps the newest reading: most sessions are as they were two seconds ago."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Row, SessionRow]] = {}
        """Pid -> what may change of it at any time, as the server said it, and the session."""
        self._read_at: datetime | None = None
        self._read_in_full_at: datetime | None = None

    def forget(self) -> None:
        """Another connection, maybe of another server: the next reading is in full."""
        self._seen = {}
        self._read_at = None

    async def read(self, connection: Connection, server_now: datetime) -> tuple[SessionRow, ...]:
        """All backends, our own included, in the server's order. One that is as it was is the same object.

        Args:
            connection: The MONITOR connection.
            server_now: The server's clock, read before.

        Raises:
            psycopg.Error: It could not be read.
        """
        since = self._since(server_now)
        seen = self._sessions(await ask(connection, "activity", [since]))
        if seen is None:  # this role may see more than before, or the server's clock was set
            since = None
            seen = self._sessions(await ask(connection, "activity", [since])) or {}
        if since is None:
            self._read_in_full_at = server_now
        self._seen, self._read_at = seen, server_now
        return tuple([session for _, session in seen.values()])

    def _since(self, server_now: datetime) -> datetime | None:
        """Who did nothing since then is known; None: nobody is."""
        if self._read_at is None or self._read_in_full_at is None or server_now < self._read_at:
            return None
        return self._read_at - MARGIN if server_now - self._read_in_full_at < ANEW else None

    def _sessions(self, rows: Sequence[Row]) -> dict[int, tuple[Row, SessionRow]] | None:
        """Rows of `queries/activity.sql` as sessions; None where more has to be told of one."""
        before, seen = self._seen, {}
        for row in rows:
            pid, moving = row[0], row[: decode.MOVING]
            known = before.get(pid)
            if row[decode.MOVING]:
                seen[pid] = (moving, decode.session(row))
            elif known is None or not known[1].is_visible:
                return None
            else:
                seen[pid] = known if known[0] == moving else (moving, decode.moved(known[1], row))
        return seen
