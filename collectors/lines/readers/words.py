"""Level words in lines of any layout, and what is left of a line without its time and level."""

import re
from datetime import tzinfo

from opsdash.collectors.lines.record import Level, Record, level_of
from opsdash.collectors.lines.times import read_time

_LOOK_AT = 80
"""Characters of a line in which its level is looked for; further on, words are prose."""

_CAPITALS = (
    "TRACE|DEBUG|INFO|INFORMATION|NOTICE|LOG|WARN|WARNING|WRN|ERROR|ERR|SEVERE"
    "|CRITICAL|CRIT|FATAL|PANIC|EMERG|ALERT"
)
_LEVEL = re.compile(
    rf"(?<![\w.-])(?:(?P<capitals>{_CAPITALS})(?![\w.-])"
    r"|\[(?P<bracketed>[a-z]{3,11})\]"  # [error]
    r"|(?P<labelled>(?i:error|err|fatal|panic|warning|warn|critical|info|debug))(?=: )"  # Error: cannot find
    r"|(?:level|lvl|severity)[=:] ?\"?(?P<stated>[A-Za-z]{3,11}))"
)
_CRASH = re.compile(
    r"Traceback \(most recent call last\)|Exception in thread |Unhandled exception|Segmentation fault"
    r"|fatal error: "
)
_EDGE = " \t-|:,"


def find_level(text: str, start: int = 0) -> tuple[Level, int, int] | None:
    """The first level word near the beginning, and where it begins and ends; None where there is none.

    Words in capitals count anywhere, words in small letters only where they are marked as a level, so that
    prose ("no error") is none. A word that is part of what is said ("Error: no such file") has no extent.

    >>> find_level("12 ERROR no lock")
    (<Level.ERROR: 5>, 3, 8)
    >>> find_level("[warn] slow")[0], find_level("Error: no such file")
    (<Level.WARN: 4>, (<Level.ERROR: 5>, 0, 0))
    >>> find_level("checked, no error found"), find_level("INFORMATION_SCHEMA read")
    (None, None)
    """
    end = start + _LOOK_AT
    for found in _LEVEL.finditer(text, start, end):
        how = found.lastgroup or ""
        level = level_of(found[how])
        if level is not None:
            return level, found.start(), found.end() if how in ("capitals", "bracketed") else found.start()
    crash = _CRASH.match(text, start, end)
    return (Level.ERROR, start, start) if crash else None


def read_plain(text: str, near: float | None, zone: tzinfo | None, *, format: str = "plain") -> Record:
    """A line of any layout: a time at its beginning, a level word near it, and the rest.

    >>> record = read_plain("[2026-11-22T03:12:40Z] [error] no lock", None, None)
    >>> record.at, record.level, record.message
    (1795317160.0, <Level.ERROR: 5>, 'no lock')
    >>> read_plain("  Killed", None, None).message
    '  Killed'
    """
    bracket = text.startswith("[")
    timed = read_time(text, 1 if bracket else 0, near=near, zone=zone)
    start = timed[1] if timed else 0
    if timed and bracket and text[start : start + 1] == "]":
        start += 1
    found = find_level(text, start)
    rest = text[start:].lstrip(_EDGE) if timed else text
    if found is not None and found[1] < found[2] and not text[start : found[1]].strip(_EDGE + "[("):
        rest = text[found[2] :].lstrip("])" + _EDGE)
    return Record(
        at=timed[0] if timed else None, level=found[0] if found else None, message=rest or text, format=format
    )
