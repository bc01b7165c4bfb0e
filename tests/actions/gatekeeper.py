"""Stands before an engine's socket, as a socket proxy does, and does to requests what a test wants."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path


class Gatekeeper:
    """Passes everything on, until told otherwise."""

    def __init__(self, upstream: Path, path: Path) -> None:
        self._upstream = upstream
        self.path = path
        self.forbids_posts = False
        self.forbids: str | None = None
        """End of a path that is forbidden."""
        self.swallows_posts = False
        """The engine gets them; its answers never come back."""
        self.garbles_posts = False
        """The engine gets them; what comes back is no HTTP."""
        self.on_post: Callable[[], None] | None = None
        """Called right before the engine gets one."""
        self.cuts_after: str | None = None
        """The connection ends with the answer to a GET whose path ends so."""
        self.seen: list[str] = []
        """First lines of all requests."""
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def host(self) -> str:
        return f"unix://{self.path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(str(self._upstream))
        self._writers |= {writer, up_writer}
        try:
            while True:
                with suppress(asyncio.IncompleteReadError):
                    head = await reader.readuntil(b"\r\n\r\n")
                    await self._exchange(head, reader, writer, up_reader, up_writer)
                    continue
                return
        except (OSError, _Cut):
            return
        finally:
            for each in (writer, up_writer):
                self._writers.discard(each)
                each.close()

    async def _exchange(
        self,
        head: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> None:
        line = head.split(b"\r\n", 1)[0].decode()
        self.seen.append(line)
        whole = head + await reader.readexactly(_length(head))
        method, path = line.split(" ")[:2]
        is_hidden = self.forbids is not None and path.partition("?")[0].endswith(self.forbids)
        if is_hidden or (method == "POST" and self.forbids_posts):
            words = b"<html><body><h1>403 Forbidden</h1></body></html>"
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%s" % (len(words), words))
            return
        if method == "POST" and self.on_post is not None:
            self.on_post()
        up_writer.write(whole)
        answer = await up_reader.readuntil(b"\r\n\r\n")
        answer += await _body(answer, up_reader)
        if method == "POST" and self.swallows_posts:
            await asyncio.Event().wait()
        if method == "POST" and self.garbles_posts:
            answer = b"what?\r\n\r\n"
        writer.write(answer)
        await writer.drain()
        if self.cuts_after is not None and path.partition("?")[0].endswith(self.cuts_after):
            raise _Cut

    def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


class _Cut(Exception):
    """The connection ends here."""


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


async def _body(head: bytes, reader: asyncio.StreamReader) -> bytes:
    if b"transfer-encoding: chunked" not in head.lower():
        return await reader.readexactly(_length(head))
    body = b""
    while True:
        size = await reader.readuntil(b"\r\n")
        body += size + await reader.readexactly(int(size, 16) + 2)
        if int(size, 16) == 0:
            return body


@asynccontextmanager
async def gatekeeper(upstream: Path, folder: Path) -> AsyncIterator[Gatekeeper]:
    """One that serves on a socket in `folder`."""
    keeper = Gatekeeper(upstream, folder / "gate.sock")
    server = await asyncio.start_unix_server(keeper.serve, str(keeper.path))
    try:
        yield keeper
    finally:
        server.close()
        keeper.close()
