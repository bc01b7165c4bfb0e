"""A plan as plain lines, for records and for what has no screen. Pure."""

from collections.abc import Iterator

from opsdash.collectors.format import duration, number
from opsdash.collectors.postgres.plan import Plan, PlanNode

MOST = 60
"""Steps that are told."""


def outline(plan: Plan) -> tuple[str, ...]:
    """One line for each step: what it does, and what it took where it was executed."""
    lines = [f"{prefix}{_told(node)}" for prefix, node in _steps(plan.root)]
    left_out = len(lines) - MOST
    return (*lines[:MOST], f"… and {left_out} more steps") if left_out > 0 else tuple(lines)


def slowest(plan: Plan) -> PlanNode:
    """The step that itself took most of the time; of a plan that was not executed, its top."""
    return max(_all(plan.root), key=own_ms)


def own_ms(node: PlanNode) -> float:
    """What a step took without its inputs."""
    return max((node.actual_ms or 0.0) - sum(child.actual_ms or 0.0 for child in node.children), 0.0)


def _all(root: PlanNode) -> Iterator[PlanNode]:
    return (node for _, node in _steps(root))


def _steps(root: PlanNode) -> Iterator[tuple[str, PlanNode]]:
    stack = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        yield "  " * depth + ("└ " if depth else ""), node
        stack.extend((child, depth + 1) for child in reversed(node.children))


def _told(node: PlanNode) -> str:
    name = f"{node.subplan}: {node.label}" if node.subplan else node.label
    if node.actual_ms is None:
        return f"{name}  cost {number(node.total_cost)}, rows {number(node.rows)} expected"
    return f"{name}  {duration(node.actual_ms / 1000)}, rows {number(node.actual_rows)}"
