"""A plan drawn as a tree: each step with its cost and rows, the costliest one marked. Pure."""

from collections.abc import Iterator

from rich.cells import cell_len

from opsdash.collectors.format import duration, number, percent
from opsdash.collectors.postgres.plan import Plan, PlanNode
from opsdash.widgets.cells import cut
from opsdash.widgets.lines import Line, Span
from opsdash.widgets.status import Tone

MOST = 200
"""Steps that are drawn; a plan over a thousand partitions says the same again and again."""
_FIGURE = 9
_WIDE = 64
"""From this width on there is room for cost and rows in columns of their own."""


def plan_lines(plan: Plan, width: int) -> tuple[Line, ...]:
    """The heading, then the steps from the top, their conditions below them where there is room."""
    was_run = plan.root.actual_ms is not None
    steps = list(_steps(plan.root, "", ""))
    heads = ("cost", "rows", *(("time", "got") if was_run else ()))
    columns = "".join(f"{head:>{_FIGURE}}" for head in heads)
    lines: list[Line] = []
    if width >= _WIDE:
        lines.append(((" " * (width - len(columns)) + columns, Tone.MUTED),))
    costliest = plan.costliest
    for prefix, below, node in steps[:MOST]:
        lines.append(_step(prefix, node, width, node is costliest and len(steps) > 1))
        lines += _conditions(below, node, width)
    if len(steps) > MOST:
        lines.append(((f"… and {len(steps) - MOST} more steps", Tone.MUTED),))
    return tuple(lines)


def _steps(node: PlanNode, prefix: str, below: str) -> Iterator[tuple[str, str, PlanNode]]:
    """(what stands before its name, what stands before what belongs below it, step), from the top."""
    stack = [(node, prefix, below)]
    while stack:
        node, prefix, below = stack.pop()
        yield prefix, below, node
        for index, child in reversed(list(enumerate(node.children))):
            is_last = index == len(node.children) - 1
            stack.append((child, below + ("└ " if is_last else "├ "), below + ("  " if is_last else "│ ")))


def _step(prefix: str, node: PlanNode, width: int, is_costliest: bool) -> Line:
    name = f"{node.subplan}: {node.label}" if node.subplan else node.label
    mark = f"  ◀ {percent(node.share)} of cost" if is_costliest else ""
    cells = [number(node.total_cost), number(node.rows)]
    if node.actual_ms is not None:
        cells += [duration(node.actual_ms / 1000), number(node.actual_rows)]
    if width < _WIDE:
        figures = f"  cost {cells[0]}, rows {cells[1]}"
    else:
        figures = "".join(f"{cell:>{_FIGURE}}" for cell in cells)
    room = width - cell_len(prefix) - len(mark) - len(figures)
    shown = cut(name, max(room, 8))
    gap = " " * max(room - cell_len(shown), 0) if width >= _WIDE else ""
    tone = Tone.WARN if is_costliest else Tone.NORMAL
    spans: tuple[Span, ...] = ((prefix, Tone.MUTED), (shown, tone), (mark, Tone.WARN), gap, figures)
    return tuple(span for span in spans if span not in ("", ("", Tone.WARN), ("", Tone.MUTED)))


def _conditions(below: str, node: PlanNode, width: int) -> Iterator[Line]:
    lead = below + ("│   " if node.children else "    ")
    for word, expression in node.conditions:
        text = cut(f"{word.lower()} {expression}", max(width - cell_len(lead), 8))
        yield ((lead, Tone.MUTED), (text, Tone.MUTED))
    if node.subplans_removed:
        yield ((lead, Tone.MUTED), (f"{node.subplans_removed} partitions left out", Tone.MUTED))
