"""Sessions that do one thing for too long. Pure."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from opsdash.collectors.finding import Finding, Severity, SuggestedAction, below_one
from opsdash.collectors.format import age, plural
from opsdash.collectors.postgres.blocking import forest_of
from opsdash.collectors.postgres.rows import PostgresData, SessionRow
from opsdash.collectors.postgres.settings import PostgresThresholds
from opsdash.collectors.target import Target
from opsdash.tui.findings.postgres_blocking import elapsed_s, session_evidence

_ONE_BY_ONE = 3
"""Of more sessions than this, one rule makes a single finding."""


class _Case(msgspec.Struct, frozen=True, kw_only=True):
    """One session that a rule found."""

    session: SessionRow
    seconds: float
    cause: str
    waiters: int = 0


Words = Callable[[_Case], tuple[str, str]]
"""What a rule says of a case, as "idle in transaction for 5m58s", and shorter."""


def idle_in_transaction(
    data: PostgresData, target: Target, limits: PostgresThresholds, told: set[int]
) -> Iterator[Finding]:
    """Transactions that are left open: for long, or while others wait for them.

    Args:
        data: The reading.
        target: Its target.
        limits: When it counts as long.
        told: Pids that are reported as blockers, and need not be again.
    """
    holding = {
        root.pid: root.waiters
        for root in forest_of(data)
        # shorter than the time between two readings is ordinary traffic, and would flicker
        if root.waiters and (root.longest_wait_s or 0.0) >= target.interval_s
    }
    cases = []
    for session in data.sessions:
        if not session.is_idle_in_transaction or not session.is_client or session.pid in told:
            continue
        idle_s = elapsed_s(session.state_change, data.server_now)
        if idle_s is None:
            continue
        waiters = holding.get(session.pid, 0)
        if idle_s > limits.idle_in_transaction_s or waiters:
            case = _Case(
                session=session,
                seconds=idle_s,
                cause="its client went away or is waiting with its transaction open; "
                "its locks stay, and vacuum cannot remove rows it may still see",
                waiters=waiters,
            )
            cases.append(case)
    yield from _report(
        cases,
        _idle_words,
        data,
        target,
        rule="postgres.idle_in_transaction",
        many="sessions idle in transaction",
    )


def _idle_words(case: _Case) -> tuple[str, str]:
    waiting = plural(case.waiters, "session waits", "sessions wait")
    holds = f", {waiting} for it" if case.waiters else ""
    return f"idle in transaction for {age(case.seconds)}{holds}", f"idle-tx {age(case.seconds)}"


def long_queries(
    data: PostgresData, target: Target, limits: PostgresThresholds, told: set[int]
) -> Iterator[Finding]:
    """Statements that run for long. Those that wait for a lock belong to whoever blocks them.

    Args:
        data: The reading.
        target: Its target.
        limits: When it counts as long.
        told: Pids that are reported as blockers, and need not be again.
    """
    elsewhere = told | {wait.pid for wait in data.waits}
    cases = []
    for session in data.sessions:
        if session.state != "active" or not session.is_client or session.pid in elsewhere:
            continue
        running_s = elapsed_s(session.query_start, data.server_now)
        if running_s is not None and running_s > limits.query_s:
            cases.append(_Case(session=session, seconds=running_s, cause=_long_query_cause(session)))
    yield from _report(
        cases,
        _query_words,
        data,
        target,
        rule="postgres.long_query",
        many=f"queries running for over {age(limits.query_s)}",
    )


def _query_words(case: _Case) -> tuple[str, str]:
    return f"query running for {age(case.seconds)}", f"query {age(case.seconds)}"


def _long_query_cause(session: SessionRow) -> str:
    """What a long statement does at this moment, as far as one reading shows it."""
    if session.wait_event_type == "Client":
        return "it waits for its client: for data to come, or for the client to take its result"
    if session.wait_event_type == "IO":
        return f"it waits for the disk ({session.wait_event}): a large scan, or a cold cache"
    return "a large amount of work, or a plan that went wrong"


_ACTIONS = {
    "postgres.idle_in_transaction": ("postgres.terminate",),  # nothing runs: cancelling has no effect
    "postgres.long_query": ("postgres.cancel", "postgres.terminate"),
}


def _report(
    cases: Sequence[_Case], words: Words, data: PostgresData, target: Target, *, rule: str, many: str
) -> Iterator[Finding]:
    """A finding per session, the longest first; of many sessions a single one."""
    ordered = sorted(cases, key=lambda case: (-case.seconds, case.session.pid))
    if len(ordered) > _ONE_BY_ONE:
        yield _several(ordered, words, data, target, rule=rule, many=many)
        return
    for case in ordered:
        session = case.session
        app = session.application_name
        claim, short = words(case)
        can_act = session.backend_start is not None
        yield Finding(
            severity=Severity.WARN,
            target=target.id,
            rule=rule,
            subject=str(session.pid),
            title=f"pid {session.pid} {claim}" + (f" · app={app}" if app else ""),
            short=f"{session.pid} {short}" + (f" {app}" if app else ""),
            evidence=tuple(session_evidence(session, data.server_now)),
            cause=case.cause,
            place="sessions",
            identity=session.identity,
            actions=tuple(
                SuggestedAction(action=name, identity=session.identity) for name in _ACTIONS[rule] if can_act
            ),
            weight=case.waiters + below_one(case.seconds, 1e6),
        )


def _several(
    ordered: Sequence[_Case], words: Words, data: PostgresData, target: Target, *, rule: str, many: str
) -> Finding:
    """One finding for many sessions. It suggests no action: a person chooses among them first."""
    oldest = ordered[0]
    names = Counter(case.session.application_name or "unnamed" for case in ordered)
    by_application = ", ".join(f"{name} {count}" for name, count in names.most_common(3))
    rest = len(ordered) - 5
    return Finding(
        severity=Severity.WARN,
        target=target.id,
        rule=rule,
        subject="several",
        title=f"{len(ordered)} {many}, longest {age(oldest.seconds)} (pid {oldest.session.pid})"
        f" · {by_application}",
        short=f"{len(ordered)} {many}, {age(oldest.seconds)}",
        evidence=(
            *(
                f"{c.session.pid} {words(c)[0]} · {c.session.application_name or 'unnamed'}"
                for c in ordered[:5]
            ),
            *([f"and {rest} more"] if rest > 0 else []),
            *session_evidence(oldest.session, data.server_now),
        ),
        cause=oldest.cause if len({case.cause for case in ordered}) == 1 else None,
        place="sessions",
        identity=oldest.session.identity,
        weight=max(case.waiters for case in ordered) + below_one(oldest.seconds, 1e6),
    )
