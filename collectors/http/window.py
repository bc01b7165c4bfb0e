"""Figures over the last probes. Pure."""

import math
from collections.abc import Sequence

import msgspec


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Figures over the last probes; those of a latency are over the answered ones."""

    probes: int
    span_s: float
    """From the first probe's end to the last one's."""
    failed: int
    answered: int
    p50_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None
    worst_s: float | None = None

    @property
    def error_ratio(self) -> float | None:
        """Share of probes that failed; None when there is none."""
        return self.failed / self.probes if self.probes else None


def window(latencies_s: Sequence[float | None], *, failed: int, span_s: float) -> Window:
    """Build the figures.

    Args:
        latencies_s: One per probe; None where it was not answered.
        failed: How many of the probes failed.
        span_s: The time they are spread over.
    """
    known = sorted(seconds for seconds in latencies_s if seconds is not None)
    return Window(
        probes=len(latencies_s),
        span_s=span_s,
        failed=failed,
        answered=len(known),
        p50_s=percentile(known, 0.50),
        p95_s=percentile(known, 0.95),
        p99_s=percentile(known, 0.99),
        worst_s=known[-1] if known else None,
    )


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of all values do not exceed (nearest rank).

    A value that was really measured, never one in between; None when there is none.

    >>> percentile([], 0.95) is None, percentile([0.2], 0.95)
    (True, 0.2)
    >>> percentile(range(1, 101), 0.95), percentile(range(1, 101), 0.5), percentile([1, 2, 3, 4], 0.5)
    (95, 50, 2)
    """
    if not ordered:
        return None
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]
