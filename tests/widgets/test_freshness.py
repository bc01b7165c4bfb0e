"""How old the data of a panel is said to be."""

from datetime import UTC, datetime

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.snapshot import Failure, FailureKind, Snapshot
from opsdash.widgets.lines import span_text
from opsdash.widgets.panel import freshness
from opsdash.widgets.status import Tone
from tests.support.targets import postgres_target


def read_at_ten(failure: Failure | None = None) -> TargetView:
    target = postgres_target("host=db")
    good = Snapshot(
        target=target.id,
        sequence=1,
        taken_at=datetime(2026, 11, 22, 3, 12, tzinfo=UTC),
        taken_mono_s=10.0,
        took_s=0.01,
        data="a reading",
    )
    if failure is None:
        return TargetView(target=target, latest=good, good=good, reads=1)
    failed = msgspec.structs.replace(good, sequence=2, data=None, failure=failure)
    return TargetView(target=target, latest=failed, good=good, reads=2, failures=1)


def told(view: TargetView, mono_s: float) -> str:
    return "".join(map(span_text, freshness(view, mono_s)))


def test_fresh_data_is_told_without_a_count_that_changes_every_second() -> None:
    assert [told(read_at_ten(), mono_s) for mono_s in (10.0, 11.9, 12.0, 14.5)] == [
        "● <2s",
        "● <2s",
        "● 2s",
        "● 4s",
    ]


def test_stale_data_is_told_with_its_age_at_once() -> None:
    refused = Failure(kind=FailureKind.REFUSED, reason="connection refused")
    assert told(read_at_ten(refused), 10.5) == "▲ stale 0s: connection refused"
    assert told(read_at_ten(), 15.1) == "▲ stale 5s: no answer yet"
    assert freshness(read_at_ten(), 15.1)[0][1] is Tone.WARN
