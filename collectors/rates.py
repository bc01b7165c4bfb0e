"""Counters turned into rates. Pure; whatever cannot be known is None."""


def per_second(before: float | None, after: float | None, span_s: float | None) -> float | None:
    """The rate of a counter over a span of time.

    A counter that went down was reset, and a span of nothing has no rate: both give None, never 0.

    >>> per_second(30, 10, 2.0) is None
    True
    >>> per_second(10, 30, 0.0) is None
    True
    >>> per_second(None, 30, 2.0) is None
    True
    >>> per_second(10, 30, 2.0)
    10.0
    """
    if before is None or after is None or span_s is None or span_s <= 0 or after < before:
        return None
    return (after - before) / span_s


def share(part: float | None, rest: float | None) -> float | None:
    """`part` of `part + rest` as a ratio of 0 to 1; None when both are nothing.

    >>> share(99, 1), share(0, 0), share(None, 1)
    (0.99, None, None)
    """
    if part is None or rest is None or part + rest <= 0:
        return None
    return part / (part + rest)
