"""Asks an engine what containers use, a few at a time, without anybody waiting for it."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.client import EngineClient
from opsdash.collectors.docker.failures import EngineError, nonsense
from opsdash.collectors.docker.rows import ContainerIdentity
from opsdash.collectors.docker.stats import EngineStats, Sample, sample_of
from opsdash.collectors.errors import TargetError

AT_ONCE = 8
"""Questions under way."""
PERIOD_S = 4.0
"""The same container is asked for at most so often: a sample costs an engine about 3 ms of CPU."""

_ANSWER_LIMIT_S = 15.0
"""Docker 20.10 takes a second for each, and longer when it is busy."""
_LONGEST_ANSWER = 256 * 1024

_DECODER = msgspec.json.Decoder(EngineStats)


class StatsQuestions:
    """Questions to one engine, each a task. What they bring is handed over as it comes."""

    def __init__(
        self, client: EngineClient, clock: Clock, take: Callable[[ContainerIdentity, Sample], None]
    ) -> None:
        """Args: a client, the clock, and who gets the samples."""
        self.failure: TargetError | None = None
        """Why the newest question that failed did; None: the newest answer was one."""
        self._client = client
        self._clock = clock
        self._take = take
        self._wanted: tuple[ContainerIdentity, ...] = ()
        self._opened: ContainerIdentity | None = None
        self._asked_s: dict[ContainerIdentity, float] = {}
        self._under_way: dict[ContainerIdentity, asyncio.Task[None]] = {}
        self._stream: asyncio.Task[None] | None = None
        self._bug: BaseException | None = None

    def ask(self, wanted: Sequence[ContainerIdentity], opened: ContainerIdentity | None) -> None:
        """Ask for these from now on, the first ones first, until the next call says otherwise.

        Args:
            wanted: Runs of containers.
            opened: One for which the engine sends a sample each second by itself; None: no such one.
        """
        if self._bug is not None:
            bug, self._bug = self._bug, None
            raise bug
        self.narrow({*wanted, opened})
        self._wanted = tuple(each for each in wanted if each != opened)
        self._asked_s = {each: at for each, at in self._asked_s.items() if each in wanted or each == opened}
        if opened != self._opened:
            self._end_stream()
        if opened is not None and self._stream is None and self._is_due(opened):
            self._opened = opened
            self._asked_s[opened] = self._clock.mono_s()
            self._stream = self._started(self._follow(opened))
        self._start_more()

    def narrow(self, wanted: set[ContainerIdentity | None]) -> None:
        """Break off, at once, what is asked for others than these."""
        self._wanted = tuple(each for each in self._wanted if each in wanted)
        for identity, task in self._under_way.items():
            if identity not in wanted:
                task.cancel()
        if self._opened not in wanted:
            self._end_stream()

    def _end_stream(self) -> None:
        if self._stream is not None:
            self._stream.cancel()
        self._stream = self._opened = None

    def _start_more(self) -> None:
        """Fill the free places: those never asked for, then those that wait longest."""
        due = [each for each in self._wanted if each not in self._under_way and self._is_due(each)]
        due.sort(key=lambda each: self._asked_s.get(each, float("-inf")))  # else in the given order
        for identity in due[: max(AT_ONCE - len(self._under_way), 0)]:
            self._asked_s[identity] = self._clock.mono_s()
            self._under_way[identity] = self._started(self._ask_once(identity))

    def _is_due(self, identity: ContainerIdentity) -> bool:
        return self._clock.mono_s() - self._asked_s.get(identity, float("-inf")) >= PERIOD_S

    def _started(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Make room for the next one; a mistake of ours is raised at the next reading."""
        if task is self._stream:
            self._stream = None
        self._under_way = {each: other for each, other in self._under_way.items() if other is not task}
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._bug = bug
            return
        self._start_more()

    async def _ask_once(self, identity: ContainerIdentity) -> None:
        try:
            stats = await self._client.get(
                f"/containers/{identity.id}/stats",
                as_=EngineStats,
                limit_s=_ANSWER_LIMIT_S,
                stream=False,
                **{"one-shot": True},
            )
        except TargetError as error:
            self._failed(error)
        else:
            self._got(identity, stats)

    async def _follow(self, identity: ContainerIdentity) -> None:
        """Take what the engine sends until it ends; a later reading begins anew."""
        path = f"/containers/{identity.id}/stats"
        rest = b""
        try:
            async with self._client.stream(path, limit_s=_ANSWER_LIMIT_S, stream=True) as pieces:
                async for piece in pieces:
                    *whole, rest = (rest + piece).split(b"\n")
                    for text in whole:
                        self._got(identity, _decoded(self._client, path, text))
                    if len(rest) > _LONGEST_ANSWER:
                        raise nonsense(self._client.target.id, f"its answer to {path} has no end")
        except TargetError as error:
            self._failed(error)

    def _failed(self, error: TargetError) -> None:
        is_over = isinstance(error, EngineError) and error.status in (404, 409)
        if not is_over:  # else it is gone, or does not run any more: the next listing says so
            self.failure = error

    def _got(self, identity: ContainerIdentity, stats: EngineStats) -> None:
        self.failure = None
        sample = sample_of(stats, started_at=identity.started_at, taken_mono_s=self._clock.mono_s())
        if sample is not None:
            self._take(identity, sample)


def _decoded(client: EngineClient, path: str, text: bytes) -> EngineStats:
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise nonsense(client.target.id, f"its answer to {path} makes no sense: {error}") from error
