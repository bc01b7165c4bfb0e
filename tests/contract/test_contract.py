"""One suite for all kinds of targets: whatever breaks, a read ends in time and says what it is."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.feed import Feed
from opsdash.collectors.registry import KINDS
from opsdash.collectors.snapshot import FailureKind, Snapshot
from opsdash.collectors.supervisor import Pace, Reader
from tests.contract import docker, host, http, log, postgres, redis
from tests.contract.fault import FAULTS, SECRET, NotApplicable, Rig, Trial

TRIALS: Mapping[str, Trial] = {
    "postgres 18": postgres.trial(18),
    "postgres 15": postgres.trial(15),
    "redis 7": redis.trial("redis7"),
    "redis (valkey)": redis.trial("valkey"),
    "http": http.TRIAL,
    "docker": docker.TRIAL,
    "host": host.TRIAL,
    "log": log.TRIAL,
}
"""Kind, and what tells several trials of it apart; a new kind is one line here and one module beside this."""

SLACK_S = 2.0
"""For a machine that is busy with other tests."""


class Watch:
    """Reads a rig as opsdash does, and keeps what a screen would show."""

    def __init__(self, rig: Rig) -> None:
        self._pace = Pace(deadline_s=rig.deadline_s, grace_s=0.5)
        self._reader = Reader(rig.collector, Clock(), self._pace)
        self._target = rig.collector.target
        self.feed = Feed([self._target])

    async def read(self) -> Snapshot[Any]:
        """Read once; checks what holds for every reading."""
        snapshot = await self._reader.read()
        self.feed.push(snapshot)
        assert snapshot.took_s < self._pace.deadline_s + self._pace.grace_s + SLACK_S
        shown = msgspec.json.encode(snapshot).decode()
        assert SECRET not in shown
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", shown)
        assert not re.search(r"\\u00[01]", shown), "JSON would hide a control character in an escape"
        return snapshot

    async def fails_with(self, kinds: frozenset[FailureKind]) -> None:
        """Read once; the failure has one of these names, and the last good data are still there."""
        good = self.feed.view(self._target.id).good
        snapshot = await self.read()
        found = snapshot.failure.kind if snapshot.failure else None
        assert (found in kinds) if kinds else (found is None), (
            f"{found}, expected {kinds}: {snapshot.failure}"
        )
        if snapshot.failure is not None:
            assert snapshot.failure.reason
            assert snapshot.failure.hint, "every failure says what to do next"
            assert self.feed.view(self._target.id).good is good is not None

    async def works_again(self) -> None:
        """The fault is over: one read may still find the broken connection, the next may not."""
        for _ in range(2):
            if (snapshot := await self.read()).failure is None:
                return
        raise AssertionError(f"still failing: {snapshot.failure}")


def test_every_kind_has_a_cell_for_every_fault() -> None:
    assert {name.split()[0] for name in TRIALS} == set(KINDS)
    for trial in TRIALS.values():
        assert set(trial.cells) == set(FAULTS)
        assert all(cell.reason for cell in trial.cells.values() if isinstance(cell, NotApplicable))


@pytest.mark.parametrize(
    ("trial", "fault"),
    [
        pytest.param(trial, fault, id=f"{name}-{fault}")
        for name, trial in TRIALS.items()
        for fault, cell in trial.cells.items()
        if not isinstance(cell, NotApplicable)
    ],
)
async def test_fault(trial: Trial, fault: str, request: pytest.FixtureRequest) -> None:
    cell = trial.cells[fault]
    assert not isinstance(cell, NotApplicable)
    async with trial.start(request) as rig:
        watch = Watch(rig)
        await watch.fails_with(frozenset())
        async with cell(rig) as expected:
            await watch.fails_with(expected.open)
            if not expected.open:
                await rig.cut()
                assert (await watch.read()).failure is not None
            await expected.before_fresh()
            await watch.fails_with(expected.fresh)
        await watch.works_again()


@pytest.mark.parametrize("name", TRIALS)
async def test_reading_only_reads(name: str, request: pytest.FixtureRequest) -> None:
    """Judged by the server's own log: nothing ran but what is shipped as a question."""
    async with TRIALS[name].start(request) as rig:
        await rig.read_everything()
        assert rig.foreign_statements() == set()
