"""What opsdash costs each target: how often it is asked, and how long it takes to answer."""

from collections import Counter, deque

import msgspec

from opsdash.collectors.target import TargetId

SPAN_S = 60.0
"""The time over which costs are told."""

_asked: Counter[TargetId] = Counter()


def count(target: TargetId, requests: int = 1) -> None:
    """Note that a target was asked: statements, commands, requests. Every client says so, actions' too."""
    _asked[target] += requests


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one target had to do for us lately."""

    reads: int
    requests: int
    waited_s: float
    """From asking to the answer, all reads together: the target's own time and the network's."""
    span_s: float
    """The time that this is over: a minute, less in the beginning."""


class CostBook:
    """The reads of the last minute, by target."""

    def __init__(self) -> None:
        self._reads: dict[TargetId, deque[tuple[float, float, int]]] = {}

    def note(self, target: TargetId, mono_s: float, took_s: float) -> None:
        """A read has ended."""
        reads = self._reads.setdefault(target, deque([(mono_s - took_s, 0.0, 0)]))
        reads.append((mono_s, took_s, _asked[target]))
        while len(reads) > 2 and reads[1][0] < mono_s - SPAN_S:
            reads.popleft()

    def cost(self, target: TargetId) -> Cost | None:
        """What was noted over the last minute; None before the first read."""
        reads = self._reads.get(target)
        if reads is None:
            return None
        first, *others = reads
        return Cost(
            reads=len(others),
            requests=reads[-1][2] - first[2],
            waited_s=sum(took_s for _, took_s, _ in others),
            span_s=reads[-1][0] - first[0],
        )
