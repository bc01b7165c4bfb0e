"""The conditions of a plan's steps, taken apart as far as an index could serve them. Pure."""

import re

import msgspec

_MIRRORED = {"=": "=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_EDGE = re.compile(r'"(?:[^"]|"")*"|[()]| (?:=|<=|>=|<|>|IS) ')
_NAME = r'\w+|"(?:[^"]|"")+"'
_COLUMN = re.compile(
    rf"\(*(?:(?P<alias>{_NAME})\.)?(?P<column>{_NAME})\)*(?:::(?P<cast>[\w ]+(?:\([\d,]+\))?))?\)*"
)
_PARAMETER = re.compile(r"\$\d")


class Comparison(msgspec.Struct, frozen=True):
    """Two sides and what stands between them."""

    left: str
    operator: str
    right: str

    @property
    def swapped(self) -> "Comparison | None":
        """The same the other way round; None where there is no such way."""
        mirrored = _MIRRORED.get(self.operator)
        return Comparison(self.right, mirrored, self.left) if mirrored else None


class Term(msgspec.Struct, frozen=True):
    """One condition that an index on its column might serve."""

    column: str
    """As the server writes it, in quotes where it needs them."""
    is_equality: bool
    cast: str | None = None
    """The type as which the column is compared; None: its own."""
    is_open: bool = False
    """Whether the value is not known, so that the planner can only guess how much a range keeps."""


def term_of(part: str, alias: str) -> Term | None:
    """What one condition asks of a column of the table that is called `alias`; None: nothing for an index.

    >>> term_of("(o.sku = $1)", "o") == Term("sku", True, is_open=True) == term_of("($1 = o.sku)", "o")
    True
    >>> term_of("((o.made)::date >= ?::date)", "o")
    Term(column='made', is_equality=False, cast='date', is_open=False)
    >>> term_of("(o.a = o.b)", "o") is None, term_of("(o.a = (SubPlan 1))", "o") is None
    (True, True)
    """
    found = comparison(part)
    for way in (found, found.swapped if found is not None else None):
        if way is not None and (term := _term(way, alias)) is not None:
            return term
    return None


def _term(way: Comparison, alias: str) -> Term | None:
    named = column_of(way.left, alias)
    if named is None or mentions(way.right, alias) or "SubPlan" in way.right:
        return None  # compared with what depends on the same row
    if way.operator == "IS" and not way.right.startswith("NULL"):
        return None
    return Term(*named[:1], way.operator in ("=", "IS"), named[1], _PARAMETER.search(way.right) is not None)


def column_of(text: str, alias: str) -> tuple[str, str | None] | None:
    """A column of `alias` and the type as which it is taken; None where the text is anything else.

    >>> column_of("(o.sku)::text", "o"), column_of("o.sku", "p"), column_of("lower(o.sku)", "o")
    (('sku', 'text'), None, None)
    """
    found = _COLUMN.fullmatch(text)
    if found is None or (found["alias"] or quoted(alias)) != quoted(alias):
        return None
    return found["column"], found["cast"]


def mentions(text: str, alias: str) -> bool:
    """Whether a column of `alias` is in a text."""
    return re.search(rf"(?<![\w\"]){re.escape(quoted(alias))}\.", text) is not None


def comparison(part: str) -> Comparison | None:
    """The two sides of a condition; None where it is no comparison.

    >>> comparison("((a.x)::text = $1)"), comparison("((a = 1) OR (b = 2))")
    (Comparison(left='(a.x)::text', operator='=', right='$1'), None)
    """
    text = part[1:-1] if is_wrapped(part) else part
    depth = 0
    for edge in _EDGE.finditer(text):
        depth += (edge.group() == "(") - (edge.group() == ")")
        if depth == 0 and edge.group().startswith(" "):
            return Comparison(text[: edge.start()], edge.group().strip(), text[edge.end() :])
    return None


def conjuncts(condition: str) -> tuple[str, ...]:
    """The parts of a condition that are joined by AND at the top.

    >>> conjuncts("((t.a = $1) AND ((t.b > 3) OR (t.c = 2)) AND (t.d ~~ 'x AND y'::text))")
    ('(t.a = $1)', '((t.b > 3) OR (t.c = 2))', "(t.d ~~ 'x AND y'::text)")
    >>> conjuncts("(t.a = ANY ($1))"), conjuncts("((a = 1) OR (b = 2))")
    (('(t.a = ANY ($1))',), ('((a = 1) OR (b = 2))',))
    """
    inner = condition[1:-1] if is_wrapped(condition) else condition
    parts, depth, start = [], 0, 0
    for at, char in enumerate(inner):
        depth += (char == "(") - (char == ")")
        if depth == 0 and inner.startswith(" AND ", at):
            parts.append(inner[start:at])
            start = at + len(" AND ")
    parts.append(inner[start:])
    return tuple(parts) if len(parts) > 1 else (condition,)


def is_wrapped(text: str) -> bool:
    """Whether the first parenthesis is closed by the last one."""
    if not text.startswith("("):
        return False
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return at == len(text) - 1
    return False


def quoted(name: str) -> str:
    """A name as the server writes it where it needs no quotes, else in quotes.

    >>> quoted("items"), quoted("Order Lines")
    ('items', '"Order Lines"')
    """
    return name if re.fullmatch(r"[a-z_][a-z0-9_$]*", name) else '"' + name.replace('"', '""') + '"'
