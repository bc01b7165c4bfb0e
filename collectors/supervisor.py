"""When each target is read: cadence, deadline, back-off without end, and never two reads of one target."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.collector import Attentive, Collector, Glancing
from opsdash.collectors.cost import CostBook
from opsdash.collectors.errors import TargetError, TimedOut
from opsdash.collectors.feed import Feed
from opsdash.collectors.gate import RateGate
from opsdash.collectors.lines.source import HasLogs, LogSource
from opsdash.collectors.secret import redact
from opsdash.collectors.snapshot import Failure, FailureKind, Snapshot
from opsdash.collectors.target import TargetId
from opsdash.collectors.text import one_line

log = logging.getLogger(__name__)


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long a read may take, and how failed ones are spaced."""

    deadline_s: float = 5.0
    grace_s: float = 1.0
    """How long a read may take to end after its socket was shut, before it is cancelled."""
    glanced_s: float = 0.1
    """From a glance to the whole reading: it is drawn first."""
    longest_wait_s: float = 30.0
    jitter: float = 0.2
    """Each wait after a failure is up to this share longer or shorter, so that many do not retry at once."""

    def wait_s(self, interval_s: float, failures: int, roll: float) -> float:
        """Seconds until the next read, after `failures` failed ones in a row; `roll` is 0 to 1.

        >>> pace = Pace()
        >>> pace.wait_s(2.0, 0, 0.5), pace.wait_s(2.0, 1, 0.5), pace.wait_s(2.0, 3, 0.5)
        (2.0, 2.0, 8.0)
        >>> pace.wait_s(2.0, 500, 0.5), round(pace.wait_s(2.0, 500, 1.0), 3)
        (30.0, 36.0)
        """
        if failures == 0:
            return interval_s
        # the exponent is bounded: 2.0 ** 5000 would overflow after a night of failures
        wait = min(interval_s * 2.0 ** min(failures - 1, 16), max(self.longest_wait_s, interval_s))
        return wait * (1 + self.jitter * (2 * roll - 1))


class Reader:
    """Reads one target when asked: gives each reading its number, its deadline and its failure as a value."""

    def __init__(self, collector: Collector[Any], clock: Clock, pace: Pace) -> None:
        self.collector = collector
        self._clock = clock
        self._pace = pace
        self._sequence = 0
        self._stuck: asyncio.Task[Any] | None = None

    async def read(self) -> Snapshot[Any]:
        """Read once. Never raises for a target's sake; ends at the deadline plus the grace at the latest."""
        return await self._taken(self.collector.collect)

    async def glance(self) -> Snapshot[Any] | None:
        """The same of what is most urgent; None where a reading is not divided so."""
        return await self._taken(self.collector.glance) if isinstance(self.collector, Glancing) else None

    async def _taken(self, collect: Callable[[], Coroutine[Any, Any, Any]]) -> Snapshot[Any]:
        started = self._clock.mono_s()
        data, failure = None, None
        try:
            data = await self._bounded(collect)
        except TargetError as error:
            failure = error.failure()
        except Exception as error:  # one broken source breaks nothing else (law 8)
            log.exception("reading %s", self.collector.target.id)
            reason = redact(one_line(f"{type(error).__name__}: {error}"))
            failure = Failure(
                kind=FailureKind.INTERNAL, reason=reason, hint="this is a defect in opsdash: see its log"
            )
        self._sequence += 1
        ended = self._clock.mono_s()
        return Snapshot(
            target=self.collector.target.id,
            sequence=self._sequence,
            taken_at=self._clock.now(),
            taken_mono_s=ended,
            took_s=ended - started,
            data=data,
            failure=failure,
        )

    async def _bounded(self, collect: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        if self._stuck is not None:
            if not self._stuck.done():
                raise _no_answer(self.collector, "the read before has not ended yet")
            self._stuck = None
        task = asyncio.ensure_future(collect())
        try:
            done, _ = await asyncio.wait({task}, timeout=self._pace.deadline_s)
            if done:
                return task.result()
            self.collector.abort()
            await asyncio.wait({task}, timeout=self._pace.grace_s)
        finally:
            if not task.done():  # quitting, or still not ended: never waited for
                self.collector.abort()
                task.cancel()
                self._stuck = task
                task.add_done_callback(_look_at_result)
        _look_at_result(task)
        raise _no_answer(self.collector, f"no answer within {self._pace.deadline_s:g} s")


def _look_at_result(task: asyncio.Task[Any]) -> None:
    """Fetch an abandoned read's exception, which was ours to cause, so that asyncio does not print it."""
    if task.done() and not task.cancelled():
        task.exception()


def _no_answer(collector: Collector[Any], reason: str) -> TargetError:
    return TimedOut(
        collector.target.id,
        reason,
        hint="the server or the network hangs; the socket was shut, a new one is tried",
    )


class Supervisor:
    """One task per target, for as long as opsdash runs."""

    def __init__(
        self,
        collectors: Iterable[Collector[Any]],
        feed: Feed,
        clock: Clock,
        *,
        pace: Pace | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._feed = feed
        self._clock = clock
        self._pace = pace or Pace()
        self._rng = rng or random.Random()
        self._readers = {c.target.id: Reader(c, clock, self._pace) for c in collectors}
        self._wake = {target: asyncio.Event() for target in self._readers}
        self._gate = RateGate(starts_per_s=50, at_once=64)
        self._tasks: list[asyncio.Task[None]] = []
        self.costs = CostBook()

    def start(self) -> None:
        """Begin to read every target."""
        self._tasks = [
            asyncio.create_task(self._follow(reader), name=f"read {target}")
            for target, reader in self._readers.items()
        ]

    def read_now(self, target: TargetId | None = None) -> None:
        """Read one target, or all of them, again without waiting for their turn."""
        for watched, event in self._wake.items():
            if target is None or watched == target:
                event.set()

    def look_at(self, target: TargetId, visible: tuple[str, ...], opened: str | None = None) -> None:
        """Tell a target's collector what of it is on the screen, where that matters to it."""
        collector = self._readers[target].collector
        if isinstance(collector, Attentive):
            collector.look_at(visible, opened)

    def log_sources(self) -> tuple[LogSource, ...]:
        """Every source of lines of all targets, in the order of the configuration."""
        collectors = (reader.collector for reader in self._readers.values())
        return tuple(s for c in collectors if isinstance(c, HasLogs) for s in c.log_sources())

    async def stop(self) -> None:
        """Stop reading. Sockets are shut first, so that nothing waits for a target."""
        for reader in self._readers.values():
            reader.collector.abort()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=0.3)
        closing = [asyncio.ensure_future(r.collector.close()) for r in self._readers.values()]
        if closing:
            _, late = await asyncio.wait(closing, timeout=0.3)
            for task in late:
                task.cancel()

    async def _follow(self, reader: Reader) -> None:
        target = reader.collector.target.id
        failures = 0
        while True:
            self._wake[target].clear()
            async with self._gate.turn():
                snapshot = await self._read(reader)
            self._feed.push(snapshot)
            self.costs.note(target, snapshot.taken_mono_s, snapshot.took_s)
            failures = failures + 1 if snapshot.failure else 0
            interval_s = self._feed.view(target).target.interval_s  # a person may have changed it
            await self._rest(target, self._pace.wait_s(interval_s, failures, self._rng.random()))

    async def _read(self, reader: Reader) -> Snapshot[Any]:
        """A reading; before the first one what can be told sooner."""
        if self._feed.view(reader.collector.target.id).latest is None:
            glance = await reader.glance()
            if glance is not None:
                if glance.failure is not None:
                    return glance
                self._feed.push(glance)
                await self._clock.sleep(self._pace.glanced_s)
        return await reader.read()

    async def _rest(self, target: TargetId, wait_s: float) -> None:
        """Wait for the next turn, or until somebody asks to read now."""
        nap = asyncio.ensure_future(self._clock.sleep(wait_s))
        bell = asyncio.ensure_future(self._wake[target].wait())
        try:
            await asyncio.wait({nap, bell}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nap.cancel()
            bell.cancel()
