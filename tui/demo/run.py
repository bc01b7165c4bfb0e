"""Starts the demo: two real PostgreSQL servers, a story on one of them, and a target that is dead."""

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import opsdash
from opsdash.collectors.errors import ConfigError
from opsdash.collectors.postgres.settings import PostgresSettings, PostgresThresholds
from opsdash.collectors.target import Target, TargetId, environment
from opsdash.tui.demo.binaries import find_binaries
from opsdash.tui.demo.keeper_link import Keeper, KeeperError, server_user
from opsdash.tui.demo.schema import ACTION_ROLE, MONITOR_ROLE, create_database
from opsdash.tui.demo.servers import HOST, PostgresServer
from opsdash.tui.demo.stories import DEFAULT_STORY, STORIES, Story
from opsdash.tui.demo.story import HOLDS

THRESHOLDS = PostgresThresholds(wait_warn_s=5.0, wait_crit_s=20.0, idle_in_transaction_s=20.0)
"""Seconds instead of minutes: nobody watches a demo for ten minutes before it turns red."""

_OPTIONS: Mapping[str, str | int] = {"max_connections": 40}
_INTERVAL_S = 1.0
_STORY_S = 30.0
"""Usual is half a second."""


class Demo:
    """A running demo. It ends with `close`, or with this process, however that ends."""

    def __init__(
        self, keeper: Keeper, story: Story, targets: tuple[Target, ...], dead: socket.socket
    ) -> None:
        self._keeper, self._story, self._dead = keeper, story, dead
        self.targets = targets
        """Ready for use: the one in trouble, the dead one, the healthy one."""

    @property
    def folder(self) -> Path:
        """Where the servers and their logs lie while the demo runs."""
        return self._keeper.folder

    def describe(self) -> tuple[str, ...]:
        """What there is to see, one line for each target."""
        troubled, dead, healthy = (target.name for target in self.targets)
        return (
            f"{troubled}: {self._story.summary}",
            f"{dead}: dead, nothing listens on its port",
            f"{healthy}: healthy, light traffic",
        )

    def close(self) -> None:
        """End the servers and remove their folder; back when nothing is left. May be called twice."""
        self._dead.close()
        self._keeper.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def start_demo(story: str = DEFAULT_STORY, on_phase: Callable[[str], None] = lambda _: None) -> Demo:
    """Start the servers, fill them, and begin the story; takes one to two seconds.

    Args:
        story: A name in `stories.STORIES`.
        on_phase: Told in a few words what is being done.

    Returns:
        The running demo; the row is held already, and the line behind it begins to grow.

    Raises:
        ConfigError: There is no such story.
        NoServerError: No PostgreSQL is installed; the text says what to install.
        KeeperError: A server or the story could not be started.
    """
    if story not in STORIES:
        raise ConfigError(f'there is no demo story "{story}"; there are: {", ".join(STORIES)}')
    keeper = Keeper()
    try:
        return _started(keeper, story, on_phase)
    except BaseException:  # Ctrl-C as well: nothing is to be left behind
        keeper.close()
        raise


def _started(keeper: Keeper, story: str, on_phase: Callable[[str], None]) -> Demo:
    binaries = find_binaries(keeper.folder, user=server_user())
    on_phase(f"starting two PostgreSQL {binaries.version} servers ({binaries.source})")
    troubled, healthy = (
        PostgresServer(keeper, binaries, name=name, options=_OPTIONS)
        for name in ("orders-db", "inventory-db")
    )
    for server, database in ((troubled, "shop"), (healthy, "inventory")):
        server.wait_ready()
        create_database(server, database)
    on_phase(f"beginning the story: {STORIES[story].summary}")
    _begin(keeper, story, troubled.dsn(dbname="shop"), healthy.dsn(dbname="inventory"))
    dead = socket.socket()
    dead.bind((HOST, 0))  # taken, but not listened on: refuses, and nobody else can come to listen there
    targets = (
        _target("orders-db", troubled.port, "shop"),
        _target("ledger-db", dead.getsockname()[1], "ledger"),
        _target("inventory-db", healthy.port, "inventory"),
    )
    return Demo(keeper, STORIES[story], targets, dead)


def _begin(keeper: Keeper, story: str, busy: str, calm: str) -> None:
    """Start the story's process, and wait until each of its rows is held."""
    log = keeper.folder / "story.log"
    argv = [sys.executable, "-m", "opsdash.tui.demo.story", "--story", story, "--busy", busy, "--calm", calm]
    importable = os.pathsep.join((str(Path(opsdash.__file__).parents[1]), *sys.path))
    keeper.start("story", argv, log=log, env={"PATH": os.defpath, "PYTHONPATH": importable}, user=None)
    deadline = time.monotonic() + _STORY_S
    while log.read_text().count(HOLDS) < len(STORIES[story].jams):
        if keeper.poll("story") is not None or time.monotonic() > deadline:
            said = log.read_text().strip().splitlines()
            raise KeeperError(f"the demo's story did not begin: {said[-1] if said else 'it said nothing'}")
        time.sleep(0.01)


def _target(name: str, port: int, database: str) -> Target:
    def dsn(role: str) -> str:
        # Encryption is stated, so that a PGSSLMODE of the person who tries the demo cannot get in the way.
        return f"host={HOST} port={port} dbname={database} user={role} sslmode=disable gssencmode=disable"

    return Target(
        id=TargetId("postgres", name),
        environment=environment("demo", production=False),
        interval_s=_INTERVAL_S,
        settings=PostgresSettings(dsn=dsn(MONITOR_ROLE), act_dsn=dsn(ACTION_ROLE), thresholds=THRESHOLDS),
        source="opsdash demo",
    )
