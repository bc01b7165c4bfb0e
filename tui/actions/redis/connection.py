"""One connection for actions: one exchange at a time, none of them without a deadline."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from opsdash.collectors.errors import ConnectionLost, TargetError, TimedOut
from opsdash.collectors.redis.client import Purpose, Session, connect
from opsdash.collectors.redis.commands import Words
from opsdash.collectors.target import Target


class ActionConnection:
    """Connects when first used, and again after it broke."""

    def __init__(self, target: Target, *, is_for_acting: bool) -> None:
        self.target = target
        self._purpose = Purpose.ACT if is_for_acting else Purpose.READ
        self._session: Session | None = None
        self._db: int | None = None
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Connect, unless that is done; raises TargetError."""
        async with self.turn():
            pass

    @asynccontextmanager
    async def turn(self, db: int | None = None, *, only: Session | None = None) -> AsyncIterator[Session]:
        """The open connection, for this caller alone.

        Args:
            db: The database that the commands are about; None: it does not matter.
            only: The session of a turn before: another one, opened since, will not do.

        Raises:
            ConnectionLost: `only` is closed.
            TargetError: It could not be opened, or there is no such database.
        """
        async with self._lock:
            if only is not None and (only is not self._session or not only.is_open):
                raise ConnectionLost(
                    self.target.id, "the connection broke", hint="look at the target, and plan anew"
                )
            if self._session is None or not self._session.is_open:
                self._session, self._db = await connect(self.target, self._purpose), None
            if db is not None and db != self._db:
                (answer,) = await self._session.ask(("SELECT", db))
                if isinstance(answer, TargetError):
                    raise answer
                self._db = db
            yield self._session

    async def read(self, *commands: Words, db: int | None = None) -> list[Any]:
        """The replies to commands that change nothing; a refusal is a TargetError as a value.

        A kept connection may have died unnoticed (the server restarted): then it is asked once more, anew.

        Raises:
            TargetError: No answer.
        """
        was_open = self._session is not None and self._session.is_open
        try:
            async with self.turn(db) as session:
                return await session.ask(*commands)
        except ConnectionLost:
            if not was_open:
                raise
            async with self.turn(db) as session:
                return await session.ask(*commands)

    async def act(self, *words: str | int | bytes, db: int | None = None) -> Any:
        """Send a command that acts; never a second time.

        Raises:
            TimedOut: Sent perhaps: the answer did not come.
            ConnectionLost: Sent perhaps: the connection broke.
            TargetError: Any other: it surely was not done.
        """
        is_ready = False
        try:
            async with self.turn(db) as session:
                is_ready = True
                (answer,) = await session.ask(words)
        except (TimedOut, ConnectionLost) as error:
            if is_ready:
                raise
            raise TargetError(self.target.id, f"nothing was sent: {error.reason}", hint=error.hint) from error
        if isinstance(answer, TargetError):
            raise answer
        return answer

    def abort(self) -> None:
        """Break off whatever is waited for, now and without waiting. The next use connects anew."""
        if self._session is not None:
            self._session.close()

    def close(self) -> None:
        """Let go of the connection."""
        self.abort()


def refused(replies: Sequence[Any]) -> None:
    """Raise the first reply that is a refusal."""
    for reply in replies:
        if isinstance(reply, TargetError):
            raise reply
