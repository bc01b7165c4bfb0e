"""Sends the acting statement for one identity, and tells zero rows apart."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from opsdash.collectors.errors import PermissionDenied, TargetError
from opsdash.collectors.format import duration
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.tui.actions.action import Effect, Hit
from opsdash.tui.actions.postgres.connection import BoundedConnection, Row, nothing_sent
from opsdash.tui.actions.postgres.deeds import Deed, grants, is_same, no_root
from opsdash.tui.actions.postgres.describe import summary
from opsdash.tui.actions.postgres.sighting import Sighting, look, look_at

CHECK_AT_MOST = tuple(timedelta(microseconds=250 * 2**tries) for tries in range(10))
"""How old the check may be when the signal is sent, try by try: 0.25 ms, and up to 128 ms on a server that
is too loaded for that. Measured on two busy cores: 26 us in the middle, 1 in 200 over 0.2 ms, 1 in 3,000
over 1 ms."""


async def signal(connection: BoundedConnection, deed: Deed, identity: SessionIdentity) -> Hit:
    """Do `deed` to one identity, once.

    Raises:
        TimedOut: Sent perhaps, no answer.
        ConnectionLost: Likewise.
        TargetError: Any other: it surely was not done.
    """
    if deed is Deed.TERMINATE_ROOT:
        with nothing_sent():
            lapsed = no_root(identity.pid, await look(connection, [identity.pid]))
        if lapsed is not None:
            return Hit(identity=identity, effect=Effect.CHANGED, detail=lapsed)
    parameters = {
        "pid": identity.pid,
        "backend_start": identity.backend_start,
        "xact_start": identity.xact_start,
        "query_start": identity.query_start,
    }
    try:
        rows = await _act(connection, deed, parameters)
    except PermissionDenied as error:
        return Hit(identity=identity, effect=Effect.DENIED, detail=error.reason)
    if rows and rows[0][0]:
        return Hit(identity=identity, effect=Effect.SENT, detail=f"{_same(deed, identity)} · signal sent")
    try:
        now = await look_at(connection, [identity.pid])
    except TargetError as error:
        text = f"nothing was sent; what it is now cannot be read: {error.reason}"
        return Hit(identity=identity, effect=Effect.CHANGED, detail=text)
    return _refused_by_server(deed, identity, now) if rows else _nothing_hit(deed, identity, now)


async def _act(connection: BoundedConnection, deed: Deed, parameters: Mapping[str, Any]) -> list[Row]:
    """Send the statement until its signal came at once after its check, or no row was there to be hit."""
    for at_most in CHECK_AT_MOST:
        rows = await connection.act(deed.statement, {**parameters, "at_most": at_most})
        if not rows or rows[0][0] is not None:
            return rows
    raise TargetError(
        connection.target.id,
        f"nothing was sent: in {len(CHECK_AT_MOST)} tries the server never signalled within "
        f"{duration(CHECK_AT_MOST[-1].total_seconds())} of its check",
        hint="it is overloaded; try again, or act from a superuser's psql",
    )


def _same(deed: Deed, identity: SessionIdentity) -> str:
    if deed is Deed.CANCEL:
        return "same statement re-checked"
    return "same session re-checked" if identity.xact_start is None else "same transaction re-checked"


def _refused_by_server(deed: Deed, identity: SessionIdentity, now: Sighting) -> Hit:
    """The function returned false: the process could not be signalled."""
    said = f"{deed.function} returned false"
    if identity.pid in now.seen:
        return Hit(identity=identity, effect=Effect.DENIED, detail=f"{said}, and the session is still there")
    return Hit(identity=identity, effect=Effect.GONE, detail=f"{said}: it ended just before the signal")


def _nothing_hit(deed: Deed, identity: SessionIdentity, now: Sighting) -> Hit:
    """Why the statement matched no row, from a look right after it."""
    seen = now.seen.get(identity.pid)
    if seen is None:
        return Hit(identity=identity, effect=Effect.GONE, detail="no such session any more; nothing was sent")
    session = seen.session
    if session.backend_start is None:
        return Hit(identity=identity, effect=Effect.NOT_VISIBLE, detail=grants(now.rights))
    if session.backend_start != identity.backend_start:
        text = f"{identity.pid} is another session now: {summary(session, now.now)}; nothing was sent"
        return Hit(identity=identity, effect=Effect.GONE, detail=text)
    changed_back = " (it had changed for a moment)" if is_same(deed, identity, session) else ""
    text = f"now {summary(session, now.now)}{changed_back}; nothing was sent"
    return Hit(identity=identity, effect=Effect.CHANGED, detail=text)
