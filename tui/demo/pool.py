"""A small pool of PostgreSQL sessions, such as every web application has: who comes last waits longest."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg import AsyncConnection

from opsdash.tui.demo.clients import Connect
from opsdash.tui.demo.stories import Client


class Pool:
    """At most `size` sessions of one application; each is opened when it is first needed, or was lost."""

    def __init__(self, connect: Connect, client: Client, size: int) -> None:
        self._connect, self._client = connect, client
        self.size = size
        self._free: asyncio.Queue[AsyncConnection | None] = asyncio.Queue()
        for _ in range(size):
            self._free.put_nowait(None)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncConnection]:
        """A session for one piece of work, in turn; waits without end when all are out.

        Raises:
            psycopg.Error: It cannot be opened.
        """
        connection = await self._free.get()
        try:
            if connection is None or connection.closed:
                connection = None
                connection = await self._connect(self._client)
            yield connection
        finally:
            self._free.put_nowait(connection)
