"""The logs of an engine's containers: which are followed, and what is held of them."""

from collections.abc import Sequence
from datetime import UTC

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.client import EngineClient
from opsdash.collectors.docker.followed import RUNNING, FollowedLog
from opsdash.collectors.docker.pace import Pace
from opsdash.collectors.docker.rows import Container
from opsdash.collectors.lines.buffer import MAX_BYTES
from opsdash.collectors.lines.source import LogSource
from opsdash.collectors.lines.summary import SourceSummary
from opsdash.collectors.snapshot import Failure, FailureKind
from opsdash.collectors.target import Target

AT_MOST = 64
"""Containers whose logs are held, each over a connection of its own while it runs."""

_STARTS = 16
"""Readings begun with one listing: an engine that was just restarted has enough to do."""
_ALL_BYTES = 128 * 1024 * 1024
"""Held for all of them together."""
_LEAST_BYTES = 2 * 1024 * 1024


class ContainerLogs:
    """Follows the logs of one engine. Nothing waits for them; `follow` is called with every listing."""

    def __init__(self, client: EngineClient, target: Target, clock: Clock, *, at_most: int = AT_MOST) -> None:
        """Args: a client of the target's engine, the target, the clock, and how many logs are held."""
        self._client = client
        self._target = target
        self._clock = clock
        self._at_most = at_most
        self._since = clock.now().timestamp()
        self._pace = Pace(clock)
        self._logs: dict[str, FollowedLog] = {}
        """By container id."""
        self._left_out: tuple[Container, ...] = ()

    def follow(self, containers: Sequence[Container]) -> None:
        """Begin, go on and end as this listing demands; a broken connection is tried again here.

        Of those that ended the last lines are read once. A container that is gone takes its lines with it.

        Args:
            containers: All of the engine. One that was not inspected yet waits until it is.
        """
        known = [each for each in containers if each.is_inspected]
        chosen = sorted(known, key=self._rank)[: self._at_most]
        ids = {each.id for each in chosen}
        self._left_out = tuple(each for each in known if each.state in RUNNING and each.id not in ids)
        for gone in self._logs.keys() - ids:
            self._logs.pop(gone).stop()
        for each in chosen:
            log = self._logs.get(each.id)
            if log is None:
                log = self._logs[each.id] = FollowedLog(each, self._client, self._clock, self._pace)
            log.container = each
        share = min(max(_ALL_BYTES // max(len(self._logs), 1), _LEAST_BYTES), MAX_BYTES)
        for log in self._logs.values():
            log.buffer.max_bytes = share
        for log in [each for each in self._logs.values() if each.is_due][:_STARTS]:
            log.start()

    def sources(self) -> tuple[LogSource, ...]:
        """What is held, by name."""
        return tuple(
            LogSource(
                target=self._target.id,
                name=log.container.name,
                identity=log.container.id,
                buffer=log.buffer,
                zone=UTC,
                is_timed=True,
            )
            for log in self._by_name()
        )

    def summaries(self) -> tuple[SourceSummary, ...]:
        """Counts and newest lines of each, by name; those that are left out last, saying so."""
        return (
            *(log.summary(log.container.name) for log in self._by_name()),
            *(self._not_followed(each) for each in self._left_out),
        )

    def close(self) -> None:
        """Break every reading off; what is held stays."""
        for log in self._logs.values():
            log.stop()

    def _rank(self, container: Container) -> tuple[bool, bool, float]:
        """Those that run first, then those that ended last; whoever is followed stays so."""
        ended_s = 0.0 if container.finished_at is None else container.finished_at.timestamp()
        return container.state not in RUNNING, container.id not in self._logs, -ended_s

    def _by_name(self) -> list[FollowedLog]:
        return sorted(self._logs.values(), key=lambda log: log.container.name)

    def _not_followed(self, container: Container) -> SourceSummary:
        return SourceSummary(
            name=container.name,
            identity=container.id,
            format="plain",
            first=0,
            end=0,
            dropped=0,
            held_bytes=0,
            watched_since=self._since,
            failure=Failure(
                kind=FailureKind.NOT_SUPPORTED,
                reason=f"not followed: {self._at_most} other containers are",
            ),
        )
