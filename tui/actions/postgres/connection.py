"""One connection for actions: one statement at a time, none of them without a deadline.

asyncio's timeouts do not bound psycopg: a cancelled query first tries to cancel on the server, which hangs
as well when the server is frozen. So the socket is shut from outside, which ends every wait at once.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from opsdash.collectors.errors import ConnectionLost, ShuttingDown, TargetError, TimedOut
from opsdash.collectors.target import Target

if TYPE_CHECKING:
    from opsdash.collectors.postgres.client import Connection
    from opsdash.collectors.postgres.params import Purpose

T = TypeVar("T")
Row = tuple[Any, ...]

_BROKEN = (ConnectionLost, ShuttingDown)
"""What a statement is answered with on a connection that has ended."""


class BoundedConnection:
    """Connects when first used, and again after it broke. Text arrives as bytes: see `decoded`."""

    def __init__(self, target: Target, *, deadline_s: float, is_for_acting: bool) -> None:
        self.target = target
        self._deadline_s = deadline_s
        self._is_for_acting = is_for_acting
        self._connection: Connection | None = None
        self._aborts = 0
        self._lock = asyncio.Lock()

    @property
    def is_open(self) -> bool:
        """Whether there is a connection that has not been found broken."""
        return self._connection is not None and not self._connection.closed

    async def open(self) -> None:
        """Connect, unless that is done.

        Raises:
            TargetError: It could not be opened.
        """
        async with self._lock:
            await self._ready()

    async def read(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of a statement that changes nothing.

        A kept connection may have died unnoticed (the server restarted): then it is asked once more, anew.

        Raises:
            TargetError: No answer, or an error.
        """
        async with self._lock:
            was_open, aborts = self.is_open, self._aborts
            try:
                return await self._ask(statement, parameters)
            except _BROKEN:
                if not was_open or aborts != self._aborts:
                    raise
                return await self._ask(statement, parameters)

    async def act(self, statement: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Send a statement that acts; never a second time.

        Raises:
            TimedOut: Sent perhaps: the answer did not come.
            ConnectionLost: Sent perhaps: the connection broke.
            TargetError: Any other: it surely was not done.
        """
        async with self._lock:
            with nothing_sent():
                await self._ready()
            try:
                return await self._ask(statement, parameters)
            except ShuttingDown as error:  # our connection ended, before or after it did what was asked
                raise ConnectionLost(self.target.id, error.reason, hint=error.hint) from error

    def abort(self) -> None:
        """Break off whatever is waited for, now and without waiting. The next use connects anew."""
        self._aborts += 1
        if self._connection is not None:
            from opsdash.collectors.postgres.client import shut

            shut(self._connection)

    async def close(self) -> None:
        """Let go of the connection; never waits for the target."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _ready(self) -> "Connection":
        if self._connection is not None and not self._connection.closed:
            return self._connection
        from opsdash.collectors.postgres.client import connect

        self._connection = await self._bounded(connect(self.target, self._purpose()), "connecting")
        # names and queries of databases in other encodings are not UTF-8, and must not fail the whole answer;
        # a server that is slow but alive should give up by itself before its socket is shut
        limit_ms = int(self._deadline_s * 800)
        await self._ask(f"set client_encoding to 'SQL_ASCII'; set statement_timeout to {limit_ms}")
        return self._connection

    def _purpose(self) -> "Purpose":
        from opsdash.collectors.postgres.params import Purpose

        return Purpose.ACT if self._is_for_acting else Purpose.DRILL

    async def _ask(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        import psycopg

        from opsdash.collectors.postgres.client import translate

        connection = await self._ready()
        try:
            return await self._bounded(_rows(connection, statement, parameters), "the statement")
        except (psycopg.Error, OSError) as error:
            translated = translate(self.target.id, error)
            if connection.closed or isinstance(translated, _BROKEN):
                await self.close()
            raise translated from error.with_traceback(None)

    async def _bounded(self, work: Coroutine[Any, Any, T], what: str) -> T:
        """Do `work` within the deadline; after it, or when cancelled, the connection is gone."""
        task = asyncio.ensure_future(work)
        try:
            done, _ = await asyncio.wait({task}, timeout=self._deadline_s)
        finally:
            if not task.done():
                await self._break_off(task)
        if done:
            return task.result()
        raise TimedOut(
            self.target.id,
            f"{what} got no answer within {self._deadline_s:g} s",
            hint="the server or the network hangs: look at the target",
        )

    async def _break_off(self, task: "asyncio.Future[Any]") -> None:
        self.abort()
        task.cancel()
        task.add_done_callback(_look_at_result)
        await self.close()


@contextmanager
def nothing_sent() -> Iterator[None]:
    """What fails in here fails before anything was sent, and says so: else no answer would mean "perhaps"."""
    try:
        yield
    except (TimedOut, ConnectionLost) as error:
        raise TargetError(error.target, f"nothing was sent: {error.reason}", hint=error.hint) from error


def _look_at_result(task: "asyncio.Future[Any]") -> None:
    """Fetch an abandoned statement's exception, which we caused, so that asyncio does not print it."""
    if not task.cancelled():
        task.exception()


async def _rows(connection: "Connection", statement: str, parameters: Mapping[str, Any] | None) -> list[Row]:
    cursor = await connection.execute(statement.encode(), parameters)
    return await cursor.fetchall() if cursor.description else []


def decoded(value: bytes | str | None) -> str | None:
    r"""Text of the server as str; what is not UTF-8 becomes a visible substitute.

    >>> decoded(b"caf\xe9"), decoded(None)
    ('caf\ufffd', None)
    """
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def in_utc(at: datetime | None) -> datetime | None:
    """A moment of the server, in UTC instead of the server's own zone."""
    return None if at is None else at.astimezone(UTC)
