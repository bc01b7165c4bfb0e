"""The next line that has something, wherever one is."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from opsdash.collectors.clock import Clock
from opsdash.collectors.lines.filter import parse
from opsdash.collectors.lines.ids import ids_of
from opsdash.collectors.lines.merge import Timeline
from opsdash.collectors.lines.record import Level, Record
from opsdash.collectors.lines.search import Search, WithLevel, WithText
from opsdash.collectors.lines.sieve import Sieve, sift
from opsdash.collectors.lines.source_lines import LineRef
from tests.support.log_lines import at, opened, source, whole

WORDS = ("lock", "pool")


def found(timeline: Timeline, start: LineRef | None, text: str, *, forward: bool) -> str | None:
    place = timeline.first() if start is None else timeline.near(start)
    search = Search(timeline, place, WithText(parse(text)[0]), forward=forward)
    while not search.work(Clock(), 0.0):
        pass
    return None if search.found is None else search.found.record.message


def test_next_and_previous_go_by_time_over_all_sources() -> None:
    api = source("api", [at(1, "INFO lock a1"), at(5, "INFO lock a5")])
    web = source("web", [at(3, "INFO lock w3"), at(4, "INFO quiet")])
    timeline = whole(api, web)
    lines, _ = timeline.below(timeline.first(), 9)
    assert found(timeline, None, "lock", forward=True) == "lock a1"
    assert found(timeline, lines[1], "lock", forward=True) == "lock w3"
    assert found(timeline, lines[2], "lock", forward=True) == "lock a5"
    assert found(timeline, lines[3], "lock", forward=False) == "lock w3"
    assert found(timeline, lines[0], "lock", forward=False) is None
    assert found(timeline, None, "nowhere", forward=True) is None


def test_only_lines_that_the_filter_leaves_are_found() -> None:
    api = source("api", [at(1, "WARN pool"), at(2, "INFO lock hidden"), at(3, "WARN lock shown")])
    sieves = [Sieve(lines, parse(">=warn")) for lines in opened(api)]
    sift(sieves, Clock(), 30.0)
    timeline = Timeline(sieves)
    assert found(timeline, None, "lock", forward=True) == "lock shown"


def test_errors_are_found_by_their_level_and_not_by_what_continues_them() -> None:
    log = [
        at(1, "INFO shop.api: no ERROR here"),
        at(2, "ERROR shop.api: no lock"),
        "Traceback (most recent call last):",
        "ValueError: ERROR in stock",
        at(3, "CRITICAL shop.api: gone"),
    ]
    timeline = whole(source("api", log))
    numbers = []
    place = timeline.first()
    while True:
        search = Search(timeline, place, WithLevel(Level.ERROR), forward=True)
        assert search.work(Clock(), 30.0)
        if search.found is None:
            break
        numbers.append(search.found.number)
        place = (search.found.number + 1,)
    assert numbers == [1, 4]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), forward=st.booleans())
def test_the_nearest_is_found_as_by_walking(seed: int, forward: bool) -> None:
    dice = random.Random(seed)
    sources = [
        source(name, [at(n / 30 + dice.uniform(0, 0.05), f"INFO {dice.choice(WORDS)}") for n in range(200)])
        for name in "abc"
    ]
    timeline = whole(*sources)
    lines, _ = timeline.below(timeline.first(), 10**4)
    start = dice.randrange(len(lines))
    search = Search(timeline, timeline.near(lines[start]), WithText(parse("lock")[0]), forward=forward)
    while not search.work(Clock(), 0.0):
        pass
    walk = lines[start:] if forward else lines[:start][::-1]
    assert search.found == next((line for line in walk if "lock" in line.record.message), None)


def test_ids_are_seen_in_messages_and_fields() -> None:
    uuid = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
    fields = {"traceId": "4bf92f3577b34da6a3ce"}
    record = Record(message=f"no lock (request 7f3a91) for {uuid}", fields=fields)
    assert ids_of(record) == ("4bf92f3577b34da6a3ce", "7f3a91", uuid)


def test_words_times_and_process_numbers_are_no_ids() -> None:
    fields = {"pid": "4312", "level": "info"}
    record = Record(message="facade decade 2026-11-22 03:12:40 in 120ms", fields=fields)
    assert ids_of(record) == ()
