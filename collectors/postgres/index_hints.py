"""Whether an index could spare a plan the reading of a whole table, and how sure that is. Pure."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from opsdash.collectors.format import percent, plural
from opsdash.collectors.postgres.plan import Plan
from opsdash.collectors.postgres.plan_scans import RelationFacts, Scan, scans
from opsdash.collectors.postgres.plan_terms import Term, comparison, conjuncts, mentions, quoted, term_of
from opsdash.collectors.postgres.plan_wishes import Wish, wishes

_KEEPS = 0.2
"""A filter that keeps a larger share of the rows gains nothing from an index."""
_FEW_VALUES = 20
_SHOWN = 3


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """What could be done about one step of a plan, and why."""

    text: str
    is_sure: bool = True
    """False: the text says what it depends on."""


_CALL = re.compile(r"\w+\(.*\)", re.DOTALL)
_CONTAINMENT = re.compile(r" (?:@>|<@|@@|&&|\?\||\?&) ")


def hints(plan: Plan, relations: Sequence[RelationFacts]) -> tuple[Hint, ...]:
    """Hints for the tables that are read from end to end, the costliest first; at most three."""
    read = scans(plan, relations)
    found = [(scan.node.share, hint) for scan in read for hint in _of_filter(scan)]
    found += [(wish.scan.node.share, hint) for wish in wishes(plan, read) for hint in _of_wish(wish)]
    found.sort(key=lambda pair: -pair[0])
    return tuple(dict.fromkeys(hint for _, hint in found))[:_SHOWN]


def _of_wish(wish: Wish) -> Iterator[Hint]:
    if not any(index.first == wish.first for index in wish.scan.relation.indexes):
        text = f"{wish.scan.words} {wish.why}: no index begins with {wish.first}. "
        yield Hint(text=text + _statement(wish.scan, wish.key))


def _of_filter(scan: Scan) -> Iterator[Hint]:
    node, relation, words = scan.node, scan.relation, scan.words
    condition = node.condition("Filter")
    if condition is None:
        return
    keeps = node.rows / relation.rows if relation.rows else None
    parts = conjuncts(condition)
    asked = [term for part in parts if (term := term_of(part, node.alias or "")) is not None]
    terms = [term for term in asked if not relation.computes(term.column, term.cast)]
    if not terms:
        yield _computed(words, asked[0], relation) if asked else _no_column(words, parts, node.alias or "")
        return
    best = max(terms, key=lambda t: (t.is_equality, _distinct(relation, t.column) or 0.0))
    is_guess = best.is_open and not best.is_equality
    if keeps is not None and keeps > _KEEPS and not is_guess:
        text = f"{words}: its filter keeps {percent(keeps)} of the rows as estimated: no index would help"
        yield Hint(text=text, is_sure=False)
        return
    usable = [i for i in relation.indexes if i.first == best.column and i.is_valid and not i.is_partial]
    if usable:
        why = "the types may differ, the estimate may be wrong (ANALYZE), or reading all is cheaper"
        if is_guess:
            why = "how much the range keeps is only guessed without its value: a session that runs it has it"
        text = f"{words}: {usable[0].name} begins with {best.column}, and is not used: {why}"
        yield Hint(text=text, is_sure=False)
        return
    yield _create(scan, best)


def _computed(scan: str, term: Term, relation: RelationFacts) -> Hint:
    column, known = term.column, relation.types.get(term.column.strip('"'))
    text = (
        f"{scan}: its filter compares {column} ({known}) as {term.cast}: no index on {column} serves that. "
    )
    return Hint(text=text + f"Hint: compare it as {known}: cast the value, or give a range")


def _create(scan: Scan, best: Term) -> Hint:
    """The index that is missing, with the doubts there are."""
    text = f"{scan.words} with a filter on {best.column}: no index begins with {best.column}. "
    doubts = list(_doubts(best, scan.relation))
    text += _statement(scan, best.column) + (". Not sure: " + "; ".join(doubts) if doubts else "")
    return Hint(text=text, is_sure=not doubts)


def _statement(scan: Scan, key: str) -> str:
    """What creates an index without locking out who writes."""
    target = f"{quoted(scan.relation.schema)}.{quoted(scan.relation.name)}"
    if not scan.partitions:
        return f"Hint: CREATE INDEX CONCURRENTLY ON {target} ({key})"
    each = f"Hint: CREATE INDEX CONCURRENTLY on ({key}) of each partition"
    return f"{each}, then CREATE INDEX ON {target} ({key}), which takes them over"


def _doubts(best: Term, relation: RelationFacts) -> Iterator[str]:
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


def _no_column(scan: str, parts: Sequence[str], alias: str) -> Hint:
    expression = next((found for part in parts if (found := _expression(part, alias)) is not None), None)
    condition = " AND ".join(parts)
    if expression is not None:
        text = f"{scan} with a filter on {expression}: only an index on that very expression would serve it"
    elif "~~" in condition:
        text = f"{scan} with a LIKE: a plain index serves only a fixed beginning; pg_trgm serves others"
    elif _CONTAINMENT.search(condition):
        text = f"{scan} with a filter on what a column contains: a GIN index would serve that, no plain one"
    elif " OR " in condition:
        text = f"{scan} with an OR: it takes an index for each side of it, or a UNION of two statements"
    else:
        text = f"{scan}: its filter is nothing that a plain index on one column serves"
    return Hint(text=text, is_sure=False)


def _expression(part: str, alias: str) -> str | None:
    """What is computed from the row and compared with something that is not; None: nothing is."""
    found = comparison(part)
    for way in (found, found.swapped if found is not None else None):
        if way is None or way.operator != "=" or not mentions(way.left, alias) or mentions(way.right, alias):
            continue
        if "$" not in way.left and (_CALL.fullmatch(way.left) or way.left.startswith("(")):
            return way.left
    return None


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
