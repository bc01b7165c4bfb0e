"""Which format a source writes."""

from collections.abc import Sequence

from opsdash.collectors.lines.multiline import is_continuation
from opsdash.collectors.lines.parse import read_line
from opsdash.collectors.lines.record import Format

__all__ = ["Format", "recognise"]

_SAMPLE = 50
"""Lines that a format is recognised by."""


def recognise(sample: Sequence[bytes]) -> Format:
    """The format of a source by some of its lines, best its newest: the one that most of them have.

    Args:
        sample: Lines without their newlines; of many, the last fifty count.
    """
    heads = [raw for raw in sample[-_SAMPLE:] if not is_continuation(raw, None)]
    if not heads:
        return Format.PLAIN
    counts: dict[Format, int] = {}
    for raw in heads:
        read = Format(read_line(raw, near=0.0).format)
        counts[read] = counts.get(read, 0) + 1
    most = max(counts, key=lambda format: counts[format])
    return most if counts[most] * 2 > len(heads) else Format.PLAIN
