"""Reads that a person asks for, each on a short-lived connection of its own."""

import asyncio

import psycopg

from opsdash.collectors.errors import TimedOut
from opsdash.collectors.postgres.client import Purpose, connect, shut, translate
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.collectors.postgres.statements import statement
from opsdash.collectors.target import Target
from opsdash.collectors.text import clean

DEADLINE_S = 5.0


async def statement_text(target: Target, identity: SessionIdentity) -> str | None:
    """The statement of one session with its literals, read afresh; never stored.

    Returns:
        None when the session is gone or runs another statement by now.

    Raises:
        TargetError: The target could not be read.
    """
    connection = await connect(target, Purpose.DRILL)
    watchdog = asyncio.get_running_loop().call_later(DEADLINE_S, shut, connection)
    try:
        cursor = await connection.execute(
            statement("statement"), (identity.pid, identity.backend_start, identity.query_start)
        )
        row = await cursor.fetchone()
    except psycopg.Error as error:
        if watchdog.when() <= asyncio.get_running_loop().time():
            raise TimedOut(target.id, f"no answer within {DEADLINE_S:g} s") from error
        raise translate(target.id, error) from error
    finally:
        watchdog.cancel()
        shut(connection)
        await connection.close()
    if row is None or row[0] is None:
        return None
    return clean(row[0].decode("utf-8", "replace"))  # a database in another encoding sends its own bytes
