"""The only place that connects to a Docker engine: over its socket, TCP, TLS or one ssh tunnel."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from opsdash import __version__
from opsdash.collectors.docker import failures
from opsdash.collectors.docker.kept import Answer, Ended, KeptConnection, TooMuch
from opsdash.collectors.docker.plain_http import Connection, connected
from opsdash.collectors.docker.streams import RawStream
from opsdash.collectors.docker.way import LookUp, Way, find_way, look_up_name
from opsdash.collectors.errors import TargetError, TimedOut
from opsdash.collectors.secret import redact
from opsdash.collectors.target import Target, TargetId
from opsdash.collectors.text import one_line

__all__ = ["Answer", "Channel", "LookUp", "look_up_name"]

CONNECT_LIMIT_S = 3.0
REQUEST_LIMIT_S = 4.0
"""How long one answer may take unless its caller knows better; below the deadline of a whole reading."""

_REFUSAL_LIMIT_S = 1.0
_LARGEST_ANSWER = 64 * 1024 * 1024
_CONNECTIONS = 24
"""At once; streams have their own."""
_KEPT, _KEPT_FAR = 2, 16
"""Idle ones that stay open. A new one costs next to nothing on this machine, elsewhere round trips."""


class Channel:
    """Kept connections to one engine, for requests of any kind and for streams.

    What is asked is its caller's business: a collector sends nothing but GET, through `EngineClient`.
    """

    def __init__(self, target: TargetId, way: Way) -> None:
        """Nothing is connected before the first request."""
        self.target = target
        self.way = way
        self._address = 0
        self._was_connected = False
        self._streams: set[RawStream] = set()
        self._kept: KeptConnection | None = None
        """For `poll`, while nothing is asked over it."""
        self._is_retired = False
        """No connection is kept any more."""
        self._under_way: set[asyncio.Task[Answer]] = set()
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                verify=way.tls or False,  # False: without TLS no certificates need to be read
                uds=way.path,
                limits=httpx.Limits(
                    max_connections=_CONNECTIONS,
                    max_keepalive_connections=_KEPT if way.is_local else _KEPT_FAR,
                    keepalive_expiry=None,
                ),
            ),
            timeout=httpx.Timeout(None, connect=CONNECT_LIMIT_S),  # for the rest one limit over everything
            headers={
                "User-Agent": f"opsdash/{__version__}",
                "Host": way.authority,
                "Accept-Encoding": "identity",
            },
            trust_env=False,  # a proxy of the environment is none for engines
        )

    @classmethod
    async def open(cls, target: Target, *, look_up: LookUp = look_up_name) -> "Channel":
        """A channel to a target's engine; raises TargetError where the way there cannot be found."""
        return cls(target.id, await find_way(target, look_up=look_up))

    @property
    def has_streams(self) -> bool:
        """Whether somebody still reads a stream."""
        return bool(self._streams)

    @property
    def is_usable(self) -> bool:
        """Whether a request stands a chance: whether the tunnel, where there is one, is open."""
        return self.way.tunnel is None or self.way.tunnel.is_open

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limit_s: float = REQUEST_LIMIT_S,
        must_be_kept: bool = False,
    ) -> Answer:
        """Send one request and read the whole answer, whatever its status.

        Args:
            method: GET, POST, DELETE.
            path: With the API version in front.
            params: Of the query.
            body: JSON.
            limit_s: How long the answer may take altogether.
            must_be_kept: Whether to fail with NotSent, once, when every connection ended meanwhile:
                the engine was restarted, or somebody cut us off.

        Raises:
            TargetError: There is no answer. Whether the request reached the engine is then not known,
                unless the class says so (refused, unknown name, no permission).
        """
        return await self._breakable(
            path, self._exchange(method, path, params or {}, body, limit_s, must_be_kept=must_be_kept)
        )

    async def poll(self, path: str, *, params: Mapping[str, str], limit_s: float = REQUEST_LIMIT_S) -> Answer:
        """GET what is asked for again and again, over one connection that is kept for this alone.

        It is not for two at once.

        Raises:
            NotSent: That connection ended since the last time: the engine was restarted, or somebody cut
                us off. The next call opens another one.
            TargetError: There is no answer.
        """
        return await self._breakable(path, self._polled(path, params, limit_s))

    async def _breakable(self, path: str, work: Coroutine[Any, Any, Answer]) -> Answer:
        """What `abort` can break off."""
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            raise TimedOut(self.target, f"{path} was broken off", hint="it is tried again") from None
        finally:
            task.cancel()
            self._under_way.discard(task)

    @asynccontextmanager
    async def stream(
        self, path: str, *, params: Mapping[str, str] | None = None, limit_s: float = REQUEST_LIMIT_S
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """GET something without an end, over a connection of its own.

        Args:
            path: With the API version in front.
            params: Of the query.
            limit_s: How long the beginning of the answer may take; what follows may take for ever.

        Yields:
            What comes, in pieces as they come. It ends where the engine ends it or the connection breaks:
            HTTP does not tell these apart here.

        Raises:
            TargetError: It was refused, or nothing came in time.
        """
        opened = await self._opened_stream(path, params or {}, limit_s)
        self._streams.add(opened)
        try:
            yield self._pieces(opened, path)
        finally:
            self._streams.discard(opened)
            opened.close()

    def abort(self) -> None:
        """Break off everything under way, now; the connections are dropped with it."""
        for task in tuple(self._under_way):
            task.cancel()
        for stream in tuple(self._streams):
            stream.close()

    async def retire(self) -> None:
        """Let go of every connection but those of streams, which end by themselves."""
        self._is_retired = True
        if self._kept is not None:
            self._kept.close()
        await self._client.aclose()

    async def close(self) -> None:
        """Let go of every connection; never waits for the engine. The tunnel stays: others may use it."""
        self.abort()
        await self.retire()

    async def _exchange(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        body: bytes | None,
        limit_s: float,
        *,
        must_be_kept: bool,
    ) -> Answer:
        """Try the addresses in turn until one takes a connection."""
        extensions: dict[str, Any] = {"trace": self._refuse_to_connect} if must_be_kept else {}
        try:
            async with asyncio.timeout(limit_s):
                while True:
                    try:
                        return await self._send(method, path, params, body, extensions)
                    except (httpx.ConnectError, httpx.ConnectTimeout):
                        self._address += 1
                        if self._address >= len(self.way.addresses):
                            self._address = 0
                            raise
        except _Reconnecting:
            self._was_connected = False
            raise failures.not_sent(self.target, f"{self.way.label} ended the connection") from None
        except TimeoutError:
            raise failures.no_answer(self.target, path, limit_s) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:  # TLS's own come through as they are
            raise self._translated(error, path, limit_s) from error

    async def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        body: bytes | None,
        extensions: Mapping[str, Any],
    ) -> Answer:
        host, port = (
            (self.way.addresses[self._address], self.way.port) if self.way.addresses else ("docker", 80)
        )
        scheme = "https" if self.way.tls else "http"
        request = self._client.build_request(
            method,
            httpx.URL(scheme=scheme, host=host, port=port, path=path),
            params=params,
            content=body,
            headers={"Content-Type": "application/json"} if body is not None else None,
            extensions={**extensions, "sni_hostname": self.way.host},
        )
        response = await self._client.send(request, stream=True)
        self._was_connected = True
        try:
            body = await self._body(response)
        finally:
            await response.aclose()
        return Answer(status=response.status_code, body=body, date=response.headers.get("date"))

    async def _body(self, response: httpx.Response) -> bytes:
        """All of it; of a refusal what comes quickly, since some leave its end open."""
        whole = bytearray()
        try:
            async with asyncio.timeout(_REFUSAL_LIMIT_S if response.status_code >= 300 else None):
                async for piece in response.aiter_raw():
                    whole += piece
                    if len(whole) > _LARGEST_ANSWER:
                        raise failures.nonsense(
                            self.target, f"an answer of more than {_LARGEST_ANSWER} bytes"
                        )
        except TimeoutError:
            if response.status_code < 300:
                raise
        return bytes(whole)

    async def _refuse_to_connect(self, event: str, _info: Mapping[str, Any]) -> None:
        """Called by httpcore before it connects."""
        if self._was_connected and event.startswith("connection.connect_") and event.endswith(".started"):
            raise _Reconnecting

    async def _opened_stream(self, path: str, params: Mapping[str, str], limit_s: float) -> RawStream:
        """A stream whose answer has begun."""
        stream: RawStream | None = None
        try:
            async with asyncio.timeout(limit_s):
                stream = RawStream(await self._connected())
                status = await stream.get(path, params, host=self.way.authority)
                if status >= 300:
                    raise failures.refused(self.target, status, await stream.rest(limit=65_536))
                opened, stream = stream, None
                return opened
        except TimeoutError:
            raise failures.no_answer(self.target, path, limit_s) from None
        except (OSError, EOFError, ValueError) as error:
            raise self._translated(error, path, limit_s) from error
        finally:
            if stream is not None:
                stream.close()

    async def _pieces(self, stream: RawStream, path: str) -> AsyncIterator[bytes]:
        try:
            async for piece in stream.pieces():
                yield piece
        except OSError as error:
            raise self._translated(error, path, REQUEST_LIMIT_S) from error

    async def _polled(self, path: str, params: Mapping[str, str], limit_s: float) -> Answer:
        kept, self._kept = self._kept, None
        was_there = kept is not None
        try:
            async with asyncio.timeout(limit_s):
                kept = kept or KeptConnection(await self._connected())
                answer = await kept.get(path, params, host=self.way.authority, largest=_LARGEST_ANSWER)
            if kept.is_kept and not self._is_retired:
                self._kept, kept = kept, None
            return answer
        except TimeoutError:
            raise failures.no_answer(self.target, path, limit_s) from None
        except TooMuch:
            raise failures.nonsense(self.target, f"an answer of more than {_LARGEST_ANSWER} bytes") from None
        except Ended as error:
            if was_there:
                raise failures.not_sent(self.target, f"{self.way.label} ended the connection") from None
            raise self._translated(error, path, limit_s) from error
        except (OSError, EOFError, ValueError) as error:
            raise self._translated(error, path, limit_s) from error
        finally:
            if kept is not None:
                kept.close()

    async def _connected(self) -> Connection:
        """A connection of its own, to the address that took the last one."""
        address = self.way.addresses[self._address] if self.way.addresses else ""
        return await connected(self.way.path, (address, self.way.port), self.way.tls, self.way.host)

    def _translated(self, error: Exception, path: str, limit_s: float) -> TargetError:
        """Our error for what httpx or asyncio raised."""
        way = self.way
        found = failures.from_system(self.target, way.label, error, is_socket=way.is_local)
        if way.tunnel is not None and (said := way.tunnel.complaint()):
            return failures.beyond_ssh(self.target, f"{way.label}: {said}")
        if found is not None:
            return found
        said = redact(one_line(str(error)))[:160]
        if isinstance(error, httpx.TimeoutException):
            return failures.no_answer(self.target, "connecting", min(CONNECT_LIMIT_S, limit_s))
        if isinstance(error, httpx.RemoteProtocolError | ValueError) and not _is_end(said):
            return failures.nonsense(self.target, f"what {way.label} answers to {path} is not HTTP: {said}")
        return failures.lost(self.target, f"{way.label} ended the connection before it had answered {path}")


class _Reconnecting(Exception):
    """No connection is left of those there were."""


def _is_end(said: str) -> bool:
    """Whether h11 complains about an answer that ended, not about one that makes no sense.

    >>> _is_end("Server disconnected without sending a response."), _is_end("illegal status line")
    (True, False)
    """
    return "disconnected" in said or "closed connection" in said
