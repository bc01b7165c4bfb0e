"""The plan of a statement as the server explains it, made into a tree. Pure; conditions are masked."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from opsdash.collectors.postgres.mask import mask
from opsdash.collectors.text import one_line

_CONDITIONS = (
    "Index Cond",
    "Recheck Cond",
    "TID Cond",
    "Hash Cond",
    "Merge Cond",
    "Join Filter",
    "Filter",
    "One-Time Filter",
    "Order By",
    "Sort Key",
    "Group Key",
)
"""What a node says of the rows that it takes or how it puts them, in the order shown."""

_REMOVED_BY = ("Filter", "Join Filter", "Index Recheck")

_STRATEGIES = {"Sorted": "GroupAggregate", "Hashed": "HashAggregate", "Mixed": "MixedAggregate"}


class StepWork(msgspec.Struct, frozen=True, kw_only=True):
    """What a step that was executed did besides giving rows; blocks with those of its inputs."""

    rows_removed: float = 0
    """Read and thrown away, by its own conditions; of all executions."""
    shared_hit_blocks: int = 0
    shared_read_blocks: int = 0
    temp_blocks: int = 0
    """Read and written."""
    disk_bytes: int = 0
    """Of its own sort or hash that did not fit into work_mem."""
    hash_batches: int = 1
    """More than one: the hash did not fit into work_mem."""


class PlanNode(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a plan."""

    kind: str
    """The server's "Node Type"."""
    label: str
    """As EXPLAIN writes it in text: "Index Scan using stock_pkey on public.stock s"."""
    subplan: str | None = None
    """"InitPlan 1", "CTE recent": what the step belongs to, where it is not an ordinary input."""
    schema: str | None = None
    relation: str | None = None
    alias: str | None = None
    total_cost: float
    """In the planner's units; of one execution of the step."""
    rows: float
    """How many the planner expects of one execution."""
    share: float
    """The step's own part of the plan's whole cost, 0 to 1, without its inputs."""
    conditions: tuple[tuple[str, str], ...] = ()
    """(word, expression), literals masked."""
    actual_ms: float | None = None
    """Of all executions, with its inputs; of those in parallel the mean. None unless it was executed."""
    actual_rows: float | None = None
    """Of all executions."""
    expected_rows: float | None = None
    """How many the planner expected of as many executions; None unless it was executed."""
    work: StepWork | None = None
    """None likewise."""
    subplans_removed: int = 0
    """Partitions that were left out before the plan began."""
    children: tuple["PlanNode", ...] = ()

    def condition(self, word: str) -> str | None:
        """One of its conditions; None when it has no such."""
        return dict(self.conditions).get(word)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A whole plan."""

    root: PlanNode

    def nodes(self) -> Iterator[PlanNode]:
        """All steps, from the top, depth first."""
        stack = [self.root]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))

    @property
    def costliest(self) -> PlanNode:
        """The step with the largest cost of its own."""
        return max(self.nodes(), key=lambda node: node.share)


def plan_of(answer: Mapping[str, Any]) -> Plan:
    """The tree of one element of `EXPLAIN (FORMAT JSON, VERBOSE)`.

    A step's cost contains its inputs', but a Limit stops them early and a Nested Loop repeats one of them: so
    each step's cost is shared out among its inputs, and what is left is its own. All shares add up to 1.

    Raises:
        KeyError: It is not a plan.
        RecursionError: It is nested too deeply to be drawn.
    """
    top = answer["Plan"]
    whole = float(top["Total Cost"])
    return Plan(root=_node(top, whole, whole, 1))


def _node(raw: Mapping[str, Any], budget: float, whole: float, processes: int) -> PlanNode:
    inputs: Sequence[Mapping[str, Any]] = raw.get("Plans", ())
    wanted = _input_costs(raw, inputs)
    scale = min(1.0, budget / sum(wanted)) if sum(wanted) > 0 else 1.0
    budgets = [cost * scale for cost in wanted]
    own = max(budget - sum(budgets), 0.0)
    loops = float(raw.get("Actual Loops", 1))
    ran = "Actual Total Time" in raw
    below = processes
    if raw["Node Type"] in ("Gather", "Gather Merge"):
        below = int(raw.get("Workers Launched", 0)) + 1
    return PlanNode(
        kind=one_line(raw["Node Type"]),
        label=_label(raw),
        subplan=one_line(raw["Subplan Name"]) if "Subplan Name" in raw else None,
        schema=raw.get("Schema"),
        relation=raw.get("Relation Name"),
        alias=raw.get("Alias"),
        total_cost=float(raw["Total Cost"]),
        rows=float(raw["Plan Rows"]),
        share=own / whole if whole > 0 else 0.0,
        conditions=tuple(_conditions(raw)),
        actual_ms=float(raw["Actual Total Time"]) * loops / processes if ran else None,
        actual_rows=float(round(raw["Actual Rows"] * loops)) if ran else None,
        expected_rows=float(raw["Plan Rows"]) * loops / processes * _shares(processes) if ran else None,
        work=_work(raw, loops) if ran else None,
        subplans_removed=int(raw.get("Subplans Removed", 0)),
        children=tuple(_node(part, cost, whole, below) for part, cost in zip(inputs, budgets, strict=True)),
    )


def _shares(processes: int) -> float:
    """By how many the planner divides the rows of a parallel step: the leader has others to look after.

    >>> [_shares(processes) for processes in (1, 2, 3, 6)]
    [1.0, 1.7, 2.4, 5.0]
    """
    workers = processes - 1
    return workers + max(1 - 0.3 * workers, 0.0)


def _work(raw: Mapping[str, Any], loops: float) -> StepWork:
    """What EXPLAIN (ANALYZE, BUFFERS) says of a step: rows removed are those of one execution."""
    on_disk = raw["Sort Space Used"] if raw.get("Sort Space Type") == "Disk" else raw.get("Disk Usage", 0)
    return StepWork(
        rows_removed=sum(float(raw.get(f"Rows Removed by {by}", 0)) for by in _REMOVED_BY) * loops,
        shared_hit_blocks=int(raw.get("Shared Hit Blocks", 0)),
        shared_read_blocks=int(raw.get("Shared Read Blocks", 0)),
        temp_blocks=int(raw.get("Temp Read Blocks", 0)) + int(raw.get("Temp Written Blocks", 0)),
        disk_bytes=int(on_disk) * 1024,
        hash_batches=int(raw.get("Hash Batches", 1)),
    )


def _input_costs(raw: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]]) -> list[float]:
    """What each input costs in all its executions, as far as the plan tells."""
    costs = [float(part["Total Cost"]) for part in inputs]
    if raw["Node Type"] == "Nested Loop" and len(inputs) >= 2 and inputs[1]["Node Type"] != "Materialize":
        costs[1] *= max(float(inputs[0]["Plan Rows"]), 1.0)
    return costs


def _conditions(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for word in _CONDITIONS:
        value = raw.get(word)
        if value:
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            yield word, mask(text)


def _label(raw: Mapping[str, Any]) -> str:
    """A step in words, as EXPLAIN's text form has it.

    >>> _label({"Node Type": "Hash Join", "Join Type": "Left"}), _label({"Node Type": "Limit"})
    ('Hash Left Join', 'Limit')
    >>> _label({"Node Type": "ModifyTable", "Operation": "Delete", "Relation Name": "t", "Schema": "public"})
    'Delete on public.t'
    """
    kind = raw["Node Type"]
    if kind == "ModifyTable":
        kind = raw.get("Operation", kind)
    elif kind == "Aggregate":
        kind = _STRATEGIES.get(raw.get("Strategy", ""), kind)
    elif raw.get("Join Type", "Inner") != "Inner":
        kind = f"{kind.removesuffix(' Join')} {raw['Join Type']} Join"
    words = [f"Parallel {kind}" if raw.get("Parallel Aware") else kind]
    if "Index Name" in raw:
        words.append(f"using {raw['Index Name']}")
    name = raw.get("Relation Name") or raw.get("CTE Name") or raw.get("Function Name")
    if name:
        words.append(f"on {raw['Schema']}.{name}" if "Schema" in raw else f"on {name}")
        if raw.get("Alias", name) != name:
            words.append(raw["Alias"])
    return one_line(" ".join(words))
