"""A JMESPath condition on a JSON body, with the part of it that failed. Pure."""

import json
from typing import Any

import jmespath  # type: ignore[import-untyped]  # it has no types
from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]  # it has no types
from jmespath.lexer import Lexer  # type: ignore[import-untyped]  # it has no types

from opsdash.collectors.text import one_line

_OPEN = frozenset({"lparen", "lbracket", "lbrace", "filter", "flatten_start"})
_CLOSE = frozenset({"rparen", "rbracket", "rbrace"})
_COMPARISONS = frozenset({"eq", "ne", "lt", "lte", "gt", "gte"})
_LONGEST = 60


def syntax_error(expression: str) -> str | None:
    """What is wrong with an expression; None when nothing is.

    >>> syntax_error("status == 'ok'") is None, syntax_error("status = 'ok'")[:26]
    (True, 'expected a JMESPath condit')
    """
    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        return f"expected a JMESPath condition: {one_line(str(error))[:120]}"
    return None


def failed_part(expression: str, document: Any) -> str | None:
    """What of a condition does not hold, and what is there instead; None when it holds.

    >>> failed_part("status == 'ok' && checks.db.ok", {"status": "ok", "checks": {"db": {"ok": True}}})
    >>> failed_part("status == 'ok' && lag < `5`", {"status": "degraded", "lag": 1})
    "status == 'ok' failed: status is 'degraded'"
    >>> failed_part("status == 'ok' && lag < `5`", {"status": "ok", "lag": 9})
    'lag < `5` failed: lag is 9'
    >>> failed_part("checks.db.ok", {})
    'checks.db.ok failed: it is null'
    """
    for part in _parts(expression):
        try:
            if _holds(jmespath.search(part, document)):
                continue
        except JMESPathError as error:
            return f"{one_line(part)} cannot be evaluated: {one_line(str(error))[:120]}"
        return f"{one_line(part)} failed: {_instead(part, document)}"
    return None


def _holds(value: Any) -> bool:
    """Whether JMESPath takes a value as true: 0 is, and what is empty is not."""
    return value is True or (isinstance(value, int | float) and value is not False) or bool(value)


def _parts(expression: str) -> tuple[str, ...]:
    """The operands of the outermost `&&`; the whole where something binds less tightly.

    >>> _parts("a && (b || c) && d == '&&'"), _parts("a && b || c"), _parts("x | a && b")
    (('a', '(b || c)', "d == '&&'"), ('a && b || c',), ('x | a && b',))
    """
    tokens = _outermost(expression)
    if any(kind in ("or", "pipe") for kind, _ in tokens):
        return (expression.strip(),)
    cuts = [start for kind, start in tokens if kind == "and"]
    begins = [0, *(cut + 2 for cut in cuts)]
    return tuple(
        expression[begin:end].strip() for begin, end in zip(begins, [*cuts, len(expression)], strict=True)
    )


def _outermost(expression: str) -> list[tuple[str, int]]:
    """Kind and place of the tokens that are not inside brackets."""
    depth = 0
    found = []
    for token in Lexer().tokenize(expression):
        if token["type"] in _OPEN:
            depth += 1
        elif token["type"] in _CLOSE:
            depth -= 1
        elif depth == 0:
            found.append((str(token["type"]), int(token["start"])))
    return found


def _instead(part: str, document: Any) -> str:
    """What is there: the left side of a comparison and its value, else the value of the whole."""
    comparisons = [start for kind, start in _outermost(part) if kind in _COMPARISONS]
    if len(comparisons) == 1:
        left = part[: comparisons[0]].strip()
        try:
            return f"{one_line(left)} is {_shown(jmespath.search(left, document))}"
        except JMESPathError:  # the part itself could be evaluated: only a literal on the left ends here
            pass
    return f"it is {_shown(jmespath.search(part, document))}"


def _shown(value: Any) -> str:
    """A value of a body in a few characters.

    >>> _shown("degraded"), _shown(None), _shown({"a": 1})
    ("'degraded'", 'null', '{"a": 1}')
    """
    text = f"'{value}'" if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = one_line(text[: 4 * _LONGEST])
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
