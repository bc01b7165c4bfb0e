"""Asks one engine questions, and nothing else: GET, with the API version that both sides know."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.cost import count
from opsdash.collectors.docker import failures
from opsdash.collectors.docker.failures import EngineError
from opsdash.collectors.docker.transport import REQUEST_LIMIT_S, Answer, Channel, LookUp, look_up_name
from opsdash.collectors.errors import NotSupported
from opsdash.collectors.target import Target

__all__ = ["EngineClient", "EngineError"]

T = TypeVar("T")

OLDEST = (1, 30)
"""Docker 17.06."""
NEWEST = (1, 47)
"""Docker 27; newer engines still speak it."""

Version = tuple[int, int]


class _VersionAnswer(msgspec.Struct):
    """GET /version."""

    Version: str
    ApiVersion: str
    MinAPIVersion: str = "1.12"


class EngineClient:
    """Kept connections to one engine. After a failure the next call connects anew."""

    def __init__(self, target: Target, clock: Clock | None = None, *, look_up: LookUp = look_up_name) -> None:
        """Nothing is connected; `open` does it, or `negotiate`."""
        self.target = target
        self.version = ""
        """The engine's own, as it states it."""
        self.api_version = ""
        """The one spoken; empty: not known yet."""
        self._clock = clock or Clock()
        self._look_up = look_up
        self._channel: Channel | None = None
        self._ahead_s = 0.0
        self._retired: list[Channel] = []
        """Channels that are given up and still carry streams."""
        self._closing: set[asyncio.Future[None]] = set()

    @classmethod
    async def open(
        cls, target: Target, clock: Clock | None = None, *, look_up: LookUp = look_up_name
    ) -> "EngineClient":
        """A client that knows which API version to speak; raises TargetError."""
        client = cls(target, clock, look_up=look_up)
        await client.negotiate()
        return client

    @property
    def is_local(self) -> bool:
        """Whether the engine is reached over a socket of this machine's own."""
        return self._channel is not None and self._channel.way.is_local

    def now(self) -> datetime:
        """The engine's clock as far as its answers told, right to a second."""
        return self._clock.now() + timedelta(seconds=self._ahead_s)

    def set_clock(self, said: datetime) -> None:
        """The engine has just said what time it was: a moment ago, so that our idea stays a little behind."""
        self._ahead_s = (said - self._clock.now()).total_seconds()

    async def negotiate(self) -> None:
        """Ask which API versions the engine speaks, and choose the newest that both know.

        Raises:
            TargetError: It cannot be asked.
            NotSupported: There is none.
        """
        target = self.target.id
        try:
            answer = await self._answer("/version", {}, REQUEST_LIMIT_S)
        except EngineError as error:
            raise failures.nonsense(target, error.reason) from error
        told = self._decoded(answer, "/version", _VersionAnswer)
        try:
            newest, oldest = _version(told.ApiVersion), _version(told.MinAPIVersion)
        except ValueError as error:
            raise failures.nonsense(target, f"an API version that is none: {told.ApiVersion}") from error
        spoken = min(NEWEST, newest)
        if spoken < OLDEST or spoken < oldest:
            ours = f"opsdash {_text(OLDEST)} to {_text(NEWEST)}"
            raise NotSupported(
                target,
                f"it speaks API {told.MinAPIVersion} to {told.ApiVersion}, {ours}",
                hint="update the engine" if spoken < OLDEST else "update opsdash",
            )
        self.version, self.api_version = told.Version, _text(spoken)

    async def get(
        self,
        path: str,
        *,
        as_: type[T],
        limit_s: float = REQUEST_LIMIT_S,
        **params: object,
    ) -> T:
        """Ask once, and decode the JSON of the answer.

        Args:
            path: Without the API version: "/containers/json".
            as_: What it is decoded into.
            limit_s: How long the answer may take altogether.
            params: Of the query. Booleans are sent as 1 and 0, mappings and lists as JSON, None not at all.

        Raises:
            EngineError: The engine refused, with its status: 404 where there is no such container.
            TargetError: It could not be asked, or gave no sense.
        """
        body = await self.get_bytes(path, limit_s=limit_s, **params)
        return self._decoded(body, path, as_)

    async def get_bytes(self, path: str, *, limit_s: float = REQUEST_LIMIT_S, **params: object) -> bytes:
        """The same, not decoded: for what is no JSON document."""
        if not self.api_version:
            await self.negotiate()
        return await self._answer(f"/v{self.api_version}{path}", _words(params), limit_s)

    async def poll(self, path: str, **params: object) -> bytes:
        """What is asked for with every reading, over a connection of its own; see `Channel.poll`."""
        if not self.api_version:
            await self.negotiate()
        channel = await self._opened()
        count(self.target.id)
        return self._accepted(await channel.poll(f"/v{self.api_version}{path}", params=_words(params)))

    @asynccontextmanager
    async def stream(
        self, path: str, *, limit_s: float = REQUEST_LIMIT_S, **params: object
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Read something without an end, over a connection of its own; see `Channel.stream`.

        Args:
            path: Without the API version: "/containers/<id>/logs".
            limit_s: How long the beginning of the answer may take.
            params: Of the query, as `get` takes them.
        """
        if not self.api_version:
            await self.negotiate()
        channel = await self._opened()
        opened: AbstractAsyncContextManager[AsyncIterator[bytes]] = channel.stream(
            f"/v{self.api_version}{path}", params=_words(params), limit_s=limit_s
        )
        async with opened as pieces:
            yield pieces

    def reconnect(self) -> None:
        """Let the next call find the way anew: a name may lead elsewhere by then. Streams go on."""
        channel, self._channel = self._channel, None
        if channel is not None:
            self._retired = [each for each in (*self._retired, channel) if each.has_streams]
            closing = asyncio.ensure_future(channel.retire())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    def abort(self) -> None:
        """Break off everything under way, streams too; the next call connects anew."""
        for channel in (*self._retired, self._channel):
            if channel is not None:
                channel.abort()
        self.reconnect()

    async def close(self) -> None:
        """Let go of every connection; never waits for the engine."""
        self.abort()
        await asyncio.gather(*self._closing)

    async def _opened(self) -> Channel:
        if self._channel is not None and not self._channel.is_usable:
            self.reconnect()
        if self._channel is None:
            opened = await Channel.open(self.target, look_up=self._look_up)
            if self._channel is None:  # others may have waited for the same
                self._channel = opened
        return self._channel

    async def _answer(self, path: str, params: Mapping[str, str], limit_s: float) -> bytes:
        channel = await self._opened()
        count(self.target.id)
        return self._accepted(await channel.request("GET", path, params=params, limit_s=limit_s))

    def _accepted(self, answer: Answer) -> bytes:
        self._hear_clock(answer)
        if answer.status >= 300:
            raise failures.refused(self.target.id, answer.status, answer.body)
        return answer.body

    def _hear_clock(self, answer: Answer) -> None:
        """Correct our idea of the engine's clock where it is off by more than the Date's own second."""
        try:
            said = parsedate_to_datetime(answer.date or "")
        except ValueError:
            return
        ahead_s = (said - self._clock.now()).total_seconds()
        if said.tzinfo is not None and not -0.5 <= self._ahead_s - ahead_s <= 1.5:
            self._ahead_s = ahead_s

    def _decoded(self, body: bytes, path: str, as_: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=as_)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise failures.nonsense(
                self.target.id, f"its answer to {path} makes no sense: {error}"
            ) from error


def _words(params: Mapping[str, object]) -> dict[str, str]:
    """The query as the engine takes it.

    >>> _words({"all": True, "tail": 200, "filters": {"type": ["container"]}, "since": None})
    {'all': '1', 'tail': '200', 'filters': '{"type":["container"]}'}
    """

    def word(value: object) -> str:
        if isinstance(value, bool):
            return "1" if value else "0"
        if isinstance(value, Mapping | list | tuple):
            return json.dumps(value, separators=(",", ":"))
        return str(value)

    return {name: word(value) for name, value in params.items() if value is not None}


def _version(text: str) -> Version:
    """Major and minor.

    >>> _version("1.41")
    (1, 41)
    """
    major, _, minor = text.partition(".")
    return int(major), int(minor)


def _text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
