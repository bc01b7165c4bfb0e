"""CLIENT LIST, SLOWLOG GET and LATENCY LATEST -> rows, without any argument of a command. Pure."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from opsdash.collectors.redis.info import integer, moment
from opsdash.collectors.redis.rows import ClientRow, LatencyEvent, SlowEntry
from opsdash.collectors.text import one_line

_CONTAINERS = frozenset(
    {"ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FUNCTION", "LATENCY", "MEMORY", "MODULE"}
    | {"OBJECT", "PUBSUB", "SCRIPT", "SENTINEL", "SLOWLOG", "XGROUP", "XINFO"}
)
"""Commands whose first argument is a subcommand, not data."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,30}")
_MORE = re.compile(r"\.\.\. \((\d+) more arguments\)")


def clients(text: str, own: Collection[int]) -> tuple[ClientRow, ...]:
    r"""The lines of CLIENT LIST, but our own.

    >>> line = "id=7 addr=10.0.0.9:5001 name=web age=9 idle=1 flags=b db=2 sub=0 psub=0 multi=-1 cmd=blpop\n"
    >>> [(c.id, c.addr, c.name, c.db, c.is_blocked, c.command, c.queued) for c in clients(line, [])]
    [(7, '10.0.0.9:5001', 'web', 2, True, 'blpop', None)]
    >>> clients(line, [7])
    ()
    """
    return tuple(row for line in text.splitlines() if (row := _client(line)) and row.id not in own)


def _client(line: str) -> ClientRow | None:
    told = dict(pair.partition("=")[::2] for pair in one_line(line).split(" "))
    number = integer(told, "id")
    if number is None:
        return None
    queued = integer(told, "multi")
    subscriptions = [integer(told, name) or 0 for name in ("sub", "psub", "ssub")]
    return ClientRow(
        id=number,
        addr=told.get("addr", ""),
        name=told.get("name", ""),
        user=told.get("user"),
        db=integer(told, "db"),
        age_s=integer(told, "age"),
        idle_s=integer(told, "idle"),
        flags=told.get("flags", ""),
        command=told.get("cmd", "").replace("NULL", ""),
        library=told.get("lib-name", ""),
        memory_bytes=integer(told, "tot-mem"),
        output_bytes=integer(told, "omem"),
        subscriptions=sum(subscriptions),
        queued=queued if queued is not None and queued >= 0 else None,
    )


def slow_entries(reply: Sequence[Any]) -> tuple[SlowEntry, ...]:
    """The entries of SLOWLOG GET, newest first.

    >>> entry = [14, 1773457961, 905123, ["KEYS", "session:hunter2*"], "10.0.0.9:5001", "web"]
    >>> [(e.id, e.took_ms, e.command, e.arguments, e.client_name) for e in slow_entries([entry])]
    [(14, 905.123, 'KEYS', 1, 'web')]
    """
    return tuple(_slow_entries(reply))


def _slow_entries(reply: Sequence[Any]) -> Iterator[SlowEntry]:
    for entry in reply:
        at = moment(entry[1])
        if at is None:
            continue
        command, arguments = command_of(entry[3])
        yield SlowEntry(
            id=entry[0],
            at=at,
            took_ms=entry[2] / 1000,
            command=command,
            arguments=arguments,
            client_addr=one_line(entry[4]) if len(entry) > 4 else "",
            client_name=one_line(entry[5]) if len(entry) > 5 else "",
        )


def command_of(words: Sequence[str]) -> tuple[str, int]:
    """The name of a command, with its subcommand, and how many arguments it has.

    >>> command_of(["config", "set", "requirepass", "hunter2"]), command_of(["GET", "a"])
    (('CONFIG SET', 2), ('GET', 1))
    >>> command_of(["DEL", "a", "b", "... (40 more arguments)"]), command_of([])
    (('DEL', 42), ('?', 0))
    """
    if not words or _NAME.fullmatch(words[0]) is None:
        return "?", max(len(words) - 1, 0)
    names = [words[0].upper()]
    if names[0] in _CONTAINERS and len(words) > 1 and _NAME.fullmatch(words[1]) is not None:
        names.append(words[1].upper())
    arguments = len(words) - len(names)
    if (more := _MORE.fullmatch(words[-1])) is not None:
        arguments += int(more[1]) - 1
    return " ".join(names), arguments


def latency_events(reply: Sequence[Any]) -> tuple[LatencyEvent, ...]:
    """The lines of LATENCY LATEST, worst first."""
    found = [
        LatencyEvent(event=one_line(name), at=at, latest_ms=latest_ms, max_ms=max_ms)
        for name, seconds, latest_ms, max_ms, *_ in reply
        if (at := moment(seconds)) is not None
    ]
    return tuple(sorted(found, key=lambda event: -event.max_ms))
