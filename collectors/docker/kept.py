"""The same question again and again, over one connection that stays open for it.

Not through httpx, whose pool and parser take a millisecond of processor time for each request: once a second
for every engine, that is more than the rest of a quiet reading.
"""

import asyncio
from collections.abc import Mapping

import msgspec

from opsdash.collectors.docker.plain_http import PIECE_BYTES, Connection, Head, asked

_LONGEST_SIZE = 64
"""Bytes of the line that states a chunk's size."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back."""

    status: int
    body: bytes
    date: str | None
    """The engine's clock as HTTP says it, in whole seconds."""


class Ended(Exception):
    """The connection had ended before anything of an answer came."""


class TooMuch(Exception):
    """The answer is longer than was allowed."""


class KeptConnection:
    """One connection, for one GET after the other."""

    def __init__(self, connection: Connection) -> None:
        """Takes over a connection."""
        self._connection = connection
        self._reader, self._writer = connection
        self.is_kept = True
        """Whether the other side lets another request follow."""

    async def get(self, path: str, params: Mapping[str, str], *, host: str, largest: int) -> Answer:
        """Send the request and read the whole answer, whatever its status.

        After any exception the connection is good for nothing more.

        Raises:
            Ended: It had ended before.
            TooMuch: The body is longer than `largest` bytes.
            ValueError: It is no HTTP.
            EOFError: It ended in the middle.
            OSError: The connection failed.
        """
        try:
            head = await asked(self._connection, path, params, host=host, version="1.1")
        except ConnectionError as error:
            raise Ended from error
        except asyncio.IncompleteReadError as error:
            raise error if error.partial else Ended from error
        body = await self._body(head, largest)
        self.is_kept = self.is_kept and head.fields.get("connection", "").lower() != "close"
        return Answer(status=head.status, body=body, date=head.fields.get("date"))

    async def _body(self, head: Head, largest: int) -> bytes:
        if head.fields.get("transfer-encoding", "").lower() == "chunked":
            return await self._chunks(largest)
        if "content-length" in head.fields:
            return await self._exactly(int(head.fields["content-length"]), largest)
        self.is_kept = False  # it ends with the connection
        whole = bytearray()
        while piece := await self._reader.read(PIECE_BYTES):
            whole += piece
            if len(whole) > largest:
                raise TooMuch
            if head.status >= 300:
                break  # some leave the end of a refusal open
        return bytes(whole)

    async def _chunks(self, largest: int) -> bytes:
        whole = bytearray()
        while True:
            stated = await self._reader.readline()
            if not stated.endswith(b"\n") or len(stated) > _LONGEST_SIZE:
                raise ValueError("a chunk without a size") if stated else EOFError
            size = int(stated.partition(b";")[0], 16)
            whole += (await self._exactly(size + 2, largest - len(whole)))[:-2]
            if not size:
                return bytes(whole)

    async def _exactly(self, size: int, largest: int) -> bytes:
        if size > largest:
            raise TooMuch
        return await self._reader.readexactly(size)

    def close(self) -> None:
        """Shut the socket, now and without waiting; whoever reads sees the end."""
        self._writer.transport.abort()
