"""Findings of several targets together."""

from datetime import timedelta

from opsdash.collectors.finding import Severity
from opsdash.collectors.snapshot import FailureKind
from opsdash.tui.findings.engine import find
from tests.support.readings import MONO_S, NOW, connections, failing, reading, row_line, session

BLOCKED = reading([session(1, "idle in transaction", for_s=30)], row_line(1, [10, 11, 12]))


def test_findings_of_stale_data_stay_and_say_how_old_they_are() -> None:
    view = failing(FailureKind.TIMED_OUT, failures=3, good_age_s=42, data=BLOCKED)
    down, blocking = find([view], now=NOW, mono_s=MONO_S)
    assert (down.rule, blocking.rule) == ("reachability", "postgres.blocking")
    assert blocking.title.startswith("42s ago: pid 1 blocks 3")
    assert blocking.short.startswith("42s ago: 1 blocks 3")
    assert blocking.basis == "one reading, as of 42s ago"


def test_age_is_part_of_neither_key_nor_subject() -> None:
    view = failing(FailureKind.TIMED_OUT, failures=3, for_s=42, good_age_s=42, data=BLOCKED)
    before = find([view], now=NOW, mono_s=MONO_S)
    later = find([view], now=NOW + timedelta(seconds=5), mono_s=MONO_S + 5)
    assert [f.key for f in before] == [f.key for f in later]
    assert before[0].title != later[0].title


def test_worst_come_first_and_an_unreachable_target_before_its_own_old_data() -> None:
    full = reading(BLOCKED.sessions, row_line(1, list(range(10, 30))), connections=connections(90))
    view = failing(FailureKind.REFUSED, good_age_s=3, data=full)
    found = find([view], now=NOW, mono_s=MONO_S)
    assert [(f.rule, f.severity) for f in found] == [
        ("reachability", Severity.CRIT),
        ("postgres.blocking", Severity.CRIT),
        ("postgres.connections", Severity.WARN),
    ]
