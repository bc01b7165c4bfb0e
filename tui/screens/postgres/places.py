"""Which screen a drill-down into a PostgreSQL target leads to."""

import msgspec

from opsdash.collectors.postgres.rows import PostgresData, SessionIdentity
from opsdash.collectors.postgres.statement_rows import StatementId
from opsdash.collectors.target import TargetId
from opsdash.tui.screens.place import Place
from opsdash.tui.screens.postgres.server import ServerScreen
from opsdash.tui.screens.postgres.session import SessionScreen
from opsdash.tui.screens.postgres.statement import StatementScreen
from opsdash.tui.watch import Watch
from opsdash.widgets.panels.postgres.statements import Scope


def open_place(watch: Watch, target: TargetId, place: str, identity: msgspec.Struct | None) -> Place:
    """The screen of `place`; an unknown or empty one is the table of sessions.

    A statement is shown over the last minutes, as findings tell of it; since the reset where it did nothing
    in those: then it was found to be the worst since the reset.
    """
    if place == "statement" and isinstance(identity, (StatementId, SessionIdentity)):
        return StatementScreen(watch, target, identity, scope=_scope(watch, target, identity))
    session = identity if isinstance(identity, SessionIdentity) else None
    if place == "session" and session is not None:
        return SessionScreen(watch, target, session)
    return ServerScreen(watch, target, place if place in ServerScreen.views else "sessions", session)


def _scope(watch: Watch, target: TargetId, identity: StatementId | SessionIdentity) -> Scope:
    data: PostgresData | None = watch.feed.view(target).data
    if data is None or data.statements is None or not isinstance(identity, StatementId):
        return Scope.RECENT
    row = data.statements.row(identity)
    is_idle = row is not None and (row.recent is None or not row.recent.calls)
    return Scope.TOTAL if is_idle else Scope.RECENT
