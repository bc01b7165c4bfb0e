"""Counting lines, errors and warnings per minute."""

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsdash.collectors.lines.buffer import LogBuffer
from opsdash.collectors.lines.formats import recognise
from opsdash.collectors.lines.multiline import is_continuation
from opsdash.collectors.lines.parse import read_line
from opsdash.collectors.lines.record import Format, Level
from opsdash.collectors.lines.summary import LATEST, LATEST_TROUBLE, Minute, SourceSummary
from opsdash.collectors.lines.tally import MINUTES, Tally
from opsdash.collectors.snapshot import Failure, FailureKind
from tests.logs.known_lines import LINES

NOW = datetime(2026, 11, 22, 3, 12, 40, tzinfo=UTC).timestamp()
MINUTE = NOW - NOW % 60
FAILED = Failure(kind=FailureKind.NO_PERMISSION, reason="Permission denied")


class Source:
    """A tally and the buffer that gets the same."""

    def __init__(self) -> None:
        self.tally = Tally(UTC)
        self.buffer = LogBuffer()

    def tail(self, *lines: str) -> None:
        data = "".join(f"{line}\n" for line in lines).encode()
        self.buffer.append(data, NOW)
        self.tally.add_tail(data, NOW)

    def add(self, *lines: str, at: float = NOW) -> None:
        data = "".join(f"{line}\n" for line in lines).encode()
        self.buffer.append(data, at)
        self.tally.add(data, at)

    def told(self, now: float = NOW, failure: Failure | None = None) -> SourceSummary:
        return self.tally.summary(
            "api.log", "/l/api.log", self.buffer, now=now, watched_since=NOW, failure=failure
        )


def line(minute: int, level: str, text: str = "x", second: int = 0) -> str:
    return f"2026-11-22 03:{minute:02d}:{second:02d},000 {level} shop.pool: {text}"


def counts(minutes: Sequence[Minute]) -> list[tuple[int, int, int]]:
    return [(m.lines, m.errors, m.warnings) for m in minutes]


def test_what_arrives_counts_for_the_minute_of_its_arrival() -> None:
    source = Source()
    source.add(line(12, "INFO"), line(12, "ERROR"), line(12, "WARNING"), at=NOW)
    source.add(line(12, "CRITICAL"), at=NOW + 60)
    told = source.told(now=NOW + 61)
    assert counts(told.minutes) == [(3, 1, 1), (1, 1, 0)]
    assert told.minutes[0].at == MINUTE
    assert told.format == "python"
    assert (told.first, told.end, told.dropped, told.last_arrived_at) == (0, 4, 0, NOW + 60)


def test_what_was_there_before_counts_for_its_own_minutes() -> None:
    source = Source()
    source.tail(
        "2026-11-22 01:00:00,000 ERROR shop.pool: long ago",
        line(3, "INFO"), line(4, "INFO"), line(5, "ERROR"),
        "Traceback (most recent call last):", "  File x", "KeyError: 'ERROR'",
        line(5, "ERROR"), line(8, "INFO"),
    )  # fmt: skip
    told = source.told()
    assert told.minutes[0].at == MINUTE - 9 * 60
    assert counts(told.minutes) == [
        (1, 0, 0), (1, 0, 0), (5, 2, 0), (0, 0, 0), (0, 0, 0), (1, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0),
        (0, 0, 0),
    ]  # fmt: skip
    assert told.last_arrived_at is None, "nothing arrived since"


def test_old_lines_without_times_count_for_no_minute() -> None:
    source = Source()
    source.tail("ERROR: one", "ERROR: two")
    told = source.told()
    assert counts(told.minutes) == [(0, 0, 0)]
    assert [trouble.text for trouble in told.latest_trouble] == ["one", "two"]


def test_minutes_without_lines_count_up_to_now_and_no_more_than_an_hour_is_kept() -> None:
    source = Source()
    source.add(line(12, "INFO"))
    assert len(source.told(now=NOW + 600).minutes) == 11
    later = source.told(now=NOW + 3 * 3600)
    assert len(later.minutes) == MINUTES
    assert sum(m.lines for m in later.minutes) == 0
    assert later.minutes[-1].at == MINUTE + 3 * 3600


def test_a_minute_in_which_it_could_not_be_read_is_not_complete() -> None:
    source = Source()
    source.add(line(12, "INFO"))
    source.told(now=NOW + 60, failure=FAILED)
    failing = source.told(now=NOW + 120, failure=FAILED)
    assert failing.failure is FAILED
    well = source.told(now=NOW + 180)
    assert [m.is_complete for m in well.minutes] == [True, False, False, True]


def test_the_newest_lines_and_the_newest_bad_ones_are_told_with_their_numbers() -> None:
    source = Source()
    source.add(*(line(12, "INFO", f"n{n}") for n in range(7)), line(12, "ERROR", "bad", second=7))
    source.add("  File x", *(line(12, "INFO", f"m{n}") for n in range(3)), line(12, "WARNING", "slow"))
    told = source.told()
    assert [(x.number, x.text) for x in told.latest] == [
        (7, "bad"), (9, "m0"), (10, "m1"), (11, "m2"), (12, "slow"),
    ]  # fmt: skip
    assert [(x.number, x.level, x.text) for x in told.latest_trouble] == [
        (7, Level.ERROR, "bad"),
        (12, Level.WARN, "slow"),
    ]
    assert told.latest_trouble[0].at == MINUTE + 7
    for one in (*told.latest, *told.latest_trouble):
        assert one.text.encode() in source.buffer.line(one.number)


def test_of_a_source_in_trouble_a_panel_full_of_bad_lines_is_told() -> None:
    source = Source()
    source.add(*(line(12, "ERROR", f"bad {n}") for n in range(LATEST_TROUBLE + 1)))
    assert [x.text for x in source.told().latest_trouble] == [
        f"bad {n}" for n in range(1, LATEST_TROUBLE + 1)
    ]
    assert LATEST_TROUBLE >= 3 * LATEST


def test_text_in_a_summary_is_clean_masked_and_short() -> None:
    source = Source()
    source.add(line(12, "ERROR", "password=hunter2 \x1b[2J " + "x" * 2000))
    (trouble,) = source.told().latest_trouble
    assert trouble.text.startswith("password=*** ␛[2J xxx")
    assert len(trouble.text) == 500


def test_an_idle_source_tells_the_same_value_until_the_minute_turns() -> None:
    source = Source()
    source.add(line(12, "INFO"))
    told = source.told()
    assert source.told(now=NOW + 1) is told
    assert source.told(now=NOW + 60) is not told
    source.add(line(13, "INFO"), at=NOW + 61)
    assert source.told(now=NOW + 62).end == 2


def test_the_format_is_recognised_anew_when_the_program_changes_it() -> None:
    source = Source()
    source.add("starting up")
    assert source.told().format == "plain"
    source.add(*(line(12, "INFO") for _ in range(5)))
    assert source.told().format == "python"
    source.add(*('{"level":"error","msg":"x"}' for _ in range(60)), at=NOW + 90)
    assert source.told(now=NOW + 90).format == "json"
    assert source.told(now=NOW + 90).minutes[-1].errors == 60


def test_bad_lines_from_before_the_format_was_known_are_read_again() -> None:
    source = Source()
    refused = '2026-11-22 03:12:40.001 UTC [81] app@shop ERROR:  could not obtain lock on relation "stock"'
    source.add("the data directory might become corrupt: warning", "ok", "ok", refused)
    assert [x.text for x in source.told().latest_trouble][-1].endswith(refused[30:])
    source.add(*[f"2026-11-22 03:12:4{n}.001 UTC [82] LOG:  checkpoint complete" for n in range(9)])
    (trouble,) = source.told().latest_trouble
    assert (trouble.number, trouble.level) == (3, Level.ERROR)
    assert trouble.text == 'could not obtain lock on relation "stock"'


@pytest.mark.parametrize("format", Format)
def test_errors_of_every_format_are_found(format: Format) -> None:
    """As many as reading every line finds, whether each comes alone or all at once."""
    lines = [text for known, text, *_ in LINES if known is format]
    bad = [read_line(text.encode(), format, near=NOW).level for text in lines]
    heads = [
        level for level, text in zip(bad, lines, strict=True) if not is_continuation(text.encode(), format)
    ]
    errors = sum(level is not None and level >= Level.ERROR for level in heads)
    warnings = sum(level == Level.WARN for level in heads)
    alone, together = Source(), Source()
    alone.tail(*lines * 3)  # the format is recognised
    together.tail(*lines * 3)
    for _ in range(4):
        for text in lines:
            alone.add(text, at=NOW + 60)
    together.add(*lines * 4, at=NOW + 60)
    assert recognise([text.encode() for text in lines * 3]) is format
    for source in (alone, together):
        minute = source.told(now=NOW + 60).minutes[-1]
        assert (minute.lines, minute.errors, minute.warnings) == (4 * len(lines), 4 * errors, 4 * warnings)


_LAYOUTS = (
    "{word}: no lock", "[{word}] no lock", "{word} no lock", "2026-11-22 03:12:40 {word} no lock",
    "2026-11-22 03:12:40,204 - shop.pool - {word} - no lock",
    "2026-11-22 03:12:40,204 {word} [main] a.B: no lock",
    "level={word} msg=x", 'ts=1795317160 level="{word}" msg=x', "severity: {word}", '{{"level":"{word}"}}',
    '{{"severity": "{word}", "message": "x"}}', "<11>Nov 22 03:12:40 web shop[1]: no lock",
    "Nov 22 03:12:40 web shop[1]: {word}: no lock", "2026-11-22 03:12:40 UTC [7] {word}:  no lock",
    "Traceback (most recent call last):", 'Exception in thread "main" x', "Unhandled exception. x",
    "Segmentation fault (core dumped)", "fatal error: all goroutines are asleep", "panic: runtime error",
)  # fmt: skip
_LEVELS = (
    "warn", "warning", "wrn", "error", "err", "eror", "severe", "fatal", "critical", "crit", "panic",
    "dpanic", "emerg", "alert", "failure", "ftl", "info", "debug",
)  # fmt: skip


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize("layout", _LAYOUTS)
def test_whatever_line_is_read_as_bad_is_counted_as_bad(format: Format, layout: str) -> None:
    """In a source of any format, the line may be of another one."""
    source = Source()
    usual = [text for known, text, *_ in LINES if known is format]
    source.tail(*(usual * 50)[-50:])
    before = source.told().minutes[-1]
    errors, warnings = before.errors, before.warnings
    for word in _LEVELS:
        for text in {layout.format(word=w) for w in (word, word.upper(), word.capitalize())}:
            source.add(text, at=NOW)
            if not is_continuation(text.encode(), format):
                level = read_line(text.encode(), format, near=NOW).level or Level.INFO
                errors += level >= Level.ERROR
                warnings += level == Level.WARN
            minute = source.told().minutes[-1]
            assert (minute.errors, minute.warnings) == (errors, warnings), text
            source.buffer.append(b"\n", NOW)  # something new to tell


def test_in_a_flood_counts_are_nearly_right_and_cheap() -> None:
    random.seed(7)
    levels = random.choices(["INFO", "DEBUG", "WARNING", "ERROR"], [80, 15, 4, 1], k=50_000)
    lines = [
        line(12, level, f"request {n:x} took {n % 97} ms for somebody who waits")
        for n, level in enumerate(levels)
    ]
    source = Source()
    source.add(*lines[:100], at=NOW - 60)
    blocks = [lines[start : start + 12_500] for start in range(0, len(lines), 12_500)]
    data = [("\n".join(block) + "\n").encode() for block in blocks]
    began = time.process_time()
    for part, block in enumerate(data):
        source.tally.add(block, NOW + part / 4)
    took_s = time.process_time() - began
    for block in data:
        source.buffer.append(block, NOW)
    minute = source.told().minutes[-1]
    assert minute.lines == 50_000
    assert minute.errors == pytest.approx(levels.count("ERROR"), rel=0.3)
    assert minute.warnings == pytest.approx(levels.count("WARNING"), rel=0.3)
    newest = max(n for n, level in enumerate(levels) if level in ("ERROR", "WARNING"))
    assert source.told().latest_trouble[-1].number == newest + 100
    read_s = time.process_time()
    for text in lines[:5000]:
        read_line(text.encode(), Format.PYTHON)
    assert took_s < (time.process_time() - read_s) * 10 / 4, "far cheaper than to read every line"


def test_few_errors_in_a_flood_are_counted_exactly() -> None:
    lines = [line(12, "INFO", f"request {n:x} took {n % 97} ms") for n in range(20_000)]
    for n in (3, 7_000, 7_001, 19_999):
        lines[n] = line(12, "ERROR", f"bad {n}")
    source = Source()
    source.add(*lines)
    told = source.told()
    assert told.minutes[-1].errors == 4
    assert [trouble.number for trouble in told.latest_trouble] == [3, 7_000, 7_001, 19_999]


@given(st.lists(st.binary(max_size=60), max_size=40), st.booleans())
def test_any_bytes_are_counted(pieces: list[bytes], is_tail: bool) -> None:
    data = b"".join(piece.replace(b"\n", b"") + b"\n" for piece in pieces)
    source = Source()
    source.buffer.append(data, NOW)
    if is_tail:
        source.tally.add_tail(data, NOW)
    else:
        source.tally.add(data, NOW)
    told = source.told()
    assert told.end == len(pieces)
    assert is_tail or sum(m.lines for m in told.minutes) == len(pieces)


@given(st.lists(st.integers(0, 59), min_size=1, max_size=60))
def test_a_tail_in_any_order_of_times_is_counted_once(minutes: list[int]) -> None:
    source = Source()
    source.tail(*(f"2026-11-22T02:{m:02d}:00Z ERROR x" for m in minutes))
    told = source.told()
    assert told.end == len(minutes)
    assert sum(m.lines for m in told.minutes) <= len(minutes)
    if minutes == sorted(minutes):
        assert sum(m.lines for m in told.minutes) == sum(m >= 13 for m in minutes)


def test_a_line_at_the_very_beginning_of_a_flood_counts() -> None:
    filler = [line(12, "INFO", "nothing to see here")] * 2000
    source = Source()
    source.add(line(12, "ERROR", "first"), *filler)
    source.add(*filler, line(12, "ERROR", "last"))
    told = source.told()
    assert counts(told.minutes) == [(4002, 2, 0)]
    assert [trouble.number for trouble in told.latest_trouble] == [0, 4001]
