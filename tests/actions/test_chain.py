"""What `verify` finds in a log that somebody or something has touched."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsdash.tui.actions.chain import START, ProblemKind, check, digest, seal
from tests.actions.logs import found, lines, log, numbers, write


@pytest.fixture
def ten(tmp_path: Path) -> Path:
    path = tmp_path / "audit.jsonl"
    asyncio.run(write(path, 10))
    return path


def rewrite(path: Path, content: list[bytes]) -> None:
    path.write_bytes(b"\n".join(content) + b"\n")


@pytest.mark.parametrize("line", [1, 5, 10])
def test_a_changed_line_is_found(ten: Path, line: int) -> None:
    content = lines(ten)
    content[line - 1] = content[line - 1].replace(b'"note"', b'"none"')
    rewrite(ten, content)
    assert found(ten) == [(line, ProblemKind.CHANGED)]


@pytest.mark.parametrize("line", [1, 5, 9])
def test_a_changed_line_with_a_new_hash_is_found(ten: Path, line: int) -> None:
    content = lines(ten)
    record = check(content).records[line - 1]
    content[line - 1] = seal({"event": "note", "number": 99}, seq=record.seq, prev=record.prev)
    rewrite(ten, content)
    assert found(ten) == [(line, ProblemKind.CHANGED)]


@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 4), (5, 5), (5, 9)])
def test_removed_lines_are_found_and_counted(ten: Path, first: int, last: int) -> None:
    content = lines(ten)
    del content[first - 1 : last]
    rewrite(ten, content)
    assert found(ten) == [(first, ProblemKind.REMOVED)]
    count = last - first + 1
    assert check(lines(ten)).problems[0].text.startswith(f"{count} record")


@pytest.mark.parametrize("line", [1, 5, 10])
@pytest.mark.parametrize("is_linked", [True, False], ids=["well linked", "loose"])
def test_an_inserted_line_is_found(ten: Path, line: int, is_linked: bool) -> None:
    content = lines(ten)
    prev = digest(content[line - 2]) if is_linked and line > 1 else START
    content.insert(line - 1, seal({"event": "note", "number": 99}, seq=line, prev=prev))
    rewrite(ten, content)
    assert found(ten) == [(line, ProblemKind.INSERTED)]


def test_a_copied_line_is_found(ten: Path) -> None:
    content = lines(ten)
    content.insert(7, content[2])
    rewrite(ten, content)
    assert (8, ProblemKind.INSERTED) in found(ten)


def test_swapped_lines_are_found(ten: Path) -> None:
    content = lines(ten)
    content[3], content[4] = content[4], content[3]
    rewrite(ten, content)
    assert found(ten)


@pytest.mark.parametrize("kept", [0, 1, 30, -1], ids=["nothing", "a byte", "a part", "all but a byte"])
def test_a_torn_last_line_is_reported_and_the_chain_goes_on(ten: Path, kept: int) -> None:
    content = lines(ten)
    whole, torn = content[:-1], content[-1][:kept]
    ten.write_bytes(b"\n".join(whole) + b"\n" + torn)
    asyncio.run(write(ten, 2))
    assert numbers(ten) == [*range(9), 0, 1]
    assert found(ten) == ([(10, ProblemKind.TORN)] if torn else [])


def test_a_last_line_that_lacks_only_its_newline_is_whole(ten: Path) -> None:
    ten.write_bytes(ten.read_bytes().removesuffix(b"\n"))
    asyncio.run(write(ten, 1))
    assert numbers(ten) == [*range(10), 0]
    assert found(ten) == []


def test_the_line_before_a_torn_one_is_still_covered(ten: Path) -> None:
    ten.write_bytes(ten.read_bytes() + b'{"v":1,"seq":11,"ti')
    asyncio.run(write(ten, 1))
    content = lines(ten)
    record = check(content).records[9]
    content[9] = seal({"event": "note", "number": 99}, seq=record.seq, prev=record.prev)
    rewrite(ten, content)
    assert (10, ProblemKind.CHANGED) in found(ten)


def test_records_larger_than_the_first_look_back_are_chained(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for number in range(3):
        asyncio.run(log(path).append("note", {"number": number, "text": "x" * 200_000}))
    assert numbers(path) == [0, 1, 2]
    assert found(path) == []


CHAIN = [b""]
for _seq in range(1, 9):
    _prev = digest(CHAIN[-1]) if _seq > 1 else START
    CHAIN.append(seal({"event": "note", "text": "x" * _seq}, seq=_seq, prev=_prev))
CHAIN = CHAIN[1:]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_no_single_byte_can_be_changed_unnoticed(data: st.DataObject) -> None:
    content = list(CHAIN)
    line = data.draw(st.integers(0, len(content) - 1))
    at = data.draw(st.integers(0, len(content[line]) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b not in (content[line][at], 10)))
    content[line] = content[line][:at] + bytes([byte]) + content[line][at + 1 :]
    assert check(content).problems


@given(st.permutations(range(len(CHAIN))), st.integers(1, len(CHAIN)))
@settings(max_examples=300, deadline=None)
def test_only_a_cut_tail_goes_unnoticed(order: list[int], kept: int) -> None:
    content = [CHAIN[i] for i in order[:kept]]
    is_head = content == CHAIN[:kept]
    assert bool(check(content).problems) == (not is_head)
