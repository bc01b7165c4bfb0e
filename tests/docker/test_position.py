"""Going on with a log where its reading broke off."""

from hypothesis import given
from hypothesis import strategies as st

from opsdash.collectors.docker.frames import Line, stamp_ns
from opsdash.collectors.docker.position import Position


def stamp(ns: int) -> bytes:
    return b"2026-11-22T03:12:%02d.%09dZ" % (40 + ns // 1_000_000_000, ns % 1_000_000_000)


def lines(*times_ns: int) -> list[Line]:
    return [(stamp(ns), b"%d\n" % number) for number, ns in enumerate(times_ns)]


def since(log: list[Line], position: Position) -> list[Line]:
    """What an engine sends: those lines of its file that are not older, in the file's order."""
    asked = position.since()
    if asked is None:
        return log
    seconds, _, rest = asked.partition(".")
    from_ns = int(seconds) * 1_000_000_000 + int(rest)
    return [line for line in log if (stamp_ns(line[0]) or 0) >= from_ns]


@given(
    st.lists(st.integers(0, 400_000_000), min_size=1, max_size=60),
    st.lists(st.integers(0, 60), max_size=6),
    st.integers(0, 1000),
)
def test_however_often_it_breaks_each_line_comes_once(
    steps: list[int], breaks: list[int], jitter: int
) -> None:
    at_ns, times = 0, []
    for number, step in enumerate(steps):
        at_ns += step if step > 200_000_000 else 0  # about half of the lines have the time of the line before
        times.append(max(at_ns - (jitter if number % 7 == 3 else 0), 0))  # and some are a little out of order
    log = lines(*times)
    position, got = Position(), []
    for written in sorted({min(place, len(log)) for place in breaks} | {len(log)}):
        position.go_back()
        sent = since(log[:written], position)
        for piece in (sent[:3], sent[3:]):
            new, has_hole = position.unseen(piece)
            assert not has_hole
            got += new
    assert [text for _, text in got] == [text for _, text in log]


def test_lines_of_one_time_with_an_earlier_one_between_them_come_once() -> None:
    log = lines(200_000_001, 200_000_000, 200_000_001)
    position = Position()
    position.unseen(log)
    position.go_back()
    assert position.unseen(since(log, position)) == ([], False)


def test_a_line_with_an_earlier_time_than_the_last_is_not_left_out() -> None:
    log = lines(900_000, 1_000_000, 950_000)  # stderr was a little faster
    position = Position()
    position.unseen(log[:2])
    position.go_back()
    assert position.unseen(since(log, position)) == (log[2:], False)


def test_a_line_that_the_engine_has_no_more_is_a_hole_before_the_next() -> None:
    log = lines(0, 1000, 5_000_000_000, 6_000_000_000)
    position = Position()
    assert position.unseen(log[:2]) == (log[:2], False)
    position.go_back()
    assert position.unseen(log[2:]) == (log[2:], True)
    assert position.unseen(lines(7_000_000_000))[1] is False


def test_without_a_line_there_is_nothing_to_go_back_to() -> None:
    position = Position()
    position.go_back()
    assert position.since() is None
    log = lines(0, 1)
    assert position.unseen(log) == (log, False)
