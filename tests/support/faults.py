"""A proxy that breaks connections in the ways networks do, and processes that answer nothing any more."""

import asyncio
import enum
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import psutil


class Wire(enum.Enum):
    """What happens to what the server says."""

    PASS = "pass"
    HANG = "hang"
    """Nothing passes any more; both sides stay connected."""
    HANG_MID_ANSWER = "hang mid-answer"
    """The beginning of an answer passes, then nothing."""
    RESET_MID_ANSWER = "reset mid-answer"
    DRIP = "drip"
    """A byte at a time, too slowly for any deadline."""
    GARBAGE = "garbage"
    """The answer of another protocol."""


BEGINNING = 5
"""Bytes of an answer that still pass: not even one whole message of most protocols."""

NOISE = b"HTTP/1.1 400 Bad Request\r\nServer: hunter2x\x1b[2J\r\n\r\n" * 8


class Proxy:
    """Listens on a port of 127.0.0.1 and passes everything on to another, or to a Unix socket."""

    def __init__(self, upstream: int | Path) -> None:
        self._upstream = upstream
        self._listener: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._wire = Wire.PASS
        self.port = 0
        self.noise = NOISE
        """What garbage is."""

    async def __aenter__(self) -> "Proxy":
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse()

    async def listen(self) -> None:
        """Take connections, on the same port as before."""
        self._listener = await asyncio.start_server(self._link, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Take no connections any more, and cut those that are."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        await self.cut()

    async def cut(self) -> None:
        """Reset every connection."""
        for writer in self._writers:
            writer.transport.abort()
        links = [*self._links]
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    def set(self, wire: Wire) -> None:
        """From now on, on every connection, also those that are open."""
        self._wire = wire

    def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._links.add(task)
        task.add_done_callback(self._links.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        to_server: asyncio.StreamWriter | None = None
        try:
            from_server, to_server = await self._connected()
            asked = asyncio.ensure_future(_copy(reader, to_server))
            answered = asyncio.ensure_future(self._answer(from_server, writer))
            await asyncio.wait({asked, answered}, return_when=asyncio.FIRST_COMPLETED)
            asked.cancel()
            answered.cancel()
            await asyncio.gather(asked, answered, return_exceptions=True)
        except OSError:  # the server is down: its client sees the connection end
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            if to_server is not None:
                to_server.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._upstream, Path):
            return await asyncio.open_unix_connection(self._upstream)
        return await asyncio.open_connection("127.0.0.1", self._upstream)

    async def _answer(self, from_server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await from_server.read(65536):
            match self._wire:
                case Wire.PASS:
                    writer.write(data)
                case Wire.HANG:
                    await asyncio.Event().wait()
                case Wire.HANG_MID_ANSWER:
                    writer.write(data[:BEGINNING])
                    await asyncio.Event().wait()
                case Wire.RESET_MID_ANSWER:
                    writer.write(data[:BEGINNING])
                    await writer.drain()
                    writer.transport.abort()
                    return
                case Wire.DRIP:
                    for byte in data:
                        writer.write(bytes([byte]))
                        await asyncio.sleep(0.1)
                case Wire.GARBAGE:
                    writer.write(self.noise)
            await writer.drain()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


@contextmanager
def frozen(pid: int, *, with_children: bool = False) -> Iterator[None]:
    """Stop a process for the length of a block: alive, connected, and silent."""
    stopped = [psutil.Process(pid)]
    stopped[0].suspend()  # first: now it starts no child any more, and those that end stay until it goes on
    if with_children:
        stopped += stopped[0].children()
        for child in stopped[1:]:
            child.suspend()
    try:
        yield
    finally:
        for process in reversed(stopped):
            process.resume()
