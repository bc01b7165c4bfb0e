"""Takes the values out of SQL: what people see of a statement is its shape, never its literals."""

import re
from functools import lru_cache

from opsdash.collectors.text import one_line

PLACEHOLDER = "?"

_NEXT = re.compile(
    r"""
    (?P<line_comment> --[^\n\r]* )
  | (?P<comment> /\* )
  | (?P<escaped> [eE]'(?:[^'\\]|\\.|'')* )
  | (?P<plain> '(?:[^'\\]|''|\\[^'])* )
  | (?P<identifier> "(?:[^"]|"")*"  |  [^\x00-@\[-^`{-\x7f][^\x00-#%-/:-@\[-^`{-\x7f]* )
  | (?P<cut_identifier> " )
  | (?P<parameter> \$\d+ )
  | (?P<dollar> \$(?P<tag>(?:[^\x00-@\[-^`{-\x7f][^\x00-/:-@\[-^`{-\x7f]*)?)\$ )
  | (?P<number> \d[A-Za-z0-9_.]* )
    """,
    re.VERBOSE | re.DOTALL,
)
"""The tokens of PostgreSQL's own scanner that matter here; strings without their closing quote.

Letters are written as what they are not: a letter, an underscore, or anything beyond ASCII. A range up to the
last character of Unicode says the same and takes forty times as long to compile, at every start.
"""

_COMMENT_EDGE = re.compile(r"/\*|\*/")


@lru_cache(maxsize=4096)
def mask(sql: str) -> str:
    r"""Put `?` in the place of every literal, drop comments, and fold the rest into one clean line.

    A literal that was cut off is masked to the end of the text. So is everything after a plain string in
    which a backslash stands before a quote: whether that ends the string depends on
    `standard_conforming_strings` of a session we are not in.

    >>> mask("update stock set qty = qty - $1 where sku = 'A-1' and t2.region = 7")
    'update stock set qty = qty - $1 where sku = ? and t2.region = ?'
    >>> mask("select $x$ it's $$ here $x$, E'a\\'b', 'cut")
    'select ?, ?, ?'
    >>> mask("select /* user 'bob' /* 7 */ */ 1 -- for bob")
    'select ?'
    >>> mask(r"select 'one\', 'two'")
    'select ?'
    """
    kept: list[str] = []
    at = 0
    while (found := _NEXT.search(sql, at)) is not None:
        kept.append(sql[at : found.start()])
        shown, at = _replaced(sql, found)
        kept.append(shown)
    kept.append(sql[at:])
    return one_line("".join(kept))


def _replaced(sql: str, found: re.Match[str]) -> tuple[str, int]:
    """What stands for a token, and where the text goes on after it."""
    kind = found.lastgroup if found["tag"] is None else "dollar"
    match kind:
        case "identifier" | "parameter":
            return found.group(), found.end()
        case "number":
            return PLACEHOLDER, found.end()
        case "line_comment":
            return " ", found.end()
        case "comment":
            return " ", _comment_end(sql, found.end())
        case "escaped" | "plain":
            closed = sql.startswith("'", found.end())
            return PLACEHOLDER, found.end() + 1 if closed else len(sql)
        case "dollar":
            end = sql.find(found.group(), found.end())
            return PLACEHOLDER, len(sql) if end < 0 else end + len(found.group())
        case _:  # an identifier that was cut off
            return PLACEHOLDER, len(sql)


def _comment_end(sql: str, at: int) -> int:
    """Where a block comment ends; they nest."""
    depth = 1
    for edge in _COMMENT_EDGE.finditer(sql, at):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(sql)
