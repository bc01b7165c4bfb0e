"""The server as it is now, read afresh for a plan, a re-check or to follow an effect."""

import msgspec

from opsdash.collectors.errors import TargetError
from opsdash.collectors.redis import info, lists
from opsdash.collectors.redis.client import own_ids
from opsdash.collectors.redis.counters import Sample, sample
from opsdash.collectors.redis.rows import ClientRow, Database, Memory, Persistence, Replication
from opsdash.tui.actions.redis.connection import ActionConnection, refused


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan may need to know."""

    run_id: str
    mode: str
    memory: Memory
    databases: tuple[Database, ...]
    replication: Replication
    persistence: Persistence
    connected_clients: int | None
    counters: Sample

    def database(self, db: int) -> Database:
        """One database; without keys when INFO does not name it."""
        found = (database for database in self.databases if database.db == db)
        return next(found, Database(db=db, keys=0, expires=0))

    @property
    def keys(self) -> int:
        """In all databases."""
        return sum(database.keys for database in self.databases)


async def look(connection: ActionConnection, mono_s: float) -> Sighting:
    """Read INFO; raises TargetError."""
    replies = await connection.read(("INFO", "all"))
    refused(replies)
    told = info.parse(str(replies[0]))
    return Sighting(
        run_id=told.get("run_id", ""),
        mode=info.mode(told),
        memory=info.memory(told),
        databases=info.databases(told),
        replication=info.replication(told),
        persistence=info.persistence(told),
        connected_clients=info.integer(told, "connected_clients"),
        counters=sample(told, mono_s),
    )


async def look_at_clients(connection: ActionConnection, ids: list[int]) -> dict[int, ClientRow]:
    """Those of `ids` who are connected; our own connections are never among them. Raises TargetError."""
    (text,) = await connection.read(("CLIENT", "LIST", "ID", *ids))
    if isinstance(text, TargetError):  # before Redis 6.2 it takes no ids
        (text,) = await connection.read(("CLIENT", "LIST"))
    refused([text])
    rows = lists.clients(str(text), own_ids(connection.target.id))
    return {row.id: row for row in rows if row.id in ids}


def not_the_same(run_id: str, now: Sighting) -> str | None:
    """Why what was chosen is gone with the server's run that it belonged to."""
    if run_id != now.run_id:
        return "the server was restarted, or is another one since: look at it again"
    return None


def not_here(now: Sighting, what: str) -> str | None:
    """Why `what` cannot be done on a server of this kind."""
    if now.mode == "sentinel":
        return f"this is a sentinel: it has no {what}"
    if now.replication.is_replica:
        return f"this is a replica of {now.replication.primary_address}: act on the primary"
    return None


def fall_through(before: Sighting, now: Sighting) -> str | None:
    """How many lookups per second are answered from here at present; None when that is not known."""
    span_s = now.counters.mono_s - before.counters.mono_s
    if span_s <= 0 or not now.counters.follows(before.counters):
        return None
    hits = now.counters.counters.get("keyspace_hits", 0) - before.counters.counters.get("keyspace_hits", 0)
    return f"{hits / span_s:.0f} lookups/s found their key over {span_s:.1f} s"
