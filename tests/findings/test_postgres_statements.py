"""The rule about the statement that the time goes to."""

from typing import Any

from opsdash.collectors.finding import Finding
from opsdash.collectors.postgres.settings import PostgresThresholds
from opsdash.collectors.postgres.statement_rows import StatementId, StatementRow, Statements, Work
from opsdash.tui.findings.postgres_statements import worst_statement
from tests.support.readings import TARGET, reading

SLOW = StatementId(8831, 10, 5)


def row(
    identity: StatementId, total: Work, recent: Work | None, query: str = "update stock set qty = ?"
) -> Any:
    return StatementRow(
        identity=identity, total=total, recent=recent, query=query, user="shop", database="shop"
    )


OTHERS = row(StatementId(1, 10, 5), Work(90_000, 900_000.0), Work(900, 9_000.0), "select ?")


def found(*rows: StatementRow, recent_s: float | None = 120.0, **facts: Any) -> tuple[Finding, ...]:
    recent = Work(
        sum(r.recent.calls for r in rows if r.recent), sum(r.recent.exec_ms for r in rows if r.recent)
    )
    known: dict[str, Any] = {"since_reset_s": 86400.0, "recent": recent}
    statements = Statements(rows=rows, recent_s=recent_s, **(known | facts))
    return tuple(worst_statement(reading(statements=statements), TARGET, PostgresThresholds()))


def test_statement_that_became_slow_and_takes_most_of_the_time_is_found_with_its_plan_at_enter() -> None:
    slow = row(SLOW, Work(10_000, 100_000.0 + 60_000.0), Work(600, 60_000.0))
    (finding,) = found(slow, OTHERS)
    assert finding.title == (
        "one statement takes 87.0% of execution time over 2m00s, mean 100ms, "
        "9 times the mean of before (11ms) · update stock set qty = ?"
    )
    assert (finding.place, finding.identity, finding.subject) == ("statement", SLOW, "8831/10/5")
    assert "300 calls/min" in finding.evidence[0]
    assert finding.basis == "pg_stat_statements over 2m00s"


def test_statement_that_was_not_there_before_is_found() -> None:
    new = row(SLOW, Work(600, 60_000.0), Work(600, 60_000.0))
    (finding,) = found(new, OTHERS)
    assert "not seen before" in finding.title


def test_what_always_takes_most_of_the_time_is_no_news() -> None:
    usual = row(SLOW, Work(100_000, 10_000_000.0), Work(600, 60_000.0))
    assert found(usual, OTHERS) == ()


def test_slower_statement_that_takes_little_of_the_time_is_not_found() -> None:
    slow = row(SLOW, Work(1_000, 2_000.0), Work(10, 1_000.0))
    assert found(slow, OTHERS) == ()


def test_idle_server_has_no_worst_statement() -> None:
    slow = row(SLOW, Work(1_000, 2_000.0), Work(1, 500.0))
    assert found(slow) == ()


def test_nothing_is_said_over_less_than_a_minute_nor_right_after_a_reset() -> None:
    slow = row(SLOW, Work(10_000, 160_000.0), Work(600, 60_000.0))
    assert found(slow, recent_s=45.0) == ()
    assert found(slow, recent_s=None, recent=None) == ()
    new = row(SLOW, Work(600, 60_000.0), Work(600, 60_000.0))
    assert found(new, since_reset_s=125.0) == ()


def test_cause_follows_from_the_counters() -> None:
    sorting = row(SLOW, Work(10_000, 160_000.0, temp_blks=9_000), Work(600, 60_000.0, temp_blks=9_000))
    (finding,) = found(sorting)
    assert "work_mem" in (finding.cause or "")
    usual, more = Work(9_400, 100_000.0, shared_blks_hit=94_000), Work(600, 60_000.0, shared_blks_hit=600_000)
    both = Work(10_000, 160_000.0, shared_blks_hit=usual.shared_blks_hit + more.shared_blks_hit)
    (finding,) = found(row(SLOW, both, more))
    assert "more blocks in each call than before" in (finding.cause or "")
