"""An HTTP server in this process that answers as a test says, byte by byte where it matters."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

import msgspec

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request that came."""

    method: str
    path: str
    headers: dict[str, str]
    """By name in lower case."""


class Server:
    """Listens on 127.0.0.1; each path answers with its behaviour, all others with 404."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.behaviours: dict[str, Behaviour] = {}
        self.asked: list[Asked] = []
        self.connections = 0
        self.port = 0

    async def __aenter__(self) -> "Server":
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.refuse()
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def listen(self) -> None:
        """Take connections, on the same port as before."""
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._context)
        self.port = self._listener.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Take no connections any more."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def url(self, path: str = "/health", host: str = "localhost") -> str:
        scheme = "https" if self._context else "http"
        return f"{scheme}://{host}:{self.port}{path}"

    def says(self, path: str, behaviour: Behaviour) -> None:
        """From now on."""
        self.behaviours[path] = behaviour

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.ensure_future(self._answer(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = head[0].split(" ")
            pairs = [line.partition(": ") for line in head[1:] if line]
            headers = {name.lower(): value for name, _, value in pairs}
            self.asked.append(Asked(method=method, path=path, headers=headers))
            await self.behaviours.get(path, answer(404))(writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):  # whoever asked has gone
            pass
        finally:
            writer.close()


def answer(
    status: int = 200,
    body: Any = b"",
    *,
    media_type: str = "application/json",
    phrase: str = "Word",
    **headers: str,
) -> Behaviour:
    """A whole answer; what is not bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} {phrase}", f"Content-Length: {len(content)}", f"Content-Type: {media_type}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]

    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content)

    return say


def raw(content: bytes, *, resets: bool = False) -> Behaviour:
    """These bytes, then the end of the connection, or its reset."""

    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        if resets:
            writer.transport.abort()

    return say


async def silence(writer: asyncio.StreamWriter) -> None:
    """Nothing, ever."""
    await asyncio.Event().wait()


def after(wait_s: float, then: Behaviour) -> Behaviour:
    """Answers late."""

    async def say(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(wait_s)
        await then(writer)

    return say


async def endless(writer: asyncio.StreamWriter) -> None:
    """A body without end, as fast as it is read."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        writer.write(b"[" * 65536)
        await writer.drain()
