"""The commands that opsdash reads a Redis with, and the ACL rule that permits exactly these."""

from collections.abc import Mapping, Sequence

Words = Sequence[str | int | bytes]
"""A command and its arguments."""

READS: Mapping[str, str] = {
    "info": "all counters, and how long an answer takes",
    "client|id": "which of the clients are our own",
    "client|list": "who is connected, and what each does",
    "client|setname": "our connection is named opsdash",
    "client|no-evict": "our connection is not the one that a full server drops",
    "client|no-touch": "looking at a key does not make it look used",
    "slowlog|get": "slow commands",
    "latency|latest": "latency events",
    "memory|doctor": "what the server itself says of its memory",
    "cluster|info": "whether the cluster serves all slots",
    "sentinel|ckquorum": "whether the sentinels could fail over",
    "select": "which database a look at keys is about",
    "dbsize": "how many keys there are, before some are purged",
    "scan": "which keys match a pattern, before they are purged",
    "pttl": "which of them would have gone by themselves",
}
"""What the collector, drill-downs and plans may send, by its name in ACL rules, and what for."""

ACTS: Mapping[str, str] = {
    "client|kill": "Kill client",
    "unlink": "Purge keys",
    "flushdb": "Flush database",
    "flushall": "Flush all databases",
    "config|set": "Set maxmemory and its policy",
    "slowlog|reset": "Reset the slow log",
}
"""What actions send beside that."""

_CONTAINERS = frozenset(name.partition("|")[0] for name in (*READS, *ACTS) if "|" in name)
_NEWER = {"client|no-evict": (7, 0), "client|no-touch": (7, 2)}
"""Since when a server knows a command; an ACL rule that names an unknown one is refused."""
_SENTINELS = frozenset({"sentinel|ckquorum"})


def acl_name(words: Words) -> str:
    """The name of a command in ACL rules.

    >>> acl_name(["CLIENT", "LIST", "ID", 7]), acl_name(["INFO", "all"])
    ('client|list', 'info')
    """
    first = str(words[0]).lower()
    return f"{first}|{str(words[1]).lower()}" if first in _CONTAINERS and len(words) > 1 else first


def acl_rule(user: str = "opsdash", *, version: Sequence[int] = (7, 2), may_act: bool = False) -> str:
    """The statement that creates a user for opsdash: only what it sends, nothing else.

    Args:
        user: Its name.
        version: Of the server, major and minor.
        may_act: Whether actions are sent by this user too.

    >>> acl_rule(version=(7, 0))[:75]
    'ACL SETUSER opsdash on >CHOOSE-A-PASSWORD ~* -@all +info +client|id +client'
    """
    names = [*READS, *(ACTS if may_act else ())]
    known = [n for n in names if tuple(version) >= _NEWER.get(n, (0,)) and n not in _SENTINELS]
    return " ".join(["ACL SETUSER", user, "on >CHOOSE-A-PASSWORD ~* -@all", *(f"+{name}" for name in known)])
