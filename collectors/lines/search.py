"""The next line of a timeline that has something, in either direction, found slice by slice."""

from collections.abc import Sequence
from typing import Protocol

from opsdash.collectors.clock import Clock
from opsdash.collectors.lines.filter import Filter, keeps
from opsdash.collectors.lines.merge import Lane, Position, Timeline
from opsdash.collectors.lines.record import Level
from opsdash.collectors.lines.source_lines import LineRef, SourceLines

SLICE_LINES = 2048
"""Looked through at a time."""


class Wanted(Protocol):
    """What is looked for."""

    def among(self, lines: SourceLines, first: int, end: int) -> Sequence[int]:
        """The numbers of the lines that have it, from `first` up to but not including `end`."""


class WithText:
    """Lines that meet a filter's condition on their text."""

    def __init__(self, looked_for: Filter) -> None:
        self._keep = keeps((looked_for,))

    def among(self, lines: SourceLines, first: int, end: int) -> Sequence[int]:
        """By the bytes of each line."""
        return [first + place for place in self._keep(lines.buffer.lines(first, end))]


class WithLevel:
    """Lines that say at least a level; what continues such a line says none."""

    def __init__(self, level: Level) -> None:
        self._level = level

    def among(self, lines: SourceLines, first: int, end: int) -> Sequence[int]:
        """By their level."""
        raws = lines.buffer.lines(first, end)
        found = lines.at_least(self._level, range(first, end), raws)
        return [first + place for place in found if not lines.continues(first + place)]


class _Seeker:
    """Goes through one lane in one direction."""

    def __init__(self, lane: Lane, start: int, wanted: Wanted, *, forward: bool) -> None:
        self._lane = lane
        self._wanted = wanted
        self._forward = forward
        self.next = start
        """The edge of what was looked through: its first line not looked at is here, or just above."""
        self.found: int | None = None

    @property
    def is_done(self) -> bool:
        """Whether it has found one, or there is none."""
        return self.found is not None or self.edge is None

    @property
    def edge(self) -> int | None:
        """The nearest shown line not looked at yet; None when there is none."""
        return self._lane.at_or_after(self.next) if self._forward else self._lane.before(self.next)

    def step(self) -> None:
        """Look through a slice."""
        edge, buffer = self.edge, self._lane.lines.buffer
        if edge is None:
            return
        if self._forward:
            first, end = edge, min(edge + SLICE_LINES, buffer.end)
        else:
            first, end = max(edge + 1 - SLICE_LINES, buffer.first), edge + 1
        hits = self._wanted.among(self._lane.lines, first, end)
        shown = (
            hit for hit in (hits if self._forward else reversed(hits)) if self._lane.at_or_after(hit) == hit
        )
        self.found = next(shown, None)
        self.next = end if self._forward else first


class Search:
    """Looks for the nearest line; `work` until `is_done`."""

    def __init__(self, timeline: Timeline, start: Position, wanted: Wanted, *, forward: bool) -> None:
        """Args: where to look, from which place, for what, and whether downward."""
        self._timeline = timeline
        self._forward = forward
        self._best = min if forward else max
        self._seekers = [
            _Seeker(lane, number, wanted, forward=forward)
            for lane, number in zip(timeline.lanes, start, strict=True)
        ]

    @property
    def is_done(self) -> bool:
        """Whether the nearest one is known, or that there is none."""
        return self._due() is None

    @property
    def found(self) -> LineRef | None:
        """The nearest one so far."""
        refs = [
            LineRef(lane.lines, seeker.found)
            for lane, seeker in zip(self._timeline.lanes, self._seekers, strict=True)
            if seeker.found is not None
        ]
        return self._best(refs, key=self._timeline.order, default=None)

    def work(self, clock: Clock, budget_s: float) -> bool:
        """Look on for about so many seconds. Returns whether it is done."""
        until = clock.mono_s() + budget_s
        while True:
            due = self._due()
            if due is None:
                return True
            due.step()
            if clock.mono_s() >= until:
                return self.is_done

    def _due(self) -> _Seeker | None:
        """The lane whose lines not looked at are nearest, unless what was found is nearer than those."""
        open_ones = [
            (self._timeline.order(LineRef(lane.lines, edge)), seeker)
            for lane, seeker in zip(self._timeline.lanes, self._seekers, strict=True)
            if seeker.found is None and (edge := seeker.edge) is not None
        ]
        if not open_ones:
            return None
        order, seeker = self._best(open_ones, key=lambda pair: pair[0])
        found = self.found
        if found is not None and self._best(order, self._timeline.order(found)) != order:
            return None
        return seeker
