"""Rules about HTTP endpoints, as tables."""

from typing import Any

import pytest

from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.http.rows import HttpData, Phases, SubCheck, Trouble, Verdict
from opsdash.collectors.http.settings import HttpThresholds
from opsdash.tui.findings.http import findings
from tests.http.probing import certificate, chain, http_target, probe, reading, series

UP, DOWN, DEGRADED, UNKNOWN = Verdict.UP, Verdict.DOWN, Verdict.DEGRADED, Verdict.UNKNOWN
DATABASE = SubCheck(name="database", says="unhealthy", verdict=DOWN, detail="pool is empty")


def found(data: HttpData, **settings: Any) -> tuple[Finding, ...]:
    return findings(data, http_target(**settings))


def only(data: HttpData) -> Finding:
    (one,) = found(data)
    return one


def test_an_endpoint_that_is_up_has_none() -> None:
    assert found(reading(series(UP, UP, UP))) == ()


def test_first_failed_probe_is_a_warning_and_the_third_is_critical() -> None:
    first, third = only(reading(series(UP, DOWN))), only(reading(series(UP, DOWN, DOWN, DOWN)))
    assert (first.rule, first.severity) == ("http.down", Severity.WARN)
    assert "it counts as down after 3 failed probes in a row" in first.evidence
    assert third.severity is Severity.CRIT
    assert third.title == "/health failing 3 of 4, watching for 6s · 503 Service Unavailable"
    assert third.short == "/health failing 3/4 · 503 server error"
    assert third.basis == "3 failed probes in a row, watching for 6s"


def test_failing_dependency_is_in_title_and_cause() -> None:
    last = probe(DOWN, checks=(DATABASE,), reason="503 · database=unhealthy")
    data = reading([*series(DOWN, DOWN), last])
    assert only(data).short == "/health failing 3/3 · 503 database=unhealthy"
    assert only(data).cause == "it says that database is not well"
    assert "the body says database=unhealthy: pool is empty" in only(data).evidence


def test_one_good_probe_does_not_end_it() -> None:
    data = reading(series(DOWN, DOWN, DOWN, UP), state=DOWN, passing=1, failing=0)
    assert only(data).severity is Severity.CRIT
    assert only(data).title == "/health answers again: 1 of 2 good probes in a row"


def test_degraded_is_a_warning_and_not_down() -> None:
    data = reading([probe(DEGRADED, checks=(DATABASE,), reason="it says degraded · database=unhealthy")])
    assert (only(data).rule, only(data).severity) == ("http.degraded", Severity.WARN)
    assert only(data).title.startswith("/health degraded, not down")
    assert only(data).short == "/health degraded · database=unhealthy", "that it answered with 200 is no news"
    assert only(data).place == "checks"


@pytest.mark.parametrize(
    ("trouble", "status", "severity"),
    [
        (Trouble.NOT_LET_IN, 401, Severity.UNKNOWN),
        (Trouble.FORBIDDEN, 403, Severity.UNKNOWN),
        (Trouble.RATE_LIMITED, 429, Severity.WARN),
        (Trouble.NAME_LOOKUP_HANGS, None, Severity.UNKNOWN),
    ],
)
def test_not_let_in_is_neither_up_nor_down(trouble: Trouble, status: int | None, severity: Severity) -> None:
    last = probe(UNKNOWN, trouble=trouble, status=status, reason="said so", hint="do this")
    one = only(reading([last]))
    assert (one.rule, one.severity) == ("http.unknown", severity)
    assert trouble.value in one.title
    assert ("it answers, but not to opsdash" in one.title) is (status is not None)


def test_slow_needs_two_probes_and_names_its_window_and_phase() -> None:
    phases = Phases(connect_s=0.01, first_byte_s=0.7)
    blip = reading([*series(UP, UP, UP), probe(UP, took_s=3.0)])
    assert found(blip) == ()
    data = reading(series(UP, UP, UP, took_s=0.74, phases=phases))
    one = only(data)
    assert (one.rule, one.severity) == ("http.slow", Severity.WARN)
    assert one.title == "/health slow: p95 740ms over 3 probes, 4s"
    assert "first byte" in (one.cause or "")
    assert only(reading(series(UP, UP, took_s=1.2))).severity is Severity.CRIT


def test_what_was_slow_and_is_quick_again_is_no_longer_critical() -> None:
    slow = series(*[UP] * 10, took_s=2.0)
    assert only(reading([*slow, *series(*[UP] * 4, took_s=0.01)])).severity is Severity.CRIT
    settled = only(reading([*slow, *series(*[UP] * 4, took_s=0.01), probe(UP, took_s=0.02)]))
    assert settled.severity is Severity.WARN
    assert settled.title.startswith("/health slow: p95 2.0s over 15 probes")
    assert settled.title.endswith(" · the last 5 at most 20ms")


def test_degraded_and_slow_is_one_finding_as_bad_as_the_worse() -> None:
    bad = probe(DEGRADED, checks=(DATABASE,), reason="it says degraded · database=unhealthy", took_s=1.4)
    one = only(reading([bad, bad]))
    assert (one.rule, one.severity) == ("http.degraded", Severity.CRIT)
    assert one.title == "/health degraded and slow · database=unhealthy · p95 1.4s over 2 probes, 0s"
    assert "2 of them took more than 1.0s" in one.evidence
    assert "the body says database=unhealthy: pool is empty" in one.evidence
    assert one.cause == "it says that database is not well"


def test_a_target_named_after_its_path_is_not_told_the_path_again() -> None:
    (one,) = found(reading(series(UP, UP, took_s=1.4)), name="api /health")
    assert (one.title[:9], one.short) == ("slow: p95", "slow: p95 1.4s")


def test_thresholds_of_the_target_win() -> None:
    data = reading(series(UP, UP, took_s=0.74))
    assert found(data, thresholds=HttpThresholds(latency_warn_s=1.0)) == ()


@pytest.mark.parametrize(
    ("good", "bad", "severity"),
    [(10, 1, None), (59, 1, Severity.WARN), (57, 3, Severity.WARN), (56, 4, Severity.CRIT)],
)
def test_error_rate_counts_once_there_are_enough_probes(
    good: int, bad: int, severity: Severity | None
) -> None:
    verdicts = [UP, DOWN] * bad + [UP] * (good - bad)
    rates = [f for f in found(reading(series(*verdicts))) if f.rule == "http.errors"]
    assert [f.severity for f in rates] == ([severity] if severity else [])
    if severity:
        assert f"{bad} of {good + bad} probes failed" in rates[0].title
        assert "over" in rates[0].title


def test_down_is_told_once() -> None:
    verdicts = [UP] * 20 + [DOWN] * 5
    assert [f.rule for f in found(reading(series(*verdicts, took_s=2.0)))] == ["http.down"]


@pytest.mark.parametrize(
    ("leaf_days", "middle_days", "severity", "words"),
    [
        (80, 400, None, ""),
        (29, 400, Severity.WARN, 'certificate expires in 29 days (certificate "api")'),
        (6, 400, Severity.CRIT, 'certificate expires in 6 days (certificate "api")'),
        (80, 12, Severity.WARN, 'certificate expires in 12 days (intermediate "R11")'),
        (80, -3, Severity.CRIT, 'certificate expired 2 days ago (intermediate "R11")'),
    ],
)
def test_first_certificate_to_expire_counts(
    leaf_days: float, middle_days: float, severity: Severity | None, words: str
) -> None:
    sent = chain(certificate("api", leaf_days), certificate("R11", middle_days, issuer="X1", is_ca=True))
    rules = found(reading([probe()], chain=sent))
    assert [(f.severity, f.title) for f in rules] == ([(severity, words)] if severity else [])
    assert all(f.weight < 1 for f in rules if f.severity is Severity.WARN), "below what fails now"


def test_refused_certificate_is_critical_at_once_and_told_once() -> None:
    last = probe(
        DOWN, trouble=Trouble.CERTIFICATE, reason="Hostname mismatch", status=None, hint="other name"
    )
    data = reading([last], chain=chain(certificate("other", 80), refused="Hostname mismatch"))
    one = only(data)
    assert (one.rule, one.severity) == ("http.certificate", Severity.CRIT)
    assert one.title == "certificate refused: Hostname mismatch"
    assert one.cause == "other name"


def test_times_are_those_of_the_probe() -> None:
    assert "first failed probe of this run at 03:12:39 UTC" in only(reading(series(UP, DOWN, DOWN))).evidence
