"""What happened to containers: asked for once per reading, and kept for an hour.

The engine remembers its last 256 events of all kinds since it started, so nothing between two readings is
lost, and what happened before opsdash was there is known as far back as its memory reaches.
"""

from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from opsdash.collectors.docker.client import EngineClient
from opsdash.collectors.docker.failures import nonsense
from opsdash.collectors.docker.rows import EngineEvent
from opsdash.collectors.docker.settings import DockerSettings
from opsdash.collectors.text import one_line

KEPT = 500
KEPT_FOR = timedelta(hours=1)

ACTIONS = (
    "create",
    "start",
    "die",
    "oom",
    "kill",
    "stop",
    "restart",
    "pause",
    "unpause",
    "rename",
    "update",
    "destroy",
    "health_status",
)
"""What changes how a container is. Health checks alone make three more for each run of each."""

_OVERLAP = timedelta(seconds=1)
"""Asked for twice: our idea of the engine's clock is not exact."""


class _Actor(msgspec.Struct, frozen=True):
    ID: str = ""
    Attributes: Mapping[str, str] | None = None


class _Message(msgspec.Struct):
    """One line of GET /events."""

    Type: str = ""
    Action: str = ""
    Actor: _Actor = _Actor()
    time: int = 0
    timeNano: int = 0


_decoder = msgspec.json.Decoder(_Message)


class EventLog:
    """The events of one engine's containers."""

    def __init__(self, client: EngineClient) -> None:
        """Nothing is asked yet."""
        self.since: datetime | None = None
        """From when on all events are known, by the engine's clock; None: not asked yet."""
        self._client = client
        self._kept: deque[EngineEvent] = deque(maxlen=KEPT)
        self._asked_until: datetime | None = None

    def events(self) -> tuple[EngineEvent, ...]:
        """Those of the last hour, oldest first."""
        return tuple(self._kept)

    def exits(self) -> Mapping[str, int | None]:
        """Container id -> exit code of its last run that ended within the last hour."""
        return {event.container: event.exit_code for event in self._kept if event.action == "die"}

    async def poll(self) -> frozenset[str]:
        """Ask for what happened since the last time; the ids of the containers it happened to.

        The first time the engine's whole memory is asked for, and nobody's id is given. A failed one changes
        nothing.

        Raises:
            ConnectionLost: The connection ended: the engine may have been restarted, and then it has
                forgotten what happened before. `forget_time` begins anew.
        """
        now = self._client.now()
        if self._asked_until is None:
            messages = await self._ask(now - KEPT_FOR, now, is_first=True)
            # as far as its memory reaches; whether it reaches further than its oldest event it does not say
            self.since = _event(messages[0]).at if messages else now
            self._take(messages, now)
            return frozenset()
        messages = await self._ask(self._asked_until - _OVERLAP, now, is_first=False)
        return frozenset(event.container for event in self._take(messages, now))

    def forget_time(self) -> None:
        """The engine was away: what it did meanwhile may be lost, so `poll` begins anew."""
        self._asked_until = None

    async def _ask(self, since: datetime, until: datetime, *, is_first: bool) -> list[_Message]:
        settings = self._client.target.settings
        filters = dict(settings.filters) if isinstance(settings, DockerSettings) else {}
        if not is_first:
            filters |= {"type": ["container"], "event": list(ACTIONS)}
        body = await self._client.poll(
            "/events", since=_stamp(since), until=_stamp(until), filters=filters or None
        )
        try:
            return _decoder.decode_lines(body)
        except msgspec.DecodeError as error:
            raise nonsense(self._client.target.id, f"its events make no sense: {error}") from error

    def _take(self, messages: list[_Message], now: datetime) -> list[EngineEvent]:
        """Keep what is new and of interest, and let go of what is old; the new ones."""
        self._asked_until = now
        seen = set(map(_key, self._kept)) if messages else set()
        found = (_event(message) for message in messages if _is_of_interest(message))
        new = [event for event in found if _key(event) not in seen]
        self._kept.extend(new)
        while self._kept and self._kept[0].at < now - KEPT_FOR:
            self._kept.popleft()
        return new


def _key(event: EngineEvent) -> tuple[datetime, str, str]:
    return (event.at, event.container, event.action)


def _is_of_interest(message: _Message) -> bool:
    return message.Type == "container" and message.Action.partition(":")[0] in ACTIONS


def _event(message: _Message) -> EngineEvent:
    attributes = message.Actor.Attributes or {}
    code = attributes.get("exitCode", "")
    nanoseconds = message.timeNano or message.time * 1_000_000_000
    return EngineEvent(
        at=datetime.fromtimestamp(nanoseconds / 1e9, UTC),
        action=one_line(message.Action),
        container=one_line(message.Actor.ID),
        name=one_line(attributes.get("name", "")),
        exit_code=int(code) if code.isascii() and code.isdecimal() and len(code) < 10 else None,
    )


def _stamp(at: datetime) -> str:
    """A time as the engine takes it: seconds and nanoseconds.

    >>> _stamp(datetime(2026, 11, 22, 3, 12, 40, 250, tzinfo=UTC))
    '1795317160.000250000'
    """
    return f"{int(at.timestamp())}.{at.microsecond:06d}000"
