"""What memory, limit and policy mean, in plain words. Pure; for rules and panels alike."""

from collections.abc import Sequence

from opsdash.collectors.format import percent, plural, size
from opsdash.collectors.redis.rows import Database, Memory


def refuses_when_full(memory: Memory, databases: Sequence[Database]) -> bool | None:
    """Whether writes are refused once maxmemory is reached; None when the policy is unknown.

    >>> full = Memory(maxmemory_bytes=100, maxmemory_policy="volatile-lru")
    >>> refuses_when_full(full, [Database(db=0, keys=9, expires=0)])
    True
    >>> refuses_when_full(full, [Database(db=0, keys=9, expires=3)])
    False
    """
    if not memory.maxmemory_bytes or memory.maxmemory_policy is None:
        return None if memory.maxmemory_bytes is None or memory.maxmemory_policy is None else False
    if memory.maxmemory_policy == "noeviction":
        return True
    return memory.maxmemory_policy.startswith("volatile-") and not any(d.expires for d in databases)


_EVICTED = {
    "lru": "the least recently used",
    "lfu": "the least often used",
    "random": "any",
    "ttl": "those that expire soonest",
}


def policy_words(memory: Memory, databases: Sequence[Database], *, is_replica: bool = False) -> str:
    """What happens when it is full, and whether it is.

    >>> policy_words(Memory(maxmemory_bytes=0, maxmemory_policy="noeviction"), [])
    "no maxmemory: it grows until the machine's memory ends"
    >>> policy_words(Memory(maxmemory_bytes=100, counted_bytes=99, maxmemory_policy="allkeys-lru"), [])
    'allkeys-lru: when full, keys are evicted, the least recently used first; full is normal for a cache'
    >>> policy_words(Memory(maxmemory_bytes=100, counted_bytes=101, maxmemory_policy="noeviction"), [])
    'noeviction: writes are refused'
    """
    if memory.maxmemory_bytes is None or memory.maxmemory_policy is None:
        return "limit and policy unknown"
    if is_replica:
        return f"{memory.maxmemory_policy}: a replica keeps what its primary keeps, over its limit too"
    if memory.maxmemory_bytes == 0:
        return "no maxmemory: it grows until the machine's memory ends"
    policy = memory.maxmemory_policy
    is_full = memory.used_ratio is not None and memory.used_ratio >= 1.0
    refused = "writes are refused" if is_full else "when full, writes are refused"
    scope, _, order = policy.partition("-")
    if policy == "noeviction":
        return f"{policy}: {refused}"
    first = _EVICTED.get(order, order)
    if scope == "allkeys":
        return f"{policy}: when full, keys are evicted, {first} first; full is normal for a cache"
    expires, keys = sum(d.expires for d in databases), sum(d.keys for d in databases)
    if not expires:
        return f"{policy}: no key has an expiry, so nothing can be evicted: {refused}"
    return f"{policy}: when full, keys with an expiry are evicted ({expires} of {keys}), {first} first"


def fragmentation_words(memory: Memory) -> str | None:
    """What the fragmentation ratio means here; None where it says nothing (little memory, unknown).

    >>> fragmentation_words(Memory(fragmentation_ratio=13.3, fragmentation_bytes=11 * 2**20)) is None
    True
    >>> fragmentation_words(Memory(fragmentation_ratio=1.8, fragmentation_bytes=2**30))
    'fragmentation 1.8: 1 GiB more taken from the system than used; MEMORY PURGE or activedefrag may help'
    """
    ratio, wasted = memory.fragmentation_ratio, memory.fragmentation_bytes
    if ratio is None or wasted is None:
        return None
    if ratio < 0.9 and -wasted > 64 * 2**20:
        return f"fragmentation {ratio:.1f}: {size(-wasted)} of it is swapped out; expect it to be slow"
    if ratio < 1.5 or wasted < 64 * 2**20:
        return None
    return (
        f"fragmentation {ratio:.1f}: {size(wasted)} more taken from the system than used; "
        "MEMORY PURGE or activedefrag may help"
    )


def expiry_words(databases: Sequence[Database]) -> str:
    """How many keys there are, and how many would go by themselves.

    >>> expiry_words([Database(db=0, keys=200, expires=50), Database(db=1, keys=1, expires=0)])
    '201 keys in 2 databases, 24.9% with an expiry'
    """
    keys, expires = sum(d.keys for d in databases), sum(d.expires for d in databases)
    if not keys:
        return "no keys"
    where = f" in {plural(len(databases), 'database')}" if len(databases) > 1 else ""
    return f"{plural(keys, 'key')}{where}, {percent(expires / keys)} with an expiry"
