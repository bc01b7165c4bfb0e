"""Times as logs write them."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsdash.collectors.lines.times import epoch_seconds, klog_time, read_time

AT = datetime(2026, 11, 22, 3, 12, 40, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-22T03:12:40Z", AT),
        ("2026-11-22 03:12:40", AT),
        ("2026/11/22 03:12:40", AT),
        ("2026-11-22T03:12:40.123456789Z", AT + 0.123456789),
        ("2026-11-22 03:12:40,5", AT + 0.5),
        ("2026-11-22T04:12:40+01:00", AT),
        ("2026-11-22T04:12:40+0100", AT),
        ("2026-11-22 04:12:40 +01", AT),
        ("2026-11-21 22:12:40.000-05:00", AT),
        ("2026-11-22 03:12:40 UTC", AT),
        ("2026-11-22 04:12:40 CET", AT),
        ("2026-11-21 22:12:40 EST", AT),
        ("22/Nov/2026:03:12:40 +0000", AT),
        ("22/Nov/2026:04:12:40 +0100", AT),
        ("22 Nov 2026 03:12:40.123", AT + 0.123),
        ("Nov 22 03:12:40", AT),
        ("Nov 22 03:12:40.5", AT + 0.5),
        ("03:12:40.204", AT + 0.204),
        ("1795317160", AT),
        ("1795317160.5", AT + 0.5),
        ("1795317160204", AT + 0.204),
        ("1795317160204000", AT + 0.204),
        ("1795317160204000000", AT + 0.204),
    ],
)
def test_a_time_is_read_to_its_end_and_no_further(text: str, at: float) -> None:
    for rest in ("", " ERROR no lock", "] x", ": x"):
        found = read_time(f"{text}{rest}", near=AT + 5, zone=UTC)
        assert found == (pytest.approx(at, abs=1e-6), len(text))
    assert read_time(f"at {text}", 3, near=AT + 5, zone=UTC) == (pytest.approx(at, abs=1e-6), 3 + len(text))


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "2026", "2026-11-22", "2026-02-30 00:00:00", "2026-11-22 24:00:00", "2026-11-22T03:12",
        "2026-11-22T03:12:40+99:99", "42", "12345678901", "3.14", "10.0.0.9", "12:00", "Foo 22 03:12:40",
        "Nov 31 03:12:40", "1:02:03",
    ],
)  # fmt: skip
def test_what_is_no_time_is_none(text: str) -> None:
    assert read_time(text, near=AT, zone=UTC) is None


def test_capitals_after_a_time_are_a_zone_only_where_they_name_one() -> None:
    assert read_time("2026-11-22 03:12:40 WARN slow", zone=UTC) == (AT, 19)
    assert read_time("2026-11-22 03:12:40 INFO", zone=UTC) == (AT, 19)
    assert read_time("2026-11-22 03:12:40 CST x", zone=UTC) == (AT, 19), "Chicago, Shanghai, Havana"


def test_a_missing_year_is_that_of_the_latest_such_day() -> None:
    new_year = datetime(2027, 1, 1, 0, 0, 3, tzinfo=UTC).timestamp()
    assert read_time("Dec 31 23:59:59", near=new_year, zone=UTC) == (new_year - 4, 15)
    assert read_time("Jan  1 00:00:01", near=new_year - 4, zone=UTC) == (new_year - 2, 15), (
        "their clock is ahead"
    )
    leap = read_time("Feb 29 12:00:00", near=new_year, zone=UTC)
    assert leap is not None
    assert datetime.fromtimestamp(leap[0], UTC).year == 2024
    assert klog_time("1231 23:59:59.500000", 0, near=new_year, zone=UTC) == (new_year - 3.5, 20)
    assert read_time("Dec 31 23:59:59") is None, "nothing to complete it from"


def test_a_missing_date_is_that_of_the_latest_such_moment() -> None:
    midnight = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
    assert read_time("23:59:58.5", near=midnight + 3, zone=UTC) == (midnight - 1.5, 10)
    assert read_time("00:00:01", near=midnight + 3, zone=UTC) == (midnight + 1, 8)
    assert read_time("00:00:01") is None


def test_a_time_without_a_zone_is_local_time_unless_the_source_says_otherwise() -> None:
    program = (
        "from datetime import UTC\n"
        "from opsdash.collectors.lines.parse import read_line\n"
        "line = b'2026-11-22 03:12:40 ERROR no lock'\n"
        "print(read_line(line).at, read_line(line, zone=UTC).at)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "TZ": "Asia/Kolkata"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(AT - 5.5 * 3600), str(AT)]


@given(
    st.datetimes(
        datetime(2001, 9, 10),  # noqa: DTZ001
        datetime(2200, 1, 1),  # noqa: DTZ001
        timezones=st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours))),
    )
)
def test_what_python_writes_is_read_back(moment: datetime) -> None:
    text = moment.isoformat()
    assert read_time(text) == (pytest.approx(moment.timestamp(), abs=1e-5), len(text))
    assert epoch_seconds(moment.timestamp()) == moment.timestamp()


@given(st.text(max_size=60), st.integers(0, 60))
def test_any_text_at_any_place_is_a_time_or_none(text: str, start: int) -> None:
    found = read_time(text, start, near=AT)
    assert found is None or start < found[1] <= len(text)
