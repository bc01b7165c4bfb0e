"""The local host on the overview and on its screen."""

from pathlib import Path

import pytest

from opsdash.collectors.host.rows import Disk, Mount
from tests.host.test_host import disk, memory, reading, target
from tests.http.probing import http_target
from tests.http.stage import HealthStage
from tests.support.screen import SIZES, assert_fills, line_with, said, text_of, until

HOST = target()
HUNG = Disk(
    mount=Mount(point="/home", device="nas:/home", type="nfs4"), failure="hangs: no answer within 1 s"
)
FULL = reading(
    disks=(disk(0.9), HUNG),
    memory=memory(0.5),
    load=(0.5, 0.4, 0.3),
    oom_kills=3,
    missing=("uptime: not available here",),
)


@pytest.mark.parametrize("size", SIZES)
async def test_full_and_hung_disks_are_on_the_overview_and_in_the_table(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    stage = HealthStage(tmp_path, (HOST,))
    stage.read(HOST, FULL)
    async with stage.at(*size) as pilot:
        await until(pilot, "disk /home hangs")
        assert "disk /var 90" in said(stage.app)
        assert_fills(stage.app)
        await pilot.press("1")
        await until(pilot, "FULLEST DISK")
        assert "/home hangs" in line_with(stage.app, "✖ bastion")
        await pilot.press("enter")
        await until(pilot, "MOUNTED AT")
        assert "hangs: no answer" in line_with(stage.app, "✖ /home ")
        assert "90.0%" in line_with(stage.app, "✖ /var ")
        assert "load 0.50 0.40 0.30 on 4 cores" in text_of(stage.app)
        assert_fills(stage.app)


async def test_digit_opens_the_endpoints_first_and_the_host_with_the_next_press(tmp_path: Path) -> None:
    api = http_target()
    stage = HealthStage(tmp_path, (HOST, api))
    stage.read(HOST, FULL)
    async with stage.at(132, 34) as pilot:
        await pilot.press("1")
        await until(pilot, "ENDPOINT")
        await pilot.press("1")
        await until(pilot, "FULLEST DISK")


async def test_host_that_was_not_read_yet_says_so(tmp_path: Path) -> None:
    stage = HealthStage(tmp_path, (HOST,))
    async with stage.at(80, 24) as pilot:
        await until(pilot, "waiting for the first reading")
        await pilot.press("1", "enter")
        await until(pilot, "? waiting for the first reading")
        stage.read(HOST, FULL)
        await until(pilot, "MOUNTED AT")
        await until(pilot, "not seen uptime: not available here")
