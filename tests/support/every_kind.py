"""The app on targets of every kind, with readings made by hand that can change, vanish and fail."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from textual.pilot import Pilot

from opsdash.collectors.docker.rows import EngineData
from opsdash.collectors.host.rows import HostData
from opsdash.collectors.http.rows import HttpData, Verdict
from opsdash.collectors.lines.source import LogSource
from opsdash.collectors.lines.summary import SourceSummary
from opsdash.collectors.lines.tally import Tally
from opsdash.collectors.logs.rows import LogData
from opsdash.collectors.logs.settings import LogSettings
from opsdash.collectors.postgres.replication_rows import Replication, Slot, Standby
from opsdash.collectors.postgres.rows import DatabaseRates, PostgresData
from opsdash.collectors.postgres.statement_rows import StatementId, StatementRow, Statements, Work
from opsdash.collectors.redis.rows import Command, Database, RedisData
from opsdash.collectors.snapshot import Failure, FailureKind
from opsdash.collectors.target import Environment, Target, TargetId, environment
from opsdash.tui.kinds import KINDS
from tests.actions.lamps import ManualClock
from tests.host.test_host import disk, memory
from tests.host.test_host import reading as host_reading
from tests.host.test_host import target as host_target
from tests.http.probing import certificate, chain, http_target, series
from tests.http.probing import reading as http_reading
from tests.screens.stage import HandKit, incident
from tests.support.app_stage import AppStage
from tests.support.docker_readings import (
    alone,
    container,
    crashes,
    docker_target,
    ended,
    engine_reading,
    looping,
    unwell,
    used,
)
from tests.support.log_lines import SHOP, START_S, at, printed, source
from tests.support.log_stage import LogWatch
from tests.support.redis_readings import client, errors, redis_reading, slow
from tests.support.redis_readings import memory as redis_memory
from tests.support.redis_servers import redis_target
from tests.support.targets import postgres_target

STAGING = environment("staging")
PRODUCTION = environment("prod-eu")
NOWHERE = Path("/nowhere")


def _targets(where: Environment) -> tuple[Target, ...]:
    log = Target(
        id=SHOP,
        environment=where,
        interval_s=0.25,
        settings=LogSettings(path="/nowhere/*.log"),
        source="a test",
    )
    unplaced = (
        postgres_target(f"host={NOWHERE} dbname=shop", name="orders"),
        postgres_target(f"host={NOWHERE} dbname=shop", name="ledger"),
        redis_target(f"unix://{NOWHERE}/redis.sock", name="sessions"),
        redis_target(f"unix://{NOWHERE}/redis.sock", name="cache"),
        http_target(name="api"),
        http_target("http://web.internal/", name="web"),
        host_target(),
        docker_target("local"),
        log,
    )
    return tuple(msgspec.structs.replace(target, environment=where) for target in unplaced)


def postgres_data(turn: int) -> PostgresData:
    """Sessions that wait behind one that is idle in its transaction, statements, standbys and slots."""
    rows = tuple(
        StatementRow(
            identity=StatementId(8000 + number, 10, 5),
            query=f"select ? from items where sku = $1 and number = {number}",
            user="shop",
            database="shop",
            total=Work(calls=1000 + turn, exec_ms=5000.0 * number + turn, rows=1000),
            live=Work(calls=10, exec_ms=50.0 * number + turn % 7, rows=10, wal_bytes=8192),
            recent=Work(calls=100, exec_ms=500.0 * number, rows=100, shared_blks_hit=900),
        )
        for number in range(1, 12)
    )
    replication = Replication(
        standbys=(Standby(pid=77, application_name="standby", state="streaming", replay_bytes=turn * 1024),),
        slots=(Slot(name="old", slot_type="physical", is_active=False, retained_bytes=turn * 2**20),),
        span_s=10.0,
    )
    work = Work(calls=1100, exec_ms=33000.0)
    data: PostgresData = incident(
        waiting=5 + turn % 9,
        databases=(
            DatabaseRates(name="shop", span_s=2.0, commits_per_s=410.0 + turn % 10, cache_hit_ratio=0.99),
            DatabaseRates(name="ledger", span_s=2.0, commits_per_s=1.0, temp_bytes_per_s=2048.0),
        ),
        statements=Statements(
            rows=rows, since_reset_s=86400.0, live_s=2.0, recent_s=120.0, total=work, live=work, recent=work
        ),
        replication=replication,
    )
    return data


def redis_data(turn: int) -> RedisData:
    """A full memory that refuses writes; clients, slow commands, command counts."""
    return redis_reading(
        memory=redis_memory(used_mib=480.0 + turn % 32, policy="noeviction"),
        clients=tuple(client(number, idle_s=turn % 50, output_bytes=number * 100) for number in range(1, 15)),
        slowlog=tuple(slow(number, "KEYS", 20.0 + number + turn % 5) for number in range(6)),
        commands=tuple(
            Command(name=name, calls=1000 + turn, usec_per_call=12.5, calls_per_s=9.5, share=0.3, p99_ms=0.4)
            for name in ("get", "set", "hgetall", "del")
        ),
        databases=(
            Database(db=0, keys=1000 + turn, expires=900, avg_ttl_s=61.0),
            Database(db=3, keys=2, expires=0),
        ),
        **errors(OOM=31),
    )


def http_data(turn: int) -> HttpData:
    """An endpoint that comes and goes, with a certificate that ends soon."""
    verdicts = [Verdict.DOWN if (turn + place) % 4 == 0 else Verdict.UP for place in range(30)]
    return http_reading(
        series(*verdicts, took_s=0.02 + turn % 10 / 100),
        chain=chain(certificate("api.internal", 12.0), certificate("R11", 400.0, is_ca=True)),
    )


def host_data(turn: int) -> HostData:
    """A disk that fills."""
    return host_reading(
        disks=(disk(0.80 + turn % 15 / 100),), memory=memory(0.5), load=(0.5 + turn % 9, 0.4, 0.3)
    )


def docker_data(turn: int) -> EngineData:
    """Services that are well, unwell, in a loop and gone."""
    web, api, loop = container("web-1"), unwell("api-1"), looping("web-2", 137, oom_killed=True)
    others = tuple(container(f"job-{number}") for number in range(1, 12 + turn % 5))
    return engine_reading(
        web,
        api,
        loop,
        *others,
        ended("batch-1", 3),
        alone("lonely"),
        events=tuple(crashes(loop, *(30.0 * (place + 1) for place in range(2 + turn % 3)), exit_code=137)),
        usage={one.id: used(cpu_ratio=0.1 + turn % 8 / 10) for one in (web, api, *others)},
    )


DATA: dict[str, Callable[[int], Any]] = {
    "postgres": postgres_data,
    "redis": redis_data,
    "http": http_data,
    "host": host_data,
    "docker": docker_data,
}
"""By kind: a reading, another one each turn."""


class EveryKind(AppStage[LogWatch]):
    """One app that watches something of every kind."""

    def __init__(self, folder: Path, *, where: Environment = STAGING) -> None:
        self.clock = ManualClock()
        self.kits = {kind: HandKit(self.clock, kind) for kind, known in KINDS.items() if known.actions}
        super().__init__(
            folder, _targets(where), LogWatch, self.clock, make_kit=lambda kind, clock: self.kits.get(kind)
        )
        self.watch.sources = tuple(source(name, max_bytes=2**18) for name in ("api", "web"))
        self._tallies = {one.name: Tally(one.zone) for one in self.watch.sources}
        for one in self.watch.sources:
            self._print(one, *(at(number / 10, f"{one.name} line {number}") for number in range(200)))
        self.turn = 0

    @property
    def sent(self) -> list[msgspec.Struct]:
        """Everything that any action was sent to."""
        return [hit for kit in self.kits.values() for action in kit.actions.values() for hit in action.sent]

    def read(self, target: Target) -> None:
        """The target was read: its figures and some of its rows are others than before."""
        self.turn += 1
        if target.id.kind == "log":
            for one in self.watch.sources:
                level = "ERROR" if self.turn % 3 == 0 else "INFO"
                self._print(one, at(20 + self.turn / 100, f"{level} request {self.turn:08x} of {one.name}"))
            self.push(target.id, data=LogData(taken_at=self.clock.now(), logs=self._summaries()))
        else:
            self.push(target.id, data=DATA[target.id.kind](self.turn))

    def read_all(self) -> None:
        """Every target was read."""
        for target in self.targets:
            self.read(target)

    def fail(self, target: Target) -> None:
        """The target could not be read now."""
        failure = Failure(kind=FailureKind.REFUSED, reason="Connection refused", hint="look at its log")
        self.push(target.id, failure=failure)

    def _print(self, where: LogSource, *lines: str) -> None:
        arrived_at = self.clock.now().timestamp()
        printed(where, lines, arrived_at)
        self._tallies[where.name].add("".join(f"{line}\n" for line in lines).encode(), arrived_at)

    def _summaries(self) -> tuple[SourceSummary, ...]:
        now = self.clock.now().timestamp()
        return tuple(
            self._tallies[one.name].summary(
                one.name, one.identity, one.buffer, now=now, watched_since=START_S - 600, failure=None
            )
            for one in self.watch.sources
        )

    def push(self, target: TargetId, **what: Any) -> None:
        """It was read, or could not be: the next reading is another."""
        self.turn += 1
        super().push(target, **what)

    def something_happens(self, dice: random.Random) -> None:
        """One target is read, or cannot be."""
        (self.fail if dice.random() < 0.3 else self.read)(dice.choice(self.targets))

    @asynccontextmanager
    async def at(self, width: int, height: int, *, is_read: bool = True) -> AsyncIterator[Pilot[Any]]:
        """The running app, every target read once; or, to see that, none."""
        if is_read:
            self.read_all()
        async with super().at(width, height) as pilot:
            yield pilot
