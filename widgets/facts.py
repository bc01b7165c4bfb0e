"""What is known of one thing, as labelled lines. Pure."""

from collections.abc import Iterable

from opsdash.widgets.lines import Line, labelled
from opsdash.widgets.status import Tone

Fact = tuple[str, str, Tone]
"""Label, text, tone. Without a label it goes on with the one above."""


def fact_lines(facts: Iterable[Fact], width: int, *, indent: int = 11) -> tuple[Line, ...]:
    """Facts below each other, wrapped.

    >>> fact_lines([("limits", "none", Tone.NORMAL)], 40, indent=8)
    ((('limits  ', <Tone.MUTED: 'muted'>), ('none', <Tone.NORMAL: 'normal'>)),)

    Args:
        facts: In their order.
        width: Cells to wrap at.
        indent: Cells for the labels.
    """
    return tuple(
        line
        for label, text, tone in facts
        for line in labelled(label, text, width=width, indent=indent, tone=tone)
    )
