"""Rules on one reading of a PostgreSQL server."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.postgres.rows import PostgresData, SessionRow
from opsdash.collectors.postgres.settings import PostgresSettings, PostgresThresholds
from opsdash.tui.findings.postgres import findings
from tests.support.readings import (
    TARGET,
    ago,
    connections,
    prepared,
    reading,
    relation_wait,
    row_line,
    session,
)


def found(data: PostgresData, **thresholds: Any) -> tuple[Finding, ...]:
    wanted = PostgresSettings(thresholds=PostgresThresholds(**thresholds))
    return findings(data, msgspec.structs.replace(TARGET, settings=wanted))


def only(data: PostgresData, **thresholds: Any) -> Finding:
    (finding,) = found(data, **thresholds)
    return finding


def root(**facts: Any) -> SessionRow:
    known = {"application_name": "checkout", "client_addr": "10.2.0.31", "user": "shop", "for_s": 358}
    return session(4312, facts.pop("state", "idle in transaction"), **(known | facts))


def line(count: int, *, longest_s: float = 60.0, holder: int = 4312) -> list[Any]:
    return row_line(holder, list(range(5000, 5000 + count)), longest_s=longest_s)


def action_names(finding: Finding) -> list[str]:
    return [suggested.action for suggested in finding.actions]


def test_server_that_is_well_has_no_findings() -> None:
    assert found(reading([session(1), session(2, "idle"), session(3, "idle in transaction")])) == ()


# Connections


@pytest.mark.parametrize(
    ("used", "severity"),
    [(80, None), (81, Severity.WARN), (95, Severity.WARN), (96, Severity.CRIT), (103, Severity.CRIT)],
)
def test_connections_are_judged_against_what_is_usable(used: int, severity: Severity | None) -> None:
    result = found(reading(connections=connections(used, usable=100)))
    assert [finding.severity for finding in result] == ([severity] if severity else [])


def test_connections_name_who_holds_them() -> None:
    held = (("checkout", 61), ("api", 20), ("cron", 4), ("psql", 2))
    finding = only(reading(connections=connections(87, by_application=held)))
    assert finding.title == "connections 87 of 97 usable · checkout 61, api 20, other 6"
    assert finding.short == "connections 87/97"
    assert finding.evidence[:2] == (
        "87 client backends of 97 open to an ordinary role (89.7%)",
        "max_connections 100, of which 3 are reserved",
    )
    assert "by application: checkout 61, api 20, cron 4, psql 2" in finding.evidence
    assert finding.place == "connections"


def test_connections_filled_by_a_blocked_line_point_at_its_root() -> None:
    full = reading([root()], line(40), connections=connections(87))
    finding = next(f for f in found(full) if f.rule == "postgres.connections")
    assert finding.cause == "40 sessions wait behind pid 4312: clear that first"


def test_connections_that_nobody_may_use_are_not_judged() -> None:
    assert found(reading(connections=connections(5, usable=0))) == ()


# Blocking


@pytest.mark.parametrize(
    ("waiters", "longest_s", "severity"),
    [
        (2, 299, None),
        (3, 1, Severity.WARN),
        (1, 300, None),
        (1, 301, Severity.WARN),
        (9, 600, Severity.WARN),
        (10, 1, Severity.CRIT),
        (1, 601, Severity.CRIT),
    ],
)
def test_blocking_is_judged_by_waiters_and_by_the_longest_wait(
    waiters: int, longest_s: float, severity: Severity | None
) -> None:
    data = reading([root(state="active", for_s=1)], line(waiters, longest_s=longest_s))
    assert [finding.severity for finding in found(data)] == ([severity] if severity else [])


def test_thresholds_come_from_the_configuration() -> None:
    data = reading([root(state="active", for_s=1)], line(2))
    assert only(data, waiters_warn=2).severity is Severity.WARN
    assert only(data, wait_crit_s=10.0).severity is Severity.CRIT


def test_idle_in_transaction_root_is_told_in_full() -> None:
    finding = only(reading([root()], line(14, longest_s=372)))
    assert finding.title == "pid 4312 blocks 14 sessions, 6m12s · idle in transaction · app=checkout"
    assert finding.short == "4312 blocks 14, 6m12s, idle-tx checkout"
    assert finding.cause == (
        "the client of 4312 (10.2.0.31, checkout) went away or is waiting with its transaction open; "
        "idle for 5m58s"
    )
    assert finding.evidence[0] == (
        "14 sessions wait behind it, the longest for 6m12s (at 03:12:41 by the server's clock)"
    )
    assert finding.evidence[1] == "next in line: 5000, waits for transactionid 88213 (held by 4312)"
    assert finding.place == "blocked"
    assert finding.identity == root().identity
    assert finding.weight == 14
    assert action_names(finding) == ["postgres.terminate_root"]


def test_active_root_is_cancelled_before_it_is_terminated() -> None:
    finding = only(reading([root(state="active")], line(3)))
    assert action_names(finding) == ["postgres.cancel", "postgres.terminate_root"]


def test_root_is_reported_once_though_it_is_idle_in_transaction_for_long() -> None:
    assert [f.rule for f in found(reading([root(for_s=4000)], line(14)))] == ["postgres.blocking"]


def test_active_root_is_not_reported_as_a_long_query_too() -> None:
    assert [f.rule for f in found(reading([root(state="active", for_s=4000)], line(14)))] == [
        "postgres.blocking"
    ]


def test_each_root_is_a_finding_of_its_own() -> None:
    data = reading([root(), session(7)], [*line(5), *row_line(7, [70, 71, 72, 73], xid=7, where="(0,2)")])
    assert [f.subject for f in found(data)] == ["4312", "7"]


def many_roots(count: int) -> PostgresData:
    """Each makes one less wait than the one before, for a second longer."""
    sessions, waits = [], []
    for n in range(count):
        pid = 100 + n
        sessions.append(session(pid, "idle in transaction", application_name="api" if n else "batch"))
        behind = [1000 * n + waiter for waiter in range(1, 12 - n)]
        waits += row_line(pid, behind, xid=pid, where=f"(0,{n + 1})", longest_s=60.0 + n)
    return reading(sessions, waits)


def test_of_many_roots_the_worst_are_told_one_by_one_and_the_others_together() -> None:
    *told, others = found(many_roots(8))
    assert [f.subject for f in told] == ["100", "101", "102", "103", "104"]
    assert others.title == "3 more block 15 sessions, 1m07s · api 3"
    assert "pid 105 blocks 6, 1m05s" in others.evidence
    assert (others.severity, others.actions, others.place) == (Severity.WARN, (), "blocked")
    assert [f.subject for f in found(many_roots(6))] == ["100", "101", "102", "103", "104", "105"]


def test_root_whose_identity_is_hidden_cannot_be_acted_upon() -> None:
    hidden = SessionRow(pid=4312, is_visible=False, user="shop")
    blocking, visibility = found(reading([hidden], line(3)))
    assert blocking.title.endswith("· state not visible to this role")
    assert blocking.actions == ()
    assert visibility.rule == "postgres.visibility"


def test_prepared_transaction_is_named_with_its_statement_and_no_action() -> None:
    finding = only(reading([], line(3, holder=0), prepared=(prepared("order's-7"),)))
    assert finding.title == (
        "prepared transaction 'order''s-7' blocks 3 sessions, 1m00s · database shop · owner shop"
    )
    assert "in shop, as shop or a superuser: ROLLBACK PREPARED 'order''s-7';" in finding.evidence
    assert finding.actions == ()
    assert finding.identity is None
    assert finding.subject == "prepared order's-7"


def test_autovacuum_against_wraparound_is_named_and_not_to_be_ended() -> None:
    worker = session(
        4312,
        backend_type="autovacuum worker",
        query="autovacuum: VACUUM public.stock (to prevent wraparound)",
        for_s=4000,
    )
    finding = only(reading([worker], [relation_wait(p, holders=[4312]) for p in (1, 2, 3)]))
    assert finding.title == "pid 4312 blocks 3 sessions, 30s · autovacuum to prevent wraparound"
    assert finding.cause is not None
    assert "Let it finish" in finding.cause
    assert finding.actions == ()


def test_ordinary_autovacuum_gives_way_by_itself() -> None:
    worker = session(4312, backend_type="autovacuum worker", query="autovacuum: VACUUM public.stock")
    finding = only(reading([worker], [relation_wait(p, holders=[4312]) for p in (1, 2, 3)]))
    assert (
        finding.cause == "autovacuum gives way to others by itself after deadlock_timeout (1s unless changed)"
    )
    assert finding.actions == ()


def test_deadlock_is_left_to_the_server() -> None:
    waits = [
        *row_line(2, [1], xid=2),
        *row_line(1, [2], xid=1, where="(0,2)"),
        *row_line(1, [3, 4], xid=1, where="(0,3)"),
    ]
    finding = only(reading([session(p) for p in (1, 2, 3, 4)], waits))
    assert finding.title.endswith("in a deadlock")
    assert finding.actions == ()


def test_root_that_is_gone_is_told_without_an_action() -> None:
    finding = only(reading([], line(3)))
    assert finding.title == "pid 4312 blocks 3 sessions, 1m00s · gone between two reads"
    assert finding.actions == ()


def test_idle_session_that_blocks_holds_an_advisory_lock() -> None:
    waits = [relation_wait(p, holders=[4312], locktype="advisory", detail="advisory 7") for p in (1, 2, 3)]
    finding = only(reading([root(state="idle")], waits))
    assert finding.cause is not None
    assert "session-level advisory lock" in finding.cause


def test_session_without_a_known_start_cannot_be_told_from_its_successor_and_gets_no_action() -> None:
    assert only(reading([root(backend_start=None)], line(3))).actions == ()
    assert only(reading([root(backend_start=None, for_s=400)])).actions == ()
    assert only(reading([root(backend_start=None, for_s=400, state="active")])).actions == ()


# Idle in transaction


@pytest.mark.parametrize(("for_s", "expected"), [(300, 0), (301, 1)])
def test_transaction_left_open_for_long_is_reported(for_s: float, expected: int) -> None:
    assert len(found(reading([session(7, "idle in transaction", for_s=for_s)]))) == expected


def test_open_transaction_names_its_client_and_the_action_that_helps() -> None:
    finding = only(reading([session(7, "idle in transaction (aborted)", for_s=400, application_name="cron")]))
    assert finding.title == "pid 7 idle in transaction for 6m40s · app=cron"
    assert finding.short == "7 idle-tx 6m40s cron"
    assert action_names(finding) == ["postgres.terminate"]
    assert finding.identity == finding.actions[0].identity


def test_open_transaction_that_others_wait_for_is_reported_before_it_is_old() -> None:
    idle = session(7, "idle in transaction", for_s=20)
    finding = only(reading([idle], row_line(7, [8], longest_s=15)))
    assert finding.title == "pid 7 idle in transaction for 20s, 1 session waits for it"


def test_wait_of_a_moment_behind_an_open_transaction_is_ordinary_traffic() -> None:
    idle = session(7, "idle in transaction", for_s=1)
    assert found(reading([idle], row_line(7, [8], longest_s=0.4))) == ()


def test_walsender_and_other_backends_are_not_clients() -> None:
    others: Sequence[SessionRow] = [
        session(1, "active", for_s=90000, backend_type="walsender"),
        session(2, "active", for_s=90000, backend_type="autovacuum worker"),
        session(3, "active", for_s=90000, backend_type="parallel worker", leader_pid=9),
        session(4, "idle in transaction", for_s=90000, backend_type="logical replication worker"),
    ]
    assert found(reading(others)) == ()


# Long queries


@pytest.mark.parametrize(("for_s", "expected"), [(300, 0), (301, 1)])
def test_query_that_runs_for_long_is_reported(for_s: float, expected: int) -> None:
    result = found(reading([session(7, for_s=for_s)]))
    assert [action_names(f) for f in result] == [["postgres.cancel", "postgres.terminate"]] * expected


def test_query_that_waits_for_a_lock_belongs_to_its_blocker() -> None:
    data = reading([root(state="active"), session(5000, for_s=4000)], line(1, longest_s=4000))
    assert [f.rule for f in found(data)] == ["postgres.blocking"]


def test_idle_session_has_no_long_query_however_old_its_last_one_is() -> None:
    assert found(reading([session(7, "idle", for_s=90000)])) == ()


def test_three_are_told_one_by_one_longest_first_and_four_are_one() -> None:
    many = [session(p, for_s=300 + p, application_name="report" if p % 2 else "api") for p in (1, 2, 3, 4)]
    assert [f.subject for f in sorted(found(reading(many[:3])), key=lambda f: -f.weight)] == ["3", "2", "1"]
    folded = only(reading(many))
    assert folded.title == "4 queries running for over 5m00s, longest 5m04s (pid 4) · api 2, report 2"
    assert folded.subject == "several"
    assert folded.actions == ()
    assert folded.identity == many[3].identity


# What may not be seen


def test_hidden_sessions_are_unknown_and_the_grant_is_named() -> None:
    hidden = [SessionRow(pid=p, user="shop", is_visible=False) for p in (1, 2)]
    limits = ('2 of 3 sessions show no state: GRANT pg_monitor TO "opsdash"',)
    finding = only(reading([*hidden, session(3)], limits=limits))
    assert finding.severity is Severity.UNKNOWN
    assert finding.title == "may not see other users' sessions: 2 of 3 are hidden from opsdash"
    assert limits[0] in finding.evidence


def test_limits_that_hide_no_session_are_not_a_finding() -> None:
    assert found(reading([session(3)], limits=("sizes of databases: GRANT …",))) == ()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            SessionRow,
            pid=st.integers(1, 6),
            backend_type=st.none() | st.sampled_from(["client backend", "autovacuum worker", "walsender"]),
            state=st.none() | st.sampled_from(["active", "idle", "idle in transaction", "disabled"]),
            backend_start=st.none() | st.just(ago(9000)),
            xact_start=st.none() | st.just(ago(9000)),
            query_start=st.none() | st.just(ago(9000)),
            state_change=st.none() | st.just(ago(9000)),
            query=st.none() | st.just("select"),
            is_visible=st.booleans(),
        ),
        max_size=6,
        unique_by=lambda s: s.pid,
    ),
    st.integers(0, 6),
)
def test_rules_say_something_sensible_of_whatever_is_unknown(sessions: list[SessionRow], holder: int) -> None:
    for finding in found(reading(sessions, line(4, longest_s=700, holder=holder))):
        text = " ".join([finding.title, finding.short, *finding.evidence, finding.cause or ""])
        assert "None" not in text
        assert all(isinstance(s.identity, type(finding.identity)) for s in finding.actions)
