"""Following one file: real files, and programs of their own that write and rotate them."""

import errno
import logging.handlers
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from opsdash.collectors.lines.whole_lines import CUT, MAX_LINE_BYTES
from opsdash.collectors.logs.files import LocalFiles, Status
from opsdash.collectors.logs.tail import TRUNCATED, WRITTEN_ANEW, Looked, Tail
from opsdash.collectors.snapshot import FailureKind
from tests.support.waiting import wait_until

LIMIT_S = 60.0
WRITING = str(Path(__file__).with_name("writing.py"))


class Following:
    """A tail, and all that it gave."""

    def __init__(self, path: Path, *, most_bytes: int = 1 << 23, files: LocalFiles | None = None) -> None:
        self.tail = Tail(str(path), files or LocalFiles(), most_bytes=most_bytes)
        self.mono_s = 1000.0
        self.data = b""
        self.gaps: list[str] = []
        self.last = Looked()

    def look(self, after_s: float = 0.25) -> bytes:
        """Look once more; returns what is new."""
        self.mono_s += after_s
        self.last = self.tail.look(self.mono_s)
        new = b"".join(piece.lines for piece in self.last.pieces)
        self.gaps += [piece.gap for piece in self.last.pieces if piece.gap is not None]
        self.data += new
        return new

    def numbers(self) -> list[int]:
        return [int(line[:8]) for line in self.data.splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


def add(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


# -- rotation under load --------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["rename", "late", "gzip"])
def test_no_line_is_lost_or_doubled_while_it_is_rotated_under_load(path: Path, how: str) -> None:
    count = 60_000
    following = Following(path, most_bytes=1 << 26)
    with subprocess.Popen([sys.executable, WRITING, str(path), str(count), "6", how]) as writer:
        try:
            wait_until(lambda: (following.look(0.01), writer.poll() is not None)[1], LIMIT_S, "all written")
        finally:
            writer.kill()
    assert writer.returncode == 0
    following.look()
    numbers = following.numbers()
    assert len(numbers) == count
    assert numbers == list(range(count)), "in the order of writing"
    assert following.gaps == []


def test_no_line_is_lost_or_doubled_while_it_is_copied_and_truncated_under_load(path: Path) -> None:
    count, rotations = 60_000, 6
    following = Following(path, most_bytes=1 << 26)
    arguments = [sys.executable, WRITING, str(path), str(count), str(rotations), "truncate"]
    with subprocess.Popen(arguments) as writer:
        try:
            wait_until(lambda: (following.look(0.01), writer.poll() is not None)[1], LIMIT_S, "all written")
        finally:
            writer.kill()
    following.look()
    assert following.numbers() == list(range(count))
    assert 1 <= len(following.gaps) <= rotations, "what came between the copy and its truncation is not known"
    assert set(following.gaps) <= {TRUNCATED, WRITTEN_ANEW}


def test_a_file_that_is_truncated_without_a_copy_doubles_no_line_and_says_that_some_are_missing(
    path: Path,
) -> None:
    following = Following(path)
    add(path, b"00000001\n")
    following.look()
    add(path, b"00000002\n")
    path.write_bytes(b"00000003\n")
    following.look()
    add(path, b"00000004\n")
    following.look()
    assert following.numbers() == [1, 3, 4]
    assert following.gaps == [WRITTEN_ANEW] or following.gaps == [TRUNCATED]


def test_no_line_is_lost_where_a_program_rotates_several_times_between_two_looks(path: Path) -> None:
    """Python's own handler, with files so small that five of them come and go unseen."""
    following = Following(path)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=2000, backupCount=20)
    for number in range(5000):
        handler.emit(logging.makeLogRecord({"msg": f"{number:08} text"}))
        if number % 700 == 0:
            following.look()
    following.look()
    handler.close()
    assert following.numbers() == list(range(5000))
    assert following.gaps == []


def test_older_files_beside_a_rotated_one_are_not_read(path: Path) -> None:
    for number in (2, 1):
        add(path.with_name(f"app.log.{number}"), b"old\n")
    add(path, b"one\n")
    following = Following(path)
    following.look()
    path.with_name("app.log.2").rename(path.with_name("app.log.3"))
    path.with_name("app.log.1").rename(path.with_name("app.log.2"))
    path.rename(path.with_name("app.log.1"))
    add(path, b"two\n")
    assert following.look() == b"two\n"
    path.write_bytes(b"3\n")
    assert following.look() == b"3\n"


# -- rotation, step by step -----------------------------------------------------------------------------


def test_what_is_written_to_the_old_file_after_the_new_one_began_is_not_lost(path: Path) -> None:
    add(path, b"one\n")
    following = Following(path)
    following.look()
    late = path.open("ab", buffering=0)
    path.rename(path.with_name("app.log.1"))
    add(path, b"three\n")
    late.write(b"two\n")
    assert following.look() == b"two\nthree\n"
    late.write(b"late\n")
    assert following.look(30) == b"late\n"
    late.close()


def test_a_file_beside_a_truncated_one_that_is_no_copy_of_it_is_not_read(path: Path) -> None:
    add(path, b"one\n")
    following = Following(path)
    following.look()
    add(path.with_name("app.log.old"), b"something else, and longer\n")
    path.write_bytes(b"")
    following.look()
    assert following.data == b"one\n"
    assert following.gaps == [TRUNCATED]


def test_a_renamed_file_is_let_go_once_it_is_quiet(path: Path) -> None:
    add(path, b"one\n")
    following = Following(path)
    following.look()
    path.rename(path.with_name("app.log.1"))
    add(path, b"two\n")
    following.look()
    assert len(following.tail.identities) == 2
    following.look(61)
    assert len(following.tail.identities) == 1


def test_a_removed_file_does_not_take_up_its_space_for_long(path: Path) -> None:
    add(path, b"one\n")
    following = Following(path)
    following.look()
    with path.open("ab", buffering=0) as writer:
        path.unlink()
        writer.write(b"last words\n")
        assert following.look() == b"last words\n"
        assert following.last.failure is not None
        assert following.last.failure.kind is FailureKind.NOT_THERE
        following.look(6)
        assert following.tail.identities == ()
    add(path, b"back\n")
    assert following.look() == b"back\n"
    assert following.last.failure is None


def test_a_file_that_is_moved_away_and_back_is_not_read_twice(path: Path) -> None:
    add(path, b"one\n")
    following = Following(path)
    following.look()
    aside = path.with_name("aside")
    for away_s in (0.25, 100.0):  # still open, and let go
        path.rename(aside)
        following.look()
        following.look(away_s)
        aside.rename(path)
        add(path, b"more\n")
        assert following.look() == b"more\n"
    assert following.gaps == []


def test_a_link_that_is_pointed_elsewhere_is_followed(path: Path) -> None:
    first, second = path.with_name("app-1.log"), path.with_name("app-2.log")
    add(first, b"one\n")
    path.symlink_to(first)
    following = Following(path)
    following.look()
    add(first, b"two\n")
    add(second, b"three\n")
    path.unlink()
    path.symlink_to(second)
    assert following.look() == b"two\nthree\n"


def test_a_file_that_is_truncated_and_grows_past_its_former_size_is_noticed(path: Path) -> None:
    add(path, b"old " * 30 + b"\n")
    following = Following(path)
    following.look()
    path.write_bytes(b"new " * 60 + b"\n")
    assert following.look() == b"new " * 60 + b"\n"
    assert following.gaps == [WRITTEN_ANEW]


def test_a_program_that_writes_on_at_its_old_place_leaves_a_hole_that_is_skipped(path: Path) -> None:
    with path.open("wb", buffering=0) as writer:
        writer.write(b"one\n" * 1000)
        following = Following(path)
        following.look()
        os.truncate(path, 0)
        writer.write(b"two\n")
        assert following.look() == b"two\n"


def test_a_file_server_that_was_restarted_costs_no_line(path: Path) -> None:
    class Stale(LocalFiles):
        is_stale = False

        def read(self, fd: int, count: int, offset: int) -> bytes:
            if self.is_stale:
                raise OSError(errno.ESTALE, "Stale file handle")
            return super().read(fd, count, offset)

    files = Stale()
    add(path, b"one\nhalf ")
    following = Following(path, files=files)
    following.look()
    add(path, b"a line\n")
    files.is_stale = True
    assert following.look() == b""
    assert following.last.failure is not None
    assert following.last.failure.reason == "Stale file handle"
    files.is_stale = False
    assert following.look() == b"half a line\n"


# -- where it begins ------------------------------------------------------------------------------------


def test_the_end_of_a_long_file_is_read_and_what_was_not_is_said(path: Path) -> None:
    path.write_bytes(b"".join(b"%08d\n" % n for n in range(100_000)))
    following = Following(path, most_bytes=1000)
    following.look()
    numbers = following.numbers()
    assert numbers == list(range(100_000 - len(numbers), 100_000))
    assert len(numbers) in (110, 111), "whole lines only"
    assert following.gaps == ["878 KiB before this were not read"]


def test_a_line_that_begins_just_there_is_whole(path: Path) -> None:
    path.write_bytes(b"x" * 9 + b"\n" + b"y" * 9 + b"\n")
    following = Following(path, most_bytes=10)
    assert following.look() == b"y" * 9 + b"\n"


def test_more_at_once_than_is_held_is_skipped_and_said(path: Path) -> None:
    path.write_bytes(b"first\n")
    following = Following(path, most_bytes=1000)
    following.look()
    add(path, b"".join(b"%08d\n" % n for n in range(1000)))
    following.look()
    assert following.data.endswith(b"00000998\n00000999\n")
    assert len(following.data) <= 1006
    assert following.gaps == ["7.8 KiB skipped: more came at once than is held"]


def test_a_file_that_appears_later_is_read_from_its_start(path: Path) -> None:
    following = Following(path)
    following.look()
    assert following.last.failure is not None
    add(path, b"one\n")
    assert following.look() == b"one\n"
    assert following.gaps == []


# -- lines ----------------------------------------------------------------------------------------------


def test_a_line_is_kept_until_its_end_comes(path: Path) -> None:
    following = Following(path)
    add(path, b"one\nhal")
    assert following.look() == b"one\n"
    add(path, b"f\n")
    assert following.look() == b"half\n"


def test_a_line_without_an_end_is_shown_after_two_quiet_seconds(path: Path) -> None:
    following = Following(path)
    add(path, b"password: ")
    assert following.look() == b""
    assert following.look(1.9) == b""
    assert following.look(0.2) == b"password: \n"
    assert following.look(5) == b"", "once"
    add(path, b"later\n")
    assert following.look() == b"later\n"


def test_an_overlong_line_is_cut_and_says_so(path: Path) -> None:
    add(path, b"one\n" + b"x" * 1_000_000 + b"\ntwo\n")
    following = Following(path)
    assert following.look() == b"one\n" + b"x" * MAX_LINE_BYTES + CUT + b"\ntwo\n"


def test_an_endless_line_takes_no_memory(path: Path) -> None:
    following = Following(path)
    for _ in range(10):
        add(path, b"x" * 100_000)
        following.look()
    add(path, b"\nnext\n")
    following.look()
    assert following.data == b"x" * MAX_LINE_BYTES + CUT + b"\nnext\n"


# -- what is no file ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "word"), [(os.mkfifo, "a FIFO"), (os.mkdir, "a folder")])
def test_only_regular_files_are_followed(path: Path, make: "type[object]", word: str) -> None:
    make(path)  # type: ignore[call-arg]  # a function of os
    following = Following(path)
    assert following.look() == b""
    assert following.last.failure is not None
    assert following.last.failure.reason == f"it is {word}"
    assert following.tail.identities == ()


def test_a_fifo_that_takes_the_place_of_a_file_while_it_is_opened_is_not_waited_for(path: Path) -> None:
    class Swapped(LocalFiles):
        def open(self, path: str) -> int:
            os.unlink(path)
            os.mkfifo(path)
            return super().open(path)

    add(path, b"one\n")
    following = Following(path, files=Swapped())
    assert following.look() == b""
    assert following.tail.identities == ()


def test_a_file_that_may_not_be_read_is_followed_as_soon_as_it_may(path: Path) -> None:
    class Refusing(LocalFiles):
        refuses = True

        def open(self, path: str) -> int:
            if self.refuses:
                raise PermissionError(errno.EACCES, "Permission denied")
            return super().open(path)

    files = Refusing()
    add(path, b"one\n")
    following = Following(path, files=files)
    assert following.look() == b""
    assert following.last.failure is not None
    assert following.last.failure.kind is FailureKind.NO_PERMISSION
    files.refuses = False
    assert following.look() == b"one\n"
    assert following.last.failure is None


def test_nothing_stays_open_after_closing(path: Path) -> None:
    add(path, b"one\n")
    following = Following(path)
    following.look()
    path.rename(path.with_name("app.log.1"))
    add(path, b"two\n")
    following.look()
    before = psutil.Process().num_fds()
    following.tail.close()
    assert psutil.Process().num_fds() == before - 2


def test_a_status_says_what_a_file_is(tmp_path: Path) -> None:
    status: Status = LocalFiles().status(str(tmp_path))
    assert status.word == "a folder"
