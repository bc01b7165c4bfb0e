"""Single connections to an engine: what acts goes where its re-check came from, or is not sent."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec

from opsdash.collectors.docker import failures
from opsdash.collectors.docker.client import NEWEST
from opsdash.collectors.docker.transport import Channel
from opsdash.collectors.errors import (
    BadReply,
    ConnectionLost,
    ConnectionRefused,
    NotSupported,
    TargetError,
    TimedOut,
)
from opsdash.collectors.target import Target

T = TypeVar("T")

READ_S = 5.0
"""How long a read may take."""


class _Version(msgspec.Struct):
    ApiVersion: str
    MinAPIVersion: str = "1.12"


class Lane:
    """One connection, for one caller at a time."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.engine_now: datetime | None = None
        """The engine's clock at the last answer, to the second."""
        self._channel: Channel | None = None
        self._prefix = ""

    async def get(self, path: str, as_: type[T], **params: str) -> T:
        """What the engine answers, decoded; raises TargetError, of which EngineError has the status."""
        body = await self.get_bytes(path, **params)
        try:
            return msgspec.json.decode(body, type=as_)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise failures.nonsense(self.target.id, f"{path}: {error}") from error

    async def get_bytes(self, path: str, **params: str) -> bytes:
        """The same, as it comes."""
        channel = await self.open()
        try:
            return await self._request(channel, "GET", path, params, READ_S)
        except (ConnectionLost, ConnectionRefused, TimedOut):
            await self.close()  # its name may lead elsewhere by now, its tunnel may be gone
            raise

    async def act(
        self, path: str, params: Mapping[str, str], body: Mapping[str, Any] | None, deadline_s: float
    ) -> None:
        """Send what acts, once, over the connection of the read before and over no other.

        Raises:
            TimedOut: Sent, and no answer came.
            ConnectionLost: Likewise.
            PermissionDenied: A proxy or plugin in front of the engine does not let this through.
            EngineError: The engine could not do it.
            TargetError: Any other: it was not sent.
        """
        if self._channel is None:
            raise self._nothing_sent()
        try:
            await self._request(self._channel, "POST", path, params, deadline_s, body=body)
        except failures.NotSent as error:
            raise self._nothing_sent() from error
        except BadReply as error:
            if isinstance(error, failures.EngineError):
                raise
            raise failures.lost(self.target.id, error.reason) from error  # whatever it means: it was sent

    async def open(self) -> Channel:
        """Connect and agree on a version of the API, unless that is done; raises TargetError."""
        if self._channel is None or not self._channel.is_usable:
            await self.close()
            channel = await Channel.open(self.target)
            try:
                self._prefix = await self._agreed(channel)
            except TargetError:
                await channel.close()
                raise
            self._channel = channel
        return self._channel

    async def _agreed(self, channel: Channel) -> str:
        """What stands before each path: the newest version of the API that both sides know."""
        body = await self._request(channel, "GET", "/version", {}, READ_S)
        try:
            told = msgspec.json.decode(body, type=_Version)
            newest, oldest = _numbers(told.ApiVersion), _numbers(told.MinAPIVersion)
        except (ValueError, msgspec.DecodeError) as error:
            raise failures.nonsense(self.target.id, "its answer to /version names none") from error
        version = min(NEWEST, newest)
        if version < oldest:
            ours = f"{NEWEST[0]}.{NEWEST[1]}"
            text = f"it speaks API {told.MinAPIVersion} and later, opsdash {ours} and earlier"
            raise NotSupported(self.target.id, text, hint="update opsdash")
        return f"/v{version[0]}.{version[1]}"

    def abort(self) -> None:
        """Break off whatever is waited for, now and without waiting."""
        if self._channel is not None:
            self._channel.abort()

    async def close(self) -> None:
        """Let go of the connection; never waits for the engine. The next use connects anew."""
        channel, self._channel, self._prefix = self._channel, None, ""
        if channel is not None:
            await channel.close()

    async def _request(
        self,
        channel: Channel,
        method: str,
        path: str,
        params: Mapping[str, str],
        limit_s: float,
        *,
        body: Mapping[str, Any] | None = None,
    ) -> bytes:
        answer = await channel.request(
            method,
            f"{self._prefix}{path}",
            params=params,
            body=None if body is None else msgspec.json.encode(body),
            limit_s=limit_s,
            must_be_kept=method != "GET",
        )
        self.engine_now = _moment(answer.date)
        if answer.status >= 400:
            raise failures.refused(self.target.id, answer.status, answer.body)
        return answer.body

    def _nothing_sent(self) -> TargetError:
        text = "nothing was sent: the connection ended after the re-check"
        return TargetError(self.target.id, text, hint="look at the target, and plan anew")


class Lanes:
    """The connections for actions on one engine: kept, and as many as are used at once."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._all: list[Lane] = []
        self._idle: list[Lane] = []

    async def open(self) -> None:
        """Open one ahead of need; raises TargetError."""
        async with self.lane() as lane:
            await lane.open()

    @asynccontextmanager
    async def lane(self) -> AsyncIterator[Lane]:
        """A connection for this caller alone; its first read opens it."""
        if self._idle:
            lane = self._idle.pop()
        else:
            self._all.append(lane := Lane(self.target))
        try:
            yield lane
        finally:
            self._idle.append(lane)

    def abort(self) -> None:
        """Break off whatever is waited for, now and without waiting."""
        for lane in self._all:
            lane.abort()

    async def close(self) -> None:
        """Let go of all of them; never waits for the engine."""
        for lane in self._all:
            await lane.close()


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def _moment(date: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
