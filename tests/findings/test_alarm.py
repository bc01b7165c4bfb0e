"""The terminal is told of what is new and critical, once."""

import msgspec

from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.target import TargetId
from opsdash.tui.alarm import QUIET_S, Alarm, notice
from tests.actions.lamps import ManualClock

ORDERS = TargetId("postgres", "orders")


def finding(subject: str, severity: Severity = Severity.CRIT, title: str = "is down") -> Finding:
    return Finding(
        severity=severity, target=ORDERS, rule="test", subject=subject, title=title, short=title, place="x"
    )


def after_the_start(kind: str = "bell") -> Alarm:
    clock = ManualClock()
    alarm = Alarm(kind, clock, {})  # type: ignore[arg-type]  # each of them is one
    clock.advance(QUIET_S)
    return alarm


def test_rings_once_for_what_stays_and_again_for_what_comes_back() -> None:
    alarm, down = after_the_start(), (finding("a"),)
    assert [alarm.said(down), alarm.said(down), alarm.said(()), alarm.said(down)] == ["\a", "", "", "\a"]


def test_what_was_there_at_the_start_is_no_news() -> None:
    clock = ManualClock()
    alarm = Alarm("bell", clock, {})
    assert alarm.said((finding("a"),)) == ""
    clock.advance(QUIET_S)
    assert alarm.said((finding("a"),)) == ""
    assert alarm.said((finding("a"), finding("b"))) == "\a"


def test_a_warning_rings_when_it_becomes_critical() -> None:
    alarm, warning = after_the_start(), finding("a", Severity.WARN)
    assert alarm.said((warning,)) == ""
    assert alarm.said((msgspec.structs.replace(warning, severity=Severity.CRIT),)) == "\a"


def test_nothing_is_written_unless_asked_for() -> None:
    assert after_the_start("none").said((finding("a"),)) == ""


def test_a_notice_cannot_carry_control_characters_of_a_target() -> None:
    hostile = (finding("a", title="x\x1b]52;c;aGk=\a\ny\x9b31m"),)
    for in_tmux in (False, True):
        said = notice(hostile, in_tmux=in_tmux)
        inside = said.removeprefix("\x1bPtmux;\x1b").removeprefix("\x1b").removesuffix("\x1b\\")
        assert inside.startswith("]9;opsdash: orders x")
        assert inside.endswith("\a")
        assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in inside[:-1])
