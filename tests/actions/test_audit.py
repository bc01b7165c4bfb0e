"""The audit log: what is on disk, what refuses, and what `verify` finds afterwards."""

import asyncio
import fcntl
import itertools
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from opsdash.collectors.secret import Secret
from opsdash.tui.actions.audit import AuditError
from opsdash.tui.actions.chain import ProblemKind, check
from tests.actions.logs import found, lines, log, numbers, write
from tests.support.needs import require
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
NOBODY = 65534


def test_records_are_chained_and_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "opsdash" / "audit.jsonl"
    asyncio.run(write(path, 3))
    assert numbers(path) == [0, 1, 2]
    assert [record.seq for record in check(lines(path)).records] == [1, 2, 3]
    assert found(path) == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(p.stat().st_mode) for p in (path.parent, path.parent.parent)] == [0o700, 0o700]


def test_a_secret_never_reaches_the_file(tmp_path: Path) -> None:
    held = Secret('hun"ter2\\ß')
    path = tmp_path / "audit.jsonl"
    fields = {
        "text": f"password={held.reveal()} refused",
        "deep": [{"dsn": f"postgresql://me:{held.reveal()}@db"}],
        "itself": held,
    }
    asyncio.run(log(path).append("note", fields))
    record = msgspec.json.decode(path.read_bytes())
    assert record["text"] == "password=*** refused"
    assert record["deep"] == [{"dsn": "postgresql://me:***@db"}]
    assert record["itself"] == "***"


@pytest.mark.parametrize("text", ["a\nb", "\x1b[2J", "\u2028", "\udcff", '","hash":"', "ü·✖"])
def test_no_text_can_break_a_line_or_the_chain(tmp_path: Path, text: str) -> None:
    path = tmp_path / "audit.jsonl"
    asyncio.run(log(path).append("note", {"number": 0, "text": text}))
    asyncio.run(log(path).append("note", {"number": 1, "text": text}))
    assert numbers(path) == [0, 1]
    assert found(path) == []


# -- what refuses ---------------------------------------------------------------------------------------


def refusal(path: Path, deadline_s: float = 20.0) -> AuditError:
    with pytest.raises(AuditError) as caught:
        asyncio.run(log(path, deadline_s).append("intent", {}))
    assert "[audit] path" in caught.value.hint
    return caught.value


def test_a_full_disk_refuses() -> None:
    assert "No space left" in refusal(Path("/dev/full")).reason


def test_a_record_that_cannot_be_synced_refuses() -> None:
    assert "Invalid argument" in refusal(Path("/dev/null")).reason


def test_a_write_cut_short_by_a_limit_refuses_and_the_chain_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    asyncio.run(write(path, 1))
    script = (
        "import asyncio, resource, signal, sys; from pathlib import Path\n"
        "from opsdash.collectors.clock import Clock\n"
        "from opsdash.tui.actions.audit import AuditLog, AuditError\n"
        "path = Path(sys.argv[1]); limit = path.stat().st_size + 40\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        "try: asyncio.run(AuditLog(path, clock=Clock()).append('note', {'number': 1}))\n"
        "except AuditError as error: print(error.reason)\n"
    )
    assert "File too large" in python(script, str(path))
    asyncio.run(log(path).append("note", {"number": 2}))
    asyncio.run(log(path).append("note", {"number": 3}))
    assert numbers(path) == [0, 2, 3]
    assert found(path) == [(2, ProblemKind.TORN)]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not bound the address space")
def test_a_machine_without_threads_to_spare_refuses(tmp_path: Path) -> None:
    script = (
        "import asyncio, resource, sys; from pathlib import Path\n"
        "from opsdash.collectors.clock import Clock\n"
        "from opsdash.tui.actions.audit import AuditLog, AuditError\n"
        "async def main():\n"
        "    used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "    limit = used + 2_000_000  # less than the stack of a thread\n"
        "    for _ in range(2):\n"
        "        resource.setrlimit(resource.RLIMIT_AS, (limit, -1))\n"
        "        try: await AuditLog(Path(sys.argv[1]), clock=Clock()).append('intent', {})\n"
        "        except AuditError as error: print(error.reason)\n"
        "        finally: resource.setrlimit(resource.RLIMIT_AS, (-1, -1))\n"
        "asyncio.run(main())\n"
    )
    said = python(script, str(tmp_path / "audit.jsonl")).splitlines()
    assert said == ["no thread could be started (can't start new thread)"] * 2
    assert not (tmp_path / "audit.jsonl").exists()


def python(script: str, *arguments: str, user: int | None = None) -> str:
    """Run a script in a process of its own; what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        user=user,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_read_only_home_refuses(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    if os.getuid() != 0:
        assert "Permission denied" in refusal(home / "state" / "audit.jsonl").reason
        return
    child = os.fork()  # not a new interpreter: an ordinary user may not reach root's
    if child == 0:
        try:
            os.chdir(home)
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            asyncio.run(log(Path("state", "audit.jsonl")).append("intent", {}))
        except AuditError as error:
            os._exit(0 if "Permission denied" in error.reason else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@contextmanager
def hanging(path: Path) -> Iterator[None]:
    """Opening `path` hangs, as on a dead mount: another process holds a lease on it and does not let go."""
    script = (
        "import fcntl, os, signal, sys\n"
        "signal.signal(signal.SIGIO, signal.SIG_IGN)\n"
        "fd = os.open(sys.argv[1], os.O_RDWR)\n"
        "try: fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)\n"
        "except OSError as error: print(error, flush=True)\n"
        "else: print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        said = holder.stdout.readline().strip()
        if said != "held":
            require("leases", f"a file lease, to make open() hang: {said}")
        yield
    finally:
        holder.kill()
        holder.communicate()


def writers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("opsdash audit")]


@pytest.mark.skipif(sys.platform != "linux", reason="file leases are Linux's")
async def test_a_hung_file_system_refuses_in_time_and_writes_nothing_later(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    await write(path, 1)
    audit = log(path, deadline_s=0.3)
    with hanging(path):
        with pytest.raises(AuditError, match=r"no answer from its file system within 0\.3 s"):
            await audit.append("intent", {})
        with pytest.raises(AuditError, match="an earlier write still hangs"):
            await audit.append("intent", {})
        assert writers()
    wait_until(lambda: not writers(), 60, "the hung writer ends")
    assert numbers(path) == [0]
    await asyncio.sleep(0)  # the late writer's word that it has ended
    await audit.append("note", {"number": 1})
    assert numbers(path) == [0, 1]


async def test_a_lock_that_is_never_released_refuses_and_writes_nothing_later(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    await write(path, 1)
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(AuditError, match="another process held its lock for 2 s"):
            await log(path).append("intent", {})
        with pytest.raises(AuditError, match="no answer"):
            await log(path, deadline_s=0.2).append("intent", {})
    wait_until(lambda: not writers(), 60, "the waiting writer ends")
    assert numbers(path) == [0]


# -- several writers, and writers that die --------------------------------------------------------------


def acting(path: Path, what: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.actions.acting", str(path), str(path.parent / "sent"), what]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_with_200_actions_each_keep_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    both = [acting(path, "200") for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    checked = check(lines(path))
    assert checked.problems == ()
    events = [record.fields["event"] for record in checked.records]
    assert (events.count("intent"), events.count("outcome")) == (400, 400)
    pids = [record.fields["pid"] for record in checked.records]
    assert sum(a != b for a, b in itertools.pairwise(pids)) > 20  # they really took turns
    assert len((path.parent / "sent").read_text().split()) == 400


@pytest.mark.parametrize(
    ("stage", "events", "was_sent"),
    [
        ("decided", ["armed"], False),
        ("run", ["armed", "intent"], False),
        ("sent", ["armed", "intent"], True),
        ("verify", ["armed", "intent"], True),
        ("outcome", ["armed", "intent", "outcome", "disarmed"], True),
    ],
)
def test_killed_at_any_step_nothing_was_sent_without_its_intent_on_disk(
    tmp_path: Path, stage: str, events: list[str], was_sent: bool
) -> None:
    path = tmp_path / "audit.jsonl"
    process = acting(path, stage)
    assert process.stdout is not None
    said = process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    assert said == f"at {stage}\n", errors
    assert [record.fields["event"] for record in check(lines(path)).records] == events
    assert (path.parent / "sent").exists() == was_sent
    asyncio.run(log(path).append("note", {}))
    assert found(path) == []


# -- syslog ------------------------------------------------------------------------------------------


def test_syslog_gets_the_head_of_the_chain(tmp_path: Path) -> None:
    """In a private /dev, where a real socket stands for the system's."""
    script = """
import asyncio, os, socket, sys
from pathlib import Path
from opsdash.collectors.clock import Clock
from opsdash.tui.actions.audit import AuditLog
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("/dev/log")
listener.settimeout(30)
audit = AuditLog(Path(sys.argv[1]), clock=Clock(), also_syslog=True)
fields = {"id": "7f3a91", "action": "lamps.off", "target": "lamps/hall", "who": "maria"}
asyncio.run(audit.append("intent", fields))
print(listener.recv(4096).decode())
"""
    private_dev = (
        'for name in null urandom; do touch "$0/$name"; '
        'mount --bind "/dev/$name" "$0/$name" || exit 9; done; '
        'mount --rbind "$0" /dev || exit 9; exec "$@"'
    )
    dev, path = tmp_path / "dev", tmp_path / "audit.jsonl"
    dev.mkdir()
    command = ["unshare", "-m", "sh", "-c", private_dev, str(dev), sys.executable, "-c", script, str(path)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        require("unshare", "util-linux, to give a process a /dev of its own")
    if done.returncode in (1, 9) and "Traceback" not in done.stderr:
        require("unshare", f"the right to mount, to give a process a /dev of its own: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    [record] = check(lines(path)).records
    assert f"opsdash: audit seq=1 hash={record.hash} event=intent" in done.stdout
    assert done.stdout.strip().endswith("id=7f3a91 action=lamps.off target=lamps/hall who=maria")
