"""Empty a database or all of them; empty the slow log."""

from collections.abc import Sequence

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import TargetError
from opsdash.collectors.format import percent, plural
from opsdash.collectors.redis.identities import DatabaseIdentity, ServerIdentity
from opsdash.collectors.redis.lists import slow_entries
from opsdash.collectors.target import Target
from opsdash.tui.actions.action import ActionSpec, Effect, Hit, PlanLine
from opsdash.tui.actions.redis import FLUSHALL, FLUSHDB, SLOWLOG_RESET
from opsdash.tui.actions.redis.connection import ActionConnection, refused
from opsdash.tui.actions.redis.deed import Draft, line
from opsdash.tui.actions.redis.sighting import Sighting, fall_through, look, not_here, not_the_same

LOOK_AGAIN_S = 0.5
"""Between two looks at the counters, for what is looked up at present."""
_SLOWLOG = 128


class Flush:
    """FLUSHDB ASYNC of one database, or FLUSHALL ASYNC."""

    on: type[ServerIdentity] = ServerIdentity

    def __init__(self, spec: ActionSpec, clock: Clock) -> None:
        self.spec = spec
        self._clock = clock
        self._is_all = spec is FLUSHALL

    async def draft(
        self, connection: ActionConnection, target: Target, things: Sequence[ServerIdentity], now: Sighting
    ) -> Draft:
        """How many keys there are, who looks them up, and where they live on."""
        (thing,) = things
        refusal = not_the_same(thing.run_id, now) or not_here(now, "keys") or self._empty(thing, now)
        lines: tuple[PlanLine, ...] = ()
        if refusal is None:
            await self._clock.sleep(LOOK_AGAIN_S)
            later = await look(connection, self._clock.mono_s())
            lines = tuple(self._lines(thing, later, fall_through(now, later)))
        return Draft(
            title="Flush all databases" if self._is_all else f"Flush {thing}",
            identities=(self._identity(thing),),
            lines=lines,
            refusal=refusal,
            always_type=True,
        )

    def _identity(self, thing: ServerIdentity) -> ServerIdentity:
        return ServerIdentity(thing.run_id) if self._is_all else thing

    def _keys(self, thing: ServerIdentity, now: Sighting) -> tuple[int, int]:
        """Keys that would go, and those of them with an expiry."""
        hit = now.databases if self._is_all else (now.database(_db(thing)),)
        return sum(d.keys for d in hit), sum(d.expires for d in hit)

    def _empty(self, thing: ServerIdentity, now: Sighting) -> str | None:
        keys, _ = self._keys(thing, now)
        return None if keys else f"{'the server' if self._is_all else thing} has no keys: nothing to flush"

    def _lines(self, thing: ServerIdentity, now: Sighting, lookups: str | None) -> list[PlanLine]:
        keys, expires = self._keys(thing, now)
        where = f" on {thing}" if not self._is_all else ""
        found = [
            line("will run", f"{'FLUSHALL' if self._is_all else 'FLUSHDB'} ASYNC{where}"),
            line("hits", f"{plural(keys, 'key')}, {percent(expires / keys)} with an expiry"),
            line("lost", "all of them at once; memory is given back in the background"),
        ]
        if lookups is not None:
            text = f"{lookups} (all databases); they will go to whatever is behind this cache"
            found.append(line("lookups", text, is_warning=True))
        if now.replication.replicas:
            found.append(line("replicas", f"{plural(len(now.replication.replicas), 'replica')} empties too"))
        if now.mode == "cluster":
            text = "only the keys of this node; those of the other nodes stay"
            found.append(line("cluster", text, is_warning=True))
        found.append(line("clients", f"{now.connected_clients} connected"))
        undo = "none; a copy of the last save (dump.rdb) made before it is overwritten would have them"
        return [*found, line("undo", undo)]

    async def changed(self, connection: ActionConnection, thing: ServerIdentity, now: Sighting) -> Hit | None:
        """Another run of the server, or a replica by now."""
        why = not_the_same(thing.run_id, now) or not_here(now, "keys")
        return (
            None
            if why is None
            else Hit(identity=thing, effect=Effect.CHANGED, detail=f"{why}; nothing was sent")
        )

    async def send(self, connection: ActionConnection, thing: ServerIdentity) -> Hit:
        """Flush it."""
        if self._is_all:
            await connection.act("FLUSHALL", "ASYNC")
        else:
            await connection.act("FLUSHDB", "ASYNC", db=_db(thing))
        return Hit(identity=thing, effect=Effect.SENT, detail="same server re-checked · flushed")

    async def effect(
        self, connection: ActionConnection, things: Sequence[ServerIdentity]
    ) -> tuple[bool, str]:
        """Whether the keys are gone; new ones may be there already."""
        now = await look(connection, self._clock.mono_s())
        keys, _ = self._keys(things[0], now)
        what = "the server" if self._is_all else str(things[0])
        return True, f"{what} is empty" if not keys else f"{what} has {plural(keys, 'key')}, written since"


class FlushDatabase(Flush):
    """FLUSHDB ASYNC."""

    on = DatabaseIdentity

    def __init__(self, clock: Clock) -> None:
        super().__init__(FLUSHDB, clock)


def _db(thing: ServerIdentity) -> int:
    assert isinstance(thing, DatabaseIdentity)
    return thing.db


class ResetSlowlog:
    """SLOWLOG RESET."""

    spec = SLOWLOG_RESET
    on = ServerIdentity

    async def draft(
        self, connection: ActionConnection, target: Target, things: Sequence[ServerIdentity], now: Sighting
    ) -> Draft:
        """How many entries go."""
        (thing,) = things
        refusal = not_the_same(thing.run_id, now)
        replies = await connection.read(("SLOWLOG", "GET", _SLOWLOG))
        refused(replies)
        entries = slow_entries(replies[0])
        if refusal is None and not entries:
            refusal = "the slow log is empty"
        count = (
            f"{_SLOWLOG} or more entries"
            if len(entries) == _SLOWLOG
            else plural(len(entries), "entry", "entries")
        )
        return Draft(
            title=self.spec.title,
            identities=(ServerIdentity(thing.run_id),),
            lines=(
                line("will run", "SLOWLOG RESET"),
                line("lost", f"{count}, for everybody who looks at it; the data is not touched"),
                line("undo", "none; the audit log does not keep them"),
            )
            if entries
            else (),
            refusal=refusal,
        )

    async def changed(self, connection: ActionConnection, thing: ServerIdentity, now: Sighting) -> Hit | None:
        """Another run of the server."""
        why = not_the_same(thing.run_id, now)
        return None if why is None else Hit(identity=thing, effect=Effect.CHANGED, detail=why)

    async def send(self, connection: ActionConnection, thing: ServerIdentity) -> Hit:
        """Reset it."""
        await connection.act("SLOWLOG", "RESET")
        return Hit(identity=thing, effect=Effect.SENT, detail="same server re-checked · reset")

    async def effect(
        self, connection: ActionConnection, things: Sequence[ServerIdentity]
    ) -> tuple[bool, str]:
        """How many entries there are now."""
        (reply,) = await connection.read(("SLOWLOG", "GET", _SLOWLOG))
        if isinstance(reply, TargetError):
            return True, "reset, as the server said"
        count = len(slow_entries(reply))
        return True, "the slow log is empty" if not count else f"{plural(count, 'entry', 'entries')} since"
