"""Targets that cannot be read."""

import pytest

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.snapshot import FailureKind
from opsdash.tui.findings.engine import find
from tests.support.readings import MONO_S, NOW, TARGET, failing


def found(view: TargetView) -> Finding:
    (finding,) = find([view], now=NOW, mono_s=MONO_S)
    return finding


@pytest.mark.parametrize(
    ("kind", "failures", "for_s", "severity"),
    [
        (FailureKind.REFUSED, 1, 0, Severity.CRIT),
        (FailureKind.NAME_UNKNOWN, 1, 0, Severity.CRIT),
        (FailureKind.TOO_MANY_CLIENTS, 1, 0, Severity.CRIT),
        (FailureKind.SHUTTING_DOWN, 1, 0, Severity.CRIT),
        (FailureKind.RECOVERY, 1, 0, Severity.CRIT),
        (FailureKind.TIMED_OUT, 1, 0, Severity.WARN),
        (FailureKind.TIMED_OUT, 2, 5, Severity.CRIT),
        (FailureKind.LOST, 1, 0, Severity.WARN),
        (FailureKind.LOST, 2, 5, Severity.CRIT),
        (FailureKind.STARTING_UP, 20, 59, Severity.WARN),
        (FailureKind.STARTING_UP, 20, 61, Severity.CRIT),
        (FailureKind.AUTHENTICATION, 9, 90, Severity.UNKNOWN),
        (FailureKind.NO_PERMISSION, 9, 90, Severity.UNKNOWN),
        (FailureKind.TLS, 9, 90, Severity.UNKNOWN),
        (FailureKind.NOT_SUPPORTED, 9, 90, Severity.UNKNOWN),
        (FailureKind.NAME_LOOKUP_HANGS, 9, 90, Severity.UNKNOWN),
        (FailureKind.BAD_REPLY, 9, 90, Severity.UNKNOWN),
        (FailureKind.INTERNAL, 9, 90, Severity.UNKNOWN),
    ],
)
def test_severity_tells_what_is_down_from_what_cannot_be_known(
    kind: FailureKind, failures: int, for_s: float, severity: Severity
) -> None:
    assert found(failing(kind, failures=failures, for_s=for_s)).severity is severity


@pytest.mark.parametrize("kind", list(FailureKind))
def test_each_kind_says_its_word_and_the_reason_in_the_targets_own_words(kind: FailureKind) -> None:
    finding = found(failing(kind, reason='FATAL: role "x" …'))
    assert finding.title == f'{kind.value} · FATAL: role "x" …'
    assert kind is FailureKind.INTERNAL or finding.cause


def test_evidence_has_count_since_when_age_of_data_and_the_next_step() -> None:
    view = failing(
        FailureKind.TIMED_OUT,
        failures=3,
        for_s=40,
        good_age_s=42,
        reason="no answer",
        hint="look at its host",
    )
    finding = found(view)
    assert finding.evidence == (
        "3 failed reads in a row, since 03:12:01 UTC",
        "it said: no answer",
        "last good data is 42s old",
        "next: look at its host",
    )
    assert finding.title == "timed out for 40s · no answer"
    assert finding.basis == "3 failed reads over 40s"


def test_target_that_never_answered_is_not_said_to_have_been_well() -> None:
    finding = found(failing(FailureKind.REFUSED, failures=4, for_s=12))
    assert finding.evidence[0] == "all 4 reads failed, since 03:12:29 UTC"
    assert "no data yet: opsdash has not seen it well" in finding.evidence


def test_target_that_answers_again_is_fine_again() -> None:
    view = failing(FailureKind.REFUSED, good_age_s=0.0)
    assert (
        find([TargetView(target=TARGET, latest=view.good, good=view.good, reads=5)], now=NOW, mono_s=MONO_S)
        == ()
    )


def test_target_that_was_not_read_yet_is_not_a_finding() -> None:
    assert find([TargetView(target=TARGET)], now=NOW, mono_s=MONO_S) == ()
