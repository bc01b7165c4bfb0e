"""The log of one container, followed: what is held of it, and where its reading stands."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC
from itertools import groupby

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.client import EngineClient
from opsdash.collectors.docker.failures import EngineError, lost, nonsense
from opsdash.collectors.docker.frames import BadFrame, EngineSaid, FrameReader, Line, stamp_ns
from opsdash.collectors.docker.pace import Pace
from opsdash.collectors.docker.position import Position
from opsdash.collectors.docker.rows import Container, ContainerIdentity
from opsdash.collectors.errors import TargetError
from opsdash.collectors.format import duration
from opsdash.collectors.lines.buffer import LogBuffer
from opsdash.collectors.lines.summary import SourceSummary
from opsdash.collectors.lines.tally import Tally
from opsdash.collectors.snapshot import Failure, FailureKind

FIRST_LINES = 200
"""Lines from before that are read at the beginning."""
MISSED_LINES = 10_000
"""Lines that are caught up with after a connection broke; the engine reads its files backwards for them."""

_SECOND, _TENTH = 19, 21
"""Length of a time up to its seconds, and with tenths of them: so exactly lines keep their times."""
_LONGEST_WAIT_S = 30.0
_UNNOTICED_S = 5.0
"""A stream that ended is begun again by then; or it has ended because its container has."""
_CLOCK_ERROR_S = 2.0
"""The engine's clock is known to about a second; what it is ahead by more is taken off its times."""

RUNNING = ("running", "paused")
"""States in which a log goes on."""


class FollowedLog:
    """One container's lines. `start` begins a reading as a task, which ends with the container's run."""

    def __init__(self, container: Container, client: EngineClient, clock: Clock, pace: Pace) -> None:
        """Nothing is asked yet."""
        self.container = container
        """As last listed."""
        self.buffer = LogBuffer()
        self.read_to_end: ContainerIdentity | None = None
        """The run that had ended before the last complete reading began: no more can come of it."""
        self._client = client
        self._clock = clock
        self._pace = pace
        self._tally = Tally(UTC)
        self._position = Position()
        self._watched_since = clock.now().timestamp()
        self._task: asyncio.Task[None] | None = None
        self._is_unreadable = container.log_driver == "none"
        self._failure = unreadable(container) if self._is_unreadable else None
        self._was_open = False
        """Whether the engine ever began to send it."""
        self._attempts = 0
        self._began_s = 0.0
        self._ended_s: float | None = None
        """When the connection ended; None: there was none yet."""

    @property
    def is_reading(self) -> bool:
        """Whether a reading is under way."""
        return self._task is not None and not self._task.done()

    @property
    def failure(self) -> Failure | None:
        """Why nothing is read; None: it is, or the container ended and all was read."""
        if self._failure is not None or self.is_reading or self.container.state not in RUNNING:
            return self._failure
        gone_s = 0.0 if self._ended_s is None else self._clock.mono_s() - self._ended_s
        if gone_s < _UNNOTICED_S:
            return None
        return Failure(kind=FailureKind.LOST, reason=f"not read for {duration(gone_s)}: the stream ended")

    @property
    def is_due(self) -> bool:
        """Whether a reading should be begun now."""
        if self.is_reading or self._is_unreadable or self.read_to_end == self.container.identity:
            return False
        wait_s = min(2.0 ** (self._attempts - 1), _LONGEST_WAIT_S) if self._attempts else 0.0
        return self._ended_s is None or self._clock.mono_s() - self._ended_s >= wait_s

    def start(self) -> None:
        """Begin to read where the last reading ended; raises what that one should not have raised."""
        if self._task is not None and not self._task.cancelled():
            self._task.result()
        self._task = asyncio.create_task(self._read(self.container))

    def stop(self) -> None:
        """Break the reading off."""
        if self._task is not None:
            self._task.cancel()

    def summary(self, name: str) -> SourceSummary:
        """What rules and panels are told of it."""
        return self._tally.summary(
            name,
            self.container.id,
            self.buffer,
            now=self._clock.now().timestamp(),
            watched_since=self._watched_since,
            failure=self.failure,
        )

    async def _read(self, container: Container) -> None:
        is_running = container.state in RUNNING
        self._began_s = self._clock.mono_s()
        self._position.go_back()
        end = self.buffer.end
        try:
            await self._follow(container, is_running=is_running)
        except EngineError as error:
            self._is_unreadable = error.status == 501 or "does not support reading" in error.reason
            self._failure = unreadable(container) if self._is_unreadable else error.failure()
        except TargetError as error:
            self._failure = error.failure()
        else:
            self.read_to_end = None if is_running else container.identity
        finally:
            self._ended_s = self._clock.mono_s()
            is_good = self._failure is None and (not is_running or self.buffer.end > end)
            self._attempts = 0 if is_good else self._attempts + 1

    async def _follow(self, container: Container, *, is_running: bool) -> None:
        """Read until the engine ends it: with the run of the container, or the connection."""
        target = self._client.target.id
        reader = FrameReader(has_tty=container.has_tty)
        opened = self._client.stream(
            f"/containers/{container.id}/logs",
            follow=is_running,
            stdout=True,
            stderr=True,
            timestamps=True,
            since=self._position.since(),
            tail=MISSED_LINES if self._was_open else FIRST_LINES,
        )
        try:
            async with opened as pieces:
                self._failure, self._was_open = None, True
                last_s = self._began_s
                async for piece in pieces:
                    came_s = self._clock.mono_s()
                    lines = reader.feed(piece)
                    self._take(lines)
                    taken_s = self._clock.mono_s()
                    await self._pace.rest(
                        len(piece),
                        len(lines),
                        came_s - last_s,
                        taken_s - came_s,
                        is_looked_at=bool(self.buffer.listeners),
                    )
                    last_s = taken_s
        except BadFrame as error:
            raise nonsense(target, f"the log of {container.name}: {error}") from error
        except EngineSaid as error:
            raise lost(target, f"the log of {container.name}: {error}") from error

    def _take(self, lines: list[Line]) -> None:
        """Keep what is new of these, each at its own time."""
        new, has_hole = self._position.unseen(lines)
        if not new:
            return
        now = self._clock.now()
        ahead_s = (self._client.now() - now).total_seconds()
        ahead_s = ahead_s if abs(ahead_s) > _CLOCK_ERROR_S else 0.0
        if has_hole and self._ended_s is not None:
            gone_s = self._began_s - self._ended_s
            self.buffer.mark_gap(f"{duration(gone_s)} without a connection, and lines of it are missing")
        if has_hole or not self.buffer.end:
            self._tally.mark_partial(_moment_s(new, ahead_s, now.timestamp()))
        for second in _groups(new, _SECOND):
            for tenth in _groups(second, _TENTH):
                self.buffer.append(_text(tenth), _moment_s(tenth, ahead_s, now.timestamp()))
            self._tally.add(_text(second), _moment_s(second, ahead_s, now.timestamp()))


def _groups(lines: Sequence[Line], length: int) -> Iterable[Sequence[Line]]:
    """Lines that stand together and whose times begin alike."""
    if not lines or lines[0][0][:length] == lines[-1][0][:length]:
        return (lines,) if lines else ()
    return (tuple(group) for _, group in groupby(lines, key=lambda line: line[0][:length]))


def _text(lines: Sequence[Line]) -> bytes:
    return b"".join([text for _, text in lines]).replace(b"\r\n", b"\n")  # a terminal's line ends


def _moment_s(lines: Sequence[Line], ahead_s: float, now_s: float) -> float:
    """When the first of them was printed, by our clock."""
    at_ns = stamp_ns(lines[0][0])
    return now_s if at_ns is None else min(at_ns / 1e9 - ahead_s, now_s)


def unreadable(container: Container) -> Failure:
    """What is said of a container whose log driver gives nothing back: that stays so."""
    driver = container.log_driver or "its log driver"
    return Failure(
        kind=FailureKind.NOT_SUPPORTED,
        reason=f"{driver} cannot be read back from the engine",
        hint="look where that driver sends them, or use json-file, local or journald",
    )
