"""The local host: this machine, and machines by hand that hang or lack what others have."""

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.finding import Severity
from opsdash.collectors.host.collector import DISK_LIMIT_S, HostCollector
from opsdash.collectors.host.machine import Facts, LocalMachine
from opsdash.collectors.host.mounts import parse_mounts
from opsdash.collectors.host.rows import Disk, HostData, Memory, Mount, Space
from opsdash.collectors.host.settings import HostSettings
from opsdash.collectors.target import Target, TargetId, environment
from opsdash.tui.findings.host import findings
from tests.actions.lamps import ManualClock
from tests.support.waiting import wait_until_async

GIB = 1 << 30
MOUNTS = "/dev/sda1 / ext4 rw 0 0\nnas:/home /home nfs4 rw 0 0\n"


def target(**settings: Any) -> Target:
    return Target(
        id=TargetId("host", "bastion"),
        environment=environment("staging"),
        interval_s=2.0,
        settings=HostSettings(**settings),
        source="a test",
    )


def space(used: float = 0.5, inodes: float | None = 0.1) -> Space:
    total = 100 * GIB
    return Space(
        total_bytes=total,
        used_bytes=int(total * used),
        available_bytes=int(total * (1 - used)),
        inodes=None if inodes is None else 1000,
        inodes_used=None if inodes is None else int(1000 * inodes),
    )


class HandMachine:
    """A machine whose disks a test holds in its hands."""

    def __init__(self, mounts: str = MOUNTS, **facts: Any) -> None:
        self.known = Facts(
            hostname="bastion", cores=2, load=(0.5, 0.4, 0.3), mounts=parse_mounts(mounts), **facts
        )
        self.spaces: dict[str, Space | OSError | threading.Event] = {"/": space(), "/home": space()}
        self.asked: list[str] = []

    def facts(self) -> Facts:
        return self.known

    def space(self, point: str) -> Space:
        self.asked.append(point)
        found = self.spaces[point]
        if isinstance(found, threading.Event):
            found.wait()
            return space()
        if isinstance(found, OSError):
            raise found
        return found


async def test_this_machine_is_read_as_it_is() -> None:
    data = await HostCollector(target(disks=("/",)), Clock()).collect()
    (root,) = data.disks
    usage = shutil.disk_usage("/")
    assert root.space is not None
    assert root.space.total_bytes == usage.total
    assert abs(root.space.used_bytes - usage.used) < 2 * GIB
    assert root.space.used_ratio is not None
    assert data.load is not None
    assert data.cores == len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else data.cores > 0
    if not data.missing:
        assert data.memory is not None
        assert 0 < data.memory.available_bytes < data.memory.total_bytes
        assert data.uptime_s
    assert "/ " in data.summary()


async def test_system_without_proc_says_what_is_missing_and_knows_the_rest(tmp_path: Path) -> None:
    data = await HostCollector(target(), Clock(), machine=LocalMachine(tmp_path / "proc")).collect()
    assert (data.memory, data.uptime_s, data.oom_kills) == (None, None, None)
    assert {words.partition(":")[0] for words in data.missing} == {
        "memory",
        "kernel OOM kills",
        "uptime",
        "the list of mounts",
    }
    assert [disk.mount.point for disk in data.disks] == ["/"]
    assert data.disks[0].space is not None


async def test_hung_disk_is_told_as_hung_and_costs_one_thread() -> None:
    machine, answered = HandMachine(), threading.Event()
    machine.spaces["/home"] = answered
    made = HostCollector(target(), Clock(), machine=machine)
    for _ in range(3):
        data = await made.collect()
        root, home = data.disks
        assert root.space is not None
        assert (home.space, home.failure) == (None, f"hangs: no answer within {DISK_LIMIT_S:g} s")
    assert machine.asked.count("/home") == 1
    (found,) = findings(data, target())
    assert (found.rule, found.severity) == ("host.disk_unknown", Severity.CRIT)
    assert found.title == "disk /home hangs: no answer within 1 s"
    answered.set()

    async def is_back() -> bool:
        return (await made.collect()).disks[1].failure is None

    await wait_until_async(is_back, 30, "the disk answers again")


async def test_disk_that_is_not_mounted_or_cannot_be_looked_at_is_told() -> None:
    machine = HandMachine()
    machine.spaces["/home"] = PermissionError(13, "Permission denied")
    data = await HostCollector(target(disks=("/data", "/home")), Clock(), machine=machine).collect()
    assert [disk.failure for disk in data.disks] == ["not mounted", "Permission denied"]
    assert [(f.subject, f.severity) for f in findings(data, target())] == [
        ("/data", Severity.CRIT),
        ("/home", Severity.UNKNOWN),
    ]
    assert machine.asked == ["/home"]


async def test_growth_names_its_span_and_when_the_disk_is_full() -> None:
    machine, clock = HandMachine("/dev/sda1 / ext4 rw 0 0\n"), ManualClock()
    made = HostCollector(target(), clock, machine=machine)
    first = await made.collect()
    assert first.disks[0].filling_bytes_per_s is None
    machine.spaces["/"] = space(0.82)
    clock.advance(30.0)
    assert (await made.collect()).disks[0].full_in_s is None, "half a minute says nothing"
    clock.advance(90.0)
    (disk,) = (data := await made.collect()).disks
    assert disk.filling_span_s == 120.0
    assert disk.filling_bytes_per_s == pytest.approx(0.32 * 100 * GIB / 120, rel=0.01)
    (found,) = findings(data, target())
    assert found.title == "disk / 82% used, 18 GiB left · full in 1m07s at 273 MiB/s (over 2m00s)"


async def test_oom_kills_count_from_when_opsdash_began_to_watch() -> None:
    machine, clock = HandMachine(oom_kills=7), ManualClock()
    made = HostCollector(target(), clock, machine=machine)
    assert findings(await made.collect(), target()) == ()
    machine.known = msgspec.structs.replace(machine.known, oom_kills=9)
    clock.advance(10.0)
    data = await made.collect()
    assert (data.oom_kills, data.oom_kills_seen) == (9, 2)
    (found,) = findings(data, target())
    assert (found.rule, found.severity) == ("host.oom", Severity.CRIT)
    assert found.title.startswith("the kernel killed 2 processes for memory, the last 0s ago")
    clock.advance(601.0)
    assert findings(await made.collect(), target()) == ()


def reading(**facts: Any) -> HostData:
    clock = ManualClock()
    known: dict[str, Any] = {"taken_at": clock.now(), "hostname": "bastion", "cores": 4}
    return HostData(**(known | facts))


def disk(used: float, inodes: float | None = 0.1, *, is_read_only: bool = False) -> Disk:
    mount = Mount(point="/var", device="/dev/sda1", type="ext4", is_read_only=is_read_only)
    return Disk(mount=mount, space=space(used, inodes))


def memory(available: float) -> Memory:
    return Memory(
        total_bytes=100 * GIB,
        available_bytes=int(available * 100 * GIB),
        swap_total_bytes=0,
        swap_free_bytes=0,
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (reading(), []),
        (reading(disks=(disk(0.79),)), []),
        (reading(disks=(disk(0.81),)), [("host.disk", Severity.WARN)]),
        (reading(disks=(disk(0.86),)), [("host.disk", Severity.CRIT)]),
        (reading(disks=(disk(0.99, is_read_only=True),)), []),
        (reading(disks=(disk(0.1, 0.82),)), [("host.inodes", Severity.WARN)]),
        (reading(disks=(disk(0.1, None),)), []),
        (reading(memory=memory(0.10)), []),
        (reading(memory=memory(0.09)), [("host.memory", Severity.WARN)]),
        (reading(memory=memory(0.04)), [("host.memory", Severity.CRIT)]),
        (reading(load=(6.0, 1.0, 1.0)), []),
        (reading(load=(6.1, 1.0, 1.0)), [("host.load", Severity.WARN)]),
        (reading(load=(12.1, 13.0, 1.0)), [("host.load", Severity.CRIT)]),
    ],
)
def test_rules(data: HostData, expected: list[tuple[str, Severity]]) -> None:
    assert [(f.rule, f.severity) for f in findings(data, target())] == expected
