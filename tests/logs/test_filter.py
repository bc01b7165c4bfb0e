"""What a person types to narrow logs, and which records it leaves."""

import contextlib
import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsdash.collectors.clock import Clock
from opsdash.collectors.lines.bounded import bounded
from opsdash.collectors.lines.filter import FilterError, SlowFilter, parse
from opsdash.collectors.lines.record import Level
from opsdash.collectors.lines.sieve import Sieve, sift
from opsdash.collectors.lines.source import LogSource
from tests.support.log_lines import START_S, at, lane_texts, opened, printed, source

TRACE = (
    at(1, "ERROR shop.pool: no lock"),
    "Traceback (most recent call last):",
    '  File "/srv/shop.py", line 41',
    "ValueError: stock",
)


def sifted(where: LogSource, typed: str) -> Sieve:
    (lines,) = opened(where)
    sieve = Sieve(lines, parse(typed))
    assert sift([sieve], Clock(), 30.0)
    return sieve


def left(where: LogSource, typed: str) -> list[str]:
    return lane_texts(sifted(where, typed))


LOG = (
    at(1, "INFO GET /healthz 200"),
    at(2, "WARN pool exhausted"),
    at(3, "ERROR could not obtain lock"),
    at(4, "INFO Deadlock found"),
    at(5, "DEBUG lock released"),
)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("lock", ["could not obtain lock", "Deadlock found", "lock released"]),
        ("Deadlock", ["Deadlock found"]),
        ("DEADLOCK", []),
        ("-lock", ["GET /healthz 200", "pool exhausted"]),
        ("lock -released", ["could not obtain lock", "Deadlock found"]),
        ("obtain lock", ["could not obtain lock"]),
        ('"not obtain" +lock', ["could not obtain lock"]),
        ("/lock$/", ["could not obtain lock"]),
        ("-/GET|pool/ -lock", []),
        (">=warn", ["pool exhausted", "could not obtain lock"]),
        ("level>=error", ["could not obtain lock"]),
        (">=info -/lock/", ["GET /healthz 200", "pool exhausted"]),
        ("nowhere", []),
        ("", [line.split(maxsplit=2)[2] for line in LOG]),
    ],
)
def test_filters_leave_what_they_say(typed: str, expected: list[str]) -> None:
    assert left(source("api", LOG), typed) == expected


@pytest.mark.parametrize("typed", ["/(/", ">=loud", "-/[a/"])
def test_what_makes_no_sense_is_told(typed: str) -> None:
    with pytest.raises(FilterError, match=r"regular expression|is no level"):
        parse(typed)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_understood_or_told(text: str) -> None:
    with contextlib.suppress(FilterError):
        left(source("api", LOG), text)


@pytest.mark.parametrize("typed", ["no lock", "ValueError", "line 41", ">=error", "/^ValueError/"])
def test_a_stack_trace_stays_with_its_line_whichever_of_them_is_looked_for(typed: str) -> None:
    api = source("api", [at(0, "INFO shop.api: before"), *TRACE, at(2, "INFO shop.api: after")])
    kept = sifted(api, typed)
    assert [kept.at_or_after(n) for n in range(6)] == [1, 1, 2, 3, 4, None]


def test_a_trace_is_left_out_as_a_whole() -> None:
    api = source("api", [at(0, "INFO shop.api: before"), *TRACE, at(2, "INFO shop.api: after")])
    assert left(api, "-ValueError") == ["before", "after"]


def test_lines_that_continue_a_kept_record_are_kept_when_they_come_later() -> None:
    api = source("api", [at(0, f"INFO shop.api: before {n}") for n in range(60)] + [TRACE[0]])
    (lines,) = opened(api)
    sieve = Sieve(lines, parse("ValueError"))
    sift([sieve], Clock(), 30.0)
    assert len(sieve) == 0
    printed(api, TRACE[1:])
    sift([sieve], Clock(), 30.0)
    assert len(sieve) == 4


def test_levels_of_json_and_other_formats_count() -> None:
    log = [
        '{"level":50,"time":1795317160204,"msg":"no lock"}',
        '{"level":"info","time":1795317160204,"msg":"an error was handled"}',
        '{"severity":"WARNING","time":1795317160204,"msg":"slow"}',
        '{"log":{"level":"error"},"time":1795317160204,"msg":"nested"}',
    ]
    assert left(source("json", log), ">=warn") == ["no lock", "slow", "nested"]
    redis = [
        "7:M 22 Nov 2026 03:12:40.204 * Ready",
        "7:M 22 Nov 2026 03:12:40.204 # Can't save",
    ]
    assert left(source("redis", redis), ">=warn") == ["Can't save"]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_slices_and_growth_leave_the_same_as_looking_at_all_at_once(seed: int) -> None:
    dice = random.Random(seed)
    api = source("api", max_bytes=600_000)
    (lines,) = opened(api)
    typed = dice.choice(["lock", "-lock", ">=warn", "/lo.k/ -77", "trace"])
    sieve = Sieve(lines, parse(typed))
    number = 0
    for _ in range(dice.randint(1, 8)):
        batch = []
        for _ in range(dice.randint(1, 900)):
            number += 1
            level = dice.choice(["INFO", "WARN", "ERROR"])
            batch.append(at(number, f"{level} {dice.choice(['lock', 'look', 'pool'])} {number}"))
            batch += ["  trace of it"] * (dice.random() < 0.1)
        printed(api, batch)
        for _ in range(dice.randint(0, 3)):
            sieve.step()
    assert sift([sieve], Clock(), 30.0)
    fresh = Sieve(lines, parse(typed))
    assert sift([fresh], Clock(), 30.0)
    assert lane_texts(sieve) == lane_texts(fresh)
    assert len(sieve) == len(fresh)
    assert sieve.rank(api.buffer.end) == len(fresh)
    assert sieve.unread == 0


def test_the_newest_lines_are_there_first() -> None:
    api = source("api", max_bytes=64 * 1024 * 1024)
    printed(api, [at(n / 100, f"INFO lock {n}") for n in range(50_000)])
    (lines,) = opened(api)
    sieve = Sieve(lines, parse("lock"))
    sieve.step()
    assert sieve.before(50_000) == 49_999
    assert 0 < len(sieve) < 10_000
    assert sieve.unread == 50_000 - len(sieve)


def test_of_several_sources_the_newest_lines_of_all_are_looked_through_first() -> None:
    old = source("old", [at(n / 100, f"INFO lock {n}") for n in range(5000)])
    new = source("new", [at(100 + n / 100, f"INFO lock {n}") for n in range(5000)])
    sieves = [Sieve(lines, parse("lock")) for lines in opened(old, new)]
    sift(sieves, Clock(), 0.0)
    assert (len(sieves[0]), len(sieves[1]) > 0) == (0, True)


def test_dropped_lines_are_not_counted_and_not_given() -> None:
    api = source("api", max_bytes=300_000)
    printed(api, [at(n, f"INFO lock {n}") for n in range(5000)])
    (lines,) = opened(api)
    sieve = Sieve(lines, parse("lock"))
    sift([sieve], Clock(), 30.0)
    for start in range(5000, 20_000, 500):
        printed(api, [at(n, f"INFO lock {n}") for n in range(start, start + 500)])
    first = api.buffer.first
    assert first > 5000
    assert sieve.at_or_after(0) is None
    sift([sieve], Clock(), 30.0)
    assert sieve.at_or_after(0) == first
    assert len(sieve) == api.buffer.end - first
    assert sieve.before(first) is None


def test_a_million_lines_are_filtered_in_slices_that_a_key_can_wait_for() -> None:
    """The figure itself is in the bench; here: no slice is anywhere near a tenth of a second."""
    api = source("api", max_bytes=64 * 1024 * 1024)
    levels = [Level(3 + n % 3).name for n in range(20_000)]
    block = [at(n / 1000, f"{level} request {n:08x} took {n % 900} ms") for n, level in enumerate(levels)]
    for _ in range(5):
        printed(api, block, START_S)
    (lines,) = opened(api)
    for typed in ("took 77", "-took 7", "/took \\d{3} ms$/", ">=error"):
        sieve = Sieve(lines, parse(typed))
        steps = 0
        while sieve.step():
            steps += 1
        assert steps >= 100_000 / 2048
        expected = [
            n
            for n, line in enumerate(block)
            if (typed == "took 77" and "took 77" in line)
            or (typed == "-took 7" and "took 7" not in line)
            or (typed.startswith("/") and re.search("took \\d{3} ms$", line))
            or (typed == ">=error" and "ERROR" in line)
        ]
        assert len(sieve) == 5 * len(expected)


def test_a_pattern_that_would_take_for_ever_is_broken_off() -> None:
    where = source("a.log", [at(1, f"INFO {'a' * 60}!")])
    with pytest.raises(SlowFilter) as told:
        sifted(where, "/(a+)+$/")
    assert str(told.value).startswith("/(a+)+$/ takes far too long over these lines: write it without")


def test_a_slow_pattern_is_broken_off_by_its_own_time_and_not_by_that_of_others() -> None:
    with bounded(0.05):
        pass
    until_s = time.process_time() + 0.2
    while time.process_time() < until_s:
        pass
