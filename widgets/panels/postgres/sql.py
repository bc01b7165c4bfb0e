"""SQL as toned lines: keywords stand out, what was masked is marked. Pure."""

import re
from collections.abc import Sequence

from opsdash.widgets.lines import Line, Span
from opsdash.widgets.status import Tone

_WORDS = """
all and any as asc between by case cast conflict create cross delete desc distinct do else end
except exists fetch filter first for from full group having ilike in inner insert intersect into is
join key last lateral left like limit lock locked materialized matched merge natural not nothing
null nulls of offset on only or order outer over partition recursive returning right row rows select
set share skip some table then union unique update using values when where window with
"""
_KEYWORDS = frozenset(_WORDS.split())
_TOKEN = re.compile(
    r"""(?P<masked>\?|\$\d+) | (?P<string>'(?:[^']|'')*'?) | (?P<quoted>"(?:[^"]|"")*"?)
      | (?P<comment>--.*|/\*.*?(?:\*/|$)) | (?P<word>[A-Za-z_][A-Za-z0-9_$]*)""",
    re.VERBOSE,
)


def sql_lines(lines: Sequence[str], width: int) -> tuple[Line, ...]:
    """Lines of SQL, toned, folded at `width` cells with their indentation.

    >>> sql_lines(["SELECT a", "FROM t WHERE id = ?"], 40)[1][:2]
    (('FROM', <Tone.ACCENT: 'accent'>), ' t ')
    """
    return tuple(_toned(part) for line in lines for part in _folded(line, max(width, 16)))


def _folded(line: str, width: int) -> list[str]:
    """A line in parts that fit; the later ones are indented further.

    >>> _folded("  and sku in (1, 2, 3)", 14)
    ['  and sku in', '      (1, 2,', '      3)']
    """
    indent = " " * min(len(line) - len(line.lstrip()) + 4, width // 2)
    parts = []
    while len(line) > width:
        at = line.rfind(" ", len(indent) + 1, width + 1)
        cut = at if at > 0 else width
        parts.append(line[:cut].rstrip())
        line = indent + line[cut:].lstrip()
    return [*parts, line]


def _toned(line: str) -> Line:
    spans: list[Span] = []
    at = 0
    for found in _TOKEN.finditer(line):
        tone = _tone(found)
        if tone is None:
            continue
        if found.start() > at:
            spans.append(line[at : found.start()])
        spans.append((found.group(), tone))
        at = found.end()
    return (*spans, line[at:]) if at < len(line) else tuple(spans)


def _tone(found: re.Match[str]) -> Tone | None:
    match found.lastgroup:
        case "masked":
            return Tone.UNKNOWN
        case "string":
            return Tone.OK
        case "comment":
            return Tone.MUTED
        case "word" if found.group().lower() in _KEYWORDS:
            return Tone.ACCENT
        case _:
            return None
