"""What INFO does not say: lists and reports that are read as often as they are worth their cost."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import BadReply, NotSupported, PermissionDenied, TargetError
from opsdash.collectors.redis import info, lists
from opsdash.collectors.redis.client import Session, own_ids
from opsdash.collectors.redis.commands import acl_name
from opsdash.collectors.redis.info import Info
from opsdash.collectors.redis.rows import ClientRow, Cluster, LatencyEvent, SentinelMaster, SlowEntry
from opsdash.collectors.text import clean, one_line

SLOWLOG_LENGTH = 64
"""Entries kept; the server's own default is 128."""
MOST_CLIENTS = 5000
"""A longer list would hold up the server for more than 3 ms, so it is not asked for."""
CLIENTS_PER_S = 100
"""How many lines of CLIENT LIST are read per second on average: 1,000 clients are listed every 10 s."""
DOCTOR_EVERY_S = 30.0
ASK_AGAIN_S = 300.0
"""After so long a command that was refused is tried again: a grant may have been made."""

_ANOTHER = "is there a proxy in between? Point opsdash at the server itself"

Words = tuple[str | int, ...]


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, each as it was read last; None: not read."""

    clients: tuple[ClientRow, ...] | None = None
    clients_mono_s: float | None = None
    slowlog: tuple[SlowEntry, ...] | None = None
    latency: tuple[LatencyEvent, ...] | None = None
    doctor: str | None = None
    doctor_mono_s: float | None = None
    cluster: Cluster | None = None
    sentinel: tuple[SentinelMaster, ...] = ()


class BesideReader:
    """Reads them over one connection, and remembers what that connection's user may not ask."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._last = Beside()
        self._refused: dict[str, tuple[float, str]] = {}
        """Commands by their ACL name: when they were refused, and in which words."""

    async def read(self, told: Info) -> Beside:
        """Ask together for all that is due after this INFO; raises TargetError."""
        asked = [words for words in self._due(told) if self._may_ask(words)]
        replies = await self._session.ask(*asked) if asked else []
        found: dict[str, Any] = {"sentinel": info.sentinel_masters(told)}
        if _count(told) > MOST_CLIENTS:
            found |= {"clients": None, "clients_mono_s": None}
        for words, reply in zip(asked, replies, strict=True):
            name = acl_name(words)
            if name == "sentinel|ckquorum":
                found["sentinel"] = _with_quorum(found["sentinel"], str(words[2]), reply)
            elif isinstance(reply, TargetError):
                self._refused[name] = (self._clock.mono_s(), reply.reason)
            else:
                try:
                    found |= await self._taken(name, reply)
                except (TypeError, ValueError, LookupError) as error:
                    target = self._session.target
                    raise BadReply(target, f"{name}: an answer of another form", hint=_ANOTHER) from error
        self._last = msgspec.structs.replace(self._last, **found)
        return self._last

    def limits(self, told: Info) -> Iterator[str]:
        """What is not known, and what would change that."""
        for name, (_, reason) in sorted(self._refused.items()):
            yield f"{name.replace('|', ' ').upper()}: {reason} · an administrator can grant +{name}"
        if (count := _count(told)) > MOST_CLIENTS:
            yield f"CLIENT LIST: not asked for above {MOST_CLIENTS} clients, there are {count}"

    def _due(self, told: Info) -> Iterator[Words]:
        mode = info.mode(told)
        if mode == "sentinel":
            for master in info.sentinel_masters(told):
                yield ("SENTINEL", "CKQUORUM", master.name)
            return
        now, last = self._clock.mono_s(), self._last
        yield ("SLOWLOG", "GET", 1)
        yield ("LATENCY", "LATEST")
        count = _count(told)
        is_listed = last.clients_mono_s is not None and now - last.clients_mono_s < count / CLIENTS_PER_S
        if count <= MOST_CLIENTS and not is_listed:
            yield ("CLIENT", "LIST")
        if last.doctor_mono_s is None or now - last.doctor_mono_s >= DOCTOR_EVERY_S:
            yield ("MEMORY", "DOCTOR")
        if mode == "cluster":
            yield ("CLUSTER", "INFO")

    def _may_ask(self, words: Words) -> bool:
        refused_s = self._refused.get(acl_name(words), (None, ""))[0]
        if refused_s is not None and self._clock.mono_s() - refused_s < ASK_AGAIN_S:
            return False
        self._refused.pop(acl_name(words), None)
        return True

    async def _taken(self, name: str, reply: Any) -> dict[str, Any]:
        """The fields that an answer fills."""
        now = self._clock.mono_s()
        match name:
            case "client|list":
                own = own_ids(self._session.target)
                return {"clients": lists.clients(str(reply), own), "clients_mono_s": now}
            case "latency|latest":
                return {"latency": lists.latency_events(reply)}
            case "memory|doctor":
                return {"doctor": clean(str(reply)).strip(), "doctor_mono_s": now}
            case "cluster|info":
                return {"cluster": info.cluster(info.parse(str(reply)))}
            case _:
                return {"slowlog": await self._slowlog(lists.slow_entries(reply))}

    async def _slowlog(self, newest: Sequence[SlowEntry]) -> tuple[SlowEntry, ...] | None:
        """The whole log, asked for only where its newest entry is another than before."""
        known = self._last.slowlog
        if not newest or (known and newest[0] == known[0]):
            return known if newest else ()
        (entries,) = await self._session.ask(("SLOWLOG", "GET", SLOWLOG_LENGTH))
        return known if isinstance(entries, TargetError) else lists.slow_entries(entries)


def _count(told: Info) -> int:
    """Clients that CLIENT LIST would list; unknown counts as none."""
    return info.integer(told, "connected_clients") or 0


def _with_quorum(
    masters: Sequence[SentinelMaster], name: str, reply: str | TargetError
) -> tuple[SentinelMaster, ...]:
    """The masters with what CKQUORUM says of one of them; a refusal for lack of rights says nothing."""
    if isinstance(reply, PermissionDenied | NotSupported):
        return tuple(masters)
    text = reply.reason if isinstance(reply, TargetError) else one_line(reply)
    return tuple(
        msgspec.structs.replace(master, quorum=text, has_quorum=not isinstance(reply, TargetError))
        if master.name == name
        else master
        for master in masters
    )
