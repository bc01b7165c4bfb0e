"""A GET whose answer has no end, read as it comes.

Not through httpx: the engine sends each line as an HTTP chunk of its own, and its parser takes tens of
microseconds for each, which is more than a core in a flood. Asked in HTTP/1.0 the engine sends no chunks, and
what arrives costs one copy.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import cast
from urllib.parse import quote, urlencode

_PIECE_BYTES = 256 * 1024


class RawStream:
    """One connection, for one request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes over a connection."""
        self._reader, self._writer = reader, writer

    async def get(self, path: str, params: Mapping[str, str], *, host: str) -> int:
        """Send the request and read the head of the answer.

        Returns:
            The HTTP status.

        Raises:
            ValueError: It is no HTTP.
            EOFError: It ended before.
            OSError: The connection failed.
        """
        query = f"?{urlencode(params)}" if params else ""
        self._writer.write(f"GET {quote(path)}{query} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        await self._writer.drain()
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError as error:
            raise ValueError("a head without an end") from error
        first = head.split(b"\r\n", 1)[0].split(b" ", 2)
        if not first[0].startswith(b"HTTP/1.") or len(first) < 2 or not first[1].isdigit():
            raise ValueError("illegal status line")
        if b"\r\ntransfer-encoding: chunked" in head.lower():
            raise ValueError("chunks, although none were asked for")
        return int(first[1])

    async def pieces(self) -> AsyncIterator[bytes]:
        """What comes, as it comes, until the end; raises OSError.

        Nothing is read between two pieces: whoever rests in between is not woken by what arrives.
        """
        transport = cast(asyncio.Transport, self._writer.transport)  # a stream's transport goes both ways
        while piece := await self._reader.read(_PIECE_BYTES):
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


async def open_stream(
    path: str | None, address: tuple[str, int], tls: ssl.SSLContext | None, host: str
) -> RawStream:
    """Connect to a Unix socket, or with `path` None to an address; raises OSError."""
    if path is not None:
        return RawStream(*await asyncio.open_unix_connection(path, limit=_PIECE_BYTES))
    name = host if tls else None
    return RawStream(
        *await asyncio.open_connection(*address, ssl=tls, server_hostname=name, limit=_PIECE_BYTES)
    )
