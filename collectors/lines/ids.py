"""Ids in a line of a log that other lines may name as well: of a request, a trace, a session. Pure."""

import re

from opsdash.collectors.lines.record import Record

_NAMED = re.compile(
    r"""(?:^|[\s,;({\["'])[\w.-]*?(?:id|request|req|trace|span|session|correlation|order|job|txn?)["']?\s*[:=]\s*["']?"""
    r"""(?P<id>[\w.:-]{4,64})""",
    re.IGNORECASE,
)
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_LOOKS = re.compile(
    rf"(?<![\w-])(?:(?P<uuid>{_UUID})|(?P<ulid>[0-7][0-9A-HJKMNP-TV-Z]{{25}})|(?P<hex>[0-9a-fA-F]{{6,40}}))(?![\w-])"
)
_ID_NAME = re.compile(
    r"(?:^|[._-])(?:[a-z]*id|request|req|trace|span|session|correlation|order|job|txn?|tx)$", re.IGNORECASE
)
_CAMEL = re.compile(r"[a-z]I[dD]$")
_NO_ID = frozenset({"pid", "uid", "gid", "null", "none", "true", "false", "undefined"})


def ids_of(record: Record) -> tuple[str, ...]:
    """The ids in a line, the most telling first: of named values, then what looks like one.

    >>> ids_of(Record(message="POST (request 7f3a91) started", fields={"trace_id": "4bf92f3577b34da6"}))
    ('4bf92f3577b34da6', '7f3a91')
    >>> ids_of(Record(message="order=1042 failed 2026-11-22 in 120ms", fields={"pid": "4312"}))
    ('1042',)
    """
    found = [value for name, value in record.fields.items() if _is_id(name, value)]
    text = record.message
    found += [match["id"].rstrip(".:-") for match in _NAMED.finditer(text) if _is_id("id", match["id"])]
    found += [match[0] for match in _LOOKS.finditer(text) if _looks_like_one(match)]
    for value in record.fields.values():
        found += [match[0] for match in _LOOKS.finditer(value[:400]) if _looks_like_one(match)]
    return tuple(dict.fromkeys(found))


def _is_id(name: str, value: str) -> bool:
    if name.lower() in _NO_ID or value.lower() in _NO_ID or not 4 <= len(value) <= 64:
        return False
    is_word = value.isalpha() and not _LOOKS.fullmatch(value)
    named = _ID_NAME.search(name) is not None or _CAMEL.search(name) is not None
    return named and not is_word and not any(c.isspace() for c in value)


def _looks_like_one(match: re.Match[str]) -> bool:
    """Hex needs both digits and letters: else it is a number, or a word like "facade"."""
    text = match["hex"]
    return text is None or (not text.isalpha() and not text.isdecimal())
