"""The tables that a plan reads from end to end, and what is known of them. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from opsdash.collectors.format import number, size
from opsdash.collectors.postgres.plan import Plan, PlanNode
from opsdash.collectors.postgres.plan_terms import quoted

SMALL_ROWS = 10_000
"""Reading fewer rows than this from the beginning to the end is what a good plan does."""
SMALL_BYTES = 8 * 1024 * 1024
_SAME_INSIDE = frozenset({("character varying", "text"), ("cidr", "inet")})
"""(type, cast): an index on the column serves these, since nothing is computed."""


class IndexFacts(msgspec.Struct, frozen=True):
    """One index of a table."""

    name: str
    first: str
    """Its first column or expression, as the server writes it."""
    method: str
    is_valid: bool
    is_partial: bool


class RelationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One table that a plan reads."""

    schema: str
    name: str
    rows: float | None
    """As of the last ANALYZE or VACUUM; None: there was none."""
    size_bytes: int
    indexes: tuple[IndexFacts, ...] = ()
    distinct: Mapping[str, float] = {}
    """n_distinct by column: below 0 it is a share of the rows. Missing: no statistics, or not visible."""
    types: Mapping[str, str] = {}
    """By column, without length; of a domain the type below it."""
    root: tuple[str, str] | None = None
    """Schema and name of the table of which it is a partition; None: it is none."""

    @property
    def is_large(self) -> bool:
        """Whether reading all of it costs anything worth a word."""
        return (self.rows or 0) >= SMALL_ROWS or self.size_bytes >= SMALL_BYTES

    def computes(self, column: str, cast: str | None) -> bool:
        """Whether taking a column as another type is known to compute it, which no index on it serves."""
        known = self.types.get(column.strip('"'))
        return cast is not None and known is not None and (known, cast) not in _SAME_INSIDE


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """One table read from end to end, or partitions of one that are all asked for the same."""

    node: PlanNode
    """The step; of partitions the costliest, with the rows of all."""
    relation: RelationFacts
    """Of partitions the one they belong to: rows and bytes are sums, all else is of the costliest."""
    partitions: int = 0
    """How many; 0: it is no partitioned table."""

    @property
    def words(self) -> str:
        """What is read, and how much that is."""
        relation, way = self.relation, self.node.kind
        rows = f"{number(relation.rows)} rows" if relation.rows is not None else "never analyzed"
        of = f"{self.partitions} partitions of " if self.partitions > 1 else ""
        way = f"{way} on" if way == "Seq Scan" else f"{way} through all of"
        return f"{way} {of}{relation.name} ({rows}, {size(relation.size_bytes)})"


def whole_reads(plan: Plan) -> Iterator[PlanNode]:
    """The steps that read a whole table, in the order of the table or in that of an index."""
    for node in plan.nodes():
        if node.relation and (
            node.kind == "Seq Scan"
            or (node.kind in ("Index Scan", "Index Only Scan") and not node.condition("Index Cond"))
        ):
            yield node


def scans(plan: Plan, relations: Sequence[RelationFacts]) -> tuple[Scan, ...]:
    """What is read from end to end and is large, the costliest first."""
    facts = {(r.schema, r.name): r for r in relations}
    alike: dict[object, list[tuple[PlanNode, RelationFacts]]] = {}
    for node in sorted(whole_reads(plan), key=lambda n: -n.share):
        relation = facts.get((node.schema or "", node.relation or ""))
        if relation is not None:
            asked = (node.condition("Filter") or "").replace(f"{quoted(node.alias or '')}.", "")
            key = node if relation.root is None else (relation.root, asked)
            alike.setdefault(key, []).append((node, relation))
    found = (_together(parts) for parts in alike.values())
    return tuple(scan for scan in found if scan.relation.is_large)


def _together(parts: Sequence[tuple[PlanNode, RelationFacts]]) -> Scan:
    """Partitions as one; the first is the costliest."""
    node, relation = parts[0]
    if relation.root is None:
        return Scan(node=node, relation=relation)
    rows = [part.rows for _, part in parts if part.rows is not None]
    whole = msgspec.structs.replace(
        relation,
        schema=relation.root[0],
        name=relation.root[1],
        rows=sum(rows) if rows else None,
        size_bytes=sum(part.size_bytes for _, part in parts),
    )
    node = msgspec.structs.replace(node, rows=sum(part.rows for part, _ in parts))
    return Scan(node=node, relation=whole, partitions=len(parts))
