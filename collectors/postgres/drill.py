"""Reads that a person asks for, each on a short-lived connection of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import psycopg

from opsdash.collectors.errors import NotSupported, TimedOut
from opsdash.collectors.postgres import decode
from opsdash.collectors.postgres.client import Connection, Purpose, connect, shut, translate
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.collectors.postgres.statement_reader import Place, why_missing
from opsdash.collectors.postgres.statement_rows import StatementId
from opsdash.collectors.postgres.statements import statement
from opsdash.collectors.target import Target
from opsdash.collectors.text import clean

DEADLINE_S = 5.0


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The text of one statement as the server has it: to be sent back or shown once, never to be kept."""

    text: str
    """Unmasked, and not clean."""
    is_utf8: bool
    """False: some bytes were not, and `text` is not what the server has."""
    database: str | None
    """Where it runs; None: the database is gone."""
    is_cut: bool
    """Whether the server keeps only its beginning (track_activity_query_size)."""

    def __repr__(self) -> str:
        return "Source(…)"


@asynccontextmanager
async def drill(
    target: Target, database: str | None = None, *, deadline_s: float = DEADLINE_S
) -> AsyncIterator[Connection]:
    """A short-lived read-only connection whose socket is shut after `deadline_s`.

    Raises:
        TargetError: It could not be opened; or what is done with it failed.
    """
    connection = await connect(target, Purpose.DRILL, database=database)
    watchdog = asyncio.get_running_loop().call_later(deadline_s, shut, connection)
    try:
        yield connection
    except psycopg.Error as error:
        if watchdog.when() <= asyncio.get_running_loop().time():
            raise TimedOut(target.id, f"no answer within {deadline_s:g} s") from error
        raise translate(target.id, error) from error
    finally:
        watchdog.cancel()
        shut(connection)
        await connection.close()


async def statement_text(target: Target, identity: SessionIdentity | StatementId) -> str | None:
    """One statement with its literals, read afresh; never stored.

    Returns:
        None when the session is gone or runs another statement by now, or the entry has been evicted.

    Raises:
        TargetError: The target could not be read.
    """
    async with drill(target) as connection:
        source = await read_source(connection, target, identity)
    return None if source is None else clean(source.text)


async def read_source(
    connection: Connection, target: Target, identity: SessionIdentity | StatementId
) -> Source | None:
    """The text of a running session's statement, or of an entry of pg_stat_statements; None: it is gone.

    Raises:
        psycopg.Error: It could not be read.
        NotSupported: pg_stat_statements cannot be read here.
    """
    if isinstance(identity, SessionIdentity):
        cursor = await connection.execute(
            statement("session_source"), (identity.pid, identity.backend_start, identity.query_start)
        )
    else:
        schema = await _schema(connection, target)
        cursor = await connection.execute(
            statement("statement_source", schema),
            (identity.queryid, identity.userid, identity.dbid, identity.toplevel),
        )
    row = await cursor.fetchone()
    if row is None or not row[0]:
        return None
    text, database, is_cut = row
    return Source(
        text=text.decode("utf-8", "replace"),  # a database in another encoding sends its own bytes
        is_utf8=_is_utf8(text),
        database=None if database is None else database.decode("utf-8", "replace"),
        is_cut=is_cut,
    )


async def _schema(connection: Connection, target: Target) -> str:
    cursor = await connection.execute(statement("statements_state"))
    row = await cursor.fetchone()
    place = Place(*decode.texts(row or ()))
    missing = why_missing(place)
    if missing is not None or place.schema is None:
        raise NotSupported(target.id, missing or "pg_stat_statements has no schema")
    return place.schema


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
