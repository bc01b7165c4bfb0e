"""The levels of many lines by a look at their bytes: for filters, which go through a million of them.

Where the bytes do not settle it, the line is to be read.
"""

import re
from collections.abc import Sequence

from opsdash.collectors.lines.record import Format, Level, level_of
from opsdash.collectors.lines.trouble_words import BAD_WORDS

_TIMED = (
    rb"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"
    rb"\]?[ \t]*[-|:]?[ \t]*"
    rb"(?:\[[a-z0-9-]{1,40}\] +)?\[?([A-Z]{3,8})\b"
)
_SETTLED: dict[Format | None, re.Pattern[bytes]] = {
    Format.JSON: re.compile(rb'"level": ?"([A-Za-z]{3,8})"'),
    Format.LOGFMT: re.compile(rb"(?:^| )level=([A-Za-z]{3,8})(?: |$)"),
    **{known: re.compile(_TIMED) for known in (Format.PLAIN, Format.PYTHON, Format.JAVA, None)},
}
"""What settles the level of a line, by format: a group holds its word."""
_ANCHORED = (Format.PLAIN, Format.PYTHON, Format.JAVA, None)

_SIGNS: dict[Format | None, re.Pattern[bytes]] = {
    Format.JSON: re.compile(
        rb'"(?:level|severity|lvl|loglevel|log_level|s)": ?"?(?:[0-4]\b|[4-6]\d|[WEFCSPA]")'
    ),
    Format.LOGFMT: re.compile(rb"(?:level|severity|lvl)=\"?(?:[0-4]\b|[4-6]\d|[WEF]\b)"),
    Format.REDIS: re.compile(rb" # "),
    Format.GO: re.compile(rb"[WEF]\d{4} "),
    Format.NGINX: re.compile(rb'" 5\d\d '),
    Format.SYSLOG: re.compile(rb"<\d{1,3}>"),
}
"""What may say a bad level without one of the words, by format."""


def settled_levels(records: Sequence[bytes], format: Format | None) -> list[Level | None]:
    """The level of each record as far as its bytes settle it; None: it is to be read.

    >>> settled_levels([b"2026-11-22 03:12:40,204 ERROR no lock", b"no ERROR here"], Format.PLAIN)
    [<Level.ERROR: 5>, None]
    """
    pattern = _SETTLED.get(format)
    if pattern is None:
        return [None] * len(records)
    find = pattern.match if format in _ANCHORED else pattern.search
    words = [found[1] if found else None for found in map(find, records)]
    known = {word: None if word is None else level_of(word.decode()) for word in set(words)}
    return [known[word] for word in words]


def may_be_bad(record: bytes, format: Format | None) -> bool:
    """Whether a record may be of level WARN or worse: true for all that are, and for some that are not.

    >>> [may_be_bad(r, None) for r in (b"INFO ok", b"WARN slow", b"all well", b"Error: x")]
    [False, True, False, True]
    """
    lowered = record.lower()
    if any(word in lowered for word in BAD_WORDS):
        return True
    sign = _SIGNS.get(format)
    return sign is not None and sign.search(record) is not None
