"""Health findings beside what explains them."""

from typing import Any

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.http.rows import SubCheck, Verdict
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.snapshot import Snapshot
from opsdash.collectors.target import Target, TargetId, environment
from opsdash.tui.findings.causes import with_causes
from opsdash.tui.findings.engine import find
from tests.http.probing import MONO_S, NOW, http_target, probe, reading
from tests.support import readings

API = TargetId("http", "api")
ORDERS = TargetId("postgres", "orders-db")
CRIT, WARN = Severity.CRIT, Severity.WARN


def finding(target: TargetId, rule: str, severity: Severity = CRIT, weight: float = 1.0) -> Finding:
    title = f"{rule} on {target.name}"
    return Finding(severity=severity, target=target, rule=rule, title=title, short=title, weight=weight)


def api(*names: str, name: str = "api", **settings: Any) -> TargetView:
    """An endpoint whose body says that these dependencies are down."""
    target = http_target(name=name, **settings)
    checks = tuple(SubCheck(name=one, says="down", verdict=Verdict.DOWN) for one in names)
    snapshot = Snapshot(
        target=target.id,
        sequence=1,
        taken_at=NOW,
        taken_mono_s=MONO_S,
        took_s=0.1,
        data=reading([probe(Verdict.DOWN, checks=checks)]),
    )
    return TargetView(target=target, latest=snapshot, good=snapshot, reads=1)


def database(name: str = "orders-db") -> TargetView:
    target = Target(
        id=TargetId("postgres", name),
        environment=environment("staging"),
        interval_s=2.0,
        settings=PostgresSettings(),
        source="a test",
    )
    return TargetView(target=target)


def told(findings: list[Finding], *views: TargetView) -> list[tuple[str, str, str | None]]:
    return [(f.target.name, f.rule, f.cause) for f in with_causes(findings, views)]


BECAUSE = "probably because of orders-db: postgres.blocking on orders-db"


def test_dependency_of_a_kind_is_the_only_target_of_that_kind() -> None:
    findings = [finding(API, "http.down", weight=9), finding(ORDERS, "postgres.blocking")]
    assert told(findings, api("database"), database()) == [
        ("orders-db", "postgres.blocking", None),
        ("api", "http.down", BECAUSE),
    ]


def test_the_likely_cause_stands_in_the_title_before_the_details() -> None:
    slow = msgspec.structs.replace(
        finding(API, "http.slow"), title="/health slow · p95 2.0s over 13 probes", short="/health slow"
    )
    findings = [slow, finding(ORDERS, "postgres.blocking")]
    ranked = with_causes(findings, [api("database"), database()])
    assert ranked[1].title == "/health slow · probably because of orders-db · p95 2.0s over 13 probes"
    assert ranked[1].short == "/health slow · likely orders-db"
    assert ranked[0].title == "postgres.blocking on orders-db"


def test_of_two_databases_none_is_blamed_unless_the_configuration_says_which() -> None:
    findings = [finding(API, "http.down", weight=9), finding(ORDERS, "postgres.blocking")]
    both = (database(), database("ledger"))
    assert told(findings, api("database"), *both)[0] == ("api", "http.down", None)
    stated = told(findings, api("database", depends={"database": "orders-db"}), *both)
    assert stated[1] == ("api", "http.down", BECAUSE)


def test_name_of_a_target_is_enough() -> None:
    findings = [finding(API, "http.down"), finding(ORDERS, "postgres.blocking")]
    assert told(findings, api("Orders-DB"), database(), database("ledger"))[1][2] == BECAUSE


def test_finding_on_something_else_is_not_blamed() -> None:
    findings = [finding(API, "http.down"), finding(ORDERS, "postgres.blocking")]
    assert told(findings, api("cache"), database())[0] == ("api", "http.down", None)


def test_milder_finding_does_not_explain_a_worse_one() -> None:
    findings = [finding(API, "http.down"), finding(ORDERS, "postgres.connections", WARN)]
    assert told(findings, api("database"), database())[0] == ("api", "http.down", None)


def test_line_of_sessions_explains_what_is_slow_before_it_is_critical_itself() -> None:
    findings = [finding(API, "http.slow"), finding(ORDERS, "postgres.blocking", WARN)]
    assert told(findings, api("database"), database()) == [
        ("api", "http.slow", BECAUSE),
        ("orders-db", "postgres.blocking", None),
    ]


def test_explained_finding_stands_right_below_and_severities_keep_their_order() -> None:
    other = TargetId("redis", "cache")
    crit = [finding(API, "http.down"), finding(other, "redis.memory"), finding(ORDERS, "postgres.blocking")]
    names = [name for name, _, _ in told(crit, api("database"), database())]
    assert names == ["cache", "orders-db", "api"]
    mixed = [
        finding(ORDERS, "postgres.blocking"),
        finding(other, "redis.memory"),
        finding(other, "redis.hits", WARN),
        finding(API, "http.degraded", WARN),
    ]
    ordered = told(mixed, api("database"), database())
    assert [rule for _, rule, _ in ordered] == [
        "postgres.blocking",
        "redis.memory",
        "http.degraded",
        "redis.hits",
    ]
    assert ordered[2][2] == BECAUSE


def test_two_dependencies_that_are_not_well_are_both_named_and_both_stand_above() -> None:
    sessions = TargetId("redis", "sessions")
    cache = TargetView(target=msgspec.structs.replace(database().target, id=sessions))
    findings = [
        finding(sessions, "redis.memory"),
        finding(API, "http.slow"),
        finding(ORDERS, "postgres.blocking"),
        finding(TargetId("postgres", "ledger"), "unreachable"),
    ]
    found = told(findings, api("orders-db", "sessions"), database(), cache)
    assert [name for name, _, _ in found] == ["sessions", "orders-db", "api", "ledger"]
    assert found[2][2] == (
        "probably because of sessions: redis.memory on sessions; and of orders-db: "
        "postgres.blocking on orders-db"
    )


def test_endpoints_that_name_each_other_do_not_hang() -> None:
    shop = TargetId("http", "shop")
    findings = [finding(API, "http.down"), finding(shop, "http.down")]
    found = told(findings, api("shop"), api("api", name="shop"))
    assert sorted(name for name, _, _ in found) == ["api", "shop"]


def test_root_blocker_stands_above_the_health_check_that_fails_because_of_it() -> None:
    blocked = readings.reading(
        [readings.session(4312, "idle in transaction", for_s=372)],
        readings.row_line(4312, list(range(5000, 5014)), longest_s=358),
    )
    snapshot = Snapshot(
        target=ORDERS, sequence=1, taken_at=NOW, taken_mono_s=MONO_S, took_s=0.1, data=blocked
    )
    db = msgspec.structs.replace(database(), latest=snapshot, good=snapshot)
    first, second = find((api("database"), db), now=NOW, mono_s=MONO_S)
    assert first.title.startswith("pid 4312 blocks 14 sessions")
    assert second.title.startswith("/health failing 1 of 1")
    assert (second.cause or "").startswith("probably because of orders-db: pid 4312 blocks 14 sessions")


def test_certificate_findings_are_left_alone() -> None:
    findings = [finding(API, "http.certificate"), finding(ORDERS, "postgres.blocking")]
    assert told(findings, api("database"), database())[0] == ("api", "http.certificate", None)
