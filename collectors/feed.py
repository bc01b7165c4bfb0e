"""The latest snapshot per target and a bounded history: the only door from collectors to everything else."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import msgspec

from opsdash.collectors.snapshot import Failure, Snapshot
from opsdash.collectors.target import Target, TargetId

HISTORY = 180
"""Points kept per target: six minutes at two seconds."""


@runtime_checkable
class Measured(Protocol):
    """Data that has figures worth a history (rates, counts)."""

    def measures(self) -> Mapping[str, float | None]:
        """Named figures of this moment; None is unknown and leaves a gap."""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """The measures of one reading."""

    mono_s: float
    values: Mapping[str, float | None]


class TargetView(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """All that the feed holds of one target, as one value: what rules and panels are functions of."""

    target: Target
    latest: Snapshot[Any] | None = None
    """The newest reading, failed or not; None before the first."""
    good: Snapshot[Any] | None = None
    """The newest reading that has data: what is shown, with its age, while reads fail."""
    failing_since: datetime | None = None
    """When the first of the present run of failed reads was taken; None while reads work."""
    failures: int = 0
    """Failed reads in a row."""
    reads: int = 0
    """Readings since opsdash began to watch."""
    points: tuple[Point, ...] = ()
    """History of measures, oldest first."""

    @property
    def data(self) -> Any:
        """The kind's data of the newest good reading; None when there is none."""
        return self.good.data if self.good else None

    @property
    def failure(self) -> Failure | None:
        """Why the newest reading failed; None when it did not, or there is none."""
        return self.latest.failure if self.latest else None

    def age_s(self, now_mono_s: float) -> float | None:
        """Seconds since the data shown was read; None when there is none."""
        return None if self.good is None else max(0.0, now_mono_s - self.good.taken_mono_s)

    def is_stale(self, now_mono_s: float) -> bool:
        """Whether the data shown is older than it should be: reads fail, or one is overdue."""
        age = self.age_s(now_mono_s)
        if age is None or self.good is None:
            return False
        # a target that answers slowly is not stale while the next answer takes as long as the last one did
        return self.failures > 0 or age > 2 * self.target.interval_s + self.good.took_s + 1.0

    def series(self, name: str, newest: int = HISTORY) -> tuple[float | None, ...]:
        """The history of one measure, or its `newest` values, oldest first."""
        return tuple([point.values.get(name) for point in self.points[-newest:]])


class Feed:
    """Holds what the collectors saw. Not thread-safe: everything runs on one event loop."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._views: dict[TargetId, TargetView] = {t.id: TargetView(target=t) for t in targets}
        self._points: dict[TargetId, deque[Point]] = {i: deque(maxlen=HISTORY) for i in self._views}
        self._listeners: list[Callable[[TargetId], None]] = []

    @property
    def targets(self) -> tuple[Target, ...]:
        """All targets, in the order of the configuration."""
        return tuple(view.target for view in self._views.values())

    def view(self, target: TargetId) -> TargetView:
        """What is held of `target`. Raises KeyError for a target that is not watched."""
        return self._views[target]

    def views(self, kind: str | None = None) -> tuple[TargetView, ...]:
        """All views, or those of one kind, in the order of the configuration."""
        return tuple(v for v in self._views.values() if kind is None or v.target.id.kind == kind)

    def on_change(self, listener: Callable[[TargetId], None]) -> None:
        """Call `listener` with the target's id after each reading that brought another value."""
        self._listeners.append(listener)

    def hold(self, view: TargetView) -> None:
        """Take over what another feed holds of a target."""
        self._views[view.target.id] = view

    def set_interval(self, target: TargetId, interval_s: float) -> None:
        """From now on `target` is read, and expected to be read, every `interval_s` seconds."""
        view = self._views[target]
        changed = msgspec.structs.replace(view.target, interval_s=interval_s)
        self._views[target] = msgspec.structs.replace(view, target=changed)

    def push(self, snapshot: Snapshot[Any]) -> bool:
        """Take in a reading.

        Returns:
            False when it is older than the one held: it came late, and was dropped.
        """
        view = self._views[snapshot.target]
        if view.latest is not None and snapshot.sequence <= view.latest.sequence:
            return False
        failed = snapshot.failure is not None
        is_news = failed or view.latest is None or snapshot.data is not view.latest.data
        if not failed and isinstance(snapshot.data, Measured):
            self._points[snapshot.target].append(
                Point(mono_s=snapshot.taken_mono_s, values=snapshot.data.measures())
            )
        self._views[snapshot.target] = TargetView(
            target=view.target,
            latest=snapshot,
            good=view.good if failed else snapshot,
            failing_since=(view.failing_since or snapshot.taken_at) if failed else None,
            failures=view.failures + 1 if failed else 0,
            reads=view.reads + 1,
            points=tuple(self._points[snapshot.target]),
        )
        if is_news:  # a collector that gives the same value again says that only its age is another
            for listener in self._listeners:
                listener(snapshot.target)
        return True
