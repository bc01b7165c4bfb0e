"""Asks one of the shipped statements on a MONITOR connection."""

from collections.abc import Sequence
from typing import Any

from opsdash.collectors.cost import count
from opsdash.collectors.postgres.client import Connection
from opsdash.collectors.postgres.statements import statement


async def ask(
    connection: Connection, name: str, parameters: Sequence[Any] | None = None, schema: str = ""
) -> list[tuple[Any, ...]]:
    """All rows of one statement of `queries/`; binary, so that numbers and times need no parsing.

    Raises:
        psycopg.Error: It could not be read.
    """
    count(connection.target)
    cursor = connection.cursor(binary=True)
    await cursor.execute(statement(name, schema), parameters)
    return await cursor.fetchall()
