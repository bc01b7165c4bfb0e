"""PostgreSQL and Redis."""

import re
from datetime import tzinfo

from opsdash.collectors.lines.record import Level, Record, level_of
from opsdash.collectors.lines.times import read_time

_SEVERITY = re.compile(
    r" ?(?P<prefix>.{0,200}?)\b"
    r"(?P<word>DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|QUERY|CONTEXT|STATEMENT|LOCATION)"
    r":  (?P<message>.*)",
    re.DOTALL,
)
_BELOW = frozenset({"DETAIL", "HINT", "QUERY", "CONTEXT", "STATEMENT", "LOCATION"})
_PID = re.compile(r"\[(\d+)")
_WHO = re.compile(r"([\w.$-]+|\[unknown\])@([\w.$-]+|\[unknown\])")

_REDIS = re.compile(r"(\d+):([XCSM]) ", re.ASCII)
_REDIS_MARK = re.compile(r" ([.\-*#]) ")
_REDIS_LEVELS = {".": Level.DEBUG, "-": Level.DEBUG, "*": Level.INFO, "#": Level.WARN}
_ROLES = {"X": "sentinel", "C": "child", "S": "replica", "M": "primary"}


def read_postgres(text: str, near: float | None, zone: tzinfo | None) -> Record | None:
    """PostgreSQL's stderr log with a `log_line_prefix` that begins with the time, as the default does.

    LOG is for information. DETAIL, HINT and the like have no level: they belong to the line above.

    >>> line = "2026-11-22 03:12:40.204 UTC [4312] shop@orders ERROR:  canceling statement"
    >>> record = read_postgres(line, None, None)
    >>> record.at, record.level, record.message, " ".join(record.fields.values())
    (1795317160.204, <Level.ERROR: 5>, 'canceling statement', '4312 shop orders')
    >>> read_postgres("2026-11-22 03:12:40.204 UTC [4312] HINT:  Wait.", None, None).message
    'HINT: Wait.'
    """
    timed = read_time(text, near=near, zone=zone)
    found = _SEVERITY.match(text, timed[1]) if timed else None
    if timed is None or found is None:
        return None
    word, message, prefix = found["word"], found["message"], found["prefix"]
    fields: dict[str, str] = {}
    pid, who = _PID.search(prefix), _WHO.search(prefix)
    if pid:
        fields["pid"] = pid[1]
    if who:
        fields |= {"user": who[1], "database": who[2]}
    if word in _BELOW:
        return Record(at=timed[0], message=f"{word}: {message}", fields=fields, format="postgres")
    return Record(at=timed[0], level=level_of(word), message=message, fields=fields, format="postgres")


def read_redis(text: str, near: float | None, zone: tzinfo | None) -> Record | None:
    """Redis and Valkey: `4312:M 22 Nov 2026 03:12:40.204 * Ready`; `#` is a warning.

    >>> from datetime import UTC
    >>> record = read_redis("4312:M 22 Nov 2026 03:12:40.204 # Can't save", None, UTC)
    >>> record.at, record.level, record.message, dict(record.fields)
    (1795317160.204, <Level.WARN: 4>, "Can't save", {'pid': '4312', 'role': 'primary'})
    """
    head = _REDIS.match(text)
    timed = read_time(text, head.end(), near=near, zone=zone) if head else None
    mark = _REDIS_MARK.match(text, timed[1]) if timed else None
    if head is None or timed is None or mark is None:
        return None
    return Record(
        at=timed[0],
        level=_REDIS_LEVELS[mark[1]],
        message=text[mark.end() :],
        fields={"pid": head[1], "role": _ROLES[head[2]]},
        format="redis",
    )
