"""Lines out of a log stream, however it is cut."""

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsdash.collectors.docker.frames import (
    CUT,
    LONGEST_LINE,
    BadFrame,
    EngineSaid,
    FrameReader,
    Line,
)

STAMP = b"2026-11-22T03:12:40.123456789Z"
OFFSET_STAMP = b"2026-11-22T05:12:40.123456789+02:00"

texts = st.binary(max_size=400).map(lambda text: text.replace(b"\n", b"") + b"\n")
stamps = st.sampled_from([STAMP, OFFSET_STAMP])
streams = st.sampled_from([1, 2])


def frame(stream: int, payload: bytes) -> bytes:
    return struct.pack(">BxxxI", stream, len(payload)) + payload


def fed(reader: FrameReader, data: bytes, cuts: list[int]) -> list[Line]:
    """Everything that comes of `data`, in pieces that end at `cuts`."""
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    lines: list[Line] = []
    for begin, end in itertools.pairwise(places):
        lines += reader.feed(data[begin:end])
    return lines


@given(st.lists(st.tuples(streams, stamps, texts), max_size=20), st.lists(st.integers(0, 4000), max_size=20))
def test_frames_give_the_same_lines_wherever_the_stream_is_cut(
    printed: list[tuple[int, bytes, bytes]], cuts: list[int]
) -> None:
    data = b"".join(frame(stream, stamp + b" " + text) for stream, stamp, text in printed)
    assert fed(FrameReader(has_tty=False), data, cuts) == [(stamp, text) for _, stamp, text in printed]


@given(st.lists(st.tuples(stamps, texts), max_size=20), st.lists(st.integers(0, 4000), max_size=20))
def test_a_terminals_text_gives_the_same_lines_wherever_the_stream_is_cut(
    printed: list[tuple[bytes, bytes]], cuts: list[int]
) -> None:
    data = b"".join(stamp + b" " + text for stamp, text in printed)
    assert fed(FrameReader(has_tty=True), data, cuts) == printed


@given(st.binary(max_size=300), st.booleans())
def test_garbage_is_told_or_gives_lines_and_nothing_else(data: bytes, has_tty: bool) -> None:
    reader = FrameReader(has_tty=has_tty)
    try:
        lines = reader.feed(data)
    except (BadFrame, EngineSaid):
        return
    assert all(text.endswith(b"\n") for _, text in lines)


@pytest.mark.parametrize("has_tty", [False, True])
@pytest.mark.parametrize("length", [LONGEST_LINE - 1, LONGEST_LINE, LONGEST_LINE + 1, 5 * LONGEST_LINE + 7])
@pytest.mark.parametrize("step", [1000, 16_000, 1_000_000])
def test_an_overlong_line_is_one_line_that_says_it_was_cut(has_tty: bool, length: int, step: int) -> None:
    whole = b"x" * length + b"\n"
    pieces = [whole[at : at + LONGEST_LINE] for at in range(0, len(whole), LONGEST_LINE)]  # as dockerd does
    sent = [STAMP + b" " + piece for piece in (*pieces, b"next\n")]
    data = b"".join(sent if has_tty else [frame(1, piece) for piece in sent])
    lines = fed(FrameReader(has_tty=has_tty), data, list(range(0, len(data), step)))
    kept = whole if length <= LONGEST_LINE else b"x" * LONGEST_LINE + CUT + b"\n"
    assert lines == [(STAMP, kept), (STAMP, b"next\n")]


def test_pieces_of_stdout_and_stderr_that_interleave_are_told_apart() -> None:
    reader = FrameReader(has_tty=False)
    lines = reader.feed(
        frame(1, STAMP + b" out one, ")
        + frame(2, STAMP + b" err\n")
        + frame(1, STAMP + b" out two\n")
        + frame(2, STAMP + b" more err\n")
    )
    assert [text for _, text in lines] == [b"err\n", b"out one, out two\n", b"more err\n"]


def test_a_header_that_holds_a_newline_ends_no_line() -> None:
    text = b"x" * (0x010A - len(STAMP) - 2) + b"\n"  # the length's bytes are 01 0A
    assert FrameReader(has_tty=False).feed(frame(1, STAMP + b" " + text)) == [(STAMP, text)]


def test_a_line_without_a_time_is_kept_whole() -> None:
    assert FrameReader(has_tty=False).feed(frame(1, b"no time here\n")) == [(b"", b"no time here\n")]
    assert FrameReader(has_tty=True).feed(b"no time here\n") == [(b"", b"no time here\n")]


def test_the_engines_own_message_is_told() -> None:
    with pytest.raises(EngineSaid, match="error grabbing logs"):
        FrameReader(has_tty=False).feed(frame(3, b"error grabbing logs: unexpected EOF"))


def test_what_are_no_frames_is_told() -> None:
    with pytest.raises(BadFrame):
        FrameReader(has_tty=False).feed(b"HTTP/1.1 500 Internal Server Error\r\n")
