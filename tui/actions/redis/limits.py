"""maxmemory and its policy: what speaks against a new value, what a plan says of it, and the way back."""

from collections.abc import Iterator, MutableMapping, Sequence

import msgspec

from opsdash.collectors.format import percent, size
from opsdash.collectors.redis.identities import ServerIdentity, SettingIdentity
from opsdash.collectors.redis.memory import policy_words, refuses_when_full
from opsdash.collectors.redis.rows import Memory
from opsdash.collectors.redis.settings import RedisSettings
from opsdash.collectors.target import Target, TargetId
from opsdash.tui.actions.action import ActionSpec, Effect, Hit, PlanLine
from opsdash.tui.actions.redis import MAXMEMORY, POLICY, RESTORE
from opsdash.tui.actions.redis.connection import ActionConnection
from opsdash.tui.actions.redis.deed import Draft, line
from opsdash.tui.actions.redis.sighting import Sighting, look, not_the_same

MOST_RATIO = 0.75
"""Of the memory there is: the rest is for copies during a save, buffers, and the system."""

POLICIES = (
    "noeviction",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
)

_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1024, "m": 10**6, "mb": 2**20, "g": 10**9, "gb": 2**30}

_NOTHING_CHANGED = (
    "this opsdash has changed neither maxmemory nor its policy; opsdash audit show has what others set"
)

Former = MutableMapping[tuple[TargetId, str], str]
"""By target and setting: its value before this opsdash first changed it."""


def memory_of(text: str) -> int | None:
    """A size as Redis takes it; None when it is none.

    >>> memory_of("2gb"), memory_of("512MB"), memory_of("1000"), memory_of("2 gb"), memory_of("lots")
    (2147483648, 536870912, 1000, 2147483648, None)
    """
    words = text.lower().replace(" ", "")
    unit = words.lstrip("0123456789")
    digits = words[: len(words) - len(unit)]
    if not digits or unit not in _UNITS or len(digits) > 15:
        return None
    return int(digits) * _UNITS[unit]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A setting as it is and as it is to be; both as Redis says them."""

    run_id: str
    name: str
    former: str
    value: str

    @property
    def identity(self) -> SettingIdentity:
        """What the action hits, with the former value: it is only set while that still holds."""
        return SettingIdentity(self.run_id, self.name, self.value, self.former)


def value_of(name: str, memory: Memory) -> str:
    """A setting as CONFIG would say it."""
    return str(memory.maxmemory_bytes or 0) if name == "maxmemory" else memory.maxmemory_policy or ""


def change_of(thing: SettingIdentity, now: Sighting) -> Change | str:
    """The change that a typed value means; a text says why it means none."""
    former = value_of(thing.name, now.memory)
    value = thing.value
    if thing.name == "maxmemory":
        size_bytes = memory_of(thing.value)
        if size_bytes is None:
            return f'"{thing.value}" is no size as Redis takes it: 512mb, 2gb, 1073741824'
        value = str(size_bytes)
    elif value not in POLICIES:
        return f'"{value}" is no policy; there are {", ".join(POLICIES)}'
    if value == former:
        return f"{thing.name} is {worded(thing.name, value)} already"
    return Change(run_id=thing.run_id, name=thing.name, former=former, value=value)


def worded(name: str, value: str) -> str:
    """A value as people read it.

    >>> worded("maxmemory", "536870912"), worded("maxmemory", "0"), worded("maxmemory-policy", "allkeys-lru")
    ('512 MiB', 'no limit', 'allkeys-lru')
    """
    if name != "maxmemory":
        return value
    return size(int(value)) if int(value) else "no limit"


def after(memory: Memory, changes: Sequence[Change]) -> Memory:
    """Memory as it would be with the changes."""
    for change in changes:
        if change.name == "maxmemory":
            memory = msgspec.structs.replace(memory, maxmemory_bytes=int(change.value))
        else:
            memory = msgspec.structs.replace(memory, maxmemory_policy=change.value)
    return memory


def refusal(now: Sighting, changes: Sequence[Change], memory_limit_bytes: int | None) -> str | None:
    """Why the changes would surely make things worse; None when nothing speaks against them."""
    then = after(now.memory, changes)
    if any(change.name == "maxmemory" for change in changes):
        most = there_is(now.memory, memory_limit_bytes)
        if most is not None and (
            then.maxmemory_bytes == 0 or (then.maxmemory_bytes or 0) > most * MOST_RATIO
        ):
            wanted = "no limit" if then.maxmemory_bytes == 0 else size(then.maxmemory_bytes)
            return (
                f"{wanted} is more than {percent(MOST_RATIO)} of the {size(most)} there are: a save may need "
                f"as much again, and then the kernel ends it. At most {size(most * MOST_RATIO)}"
            )
    if now.replication.is_replica:
        return None
    if refuses_when_full(then, now.databases) and (then.used_ratio or 0) >= 1:
        return (
            f"writes would be refused at once: {size(then.counted_bytes)} are used, the limit would be "
            f"{size(then.maxmemory_bytes)} with {then.maxmemory_policy}"
        )
    return None


def there_is(memory: Memory, memory_limit_bytes: int | None) -> int | None:
    """The memory that the server can have: the lower of the machine's and its container's."""
    known = [b for b in (memory.total_system_memory_bytes, memory_limit_bytes) if b]
    return min(known) if known else None


def evicts_at_once(now: Sighting, changes: Sequence[Change]) -> bool:
    """Whether keys would go as soon as it is set."""
    then = after(now.memory, changes)
    is_full = then.used_ratio is not None and then.used_ratio >= 1
    return is_full and refuses_when_full(then, now.databases) is False and not now.replication.is_replica


def plan_lines(
    now: Sighting, changes: Sequence[Change], memory_limit_bytes: int | None
) -> Iterator[PlanLine]:
    """What a plan says of the changes."""
    for change in changes:
        value = f" ({worded(change.name, change.value)})" if change.name == "maxmemory" else ""
        yield line("will run", f"CONFIG SET {change.name} {change.value}{value}")
        yield line("now", f"{change.name} {worded(change.name, change.former)}")
    memory = now.memory
    yield line(
        "used", f"{size(memory.counted_bytes)}; the machine has {size(memory.total_system_memory_bytes)}"
    )
    if memory_limit_bytes is not None:
        yield line(
            "container", f"may use {size(memory_limit_bytes)} (memory_limit_bytes of the configuration)"
        )
    elif any(change.name == "maxmemory" for change in changes):
        text = "its limit is unknown: Redis cannot tell. memory_limit_bytes in the configuration would"
        yield line("container", text, is_warning=True)
    then = after(memory, changes)
    yield line("then", policy_words(then, now.databases, is_replica=now.replication.is_replica))
    yield from _warnings(now, changes, then)
    undo = ", ".join(f"{c.name} {worded(c.name, c.former)}" for c in changes)
    yield line("undo", f"set {undo} again: the former value is kept and offered by {RESTORE.title!r}")
    yield line("lasts", "until its next start: its configuration file is not written (CONFIG REWRITE would)")
    yield line(
        "window", "read and set are two commands: a change between them, of milliseconds, is overwritten"
    )


def _warnings(now: Sighting, changes: Sequence[Change], then: Memory) -> Iterator[PlanLine]:
    if evicts_at_once(now, changes):
        over = (then.counted_bytes or 0) - (then.maxmemory_bytes or 0)
        text = (
            f"keys are evicted at once, about {size(max(over, 0))}, and they do not come back with the undo"
        )
        yield line("lost", text, is_warning=True)
    elif any(c.value.startswith("allkeys-") for c in changes):
        text = "when full, any key may be evicted from now on: also what is kept nowhere else"
        yield line("lost", text, is_warning=True)
    if now.replication.replicas:
        yield line("replicas", "keep their own settings: set it there too, in case one takes over")


class SetLimits:
    """CONFIG SET of one setting or of both."""

    on = SettingIdentity

    def __init__(self, spec: ActionSpec, former: Former) -> None:
        self.spec = spec
        self._former = former

    async def draft(
        self, connection: ActionConnection, target: Target, things: Sequence[SettingIdentity], now: Sighting
    ) -> Draft:
        """What the new values mean."""
        found = [change_of(thing, now) for thing in things]
        changes = [change for change in found if isinstance(change, Change)]
        mistakes = [why for why in found if isinstance(why, str)] if things else [_NOTHING_CHANGED]
        return drafted(self.spec.title, target, things, now, changes, mistakes)

    async def changed(
        self, connection: ActionConnection, thing: SettingIdentity, now: Sighting
    ) -> Hit | None:
        """Another run of the server, or somebody set it meanwhile."""
        value = value_of(thing.name, now.memory)
        why = not_the_same(thing.run_id, now)
        if why is None and value != thing.former:
            why = f"{thing.name} was set to {worded(thing.name, value)} meanwhile"
        return (
            None
            if why is None
            else Hit(identity=thing, effect=Effect.CHANGED, detail=f"{why}; nothing was sent")
        )

    async def send(self, connection: ActionConnection, thing: SettingIdentity) -> Hit:
        """Set it, and remember what it was."""
        await connection.act("CONFIG", "SET", thing.name, thing.value)
        if thing.former is not None:
            self._former.setdefault((connection.target.id, thing.name), thing.former)
        return Hit(identity=thing, effect=Effect.SENT, detail="former value re-checked · set")

    async def effect(
        self, connection: ActionConnection, things: Sequence[SettingIdentity]
    ) -> tuple[bool, str]:
        """What INFO says now."""
        now = await look(connection, 0.0)
        values = {thing.name: value_of(thing.name, now.memory) for thing in things}
        said = ", ".join(f"{name} is {worded(name, value)}" for name, value in values.items())
        is_there = all(values[thing.name] == thing.value for thing in things)
        return is_there, f"{said} · memory {now.memory.word}"


class Restore(SetLimits):
    """Sets what was there before this opsdash changed it."""

    def __init__(self, former: Former) -> None:
        super().__init__(RESTORE, former)

    def things_of(self, target: TargetId, server: ServerIdentity) -> list[SettingIdentity]:
        """What there is to set again."""
        return [
            SettingIdentity(server.run_id, name, value)
            for (whose, name), value in self._former.items()
            if whose == target
        ]

    async def send(self, connection: ActionConnection, thing: SettingIdentity) -> Hit:
        """Set it; there is nothing to restore any more then."""
        await connection.act("CONFIG", "SET", thing.name, thing.value)
        self._former.pop((connection.target.id, thing.name), None)
        return Hit(identity=thing, effect=Effect.SENT, detail="present value re-checked · set")


def drafted(
    title: str,
    target: Target,
    things: Sequence[SettingIdentity],
    now: Sighting,
    changes: Sequence[Change],
    mistakes: Sequence[str],
) -> Draft:
    """A plan for changes, or why there is none."""
    assert isinstance(target.settings, RedisSettings)
    limit = target.settings.memory_limit_bytes
    lapsed = not_the_same(things[0].run_id, now) if things else None
    against = lapsed or " · ".join(mistakes) or refusal(now, changes, limit)
    values = ", ".join(f"{change.name} to {worded(change.name, change.value)}" for change in changes)
    return Draft(
        title=f"Set {values}" if values else title,
        identities=tuple(change.identity for change in changes) or tuple(things),
        lines=tuple(plan_lines(now, changes, limit)) if changes and lapsed is None else (),
        can_undo=not evicts_at_once(now, changes),
        refusal=against or None,
        always_type=evicts_at_once(now, changes),
    )


__all__ = ["MAXMEMORY", "POLICY", "Former", "Restore", "SetLimits"]
