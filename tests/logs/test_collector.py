"""Groups of log files: which are followed, what is said of the others, and files that hang."""

import asyncio
import errno
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import TimedOut
from opsdash.collectors.feed import Feed
from opsdash.collectors.logs.collector import LogCollector
from opsdash.collectors.logs.files import LocalFiles, Status
from opsdash.collectors.logs.rounds import Rounds
from opsdash.collectors.logs.rows import LogData
from opsdash.collectors.logs.settings import LogSettings
from opsdash.collectors.logs.tail import Tail
from opsdash.collectors.snapshot import FailureKind
from opsdash.collectors.supervisor import Supervisor
from opsdash.collectors.target import Target, TargetId, environment
from tests.actions.lamps import ManualClock
from tests.support.waiting import wait_until_async

LIMIT_S = 30.0

Start = Callable[..., "Group"]


def log_target(*paths: str, **settings: Any) -> Target:
    return Target(
        id=TargetId("log", "api"),
        environment=environment("staging"),
        interval_s=0.25,
        settings=LogSettings(path=paths, **settings),
        source="a test",
    )


class HandFiles(LocalFiles):
    """Real files, of which a test holds some back: whoever touches them hangs, or is refused."""

    def __init__(self) -> None:
        self.held: dict[str, threading.Event] = {}
        self.refused: set[str] = set()
        self.opened: list[str] = []

    def hold(self, name: str) -> None:
        self.held[name] = threading.Event()

    def release(self) -> None:
        for event in self.held.values():
            event.set()
        self.held.clear()

    def status(self, path: str) -> Status:
        held = self.held.get(os.path.basename(path))
        if held is not None:
            held.wait(LIMIT_S)
        return super().status(path)

    def open(self, path: str) -> int:
        if os.path.basename(path) in self.refused:
            raise PermissionError(errno.EACCES, "Permission denied")
        self.opened.append(os.path.basename(path))
        return super().open(path)


class Group:
    """A collector over the files of a folder."""

    def __init__(self, folder: Path, *patterns: str, **settings: Any) -> None:
        self.files = HandFiles()
        self.clock = ManualClock()
        target = log_target(*(f"{folder}/{pattern}" for pattern in patterns), **settings)
        self.collector = LogCollector(target, self.clock, files=self.files)

    async def look(self, after_s: float = 0.25) -> LogData:
        self.clock.advance(after_s)
        return await self.collector.collect()

    def names(self) -> list[str]:
        return [source.name for source in self.collector.log_sources()]

    def lines(self, name: str) -> list[bytes]:
        (buffer,) = (s.buffer for s in self.collector.log_sources() if s.name == name)
        return buffer.lines(buffer.first, buffer.end)


@pytest.fixture
async def follow(tmp_path: Path) -> AsyncIterator[Start]:
    """`follow("*.log")` over the test's folder; nothing hangs and nothing is open afterwards."""
    groups: list[Group] = []

    def start(*patterns: str, **settings: Any) -> Group:
        groups.append(Group(tmp_path, *patterns, **settings))
        return groups[-1]

    yield start
    for group in groups:
        group.files.release()
        await group.collector.close()


def add(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(text)


# -- which files ----------------------------------------------------------------------------------------


async def test_patterns_reach_into_folders_but_not_into_hidden_ones(follow: Start, tmp_path: Path) -> None:
    for name in ("a.log", "deep/er/b.log", "deep/.hidden/c.log", ".d.log", "e.txt"):
        add(tmp_path / name, "x\n")
    (tmp_path / "folder.log").mkdir()
    group = follow("**/*.log")
    data = await group.look()
    assert group.names() == ["a.log", "b.log"]
    assert data.summary() == "2 files · 2 lines held"


async def test_files_of_one_name_are_told_apart_by_their_folders(follow: Start, tmp_path: Path) -> None:
    for name in ("eu/app.log", "us/app.log", "us/web.log"):
        add(tmp_path / name, "x\n")
    group = follow("*/*.log")
    await group.look()
    assert group.names() == ["eu/app.log", "us/app.log", "web.log"]


async def test_the_past_of_a_file_is_no_source(follow: Start, tmp_path: Path) -> None:
    for name in (
        "app.log",
        "app.log.1",
        "app.log.2.gz",
        "app.log-20261121",
        "app-2026-11-21.log",
        "job.log.1",
    ):
        add(tmp_path / name, "x\n")
    group = follow("*")
    data = await group.look()
    assert group.names() == ["app.log", "job.log.1"], "the past of a file that is not there is all there is"
    assert data.not_followed == ()


async def test_a_rotated_and_compressed_file_comes_under_no_other_name(follow: Start, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    add(log, "one\n")
    group = follow("*")
    await group.look()
    add(log, "two\n")
    log.rename(tmp_path / "yesterday")  # no name that says what it is
    await group.look(3)
    assert group.names() == ["app.log"], "also while there is no new one"
    add(log, "three\n")
    await group.look(3)
    (tmp_path / "yesterday").rename(tmp_path / "app.log.1.gz")
    await group.look(3)
    assert group.names() == ["app.log"]
    assert group.lines("app.log") == [b"one", b"two", b"three"]


async def test_two_names_of_one_file_are_one_source(follow: Start, tmp_path: Path) -> None:
    add(tmp_path / "app-7.log", "one\n")
    (tmp_path / "current.log").symlink_to("app-7.log")
    group = follow("*.log")
    await group.look()
    assert group.names() == ["current.log"], "the link is what stays"


async def test_a_file_that_appears_later_is_read_from_its_start(follow: Start, tmp_path: Path) -> None:
    group = follow("*.log", "never/*.log")
    data = await group.look()
    assert [(s.name, s.failure and s.failure.reason) for s in data.logs] == [
        (f"{tmp_path}/*.log", "no file matches yet"),
        (f"{tmp_path}/never/*.log", "no file matches yet"),
    ]
    assert all(s.failure and s.failure.hint for s in data.logs)
    add(tmp_path / "app.log", "one\ntwo\n")
    data = await group.look(2.1)
    assert group.lines("app.log") == [b"one", b"two"]
    assert [(s.name, s.failure is None) for s in data.logs] == [
        ("app.log", True),
        (f"{tmp_path}/never/*.log", False),
    ]


async def test_of_very_many_files_those_that_changed_last_are_followed(follow: Start, tmp_path: Path) -> None:
    for number in range(70):
        add(tmp_path / f"{number:02}.log", "x\n")
        os.utime(tmp_path / f"{number:02}.log", (1000.0 + number, 1000.0 + number))
    group = follow("*.log")
    data = await group.look()
    assert group.names() == [f"{number:02}.log" for number in range(6, 70)]
    assert data.not_followed_count == 6
    assert data.not_followed[0].path == f"{tmp_path}/00.log"
    assert data.not_followed[0].reason == "64 files that changed later are followed already"
    add(tmp_path / "00.log", "it prints now\n")
    await group.look(2.1)
    assert "00.log" in group.names()
    assert "06.log" not in group.names(), "the one that was silent for longest made room"


async def test_files_that_print_keep_their_places(follow: Start, tmp_path: Path) -> None:
    group = follow("*.log")
    now = group.clock.now().timestamp()
    for number in range(66):
        path = tmp_path / f"{number:02}.log"
        add(path, "x\n")
        os.utime(path, (now + number, now + number))
    await group.look()
    followed = group.names()
    for number in (0, 1):
        os.utime(tmp_path / f"{number:02}.log", (now + 100, now + 100))
    await group.look(2.1)
    assert group.names() == followed


async def test_many_files_share_what_may_be_held(follow: Start, tmp_path: Path) -> None:
    for number in range(64):
        add(tmp_path / f"{number}.log", "x\n")
    group = follow("*.log")
    await group.look()
    assert {s.buffer.max_bytes for s in group.collector.log_sources()} == {2 * 1024 * 1024}


async def test_a_file_that_is_gone_can_be_read_for_a_while(follow: Start, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    add(log, "last words\n")
    group = follow("*.log")
    group.clock.advance(log.stat().st_mtime - group.clock.now().timestamp())
    await group.look()
    log.unlink()
    data = await group.look(3)
    assert group.lines("app.log") == [b"last words"]
    assert data.logs[0].failure is not None
    assert data.logs[0].failure.kind is FailureKind.NOT_THERE
    await group.look(601)
    assert group.names() == []


# -- what cannot be read --------------------------------------------------------------------------------


async def test_a_file_that_may_not_be_read_says_so_while_others_go_on(follow: Start, tmp_path: Path) -> None:
    for name in ("a.log", "b.log"):
        add(tmp_path / name, "x\n")
    group = follow("*.log")
    group.files.refused = {"a.log"}
    data = await group.look()
    assert [(s.name, s.failure and s.failure.kind) for s in data.logs] == [
        ("a.log", FailureKind.NO_PERMISSION),
        ("b.log", None),
    ]
    assert group.lines("b.log") == [b"x"]
    assert data.summary() == "1 file · 1 line held · 1 not followed"


@pytest.mark.skipif(os.geteuid() != 0, reason="root may look into every folder: the test becomes nobody")
async def test_a_folder_that_may_not_be_read_is_not_an_empty_one(follow: Start, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o755)
    add(tmp_path / "private" / "a.log", "x\n")
    (tmp_path / "private").chmod(0o700)
    group = follow("private/*.log")
    os.seteuid(65534)
    try:
        data = await group.look()
    finally:
        os.seteuid(0)
    assert [(s.name, s.failure and s.failure.reason) for s in data.logs] == [
        (f"{tmp_path}/private", "Permission denied")
    ]


async def test_a_file_that_hangs_costs_the_others_nothing_and_loses_no_line(
    follow: Start, tmp_path: Path
) -> None:
    for name in ("a.log", "b.log", "c.log"):
        add(tmp_path / name, "one\n")
    group = follow("*.log")
    await group.look()
    group.files.hold("b.log")
    for name in ("a.log", "b.log", "c.log"):
        add(tmp_path / name, "two\n")
    await group.look()
    data = await group.look()
    assert [s.failure and s.failure.kind for s in data.logs] == [None, FailureKind.TIMED_OUT, None]
    assert group.lines("a.log") == group.lines("c.log") == [b"one", b"two"]
    group.files.release()

    async def is_back() -> bool:
        return (await group.look()).logs[1].failure is None

    await wait_until_async(is_back, LIMIT_S, "the file that hung is followed again")
    assert group.lines("b.log") == [b"one", b"two"]


async def test_a_file_system_that_hangs_is_a_failed_reading(follow: Start, tmp_path: Path) -> None:
    names = [f"{number}.log" for number in range(10)]
    for name in names:
        add(tmp_path / name, "one\n")
    group = follow("*.log")
    await group.look()
    for name in names:
        group.files.hold(name)
    before = threading.active_count()

    async def is_told() -> bool:
        try:
            await group.look()
        except TimedOut as error:
            return error.hint is not None
        return False

    await wait_until_async(is_told, LIMIT_S, "nothing can be read")
    assert threading.active_count() <= before + 3, "threads do not pile up"
    group.files.release()
    await wait_until_async(is_read(group), LIMIT_S, "all of them are back")
    assert group.lines("9.log") == [b"one"]


def is_read(group: Group) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        try:
            return all(source.failure is None for source in (await group.look()).logs)
        except TimedOut:
            return False

    return look


async def test_a_folder_that_hangs_from_the_start_is_a_failed_reading(follow: Start, tmp_path: Path) -> None:
    add(tmp_path / "a.log", "one\n")
    group = follow("*.log")
    group.files.hold("a.log")
    with pytest.raises(TimedOut) as caught:
        await group.look()
    assert str(tmp_path) in caught.value.reason
    group.files.release()
    await wait_until_async(is_read(group), LIMIT_S, "it is read")
    assert group.lines("a.log") == [b"one"]


async def test_a_round_that_was_left_behind_touches_no_other_file(tmp_path: Path) -> None:
    for name in ("a.log", "b.log"):
        add(tmp_path / name, "one\n")
    files = HandFiles()
    files.hold("a.log")
    tails = [Tail(str(tmp_path / name), files, most_bytes=1 << 20) for name in ("a.log", "b.log")]
    rounds = Rounds("test of rounds", Clock().mono_s)
    await rounds.look(tails, 0.05)
    assert rounds.stuck == (tails[0],)
    files.release()
    await wait_until_async(lambda: not rounds.stuck, LIMIT_S, "the file that hung came back")
    assert [tail for tail, _ in rounds.take()] == [tails[0]]
    await rounds.look(tails, LIMIT_S)
    assert [tail for tail, _ in rounds.take()] == tails
    for tail in tails:
        tail.close()


async def test_a_reading_that_is_cancelled_loses_no_line(follow: Start, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    add(log, "one\n")
    group = follow("*.log")
    await group.look()
    add(log, "two\n")
    group.files.hold("a.log")
    looking = asyncio.ensure_future(group.look())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    group.files.release()
    await wait_until_async(is_read(group), LIMIT_S, "it is read")
    await wait_until_async(lambda: group.lines("a.log") == [b"one", b"two"], LIMIT_S, "both lines")


# -- what is told ---------------------------------------------------------------------------------------


async def test_a_quiet_reading_is_the_same_value_and_tells_no_screen(follow: Start, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    add(log, "one\n")
    group = follow("*.log")
    data = await group.look()
    assert await group.look() is data
    add(log, "two\n")
    assert await group.look() is data, "told once a second"
    assert group.lines("a.log") == [b"one", b"two"], "while the lines are there at once"
    newer = await group.look(1.0)
    assert newer.logs[0].end == 2
    assert await group.look() is newer
    assert await group.look(5.0) is not newer, "minutes pass"


async def test_what_was_there_before_is_counted_by_its_own_times(follow: Start, tmp_path: Path) -> None:
    group = follow("*.log")
    now = group.clock.now()
    lines = [
        f"{(now - timedelta(minutes=ago)).isoformat()} {'ERROR' if ago == 3 else 'INFO'} text\n"
        for ago in range(9, -1, -1)
    ]
    add(tmp_path / "a.log", "".join(lines))
    (source,) = (await group.look()).logs
    errors = {round((now.timestamp() - minute.at) // 60): minute.errors for minute in source.minutes}
    assert sum(errors.values()) == errors[3] == 1
    assert len(source.minutes) == 10


async def test_names_of_files_cannot_hold_control_characters(follow: Start, tmp_path: Path) -> None:
    for name in (b"a\x1b]52;c;x\x07.log", b"bad\xff.log"):
        add(tmp_path / os.fsdecode(name), "x\n")
    group = follow("*.log")
    shown = msgspec.json.encode(await group.look()).decode()
    assert "\x1b" not in shown
    assert "\\u001b" not in shown
    assert sorted(group.names()) == ["a␛]52;c;x␇.log", "bad�.log"]


async def test_lines_are_in_the_buffer_within_moments_of_being_written(tmp_path: Path) -> None:
    """As opsdash runs it: by the supervisor, at the target's own pace."""
    log = tmp_path / "a.log"
    add(log, "one\n")
    target = log_target(str(log))
    clock = Clock()
    collector = LogCollector(target, clock)
    feed = Feed([target])
    told: list[TargetId] = []
    feed.on_change(told.append)
    supervisor = Supervisor([collector], feed, clock)
    supervisor.start()
    try:
        await wait_until_async(supervisor.log_sources, LIMIT_S, "a source")
        (source,) = supervisor.log_sources()
        for number in range(2, 6):
            add(log, f"{number}\n")
            await wait_until_async(lambda n=number: source.buffer.end == n, LIMIT_S, "the line")
        view = feed.view(target.id)
        await wait_until_async(lambda: feed.view(target.id).reads > view.reads + 3, LIMIT_S, "more readings")
    finally:
        await supervisor.stop()
    assert len(told) < feed.view(target.id).reads
