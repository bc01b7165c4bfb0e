"""Bars and sparklines out of block characters. Pure."""

from collections.abc import Sequence

_EIGHTHS = "  ▎▍▌▋▊▉█"  # one eighth is left out: it looks like the closing mark
_LEVELS = "▁▂▃▄▅▆▇█"


def bar(ratio: float | None, width: int) -> str:
    """A bar of `width` cells between two marks; unknown is drawn as dots, never as empty.

    >>> bar(0.5, 4), bar(1.7, 4), bar(None, 4)
    ('▕██  ▏', '▕████▏', '▕····▏')
    """
    if ratio is None:
        return "▕" + "·" * width + "▏"
    eighths = round(min(max(ratio, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    body = "█" * full + (_EIGHTHS[rest] if rest else "")
    return "▕" + body.ljust(width) + "▏"


def spark(values: Sequence[float | None], width: int, *, least_top: float = 0.0) -> str:
    """The last `width` values as a sparkline from 0 to their largest; a gap where a value is unknown.

    Args:
        values: Oldest first.
        width: Cells at hand.
        least_top: The scale reaches at least so far, so that small noise stays small.

    >>> spark((0, 1, None, 4), 6), spark((), 3), spark((0.01, 0.02), 3, least_top=0.2)
    ('▁▂ █', '', '▁▁')
    """
    shown = values[-width:]
    top = max([least_top, *[v for v in shown if v is not None]])
    steps = 7.999 / top if top > 0 else 0.0
    return "".join([" " if v is None else _LEVELS[min(int(v * steps), 7)] for v in shown])
