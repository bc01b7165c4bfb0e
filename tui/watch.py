"""All that a screen may look at or ask for, in one place."""

import logging
from collections.abc import Sequence
from typing import Any

from opsdash.collectors.clock import Clock
from opsdash.collectors.cost import Cost
from opsdash.collectors.feed import Feed
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import plural
from opsdash.collectors.lines.source import LogSource
from opsdash.collectors.registry import make_collector
from opsdash.collectors.supervisor import Supervisor
from opsdash.collectors.target import Target, TargetId
from opsdash.collectors.threads import call_in_thread
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.findings.engine import Known, find

log = logging.getLogger(__name__)

_IMPORT_DEADLINE_S = 30.0


INTERVALS_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""What + and - choose from; never below one second: opsdash is a guest."""


def next_interval(interval_s: float, step: int) -> float:
    """The next longer (1) or shorter (-1) interval; at the ends it stays.

    >>> next_interval(2.0, 1), next_interval(2.0, -1), next_interval(1.0, -1), next_interval(3.0, 1)
    (5.0, 1.0, 1.0, 5.0)
    >>> next_interval(0.25, -1)
    0.25
    """
    beyond = [each for each in INTERVALS_S if (each - interval_s) * step > 0]
    if not beyond:
        return interval_s
    return min(beyond) if step > 0 else max(beyond)


class OwnCpu:
    """What opsdash itself costs: its CPU time over the last ten seconds, as a share of one core."""

    _SPAN_S = 10.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mark = (clock.mono_s(), clock.cpu_s())
        self.ratio: float | None = None
        """None until the first span is over."""

    def tick(self) -> None:
        """Take a new figure when the span is over."""
        now, cpu = self._clock.mono_s(), self._clock.cpu_s()
        if now - self._mark[0] >= self._SPAN_S:
            self.ratio = (cpu - self._mark[1]) / (now - self._mark[0])
            self._mark = (now, cpu)


class Watch:
    """One watch over the targets: what was seen, what is wrong, and the door to actions."""

    def __init__(
        self, targets: Sequence[Target], gateway: Gateway, clock: Clock, *, notes: Sequence[str] = ()
    ) -> None:
        self.clock = clock
        self.feed = Feed(targets)
        self.gateway = gateway
        self.notes = tuple(notes)
        """What discovery found and skipped."""
        self.findings: tuple[Finding, ...] = ()
        self.own_cpu = OwnCpu(clock)
        self._supervisor: Supervisor | None = None
        self._known: Known = {}

    async def start(self) -> None:
        """Begin to read. Client libraries are imported here, after the first paint, off the event loop."""

        def collectors() -> list[Any]:
            return [make_collector(target, self.clock) for target in self.feed.targets]

        made = await call_in_thread(collectors, key="import collectors", timeout_s=_IMPORT_DEADLINE_S)
        self._supervisor = Supervisor(made, self.feed, self.clock)
        self._supervisor.start()
        for target, error in (await self.gateway.open()).items():
            log.warning("no action connection to %s: %s", target, error)

    async def stop(self) -> None:
        """Stop reading and acting; never waits for a target."""
        if self._supervisor is not None:
            await self._supervisor.stop()

    def find(self) -> None:
        """Apply the rules to what the feed holds now."""
        self.findings = find(
            self.feed.views(), now=self.clock.now(), mono_s=self.clock.mono_s(), known=self._known
        )

    def findings_of(self, target: TargetId) -> tuple[Finding, ...]:
        """What is wrong with one target, worst first."""
        return tuple(f for f in self.findings if f.target == target)

    def read_now(self, target: TargetId | None = None) -> None:
        """Read again without waiting for the next turn."""
        if self._supervisor is not None:
            self._supervisor.read_now(target)

    def change_interval(self, target: TargetId | None, step: int) -> str:
        """Read one target, or all of them, more or less often.

        Args:
            target: None: all, each from its own interval on.
            step: 1: the next longer of INTERVALS_S, -1: the next shorter.

        Returns:
            What is so from now on, for people.
        """
        views = [view for view in self.feed.views() if target in (None, view.target.id)]
        for view in views:
            self.feed.set_interval(view.target.id, next_interval(view.target.interval_s, step))
        self.read_now(target)
        now = sorted({self.feed.view(view.target.id).target.interval_s for view in views})
        spans = f"{now[0]:g} s" if len(now) == 1 else f"{now[0]:g} to {now[-1]:g} s"
        return f"{target.name if target else plural(len(views), 'target')}: read every {spans}"

    def look_at(self, target: TargetId, visible: tuple[str, ...], opened: str | None = None) -> None:
        """Say which things of a target are on the screen: what they cost is read only for those."""
        if self._supervisor is not None:
            self._supervisor.look_at(target, visible, opened)

    def cost(self, target: TargetId) -> Cost | None:
        """What a target had to do for opsdash in the last minute; None when it was not read yet."""
        return self._supervisor.costs.cost(target) if self._supervisor is not None else None

    def log_sources(self) -> tuple[LogSource, ...]:
        """Every source of lines of all targets; empty until reading begins."""
        return self._supervisor.log_sources() if self._supervisor is not None else ()
