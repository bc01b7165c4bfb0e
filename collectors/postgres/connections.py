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
    # thousands of sessions are of a few sorts: each sort is counted once, and named once
    sorts = Counter(
        (s.state if s.is_visible else NOT_VISIBLE, s.user, s.application_name, s.database)
        for s in sessions
        if is_client(s)
    )
    unnamed = ("starting", "unknown", "no name", "no database")
    by_state, by_user, by_application, by_database = (
        _most_first((sort[i] or unnamed[i], count) for sort, count in sorts.items()) for i in range(4)
    )
    return Connections(
        used=sorts.total(),
        usable=max_connections - reserved,
        max_connections=max_connections,
        reserved=reserved,
        by_state=by_state,
        by_user=by_user,
        by_application=by_application,
        by_database=by_database,
    )


def _most_first(counts: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Counts of the same word added up."""
    together: Counter[str] = Counter()
    for word, count in counts:
        together[word] += count
    return tuple(sorted(together.items(), key=lambda item: (-item[1], item[0])))
