"""Just enough of an HTTP server for the demo's shop: GET and HEAD, one request a connection."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import msgspec

from opsdash.tui.demo.servers import HOST

_REQUEST_S = 5.0
_LONGEST_HEAD = 16_384


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a path answers with."""

    status: HTTPStatus = HTTPStatus.OK
    body: bytes
    media_type: str = "application/json"


Routes = Mapping[str, Callable[[], Awaitable[Answer]]]
"""Path -> its answer."""


async def serve(routes: Routes, port: int, *, tls: ssl.SSLContext | None = None) -> asyncio.Server:
    """Listen on 127.0.0.1, over TLS when there is a context for it; goes on until the process ends."""

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_S):
                head = await reader.readuntil(b"\r\n\r\n")
            writer.write(await _answer(routes, head))
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, OSError):
            pass  # the client went away, or says nothing that is HTTP: there is nobody to answer
        finally:
            writer.close()

    return await asyncio.start_server(on_connection, HOST, port, ssl=tls, limit=_LONGEST_HEAD)


async def _answer(routes: Routes, head: bytes) -> bytes:
    """The whole answer to a request, of which only the first line counts."""
    method, _, rest = head.decode("latin-1").partition(" ")
    path = rest.split(" ")[0].split("?")[0]
    if method not in ("GET", "HEAD"):
        answer = _plain(HTTPStatus.METHOD_NOT_ALLOWED)
    elif path not in routes:
        answer = _plain(HTTPStatus.NOT_FOUND)
    else:
        answer = await routes[path]()
    lines = (
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}",
        f"Content-Type: {answer.media_type}",
        f"Content-Length: {len(answer.body)}",
        "Cache-Control: no-store",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode() + (
        b"" if method == "HEAD" else answer.body
    )


def _plain(status: HTTPStatus) -> Answer:
    return Answer(status=status, body=f"{status.phrase}\n".encode(), media_type="text/plain")
