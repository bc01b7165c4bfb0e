"""Connections counted by what people ask about. Pure."""

from collections import Counter
from collections.abc import Iterable

from opsdash.collectors.postgres.rows import Connections, SessionRow

NOT_VISIBLE = "not visible"


def is_client(session: SessionRow) -> bool:
    """Whether a row is a client's session, as far as our role can know.

    A row we may not look at shows only its user, database and application: those with both a user and
    a database are clients, or the parallel workers of clients.

    >>> is_client(SessionRow(pid=1, user="shop", database="shop", is_visible=False))
    True
    >>> is_client(SessionRow(pid=1, is_visible=False)), is_client(SessionRow(pid=1, backend_type="walwriter"))
    (False, False)
    """
    if session.is_visible:
        return session.is_client
    return session.user is not None and session.database is not None


def connections(sessions: Iterable[SessionRow], *, max_connections: int, reserved: int) -> Connections:
    """Count the client sessions among `sessions`, which include our own: they take places too."""
    clients = [s for s in sessions if is_client(s)]
    return Connections(
        used=len(clients),
        usable=max_connections - reserved,
        max_connections=max_connections,
        reserved=reserved,
        by_state=_most_first((s.state or "starting") if s.is_visible else NOT_VISIBLE for s in clients),
        by_user=_most_first(s.user or "unknown" for s in clients),
        by_application=_most_first(s.application_name or "no name" for s in clients),
        by_database=_most_first(s.database or "no database" for s in clients),
    )


def _most_first(words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(words).items(), key=lambda item: (-item[1], item[0])))
