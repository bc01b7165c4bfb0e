"""Kill a client by its id, which the server never gives twice."""

from collections.abc import Sequence

from opsdash.collectors.errors import NotSupported
from opsdash.collectors.format import age, plural
from opsdash.collectors.redis.client import own_ids
from opsdash.collectors.redis.identities import ClientIdentity
from opsdash.collectors.redis.rows import ClientRow
from opsdash.collectors.target import Target, TargetId
from opsdash.tui.actions.action import Effect, Hit, PlanLine
from opsdash.tui.actions.redis import KILL_CLIENT
from opsdash.tui.actions.redis.connection import ActionConnection
from opsdash.tui.actions.redis.deed import Draft, line
from opsdash.tui.actions.redis.sighting import Sighting, look_at_clients, not_the_same

_NAMED = 8


class Kill:
    """CLIENT KILL ID."""

    spec = KILL_CLIENT
    on = ClientIdentity

    async def draft(
        self, connection: ActionConnection, target: Target, things: Sequence[ClientIdentity], now: Sighting
    ) -> Draft:
        """Who they are and what they lose."""
        seen = await look_at_clients(connection, [thing.id for thing in things])
        refused = {
            thing: why for thing in things if (why := refusal(thing, seen.get(thing.id), now, target.id))
        }
        hit = [thing for thing in things if thing not in refused]
        rows = [seen[thing.id] for thing in hit]
        left_out = [line("left out", why, is_warning=True) for why in refused.values()]
        return Draft(
            title=f"Kill {things[0]}" if len(things) == 1 else f"Kill {plural(len(hit), 'client')}",
            identities=tuple(hit) or tuple(things),
            lines=(*_lines(rows), *left_out) if hit else (),
            refusal=None if hit else " · ".join(dict.fromkeys(refused.values())) or "nothing was chosen",
        )

    async def changed(self, connection: ActionConnection, thing: ClientIdentity, now: Sighting) -> Hit | None:
        """Gone, or something by now that is not killed."""
        seen = (await look_at_clients(connection, [thing.id])).get(thing.id)
        why = refusal(thing, seen, now, connection.target.id)
        if why is None:
            return None
        effect = Effect.GONE if seen is None or not_the_same(thing.run_id, now) else Effect.CHANGED
        return Hit(identity=thing, effect=effect, detail=f"{why}; nothing was sent")

    async def send(self, connection: ActionConnection, thing: ClientIdentity) -> Hit:
        """Kill it."""
        killed = await connection.act("CLIENT", "KILL", "ID", thing.id)
        if not killed:
            return Hit(identity=thing, effect=Effect.GONE, detail="it left just before; nobody was killed")
        return Hit(identity=thing, effect=Effect.SENT, detail="same client re-checked · killed")

    async def effect(
        self, connection: ActionConnection, things: Sequence[ClientIdentity]
    ) -> tuple[bool, str]:
        """Whether they are gone from the list."""
        try:
            left = await look_at_clients(connection, [thing.id for thing in things])
        except NotSupported:
            return True, "killed, as the server said"
        if left:
            return False, f"still connected: {', '.join(str(number) for number in left)}"
        return True, "client is gone" if len(things) == 1 else f"all {len(things)} clients are gone"


def refusal(chosen: ClientIdentity, seen: ClientRow | None, now: Sighting, target: TargetId) -> str | None:
    """Why this client is not killed; None when nothing speaks against it."""
    if (why := not_the_same(chosen.run_id, now)) is not None:
        return why
    if chosen.id in own_ids(target):
        return f"client {chosen.id} is opsdash itself"
    if seen is None:
        return f"client {chosen.id} is gone: nothing is left to do"
    if "S" in seen.flags:
        return f"client {chosen.id} is a replica ({seen.addr}): it would have to fetch everything anew"
    if "M" in seen.flags:
        return f"client {chosen.id} is the link to the primary: replication would break"
    return None


def _lines(rows: Sequence[ClientRow]) -> list[PlanLine]:
    if len(rows) > 1:
        names = [row.name or row.addr for row in rows[:_NAMED]]
        more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
        return [
            line("will run", f"CLIENT KILL ID for each of {len(rows)} clients, each re-checked before"),
            line("they are", ", ".join(names) + more),
            *_lost(rows),
            line("undo", "none; most clients connect again by themselves"),
        ]
    row = rows[0]
    who = [row.addr, row.name and f"name {row.name}", row.user and f"user {row.user}", row.library]
    command = f"last command {row.command}" if row.command else "no command yet"
    return [
        line("will run", f"CLIENT KILL ID {row.id} (a server never gives an id twice while it runs)"),
        line("it is", " · ".join(part for part in who if part)),
        line("does", f"{command}, idle {age(row.idle_s)}, connected {age(row.age_s)}"),
        *_lost(rows),
        line("undo", "none; most clients connect again by themselves"),
    ]


def _lost(rows: Sequence[ClientRow]) -> list[PlanLine]:
    """What goes with the connections."""
    lost = []
    queued = [row for row in rows if row.queued is not None]
    if queued:
        lost.append(f"{plural(len(queued), 'open MULTI', 'open MULTIs')} with its queued commands")
    if any(row.is_blocked for row in rows):
        lost.append("the blocking command it waits in")
    if any(row.subscriptions for row in rows):
        lost.append("its subscriptions: what is published until it is back does not reach it")
    if any(row.output_bytes for row in rows):
        lost.append("answers that it has not read yet")
    return [line("lost", "; ".join(lost) or "nothing but the connection")]
