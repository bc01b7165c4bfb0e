"""Lines of many sources in the order of their times, from any place in either direction."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsdash.collectors.lines.merge import Timeline, WholeLane
from opsdash.collectors.lines.source_lines import REORDER_LINES, LineRef
from tests.support.log_lines import START_S, all_texts, at, opened, printed, source, texts, whole


def test_lines_of_two_sources_stand_in_the_order_of_their_times() -> None:
    api = source("api", [at(1, "INFO a1"), at(3, "INFO a3")])
    web = source("web", [at(2, "INFO w2"), at(4, "INFO w4")])
    assert all_texts(whole(api, web)) == ["a1", "w2", "a3", "w4"]


def test_lines_without_a_time_stay_below_the_line_they_follow() -> None:
    api = source("api", [at(1, "ERROR failed"), "  at Pool.take", "  at Orders.place", at(5, "INFO a5")])
    web = source("web", [at(2, "INFO w2")])
    assert all_texts(whole(api, web)) == ["failed", "  at Pool.take", "  at Orders.place", "w2", "a5"]


def test_details_of_postgresql_are_not_torn_from_their_error() -> None:
    line = "2026-03-14 03:12:0{}.000 UTC [7] {}"
    log = [line.format(1, "ERROR:  no lock"), line.format(3, "DETAIL:  7 waits"), line.format(9, "LOG:  up")]
    orders = source("orders", log)
    web = source("web", [at(2, "INFO w2")])
    assert all_texts(whole(orders, web)) == ["no lock", "DETAIL: 7 waits", "w2", "up"]


def test_a_source_without_any_time_stands_where_it_was_read() -> None:
    plain = source("plain")
    printed(plain, ["Killed"], START_S + 2.5)
    web = source("web", [at(2, "INFO w2"), at(3, "INFO w3")])
    assert all_texts(whole(plain, web)) == ["w2", "Killed", "w3"]


def test_a_line_that_a_thread_printed_late_keeps_its_place_in_its_source() -> None:
    api = source("api", [at(10, "INFO first"), at(9, "INFO late"), at(11, "INFO last")])
    web = source("web", [at(9.5, "INFO w9"), at(10.5, "INFO w10")])
    timeline = whole(api, web)
    assert all_texts(timeline) == ["w9", "first", "late", "w10", "last"]
    upward, _ = timeline.above(timeline.end(), 10)
    assert texts(upward)[::-1] == all_texts(timeline)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 5))
def test_upward_and_downward_agree_wherever_one_begins(seed: int, count: int) -> None:
    dice = random.Random(seed)
    sources = []
    for name in "abcde"[:count]:
        times = sorted(dice.uniform(0, 20) for _ in range(dice.randint(0, 30)))
        for place in range(len(times)):  # threads: a few lines out of order
            other = min(place + dice.randint(0, REORDER_LINES // 2), len(times) - 1)
            times[place], times[other] = times[other], times[place]
        texts_of = [f"{name}{n}" for n in range(len(times))]
        lines = [
            at(time, f"INFO {text}") if dice.random() < 0.8 else f"  {text}"
            for time, text in zip(times, texts_of, strict=True)
        ]
        sources.append(source(name, lines))
    timeline = whole(*sources)
    downward, _ = timeline.below(timeline.first(), 1000)
    upward, _ = timeline.above(timeline.end(), 1000)
    assert upward[::-1] == downward
    assert len(downward) == len(timeline)
    for place, line in enumerate(downward):
        position = timeline.near(line)
        assert timeline.below(position, 1)[0] == [line]
        assert timeline.rank(position) == place
        assert timeline.above(position, 1000)[0][::-1] == downward[:place]


def test_lines_that_come_late_are_put_above_what_is_read_not_into_it() -> None:
    api = source("api", [at(second, f"INFO a{second}") for second in range(10)])
    web = source("web", [at(0.5, "INFO w0")])
    timeline = whole(api, web)
    anchor = LineRef(timeline.lanes[0].lines, 5)
    place = timeline.near(anchor)
    printed(web, [at(second + 0.5, f"INFO w{second}") for second in range(1, 10)])
    settled = timeline.settled(place, anchor)
    assert texts(timeline.below(settled, 3)[0]) == ["a5", "w5", "a6"]
    assert texts(timeline.above(settled, 2)[0]) == ["w4", "a4"]


def test_place_of_a_line_whose_source_is_not_shown_is_found_by_its_time() -> None:
    api = source("api", [at(second, f"INFO a{second}") for second in range(10)])
    web = source("web", [at(4.5, "INFO w4")])
    shown, hidden = opened(api, web)
    timeline = Timeline([WholeLane(shown)])
    position = timeline.near(LineRef(hidden, 0))
    assert texts(timeline.below(position, 1)[0]) == ["a5"]


def test_dropped_lines_are_passed_over() -> None:
    api = source("api", max_bytes=400_000)
    for start in range(0, 20_000, 1000):
        printed(api, [at(n / 100, f"INFO line {n}") for n in range(start, start + 1000)])
    timeline = whole(api)
    assert api.buffer.dropped > 0
    lines, _ = timeline.below((0,), 2)
    assert [line.number for line in lines] == [api.buffer.first, api.buffer.first + 1]
    assert timeline.rank((0,)) == 0
    with pytest.raises(IndexError):
        _ = LineRef(timeline.lanes[0].lines, 0).record


def test_a_wrong_clock_holds_up_only_its_own_few_lines() -> None:
    future = "2031-01-01T00:00:00.000Z INFO broken clock"
    api = source("api", [at(0, "INFO a"), future, *(at(n, f"INFO a{n}") for n in range(1, 30))])
    web = source("web", [at(n + 0.5, f"INFO w{n}") for n in range(40)])
    shown = all_texts(whole(api, web))
    assert shown.index("a20") < shown.index("w20") < shown.index("a21")


def test_the_format_is_looked_at_again_when_there_are_more_lines() -> None:
    api = source("api", ["starting up ..."])
    (lines,) = opened(api)
    assert lines.record(0).message == "starting up ..."
    printed(api, [f'{{"level":50,"time":1795317160204,"msg":"no lock {n}"}}' for n in range(60)])
    assert lines.record(5).message == "no lock 4"
    assert lines.format is not None
    assert lines.format.value == "json"
