"""Usage from the kernel's files: recorded layouts, and a real container."""

import os
import time
from pathlib import Path

import pytest

from opsdash.collectors.docker.cgroup_files import CgroupFiles
from opsdash.collectors.docker.cgroups import Mount, folders, mounts_in
from opsdash.collectors.docker.stats import usage
from tests.support.engine import TestEngine
from tests.support.waiting import wait_until

ID = "4c565477ec1fcc2da0a3c75f2812b08e8cec6504bcc32f9c7c14367f4036e203"
PID = 4711

V1_MOUNTS = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
38 31 0:35 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
V1_MEMBERSHIP = f"""\
9:name=systemd:/docker/{ID}
8:pids:/docker/{ID}
7:blkio:/docker/{ID}
4:memory:/docker/{ID}
2:cpu,cpuacct:/docker/{ID}
0::/docker/{ID}
"""
V2_MOUNTS = (
    "24 29 0:27 / /sys/fs/cgroup rw,nosuid,nodev - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"
)
V2_SCOPE = f"/system.slice/docker-{ID}.scope"

NET = """\
Inter-|   Receive                                   |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier comp
    lo:  999999      10    0    0    0     0    0    0   999999      10    0    0    0     0       0    0
  eth0:    1500      12    0    0    0     0    0    0      700       9    0    0    0     0       0    0
eth1:500 2 0 0 0 0 0 0 300 1 0 0 0 0 0 0
"""


def written(root: Path, files: dict[str, str]) -> CgroupFiles:
    for path, text in files.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return CgroupFiles(root)


def v1_files() -> dict[str, str]:
    cgroup = "/sys/fs/cgroup"
    return {
        "/proc/self/mountinfo": V1_MOUNTS,
        f"/proc/{PID}/cgroup": V1_MEMBERSHIP,
        f"/proc/{PID}/net/dev": NET,
        "/proc/1/net/dev": NET,
        f"{cgroup}/cpu,cpuacct/docker/{ID}/cpuacct.usage": "2500000000\n",
        f"{cgroup}/cpu,cpuacct/docker/{ID}/cpu.stat": "nr_periods 40\nnr_throttled 10\nthrottled_time 9\n",
        f"{cgroup}/memory/docker/{ID}/memory.usage_in_bytes": "1000000\n",
        f"{cgroup}/memory/docker/{ID}/memory.stat": "inactive_file 7\ntotal_inactive_file 400000\n",
        f"{cgroup}/pids/docker/{ID}/pids.current": "3\n",
        f"{cgroup}/blkio/docker/{ID}/blkio.throttle.io_service_bytes": (
            "8:0 Read 4096\n8:0 Write 100\n8:0 Sync 4196\n8:16 Read 4\n8:16 Write 1\nTotal 4201\n"
        ),
    }


def v2_files() -> dict[str, str]:
    scope = f"/sys/fs/cgroup{V2_SCOPE}"
    return {
        "/proc/self/mountinfo": V2_MOUNTS,
        f"/proc/{PID}/cgroup": f"0::{V2_SCOPE}\n",
        f"/proc/{PID}/net/dev": NET,
        "/proc/1/net/dev": NET,
        f"{scope}/cpu.stat": "usage_usec 2500000\nuser_usec 1\nnr_periods 40\nnr_throttled 10\n",
        f"{scope}/memory.current": "1000000\n",
        f"{scope}/memory.stat": "anon 5\nactive_file 9\ninactive_file 400000\n",
        f"{scope}/pids.current": "3\n",
        f"{scope}/io.stat": (
            "8:0 rbytes=4096 wbytes=100 rios=1 wios=2 dbytes=0 dios=0\n8:16 rbytes=4 wbytes=1 rios=1 wios=1\n"
        ),
    }


@pytest.mark.parametrize("files", [v1_files(), v2_files()], ids=["v1", "v2"])
def test_both_versions_of_cgroups_tell_the_same(files: dict[str, str], tmp_path: Path) -> None:
    sample = written(tmp_path, files).sample(ID, PID, mono_s=5.0)
    assert sample is not None
    assert (sample.at_s, sample.cpu_s, sample.periods, sample.throttled_periods) == (5.0, 2.5, 40, 10)
    assert (sample.memory_bytes, sample.pids) == (600_000, 3)
    assert (sample.received_bytes, sample.sent_bytes) == (2000, 1000)
    assert (sample.read_bytes, sample.written_bytes) == (4100, 101)


@pytest.mark.parametrize("files", [v1_files(), v2_files()], ids=["v1", "v2"])
def test_a_file_that_is_missing_is_unknown_and_nothing_else(files: dict[str, str], tmp_path: Path) -> None:
    kept = {path: text for path, text in files.items() if not path.endswith(("pids.current", "memory.stat"))}
    sample = written(tmp_path, kept).sample(ID, PID, mono_s=5.0)
    assert sample is not None
    assert sample.pids is None
    assert sample.memory_bytes == 1_000_000  # the cache is not known, so it is not taken off
    assert sample.cpu_s == 2.5


def test_the_machines_own_network_is_not_taken_for_the_containers(tmp_path: Path) -> None:
    files = v2_files()
    del files["/proc/1/net/dev"]
    reader = written(tmp_path, files)
    (tmp_path / "proc/1/net").mkdir(parents=True)
    os.link(tmp_path / f"proc/{PID}/net/dev", tmp_path / "proc/1/net/dev")  # one namespace, one inode
    sample = reader.sample(ID, PID, mono_s=5.0)
    assert sample is not None
    assert (sample.received_bytes, sample.sent_bytes) == (None, None)


def test_a_process_of_something_else_is_not_taken_for_the_containers(tmp_path: Path) -> None:
    files = {**v2_files(), f"/proc/{PID}/cgroup": "0::/system.slice/sshd.service\n"}
    assert written(tmp_path, files).sample(ID, PID, mono_s=5.0) is None


def test_a_container_that_is_gone_has_no_sample(tmp_path: Path) -> None:
    assert written(tmp_path, {"/proc/self/mountinfo": V2_MOUNTS}).sample(ID, PID, mono_s=5.0) is None


def test_a_cgroup_that_was_made_anew_is_another_run(tmp_path: Path) -> None:
    reader = written(tmp_path, v2_files())
    before = reader.sample(ID, PID, mono_s=5.0)
    scope = tmp_path / f"sys/fs/cgroup{V2_SCOPE}"
    scope.rename(scope.with_name("old"))
    written(tmp_path, v2_files())
    after = reader.sample(ID, PID, mono_s=7.0)
    assert before is not None
    assert after is not None
    assert usage(before, after).cpu_ratio is None


V2 = (Mount(controllers=("unified",), root="/", point="/sys/fs/cgroup"),)


@pytest.mark.parametrize(
    ("membership", "expected"),
    [
        (f"0::/docker/{ID}", f"/sys/fs/cgroup/docker/{ID}"),
        (f"0::{V2_SCOPE}", f"/sys/fs/cgroup{V2_SCOPE}"),
        (f"0::{V2_SCOPE}/init.scope", f"/sys/fs/cgroup{V2_SCOPE}"),
        (f"0::/ci.slice/job-7/{ID}", f"/sys/fs/cgroup/ci.slice/job-7/{ID}"),
        (f"0::/machine.slice/libpod-{ID}.scope/container", f"/sys/fs/cgroup/machine.slice/libpod-{ID}.scope"),
        ("0::/", None),
        ("", None),
    ],
)
def test_the_containers_own_cgroup_is_found(membership: str, expected: str | None) -> None:
    assert folders(membership, V2, ID).get("unified") == expected


def test_within_a_container_of_ours_the_path_begins_below_the_mounts_root() -> None:
    outer = "/docker/" + "f" * 64
    mounts = mounts_in(f"50 40 0:27 {outer} /sys/fs/cgroup rw - cgroup2 cgroup rw")
    assert folders(f"0::{outer}/docker/{ID}", mounts, ID) == {"unified": f"/sys/fs/cgroup/docker/{ID}"}
    assert folders(f"0::/elsewhere/{ID}", mounts, ID) == {}


def test_a_mount_point_with_a_space_in_it_is_found() -> None:
    (mount,) = mounts_in("50 40 0:27 / /a\\040place rw - cgroup2 cgroup rw")
    assert mount.point == "/a place"


def test_a_real_container_that_works_uses_the_processor_and_stays_within_its_quota(
    engine: TestEngine,
) -> None:
    id = engine.run("worker", ("sh", "-c", "while true; do :; done"), memory="32m", options=("--cpus", "0.2"))
    pid = engine.inspect("worker")["State"]["Pid"]
    files = CgroupFiles()
    before = files.sample(id, pid, mono_s=time.monotonic())
    assert before is not None

    def worked() -> bool:
        sample = files.sample(id, pid, mono_s=time.monotonic())
        assert sample is not None
        found = usage(before, sample)
        return (
            found.cpu_ratio is not None
            and 0.02 < found.cpu_ratio < 0.5
            and found.throttled_ratio is not None
            and found.throttled_ratio > 0.3
            and found.memory_bytes is not None
            and 0 < found.memory_bytes < 32 * 1024 * 1024
            and found.pids is not None
            and found.pids >= 2
        )

    wait_until(worked, 30, "a worker that is held back")
