"""Rules on lines that sources print."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.lines.place import LogPlace
from opsdash.collectors.lines.record import Level
from opsdash.collectors.lines.summary import LatestLine, Minute, SourceSummary
from opsdash.collectors.logs.rows import LogData
from opsdash.collectors.logs.settings import LogSettings, LogThresholds
from opsdash.collectors.snapshot import Failure, FailureKind
from opsdash.collectors.target import Target, TargetId, environment
from opsdash.tui.findings.logs import findings, log_findings

WARN, CRIT = Severity.WARN, Severity.CRIT
NOW = datetime(2026, 11, 22, 3, 12, 40, tzinfo=UTC)
MINUTE = NOW.timestamp() - 40
ERROR_LINE = LatestLine(number=41, at=MINUTE + 39, level=Level.ERROR, text='could not obtain lock on "stock"')
WARN_LINE = LatestLine(number=42, at=MINUTE + 39, level=Level.WARN, text="pool exhausted")
DENIED = Failure(kind=FailureKind.NO_PERMISSION, reason="Permission denied", hint="opsdash doctor says more")

TARGET = Target(
    id=TargetId("log", "api"),
    environment=environment("staging"),
    interval_s=0.25,
    settings=LogSettings(path="/l/*.log"),
    source="test",
)


def minutes(
    errors: Sequence[int], lines: Sequence[int] | None = None, blind: Sequence[int] = ()
) -> tuple[Minute, ...]:
    """The last of them is the one of NOW; `blind`: places of those that could not be read to their end."""
    count = len(errors)
    lines = [30] * count if lines is None else lines
    return tuple(
        Minute(
            at=MINUTE - 60 * (count - 1 - place),
            lines=lines[place],
            errors=errors[place],
            warnings=0,
            is_complete=place not in blind,
        )
        for place in range(count)
    )


def source(told: tuple[Minute, ...], name: str = "web.log", **facts: Any) -> SourceSummary:
    known: dict[str, Any] = {
        "format": "python", "first": 0, "end": 43, "dropped": 0, "held_bytes": 4000, "minutes": told,
        "latest": (ERROR_LINE, WARN_LINE), "latest_trouble": (ERROR_LINE, WARN_LINE), "watched_since": MINUTE,
    }  # fmt: skip
    return SourceSummary(name=name, identity=f"/l/{name}", **(known | facts))


def found(*sources: SourceSummary, **thresholds: Any) -> tuple[Finding, ...]:
    settings = LogSettings(path="/l/*.log", thresholds=LogThresholds(**thresholds))
    return findings(LogData(taken_at=NOW, logs=sources), msgspec.structs.replace(TARGET, settings=settings))


def only(told: tuple[Minute, ...], **thresholds: Any) -> Finding:
    (finding,) = found(source(told), **thresholds)
    return finding


# Bursts


@pytest.mark.parametrize(
    ("errors", "severity"),
    [
        ([0] * 30 + [0], None),
        ([0] * 30 + [4], None),
        ([0] * 30 + [5], WARN),
        ([0] * 30 + [49], WARN),
        ([0] * 30 + [50], CRIT),
        ([0] * 30 + [50, 0], CRIT),  # the running minute has just begun
        ([0] * 30 + [50, 0, 0], None),  # over
        ([2] * 30 + [9], None),
        ([2] * 30 + [10], WARN),
        ([6] * 30 + [59], WARN),
        ([6] * 30 + [60], CRIT),
        ([6] * 30 + [29], None),
        ([38] * 60, None),  # as always, however bad that is
        ([0] * 10 + [40] * 20, WARN),  # the burst itself is not what is usual
        ([0] * 10 + [40] * 50, WARN),
        ([0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 3], None),
        ([0] * 5 + [5], WARN),
    ],
)
def test_a_burst_is_many_errors_a_minute_and_many_more_than_before(
    errors: list[int], severity: Severity | None
) -> None:
    assert [f.severity for f in found(source(minutes(errors)))] == ([] if severity is None else [severity])


def test_a_burst_is_told_with_its_window_its_beginning_and_its_newest_error() -> None:
    finding = only(minutes([0] * 29 + [1, 20, 38, 30, 2]))
    assert (
        finding.title
        == 'web.log: ERROR 30/min, 0/min in the 30 min before · "could not obtain lock on "stock""'
    )
    assert finding.short == "web.log: ERROR 30/min"
    assert finding.evidence == (
        "30 lines of ERROR or worse in a minute, since 03:09:00 UTC",
        "0/min is the median of the minutes before",
        '03:12:39 ERROR could not obtain lock on "stock"',
    )
    assert finding.basis == "counts of 34 minutes"
    assert (finding.place, finding.identity) == ("lines", LogPlace(source="/l/web.log", number=41))
    assert (finding.rule, finding.subject) == ("log.burst", "/l/web.log")
    assert finding.weight < 1.0, "it stands below what was found on the thing itself"


@pytest.mark.parametrize("seen", [0, 1, 4])
def test_with_little_history_only_the_count_is_told(seen: int) -> None:
    finding = only(minutes([0] * seen + [500]))
    assert finding.severity is WARN, "how bad that is for this source is not known"
    assert finding.title.startswith('web.log: ERROR 500/min · "')
    assert f"only {seen} minute" in finding.evidence[1]
    assert "what is usual is not known" in finding.evidence[1]


def test_errors_from_the_first_minute_seen_do_not_vanish_while_they_go_on() -> None:
    for seen in range(1, 30):
        assert len(found(source(minutes([100] * seen)))) == 1, seen
    assert found(source(minutes([100] * 30))) == ()


def test_a_rise_within_a_run_of_errors_is_a_burst() -> None:
    finding = only(minutes([6] * 20 + [300, 320, 310]))
    assert finding.severity is CRIT
    assert "6/min in the 20 min before" in finding.title
    assert "since 03:10:00 UTC" in finding.evidence[0]


def test_minutes_that_could_not_be_read_say_nothing_about_what_is_usual() -> None:
    finding = only(minutes([0] * 8 + [9], blind=range(6)))
    assert "only" in finding.evidence[1]


@pytest.mark.parametrize("name", ["api", "api.log"])
def test_a_source_named_as_its_target_is_not_named_twice(name: str) -> None:
    (finding,) = found(source(minutes([0] * 9 + [7]), name=name))
    assert finding.short == "ERROR 7/min"


def test_thresholds_come_from_the_configuration() -> None:
    told = minutes([1] * 9 + [8])
    assert only(told).severity is WARN
    assert found(source(told), burst_warn_per_min=9) == ()
    assert found(source(told), burst_warn_factor=9.0) == ()
    assert only(told, burst_crit_per_min=8, burst_crit_factor=8.0).severity is CRIT


# Silence


@pytest.mark.parametrize(
    ("lines", "is_told"),
    [
        ([30] * 20 + [0] * 5, False),  # the last one is still running
        ([30] * 20 + [0] * 6, True),
        ([1] * 20 + [0] * 10, False),  # ten times its usual gap of a minute
        ([1] * 20 + [0] * 11, True),
        ([30] * 9 + [0] * 20, False),  # printed for too short a time
        ([30] * 10 + [0] * 6, True),
        ([0] * 20 + [5] + [0] * 20, False),  # prints now and then
        (([600] + [0] * 9) * 3 + [0] * 8, False),  # every ten minutes
        (([600] + [0] * 9) * 3 + [0] * 14, True),
        ([0] * 30, False),
        ([], False),
    ],
)
def test_a_source_that_used_to_print_and_does_not_any_more_is_told(lines: list[int], is_told: bool) -> None:
    told = found(source(minutes([0] * len(lines), lines)))
    assert [f.rule for f in told] == (["log.silent"] if is_told else [])


def test_silence_is_told_with_both_figures() -> None:
    finding = only(minutes([0] * 28, [12] * 20 + [0] * 8))
    assert finding.title == "web.log: silent for 7m00s, 12 lines/min in the 20 min before"
    assert finding.evidence[:2] == (
        "no line since 03:05:00 UTC",
        "240 lines in the 20 minutes before, some in every minute",
    )
    assert finding.severity is WARN
    assert finding.identity == LogPlace(source="/l/web.log")


def test_a_source_that_cannot_be_read_or_has_ended_is_not_called_silent() -> None:
    told = minutes([0] * 28, [12] * 20 + [0] * 8)
    failing = [f.rule for f in found(source(told, failure=DENIED))]
    assert failing == ["log.unread"]
    blind = minutes([0] * 28, [12] * 20 + [0] * 8, blind=[22])
    assert found(source(blind)) == ()
    assert log_findings([source(told)], TARGET, ended={"/l/web.log"}) == ()
    assert len(log_findings([source(told)], TARGET)) == 1


# What cannot be read


def test_files_that_may_not_be_read_are_told_together() -> None:
    names = ("a.log", "b.log", "c.log")
    told = found(*(source((), name, failure=DENIED) for name in names), source(minutes([0])))
    assert [(f.severity, f.title) for f in told] == [
        (Severity.UNKNOWN, "3 files cannot be read: Permission denied")
    ]
    assert told[0].evidence == ("a.log, b.log, c.log", "opsdash doctor says more")


def test_what_is_no_file_cannot_be_read() -> None:
    pipe = Failure(kind=FailureKind.NOT_SUPPORTED, reason="it is a FIFO")
    (finding,) = found(source((), "pipe.log", failure=pipe))
    assert (finding.severity, finding.title) == (
        Severity.UNKNOWN,
        "pipe.log cannot be read: it is a FIFO",
    )


def test_a_file_that_is_not_there_is_no_alarm() -> None:
    gone = Failure(kind=FailureKind.NOT_THERE, reason="the file is not there any more")
    assert found(source((), failure=gone)) == ()


def test_a_path_that_no_file_matches_is_told() -> None:
    absent = Failure(kind=FailureKind.NOT_THERE, reason="no file matches yet", hint="check the path")
    (finding,) = findings(LogData(taken_at=NOW, absent=(("/var/lgo/web.log", absent),)), TARGET)
    assert (finding.severity, finding.title) == (WARN, "/var/lgo/web.log: no file matches yet")
    assert finding.identity == LogPlace(source="/var/lgo/web.log")


def test_containers_are_judged_by_the_default_thresholds() -> None:
    docker = msgspec.structs.replace(TARGET, id=TargetId("docker", "local"), settings=msgspec.Struct())
    (finding,) = log_findings([source(minutes([0] * 9 + [7]), name="web-1")], docker)
    assert finding.short == "web-1: ERROR 7/min"
