"""What is wrong inside a PostgreSQL server that answers. Pure."""

from collections.abc import Iterator, Sequence

from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.format import percent, plural
from opsdash.collectors.postgres.blocking import forest_of
from opsdash.collectors.postgres.rows import Connections, PostgresData
from opsdash.collectors.postgres.settings import PostgresSettings, PostgresThresholds
from opsdash.collectors.target import Target
from opsdash.tui.findings.postgres_blocking import blockers, blocking
from opsdash.tui.findings.postgres_replication import replication
from opsdash.tui.findings.postgres_sessions import idle_in_transaction, long_queries
from opsdash.tui.findings.postgres_statements import worst_statement

_NAMED = 2
"""Applications named in a title before the rest is "other"."""


def findings(data: PostgresData, target: Target) -> tuple[Finding, ...]:
    """All findings of one reading, in no particular order.

    Args:
        data: The reading.
        target: Its target; the settings are `PostgresSettings`.
    """
    settings = target.settings
    limits = settings.thresholds if isinstance(settings, PostgresSettings) else PostgresThresholds()
    judged = blockers(data, limits)
    told = {root.pid for _, root in judged}
    return (
        *_connections(data, target, limits),
        *blocking(judged, data, target.id),
        *idle_in_transaction(data, target, limits, told),
        *long_queries(data, target, limits, told),
        *worst_statement(data, target, limits),
        *replication(data, target, limits),
        *_hidden(data, target),
    )


def _connections(data: PostgresData, target: Target, limits: PostgresThresholds) -> Iterator[Finding]:
    """Client backends near what an ordinary role can use."""
    connections = data.connections
    ratio = connections.used_ratio
    if ratio is None or ratio <= limits.connections_warn_ratio:
        return
    by_application = _counts(connections.by_application, _NAMED)
    yield Finding(
        severity=Severity.CRIT if ratio > limits.connections_crit_ratio else Severity.WARN,
        target=target.id,
        rule="postgres.connections",
        title=f"connections {connections.used} of {connections.usable} usable"
        + (f" · {by_application}" if by_application else ""),
        short=f"connections {connections.used}/{connections.usable}",
        evidence=tuple(_connections_evidence(connections, ratio)),
        cause=_connections_cause(data),
        place="connections",
        weight=ratio,
    )


def _counts(counts: Sequence[tuple[str, int]], named: int) -> str:
    """The largest counts by name, the rest as "other".

    >>> _counts((("checkout", 61), ("api", 20), ("cron", 4), ("psql", 2)), 2)
    'checkout 61, api 20, other 6'
    """
    words = [f"{name} {count}" for name, count in counts[:named]]
    other = sum(count for _, count in counts[named:])
    return ", ".join([*words, f"other {other}"] if other else words)


def _connections_evidence(connections: Connections, ratio: float) -> Iterator[str]:
    yield (
        f"{plural(connections.used, 'client backend')} of {connections.usable} open to an ordinary role "
        f"({percent(ratio)})"
    )
    yield f"max_connections {connections.max_connections}, of which {connections.reserved} are reserved"
    for what, counts in (
        ("state", connections.by_state),
        ("application", connections.by_application),
        ("user", connections.by_user),
        ("database", connections.by_database),
    ):
        if counts:
            yield f"by {what}: {_counts(counts, 5)}"


def _connections_cause(data: PostgresData) -> str | None:
    """What fills the connections, where one thing accounts for a good part of them."""
    used = data.connections.used
    root = next(iter(forest_of(data)), None)
    if root is not None and root.waiters * 4 >= used:
        who = f"pid {root.pid}" if root.pid else "a prepared transaction"
        return f"{root.waiters} sessions wait behind {who}: clear that first"
    open_idle = sum(session.is_client and session.is_idle_in_transaction for session in data.sessions)
    if open_idle * 4 >= used:
        return f"{open_idle} of them are idle in transaction: their clients keep transactions open"
    idle = dict(data.connections.by_state).get("idle", 0)
    if idle * 2 > used:
        return f"{idle} of them are idle: pools are larger than they need to be, or connections leak"
    return None


def _hidden(data: PostgresData, target: Target) -> Iterator[Finding]:
    """What this role may not see and the rules above would need."""
    total = len(data.sessions)
    hidden = sum(not session.is_visible for session in data.sessions)
    if not hidden:
        return
    yield Finding(
        severity=Severity.UNKNOWN,
        target=target.id,
        rule="postgres.visibility",
        title=f"may not see other users' sessions: {hidden} of {total} are hidden from {data.role}",
        short=f"{hidden} sessions hidden from {data.role}",
        evidence=(
            "their state, age and statement are unknown: long queries and open transactions may go unseen",
            *data.limits,
        ),
        cause="the role has neither pg_monitor nor pg_read_all_stats",
        place="sessions",
    )
