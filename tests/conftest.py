"""Fixtures of all tests: real PostgreSQL and Redis servers, and a real Docker engine."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opsdash.tui.demo.keeper_link import Keeper
from opsdash.tui.demo.servers import PostgresServer
from tests.support.engine import TestEngine, started_engine
from tests.support.needs import MISSING
from tests.support.redis_servers import RedisPark, RedisServer
from tests.support.servers import ServerPark


@pytest.fixture(scope="session", autouse=True)
def _no_servers_of_the_person_who_tests() -> None:
    """What a shell says of servers must not reach the tests, neither as targets nor as defaults."""
    for name in [*os.environ]:
        if name.startswith(("PG", "DOCKER_")) or name in ("DATABASE_URL", "REDIS_URL"):
            del os.environ[name]


@pytest.fixture(scope="session")
def keeper() -> Iterator[Keeper]:
    """Owns every server of the run; ends them when the run ends, also when that is by kill -9."""
    with Keeper() as running:
        yield running


@pytest.fixture(scope="session")
def server_park(keeper: Keeper) -> ServerPark:
    return ServerPark(keeper)


@pytest.fixture(scope="session")
def pg18(server_park: ServerPark) -> PostgresServer:
    """PostgreSQL 18, shared by the run: leave no objects or sessions behind."""
    return server_park.start(18)


@pytest.fixture(scope="session")
def pg15(server_park: ServerPark) -> PostgresServer:
    """PostgreSQL 15, shared by the run: leave no objects or sessions behind."""
    return server_park.start(15)


@pytest.fixture(params=["pg18", "pg15"])
def any_pg(request: pytest.FixtureRequest) -> PostgresServer:
    """The test runs on each version."""
    server: PostgresServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def start_postgres(server_park: ServerPark) -> Iterator[Callable[..., PostgresServer]]:
    """Start servers for one test: `start_postgres(major=18, options={"max_connections": 10})`."""
    started: list[PostgresServer] = []

    def start(**wanted: object) -> PostgresServer:
        started.append(server_park.start(**wanted))  # type: ignore[arg-type]  # see ServerPark.start
        return started[-1]

    yield start
    for server in started:
        server.stop()
        shutil.rmtree(server.data_dir.parent)  # a run has a hundred: too much for its end


@pytest.fixture(scope="session")
def redis_park(keeper: Keeper) -> RedisPark:
    return RedisPark(keeper)


@pytest.fixture(params=["valkey", "redis7"])
def any_redis(request: pytest.FixtureRequest, redis_park: RedisPark) -> Iterator[RedisServer]:
    """A server for this test alone; the test runs on Valkey (wheel) and on Redis 7 (Debian)."""
    server = redis_park.start(request.param)
    yield server
    server.stop()


@pytest.fixture
def start_redis(redis_park: RedisPark) -> Iterator[Callable[..., RedisServer]]:
    """Start servers for one test: `start_redis("redis7", options={"maxclients": 10})`."""
    started: list[RedisServer] = []

    def start(*words: str, **wanted: Any) -> RedisServer:
        started.append(redis_park.start(*words, **wanted))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def shared_engine() -> Iterator[TestEngine]:
    """A Docker engine, shared by the run."""
    engine = started_engine()
    yield engine
    engine.close()


@pytest.fixture
def engine(shared_engine: TestEngine) -> Iterator[TestEngine]:
    """The same, without containers: those of the test are removed at its end."""
    yield shared_engine
    shared_engine.remove_all()


@pytest.fixture
def start_engine() -> Iterator[Callable[..., TestEngine]]:
    """Engines for one test, to be stopped, frozen or killed: `start_engine(has_port=True)`."""
    started: list[TestEngine] = []

    def start(*words: str, **wanted: Any) -> TestEngine:
        started.append(started_engine(words, **wanted))
        return started[-1]

    yield start
    for each in started:
        each.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what this run could not test."""
    if MISSING:
        terminalreporter.section("not tested here, for lack of")
        for name, reason in sorted(MISSING.items()):
            terminalreporter.line(f"{name}: {reason}")
