"""Sessions that make others wait. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from opsdash.collectors.finding import Finding, Severity, SuggestedAction
from opsdash.collectors.format import age, moment, plural
from opsdash.collectors.postgres.blocking import PREPARED_PID, BlockingNode, forest_of
from opsdash.collectors.postgres.blocking_rows import describe_wait
from opsdash.collectors.postgres.rows import PostgresData, PreparedTransaction, SessionRow
from opsdash.collectors.postgres.settings import PostgresThresholds
from opsdash.collectors.target import TargetId

RULE = "postgres.blocking"

PLACE = "blocked"

_ONE_BY_ONE = 5
"""Root blockers that get a finding of their own: a list of forty says less than five and a sum."""

_WRAPAROUND = "(to prevent wraparound)"
"""What autovacuum's activity ends with when it cannot be put off."""

_AFTER = "after deadlock_timeout (1s unless changed)"


Judged = tuple[Severity, BlockingNode]


def blockers(data: PostgresData, limits: PostgresThresholds) -> tuple[Judged, ...]:
    """The root blockers that make too many wait, or too long, worst first."""
    judged = [
        (severity, root) for root in forest_of(data) if (severity := _severity(root, limits)) is not None
    ]
    return tuple(sorted(judged, key=lambda each: -each[0]))


def blocking(judged: Sequence[Judged], data: PostgresData, target: TargetId) -> Iterator[Finding]:
    """A finding for each of the worst root blockers, and one for all others.

    Args:
        judged: As `blockers` gives them.
        data: The reading they are of.
        target: Its target.
    """
    told = judged if len(judged) <= _ONE_BY_ONE + 1 else judged[:_ONE_BY_ONE]
    for severity, root in told:
        yield _finding(root, severity, data, target)
    if len(judged) > len(told):
        yield _others(judged[len(told) :], data, target)


def _severity(root: BlockingNode, limits: PostgresThresholds) -> Severity | None:
    if root.waiters == 0:
        return None
    longest_s = root.longest_wait_s or 0.0  # unknown: the server sets it a moment after the wait begins
    if root.waiters >= limits.waiters_crit or longest_s > limits.wait_crit_s:
        return Severity.CRIT
    if root.waiters >= limits.waiters_warn or longest_s > limits.wait_warn_s:
        return Severity.WARN
    return None


def _finding(root: BlockingNode, severity: Severity, data: PostgresData, target: TargetId) -> Finding:
    who, short_who = _names(root)
    waited = f", {age(root.longest_wait_s)}" if root.longest_wait_s is not None else ""
    traits = "".join(f" · {trait}" for trait in _traits(root))
    brief = " ".join(_short_traits(root))
    return Finding(
        severity=severity,
        target=target,
        rule=RULE,
        subject=root.key,
        title=f"{who} blocks {plural(root.waiters, 'session')}{waited}{traits}",
        short=f"{short_who} blocks {root.waiters}{waited}" + (f", {brief}" if brief else ""),
        evidence=tuple(_evidence(root, data)),
        cause=_cause(root, data.server_now),
        place=PLACE,
        identity=root.session.identity if root.session else None,
        actions=_actions(root),
        weight=float(root.waiters),
    )


def _others(judged: Sequence[Judged], data: PostgresData, target: TargetId) -> Finding:
    """Where many block, those after the worst. It suggests no action: a person chooses among them first."""
    roots = [root for _, root in judged]
    waiters = sum(root.waiters for root in roots)
    longest_s = max((root.longest_wait_s for root in roots if root.longest_wait_s is not None), default=None)
    waited = f", {age(longest_s)}" if longest_s is not None else ""
    names = Counter(root.session.application_name or "unnamed" for root in roots if root.session is not None)
    by_application = "".join(f" · {name} {count}" for name, count in names.most_common(3))
    return Finding(
        severity=judged[0][0],
        target=target,
        rule=RULE,
        subject="others",
        title=f"{len(roots)} more block {plural(waiters, 'session')}{waited}{by_application}",
        short=f"{len(roots)} more block {waiters}{waited}",
        evidence=(
            f"at {moment(data.server_now)} by the server's clock, after the {_ONE_BY_ONE} worst:",
            *(f"{_names(root)[0]} blocks {root.waiters}, {age(root.longest_wait_s)}" for root in roots[:3]),
        ),
        place=PLACE,
        weight=float(roots[0].waiters),
    )


def _names(root: BlockingNode) -> tuple[str, str]:
    """The root's name for a wide and for a narrow screen."""
    if root.pid != PREPARED_PID:
        return f"pid {root.pid}", str(root.pid)
    if root.prepared is None:
        return "a prepared transaction", "prepared xact"
    return f"prepared transaction {literal(root.prepared.gid)}", f"prepared {literal(root.prepared.gid)}"


def literal(text: str) -> str:
    r"""Text as an SQL string literal.

    >>> print(literal("it's"), literal(chr(92)))
    'it''s' E'\\'
    """
    quoted = "'" + text.replace("'", "''") + "'"
    return quoted if "\\" not in text else "E" + quoted.replace("\\", "\\\\")


def _traits(root: BlockingNode) -> Iterator[str]:
    """What the root is, for the title."""
    session, prepared = root.session, root.prepared
    if prepared is not None:
        yield f"database {prepared.database}"
        yield f"owner {prepared.owner}"
    elif session is None:
        if root.pid != PREPARED_PID:
            yield "gone between two reads"
    elif is_wraparound(session):
        yield "autovacuum to prevent wraparound"
    elif not session.is_visible:
        yield "state not visible to this role"
    else:
        yield session.state or session.backend_type or "state unknown"
        if session.application_name:
            yield f"app={session.application_name}"
    if root.in_cycle:
        yield "in a deadlock"


def _short_traits(root: BlockingNode) -> Iterator[str]:
    """The same in a few words."""
    session = root.session
    if session is None:
        return
    if is_wraparound(session):
        yield "wraparound autovacuum"
        return
    if session.is_idle_in_transaction:
        yield "idle-tx"
    elif session.state:
        yield session.state
    if session.application_name:
        yield session.application_name


def is_wraparound(session: SessionRow) -> bool:
    """Whether it is an autovacuum worker whose work cannot be put off."""
    return session.backend_type == "autovacuum worker" and _WRAPAROUND in (session.query or "")


def _evidence(root: BlockingNode, data: PostgresData) -> Iterator[str]:
    at = f"at {moment(data.server_now)} by the server's clock"
    longest = "" if root.longest_wait_s is None else f", the longest for {age(root.longest_wait_s)}"
    yield f"{plural(root.waiters, 'session waits', 'sessions wait')} behind it{longest} ({at})"
    if root.children:
        first = root.children[0]
        yield f"next in line: {first.pid}, waits for {describe_wait(first)}"
    if root.session is not None:
        yield from session_evidence(root.session, data.server_now)
    if root.prepared is not None:
        yield from _prepared_evidence(root.prepared, data.server_now)


def session_evidence(session: SessionRow, now: datetime) -> Iterator[str]:
    """Who a session is, since when, and what it runs or ran last; only what is known.

    Args:
        session: The session.
        now: The server's clock.
    """
    who = {
        "user": session.user,
        "database": session.database,
        "app": session.application_name,
        "client": session.client_addr,
    }
    words = " · ".join(f"{name} {value}" for name, value in who.items() if value)
    if words:
        yield f"{session.pid}: {words}"
    if session.xact_start is not None:
        has_id = ", has a transaction id: it may have written" if session.backend_xid is not None else ""
        yield f"its transaction is open for {age(elapsed_s(session.xact_start, now))}{has_id}"
    if session.query:
        yield f"{'running' if session.state == 'active' else 'last statement'}: {session.query}"
    if not session.is_visible:
        yield "this role may not see more: GRANT pg_read_all_stats TO the role that opsdash uses"


def _prepared_evidence(prepared: PreparedTransaction, now: datetime) -> Iterator[str]:
    yield (
        f"prepared {age(elapsed_s(prepared.prepared, now))} ago by {prepared.owner}, "
        f"transaction {prepared.transaction}"
    )
    yield f"in {prepared.database}, as {prepared.owner} or a superuser: {rollback_prepared(prepared)}"
    yield "if its coordinator decided to commit, COMMIT PREPARED instead: ask it first"


def rollback_prepared(prepared: PreparedTransaction) -> str:
    """The statement that ends a prepared transaction; a text for people, opsdash does not run it."""
    return f"ROLLBACK PREPARED {literal(prepared.gid)};"


def elapsed_s(since: datetime | None, now: datetime) -> float | None:
    """Seconds between two moments of the server's clock; None when the first is unknown."""
    return None if since is None else max(0.0, (now - since).total_seconds())


def _cause(root: BlockingNode, now: datetime) -> str | None:
    """The likely cause in plain words."""
    if root.in_cycle:
        return f"a deadlock: PostgreSQL ends one of its sessions by itself {_AFTER}"
    if root.pid == PREPARED_PID:
        return (
            "a two-phase commit was begun and its coordinator never finished it; "
            "it keeps its locks, also over a restart, until somebody commits or rolls it back"
        )
    session = root.session
    if session is None:
        return "it ended between two reads; the next reading shows who holds the lock now"
    if session.backend_type == "autovacuum worker":
        return _autovacuum_cause(session)
    idle = age(elapsed_s(session.state_change, now))
    client = ", ".join(word for word in (session.client_addr, session.application_name) if word)
    whose = f"the client of {session.pid}" + (f" ({client})" if client else "")
    if session.is_idle_in_transaction:
        return f"{whose} went away or is waiting with its transaction open; idle for {idle}"
    if session.state == "active":
        running = age(elapsed_s(session.query_start, now))
        waits = (
            f", waiting for {session.wait_event_type}:{session.wait_event}" if session.wait_event_type else ""
        )
        return (
            f"its statement has been running for {running}{waits}; its locks stay until its transaction ends"
        )
    if session.state == "idle":
        return f"{whose} keeps a session-level advisory lock, without a transaction; idle for {idle}"
    return None


def _autovacuum_cause(session: SessionRow) -> str:
    if is_wraparound(session):
        return (
            "autovacuum protects this table from transaction id wraparound and does not give way. "
            "Let it finish: ended, it starts over. Rather end the command that needs the strong lock"
        )
    return f"autovacuum gives way to others by itself {_AFTER}"


def _actions(root: BlockingNode) -> tuple[SuggestedAction, ...]:
    """What helps against this root; nothing where acting is harmful, or its identity is not known."""
    session = root.session
    if session is None or root.in_cycle or not session.is_client or session.backend_start is None:
        return ()
    terminate = SuggestedAction(action="postgres.terminate_root", identity=session.identity)
    if session.state == "active":
        return (SuggestedAction(action="postgres.cancel", identity=session.identity), terminate)
    return (terminate,)
