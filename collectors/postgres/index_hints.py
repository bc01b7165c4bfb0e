"""Whether an index could spare a plan the reading of a whole table, and how sure that is. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from opsdash.collectors.format import number, percent, plural, size
from opsdash.collectors.postgres.plan import Plan, PlanNode

SMALL_ROWS = 10_000
"""Reading fewer rows than this from the beginning to the end is what a good plan does."""
SMALL_BYTES = 8 * 1024 * 1024
_KEEPS = 0.2
"""A filter that keeps a larger share of the rows gains nothing from an index."""
_FEW_VALUES = 20
_SHOWN = 3


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


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """What could be done about one step of a plan, and why."""

    text: str
    is_sure: bool = True
    """False: the text says what it depends on."""


class _Term(msgspec.Struct, frozen=True):
    """One condition of a filter that an index on its column might serve."""

    column: str
    is_equality: bool


_COLUMN = r'(?:(?P<alias>\w+|"(?:[^"]|"")+")\.)?(?P<column>\w+|"(?:[^"]|"")+")'
_TERM = re.compile(
    rf"\(*{_COLUMN}\)*(?:::[\w ]+(?:\(\d+\))?)?\s+(?P<operator>=|<|>|<=|>=|IS)\s+(?P<rest>.*)", re.DOTALL
)
_EXPRESSION = re.compile(r"\(*(?P<call>\w+\((?:[^()]|\([^()]*\))*\))\s+=\s")


def hints(plan: Plan, relations: Sequence[RelationFacts]) -> tuple[Hint, ...]:
    """Hints for the tables that are read from end to end, the costliest first; at most three."""
    facts = {(r.schema, r.name): r for r in relations}
    found: list[Hint] = []
    for node in sorted(full_scans(plan), key=lambda n: -n.share):
        relation = facts.get((node.schema or "", node.relation or ""))
        if relation is not None and _is_large(relation):
            found.extend(_hint(node, relation))
    return tuple(dict.fromkeys(found))[:_SHOWN]


def full_scans(plan: Plan) -> Iterator[PlanNode]:
    """The steps that read a whole table and throw rows away."""
    return (n for n in plan.nodes() if n.kind == "Seq Scan" and n.relation and n.condition("Filter"))


def _is_large(relation: RelationFacts) -> bool:
    return (relation.rows or 0) >= SMALL_ROWS or relation.size_bytes >= SMALL_BYTES


def _hint(node: PlanNode, relation: RelationFacts) -> Iterator[Hint]:
    condition = node.condition("Filter") or ""
    keeps = node.rows / relation.rows if relation.rows else None
    rows = f"{number(relation.rows)} rows" if relation.rows is not None else "never analyzed"
    scan = f"Seq Scan on {relation.name} ({rows}, {size(relation.size_bytes)})"
    terms = [term for part in conjuncts(condition) if (term := _term(part, node)) is not None]
    if not terms:
        yield _no_column(scan, condition)
        return
    best = max(terms, key=lambda t: (t.is_equality, _distinct(relation, t.column) or 0.0))
    if keeps is not None and keeps > _KEEPS:
        text = f"{scan}: its filter keeps {percent(keeps)} of the rows as estimated: no index would help"
        yield Hint(text=text, is_sure=False)
        return
    usable = [i for i in relation.indexes if i.first == best.column and i.is_valid and not i.is_partial]
    if usable:
        text = (
            f"{scan}: {usable[0].name} begins with {best.column}, and is not used: the types may differ, the "
            "estimate may be wrong (ANALYZE), or reading all is cheaper"
        )
        yield Hint(text=text, is_sure=False)
        return
    yield _create(scan, best, relation)


def _create(scan: str, best: _Term, relation: RelationFacts) -> Hint:
    """The index that is missing, with the doubts there are."""
    target = f"{quoted(relation.schema)}.{quoted(relation.name)}"
    text = f"{scan} with a filter on {best.column}: no index begins with {best.column}. "
    text += f"Hint: CREATE INDEX CONCURRENTLY ON {target} ({best.column})"
    doubts = list(_doubts(best, relation))
    return Hint(text=text + (". Not sure: " + "; ".join(doubts) if doubts else ""), is_sure=not doubts)


def _doubts(best: _Term, relation: RelationFacts) -> Iterator[str]:
    distinct = _distinct(relation, best.column)
    if distinct is None:
        yield f"no statistics of {best.column} to be seen (ANALYZE, or no right to select it)"
    elif distinct <= _FEW_VALUES and best.is_equality:
        few = plural(int(distinct), "value")
        yield f"{best.column} has only {few}: each may be in too many rows"
    if not best.is_equality:
        yield "a range, and how much it keeps depends on the value"
    for index in relation.indexes:
        if index.first == best.column:
            why = "partial" if index.is_partial else "not valid: it may be under way, or have failed"
            yield f"{index.name} begins with it, but is {why}"


def _no_column(scan: str, condition: str) -> Hint:
    call = next((m for part in conjuncts(condition) if (m := _EXPRESSION.match(part))), None)
    if call is not None:
        text = f"{scan} with a filter on {call['call']}: only an index on that very expression would serve it"
    elif "~~" in condition:
        text = f"{scan} with a LIKE: a plain index serves only a fixed beginning; pg_trgm serves others"
    else:
        text = f"{scan}: its filter is nothing that a plain index on one column serves"
    return Hint(text=text, is_sure=False)


def _distinct(relation: RelationFacts, column: str) -> float | None:
    """How many different values a column has; None: not known.

    >>> facts = RelationFacts(schema="s", name="t", rows=1000.0, size_bytes=0, distinct={"a": -0.5, "b": 7})
    >>> [_distinct(facts, column) for column in ("a", "b", "c")]
    [500.0, 7, None]
    """
    known = relation.distinct.get(column.strip('"'))
    if known is None or known >= 0:
        return known
    return -known * relation.rows if relation.rows is not None else None


def _term(part: str, node: PlanNode) -> _Term | None:
    """What one condition asks of one column of this step's table; None: nothing for a plain index."""
    found = _TERM.match(part)
    if found is None or (found["alias"] or node.alias) != quoted(node.alias or ""):
        return None
    is_null = found["operator"] == "IS"
    if is_null and not found["rest"].startswith("NULL"):
        return None
    if f"{quoted(node.alias or '')}." in found["rest"]:
        return None  # compared with another column of the same row
    return _Term(found["column"], found["operator"] in ("=", "IS"))


def conjuncts(condition: str) -> tuple[str, ...]:
    """The parts of a condition that are joined by AND at the top.

    >>> conjuncts("((t.a = $1) AND ((t.b > 3) OR (t.c = 2)) AND (t.d ~~ 'x AND y'::text))")
    ('(t.a = $1)', '((t.b > 3) OR (t.c = 2))', "(t.d ~~ 'x AND y'::text)")
    >>> conjuncts("(t.a = ANY ($1))"), conjuncts("((a = 1) OR (b = 2))")
    (('(t.a = ANY ($1))',), ('((a = 1) OR (b = 2))',))
    """
    inner = condition[1:-1] if _is_wrapped(condition) else condition
    parts, depth, start = [], 0, 0
    for at, char in enumerate(inner):
        depth += (char == "(") - (char == ")")
        if depth == 0 and inner.startswith(" AND ", at):
            parts.append(inner[start:at])
            start = at + len(" AND ")
    parts.append(inner[start:])
    return tuple(parts) if len(parts) > 1 else (condition,)


def _is_wrapped(text: str) -> bool:
    """Whether the first parenthesis is closed by the last one."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return at == len(text) - 1 and at > 0
    return False


def quoted(name: str) -> str:
    """A name as the server writes it where it needs no quotes, else in quotes.

    >>> quoted("items"), quoted("Order Lines")
    ('items', '"Order Lines"')
    """
    return name if re.fullmatch(r"[a-z_][a-z0-9_$]*", name) else '"' + name.replace('"', '""') + '"'
