"""Actions on Redis: kill a client, purge keys, flush, set the memory limit, reset the slow log.

    connection.py   one exchange at a time, each with a deadline; the kept action connection
    sighting.py     the server as it is now, read afresh
    deed.py         what is alike in all but the purge: plan, re-check, act, follow
    clients.py      kill
    flush.py        FLUSHDB, FLUSHALL, SLOWLOG RESET
    limits.py       maxmemory and its policy, set and restored; pure rules
    survey.py       a bounded look at the keys that match a pattern
    purge.py        SCAN and UNLINK in steps
    kit.py          puts them together

Only what connects imports the client library: the names and keys of the actions are free.
"""

from typing import TYPE_CHECKING

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.redis.identities import (
    ClientIdentity,
    DatabaseIdentity,
    PurgeIdentity,
    ServerIdentity,
    SettingIdentity,
)
from opsdash.tui.actions.action import ActionSpec

if TYPE_CHECKING:
    from opsdash.tui.actions.action import ActionKit


def _pattern(on: msgspec.Struct, answer: str) -> PurgeIdentity:
    assert isinstance(on, DatabaseIdentity)
    return PurgeIdentity(on.run_id, on.db, answer)


def _maxmemory(on: msgspec.Struct, answer: str) -> SettingIdentity:
    assert isinstance(on, ServerIdentity)
    return SettingIdentity(on.run_id, "maxmemory", answer.strip())


def _policy(on: msgspec.Struct, answer: str) -> SettingIdentity:
    assert isinstance(on, ServerIdentity)
    return SettingIdentity(on.run_id, "maxmemory-policy", answer.strip().lower())


KILL_CLIENT = ActionSpec(
    name="redis.kill_client",
    kind="redis",
    title="Kill client",
    short="terminate",
    key="K",
    on=ClientIdentity,
)
PURGE = ActionSpec(
    name="redis.purge",
    kind="redis",
    title="Purge keys by pattern",
    short="purge",
    key="P",
    on=DatabaseIdentity,
    asks="pattern of the keys to purge, as in cart:*",
    answered=_pattern,
    in_steps=True,
)
MAXMEMORY = ActionSpec(
    name="redis.maxmemory",
    kind="redis",
    title="Set maxmemory",
    short="maxmemory",
    key="M",
    on=ServerIdentity,
    asks="new maxmemory, as in 512mb or 2gb",
    answered=_maxmemory,
)
POLICY = ActionSpec(
    name="redis.policy",
    kind="redis",
    title="Set the eviction policy",
    short="policy",
    key="E",
    on=ServerIdentity,
    asks="new policy, as in allkeys-lru or noeviction",
    answered=_policy,
)
RESTORE = ActionSpec(
    name="redis.restore",
    kind="redis",
    title="Restore maxmemory and policy",
    short="restore",
    key="U",
    on=ServerIdentity,
)
SLOWLOG_RESET = ActionSpec(
    name="redis.slowlog_reset",
    kind="redis",
    title="Reset the slow log",
    short="reset slow log",
    key="L",
    on=ServerIdentity,
)
FLUSHDB = ActionSpec(
    name="redis.flushdb",
    kind="redis",
    title="Flush this database",
    short="flush",
    key="D",
    on=DatabaseIdentity,
)
FLUSHALL = ActionSpec(
    name="redis.flushall",
    kind="redis",
    title="Flush all databases",
    short="flush all",
    key="F",
    on=ServerIdentity,
)

SPECS: tuple[ActionSpec, ...] = (
    KILL_CLIENT,
    PURGE,
    MAXMEMORY,
    POLICY,
    RESTORE,
    SLOWLOG_RESET,
    FLUSHDB,
    FLUSHALL,
)


def make_kit(clock: Clock) -> "ActionKit":
    """The actions and the connections they are sent over. Connects to nothing yet."""
    from opsdash.tui.actions.redis.kit import RedisKit

    return RedisKit(clock)
