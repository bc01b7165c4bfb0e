"""As much of HTTP/1 as those readers need who go past httpx: connect, send a GET, read an answer's head."""

import asyncio
import ssl
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import msgspec

PIECE_BYTES = 256 * 1024
"""Taken from a socket at once."""

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Head(msgspec.Struct, frozen=True):
    """What stands before the body of an answer."""

    status: int
    fields: Mapping[str, str]
    """Their names in small letters."""


async def connected(
    path: str | None, address: tuple[str, int], tls: ssl.SSLContext | None, host: str
) -> Connection:
    """Connect to a Unix socket, or with `path` None to an address; raises OSError."""
    if path is not None:
        return await asyncio.open_unix_connection(path, limit=PIECE_BYTES)
    name = host if tls else None
    return await asyncio.open_connection(*address, ssl=tls, server_hostname=name, limit=PIECE_BYTES)


async def asked(
    connection: Connection, path: str, params: Mapping[str, str], *, host: str, version: str
) -> Head:
    """Send a GET and read the head of the answer.

    Args:
        connection: On which nothing is under way.
        path: With the API version in front.
        params: Of the query.
        host: What the engine is called in the request.
        version: Of HTTP: "1.0" where no chunks are wanted, "1.1" where the connection shall stay.

    Raises:
        ValueError: It is no HTTP.
        EOFError: It ended before.
        OSError: The connection failed.
    """
    reader, writer = connection
    query = f"?{urlencode(params)}" if params else ""
    writer.write(f"GET {quote(path)}{query} HTTP/{version}\r\nHost: {host}\r\n\r\n".encode())
    await writer.drain()
    try:
        return head_of(await reader.readuntil(b"\r\n\r\n"))
    except asyncio.LimitOverrunError as error:
        raise ValueError("a head without an end") from error


def head_of(text: bytes) -> Head:
    r"""Read the head of an answer; raises ValueError.

    >>> head_of(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    Head(status=200, fields={'content-length': '2'})
    >>> head_of(b"220 mail.internal ESMTP\r\n\r\n")
    Traceback (most recent call last):
    ValueError: illegal status line
    """
    first, *lines = text.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not words[0].startswith("HTTP/1.") or len(words) < 2 or not words[1].isdecimal():
        raise ValueError("illegal status line")
    parted = (line.partition(":") for line in lines if line)
    return Head(int(words[1]), {name.lower(): value.strip() for name, _, value in parted})
