"""A GET whose answer has no end, read as it comes.

Not through httpx: the engine sends each line as an HTTP chunk of its own, and its parser takes tens of
microseconds for each, which is more than a core in a flood. Asked in HTTP/1.0 the engine sends no chunks, and
what arrives costs one copy.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import cast

from opsdash.collectors.docker.plain_http import PIECE_BYTES, Connection, asked


class RawStream:
    """One connection, for one request."""

    def __init__(self, connection: Connection) -> None:
        """Takes over a connection."""
        self._connection = connection
        self._reader, self._writer = connection

    async def get(self, path: str, params: Mapping[str, str], *, host: str) -> int:
        """Send the request and read the head of the answer; the status. Raises as `asked` does."""
        head = await asked(self._connection, path, params, host=host, version="1.0")
        if head.fields.get("transfer-encoding", "").lower() == "chunked":
            raise ValueError("chunks, although none were asked for")
        return head.status

    async def pieces(self) -> AsyncIterator[bytes]:
        """What comes, as it comes, until the end; raises OSError.

        Nothing is read between two pieces: whoever rests in between is not woken by what arrives.
        """
        transport = cast(asyncio.Transport, self._writer.transport)  # a stream's transport goes both ways
        while piece := await self._reader.read(PIECE_BYTES):
            transport.pause_reading()
            yield piece
            transport.resume_reading()

    async def rest(self, *, limit: int) -> bytes:
        """What is left, at most `limit` bytes."""
        whole = bytearray()
        while len(whole) < limit and (piece := await self._reader.read(limit)):
            whole += piece
        return bytes(whole[:limit])

    def close(self) -> None:
        """Shut the socket, now and without waiting; whoever reads sees the end."""
        self._writer.transport.abort()
