"""The ring of lines against a plain list of them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from opsdash.collectors.lines.buffer import Gap, LogBuffer

MOST = 600_000
SIZES = st.lists(
    st.tuples(st.sampled_from([1, 2, 90, 1500, 4000, 9000]), st.integers(0, 120)), min_size=1, max_size=25
)


@settings(max_examples=40, deadline=None)
@given(sizes=SIZES, where=st.floats(0, 1))
def test_what_is_held_is_the_newest_lines_under_their_numbers(
    sizes: list[tuple[int, int]], where: float
) -> None:
    buffer = LogBuffer(MOST)
    lines: list[bytes] = []
    for count, width in sizes:
        new = [b"%d " % (len(lines) + n) + b"x" * width for n in range(count)]
        lines += new
        buffer.append(b"\n".join(new) + b"\n", 1.0)
        assert buffer.end == len(lines)
        assert buffer.held_bytes == sum(len(line) + 1 for line in lines[buffer.first :])
        assert buffer.dropped == buffer.first
    assert buffer.held_bytes <= MOST
    assert buffer.lines(buffer.first, buffer.end) == lines[buffer.first :]
    number = buffer.first + int(where * (buffer.end - buffer.first - 1))
    assert buffer.line(number) == lines[number]
    assert buffer.lines(number, number + 1) == [lines[number]]
    blocks = list(buffer.blocks())
    assert b"".join(block.data for block in blocks) == b"".join(
        line + b"\n" for line in lines[buffer.first :]
    )
    assert blocks[0].first == buffer.first
    assert next(buffer.blocks(number)).first <= number


def test_one_append_of_everything_is_dropped_in_parts() -> None:
    buffer = LogBuffer(1_000_000)
    buffer.append(b"x" * 99 + b"\n" + (b"y" * 99 + b"\n") * 50_000, 1.0)
    assert 700_000 < buffer.held_bytes <= 1_000_000
    assert buffer.end == 50_001


def test_a_smaller_share_takes_effect_with_the_next_lines() -> None:
    buffer = LogBuffer(4_000_000)
    buffer.append((b"x" * 99 + b"\n") * 30_000, 1.0)
    buffer.max_bytes = 1_000_000
    buffer.append(b"one more\n", 2.0)
    assert buffer.held_bytes <= 1_000_000
    assert buffer.line(buffer.end - 1) == b"one more"


def test_lines_that_are_not_held_are_an_error() -> None:
    buffer = LogBuffer(200_000)
    assert buffer.lines(0, 0) == []
    buffer.append((b"x" * 99 + b"\n") * 10_000, 1.0)
    for number in (buffer.first - 1, buffer.end):
        for read in (buffer.line, lambda n: buffer.lines(n, n + 1)):
            try:
                read(number)
            except IndexError:
                continue
            raise AssertionError(f"line {number} was given out")


def test_gaps_stand_before_the_next_line_and_go_with_the_lines_around_them() -> None:
    buffer = LogBuffer(300_000)
    buffer.append(b"a\n", 1.0)
    buffer.mark_gap("first")
    buffer.mark_gap("truncated")
    assert buffer.gaps == (Gap(before=1, reason="truncated"),)
    buffer.append((b"x" * 99 + b"\n") * 10_000, 2.0)
    assert buffer.gaps == ()


def test_gaps_without_end_do_not_fill_the_memory() -> None:
    buffer = LogBuffer()
    for number in range(1000):
        buffer.mark_gap(str(number))
        buffer.append(b"a\n", 1.0)
    assert len(buffer.gaps) == 100
    assert buffer.gaps[-1] == Gap(before=999, reason="999")


def test_a_line_knows_about_when_it_was_read() -> None:
    buffer = LogBuffer()
    assert buffer.arrived_at(0) == 0.0
    for moment in range(5):
        buffer.append((b"x" * 99 + b"\n") * 1500, float(moment))
    assert buffer.arrived_at(0) == 0.0
    assert buffer.arrived_at(7499) == 4.0


def test_the_newest_lines_come_first_as_many_as_are_wanted_and_over_blocks() -> None:
    buffer = LogBuffer(1024 * 1024)
    for first in range(0, 9000, 3000):
        buffer.append(
            b"".join(b"line %05d, padded to be long enough\n" % n for n in range(first, first + 3000)), 1.0
        )
    buffer.append(b"\n", 1.0)
    assert list(buffer.newest()) == [
        (number, buffer.line(number)) for number in range(buffer.end - 1, buffer.first - 1, -1)
    ]
    assert next(LogBuffer().newest(), None) is None
