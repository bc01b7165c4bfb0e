"""The names of the views of a server on a line that may be too short for them."""

from collections.abc import Mapping

from opsdash.tui.screens.one_target import tabs
from opsdash.widgets.lines import Line, line_width


def fitting_tabs(views: tuple[str, ...], chosen: str, counts: Mapping[str, str], width: int) -> Line:
    """As `tabs`; where the line is short without the counts of the others, then from a later view on.

    The one that is open is always among them.

    >>> from opsdash.widgets.lines import span_text
    >>> views, counts = ("sessions", "blocked", "databases"), {"sessions": "16", "databases": "4"}
    >>> ["".join(map(span_text, fitting_tabs(views, "databases", counts, w))).rstrip() for w in (45, 35, 25)]
    [' sessions 16   blocked  [databases 4]', ' sessions   blocked  [databases 4]', ' blocked  [databases 4]']
    """
    line = tabs(views, chosen, counts)
    if line_width(line) > width + 1:
        line = tabs(views, chosen, {name: count for name, count in counts.items() if name == chosen})
    left = views
    while line_width(line) > width + 1 and left[0] != chosen:
        left, line = left[1:], line[2:]
    return line
