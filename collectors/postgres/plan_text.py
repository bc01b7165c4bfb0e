"""A plan as plain lines, for records and for what has no screen. Pure."""

from collections.abc import Iterator

from opsdash.collectors.format import duration, number, size
from opsdash.collectors.postgres.plan import Plan, PlanNode, StepWork

MOST = 60
"""Steps that are told."""
FAR_OFF = 10
"""An estimate that is this many times too low makes for wrong plans."""
_MANY_ROWS = 1000


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
    parts = [
        f"{name}  {duration(node.actual_ms / 1000)}",
        f"rows {number(node.actual_rows)}, {number(node.expected_rows)} expected",
        *(_work_told(node.work) if node.work is not None else ()),
    ]
    return ", ".join(parts)


def _work_told(work: StepWork) -> Iterator[str]:
    if work.rows_removed:
        yield f"{number(work.rows_removed)} thrown away"
    if work.shared_hit_blocks or work.shared_read_blocks:
        yield f"blocks {number(work.shared_hit_blocks)} hit, {number(work.shared_read_blocks)} read"
    if work.temp_blocks:
        yield f"{number(work.temp_blocks)} temporary"
    if work.disk_bytes:
        yield f"{size(work.disk_bytes)} on disk: more than work_mem"
    if work.hash_batches > 1:
        yield f"{work.hash_batches} batches: more than work_mem"


def misjudged(plan: Plan) -> PlanNode | None:
    """The step that gave far more rows than expected; fewer may only mean that it was stopped early.

    None: there is no such step.
    """
    worst = max(_all(plan.root), key=_times_more)
    return worst if _times_more(worst) >= FAR_OFF else None


def _times_more(node: PlanNode) -> float:
    found = node.actual_rows or 0.0
    return found / max(node.expected_rows or 0.0, 1.0) if found >= _MANY_ROWS else 0.0
