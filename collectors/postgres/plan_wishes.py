"""Tables that a plan reads whole to join them to a few rows, or to sort them for the first few. Pure."""

import re
from collections.abc import Iterator, Mapping

import msgspec

from opsdash.collectors.format import plural
from opsdash.collectors.postgres.plan import Plan, PlanNode
from opsdash.collectors.postgres.plan_scans import Scan
from opsdash.collectors.postgres.plan_terms import column_of, comparison, conjuncts, quoted

_FEW = 0.01
"""Share of a table's rows up to which looking each up by an index is surely less than reading all."""
_PASSED_ON = ("Hash", "Gather", "Gather Merge", "Sort", "Incremental Sort", "Materialize")
_WAY = re.compile(r"(?: DESC)?(?: NULLS (?:FIRST|LAST))?$")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An index that would spare the reading of a whole table."""

    scan: Scan
    key: str
    """What it is on, as CREATE INDEX takes it."""
    first: str
    """Its first column."""
    why: str


def wishes(plan: Plan, scans: tuple[Scan, ...]) -> Iterator[Wish]:
    """One for each table that is read whole without a filter, and need not be."""
    unfiltered = {id(s.node): s for s in scans if not s.partitions and not s.node.condition("Filter")}
    for node in plan.nodes():
        if node.kind in ("Hash Join", "Merge Join") and len(node.children) == 2:
            yield from _joined(node, unfiltered)
        elif node.kind == "Limit":
            yield from _sorted(node, unfiltered)


def _joined(node: PlanNode, unfiltered: Mapping[int, Scan]) -> Iterator[Wish]:
    """Only of an inner join: of others one side is read whole in any case."""
    if node.label.removeprefix("Parallel ") != node.kind:
        return
    condition = node.condition("Hash Cond") or node.condition("Merge Cond") or ""
    for side, other in (node.children, node.children[::-1]):
        scan = unfiltered.get(id(_source(side)))
        if scan is None or other.rows > _FEW * (scan.relation.rows or 0):
            continue
        column = _joined_by(condition, scan)
        if column is not None:
            why = f"is read whole to be joined to {plural(round(other.rows), 'row')} by {column}"
            yield Wish(scan=scan, key=column, first=column, why=why)


def _joined_by(condition: str, scan: Scan) -> str | None:
    """The column of a table by which it is joined; None where it is computed."""
    for part in conjuncts(condition):
        found = comparison(part)
        for text in (found.left, found.right) if found is not None else ():
            column = column_of(text, scan.node.alias or "")
            if column is not None and not scan.relation.computes(*column):
                return column[0]
    return None


def _sorted(limit: PlanNode, unfiltered: Mapping[int, Scan]) -> Iterator[Wish]:
    """Where a limit takes the first rows of a sorted table."""
    node = limit
    while len(node.children) == 1 and node.kind in ("Limit", "Gather Merge", "Gather"):
        node = node.children[0]
    scan = unfiltered.get(id(_source(node)))
    if node.kind != "Sort" or scan is None or limit.rows > _FEW * (scan.relation.rows or 0):
        return
    keys = [_key(text, scan.node.alias or "") for text in (node.condition("Sort Key") or "").split(", ")]
    if all(keys):
        why = f"is read whole and sorted for its first {plural(round(limit.rows), 'row')}"
        named = [key for key in keys if key]
        yield Wish(scan=scan, key=", ".join(named), first=_WAY.sub("", named[0]), why=why)


def _key(text: str, alias: str) -> str | None:
    """A sort key without its table's name; None where it is no plain column."""
    lead = f"{quoted(alias)}."
    column = text.removeprefix(lead)
    is_plain = text.startswith(lead) and column_of(lead + _WAY.sub("", column), alias) is not None
    return column if is_plain else None


def _source(node: PlanNode) -> PlanNode:
    """What a step gets its rows from, past steps that only pass them on."""
    while len(node.children) == 1 and node.kind in _PASSED_ON:
        node = node.children[0]
    return node
