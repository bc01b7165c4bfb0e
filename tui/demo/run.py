"""Starts the demo: real PostgreSQL and Valkey servers, a shop that needs them, a story, and a dead target."""

import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

import opsdash
from opsdash.collectors.errors import ConfigError
from opsdash.collectors.target import Target
from opsdash.collectors.text import one_line
from opsdash.tui.demo import containers, targets
from opsdash.tui.demo.binaries import find_binaries
from opsdash.tui.demo.keeper_link import Keeper, KeeperError, server_user
from opsdash.tui.demo.schema import create_database
from opsdash.tui.demo.servers import HOST, PostgresServer, free_port
from opsdash.tui.demo.stories import CA_FILE, DEFAULT_STORY, HOLDS, SERVES, STORIES, Scene
from opsdash.tui.demo.valkey import NO_VALKEY, ValkeyProgram, ValkeyServer, find_valkey

_OPTIONS: Mapping[str, str | int] = {
    "max_connections": 40,
    "log_lock_waits": "on",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
_STATEMENTS = "pg_stat_statements"
"""On the healthy server only: on the other one everybody's time is waiting for a lock."""
_CACHE: Mapping[str, str | int] = {"maxmemory": "32mb", "maxmemory-policy": "allkeys-lru"}
_SESSIONS: Mapping[str, str | int] = {"maxmemory": "8mb", "maxmemory-policy": "noeviction"}
_STORY_S = 30.0
"""Usual is half a second."""

Cast = tuple[tuple[Target, str], ...]
"""Each target, and what there is to see of it."""


class Demo:
    """A running demo. It ends with `close`, or with this process, however that ends."""

    def __init__(self, keeper: Keeper, cast: Cast, dead: socket.socket, notes: tuple[str, ...]) -> None:
        self._keeper, self._cast, self._dead, self._notes = keeper, cast, dead, notes
        self.targets = tuple(target for target, _ in cast)
        """Ready for use."""

    @property
    def folder(self) -> Path:
        """Where the servers and their logs lie while the demo runs."""
        return self._keeper.folder

    def describe(self) -> tuple[str, ...]:
        """What there is to see, one line for each target, and what there is not."""
        return (*(f"{target.name}: {words}" for target, words in self._cast), *self._notes)

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


def start_demo(
    story: str = DEFAULT_STORY,
    on_phase: Callable[[str], None] = lambda _: None,
    *,
    engine: str | None = None,
) -> Demo:
    """Start the servers, fill them, and begin the story; takes about two seconds.

    Args:
        story: A name in `stories.STORIES`.
        on_phase: Told in a few words what is being done.
        engine: Socket of a Docker engine on which two containers are started; None: none are.

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
        return _started(keeper, story, on_phase, engine)
    except BaseException:  # Ctrl-C as well: nothing is to be left behind
        keeper.close()
        raise


def _started(keeper: Keeper, story: str, on_phase: Callable[[str], None], engine: str | None) -> Demo:
    binaries = find_binaries(keeper.folder, user=server_user())
    valkey = find_valkey(keeper.folder, user=server_user())
    on_phase(f"starting two PostgreSQL {binaries.version} servers ({binaries.source})")
    counts = binaries.has_module(_STATEMENTS)
    counting = {**_OPTIONS, "shared_preload_libraries": _STATEMENTS} if counts else _OPTIONS
    orders = PostgresServer(keeper, binaries, name="orders-db", options=_OPTIONS)
    inventory = PostgresServer(keeper, binaries, name="inventory-db", options=counting)
    on_phase(
        "starting two Valkey servers " + (f"({valkey.source})" if valkey else f"is not possible: {NO_VALKEY}")
    )
    caches = _start_caches(keeper, valkey)
    on_engine, engine_note = _start_containers(keeper, engine)
    for server, database in ((orders, "shop"), (inventory, "inventory")):
        server.wait_ready()
        create_database(server, database)
    on_phase(f"beginning the story: {STORIES[story].summary}")
    scene = _scene(keeper, story, orders, inventory, caches)
    _begin(keeper, scene)
    dead = socket.socket()
    dead.bind((HOST, 0))  # taken, but not listened on: refuses, and nobody else can come to listen there
    cast = (
        (targets.postgres("orders-db", orders.port, "shop"), STORIES[story].summary),
        (targets.postgres("ledger-db", dead.getsockname()[1], "ledger"), "dead, nothing listens on its port"),
        (
            targets.postgres("inventory-db", inventory.port, "inventory"),
            "healthy, light traffic" + (", its statements are counted" if counts else ""),
        ),
        *_caches_in_cast(caches),
        *_shop_in_cast(scene, caches),
        *on_engine,
        (targets.logs(_logs(keeper, caches)), "what the shop, its databases and its caches print"),
    )
    notes = (*(() if caches else (f"cache, sessions: {NO_VALKEY}",)), *engine_note)
    return Demo(keeper, cast, dead, notes)


def _start_caches(keeper: Keeper, program: ValkeyProgram | None) -> dict[str, ValkeyServer]:
    """The Valkey servers by name, ready; none when there is no program for them."""
    if program is None:
        return {}
    servers = {
        name: ValkeyServer(keeper, program, name=name, options=options)
        for name, options in (("cache", _CACHE), ("sessions", _SESSIONS))
    }
    for server in servers.values():
        server.wait_ready()
    return servers


def _start_containers(keeper: Keeper, engine: str | None) -> tuple[Cast, tuple[str, ...]]:
    """The engine with two containers as a target, and what there is to say where there are none."""
    if engine is None:
        return (), ("engine: there is no Docker engine on this machine to start containers on",)
    run = secrets.token_hex(2)
    script = str(Path(containers.__file__))
    # asked for first: whatever goes wrong from here on, nothing stays on somebody's engine
    keeper.at_end([sys.executable, "-I", "-S", script, engine, run], env={"PATH": os.defpath})
    try:
        containers.start_containers(engine, run)
    except containers.EngineProblem as problem:
        return (), (f"engine: no containers: {one_line(str(problem))}",)
    words = "two containers; web-2 is unhealthy until it is restarted"
    return ((targets.engine(engine, run), words),), ()


def _caches_in_cast(caches: Mapping[str, ValkeyServer]) -> Iterator[tuple[Target, str]]:
    words = {
        "cache": "healthy, most reads hit",
        "sessions": "fills within a minute and then refuses writes (noeviction); purging sess:* heals it",
    }
    for name, server in caches.items():
        yield targets.redis(name, server.url), words[name]


def _shop_in_cast(scene: Scene, caches: Mapping[str, ValkeyServer]) -> Iterator[tuple[Target, str]]:
    depends = {"database": "orders-db", **{name: name for name in caches}}
    health = targets.endpoint("/health", scene.http_port, depends)
    yield health, "slow and degraded while orders-db is blocked" + (", or sessions is full" if caches else "")
    yield targets.endpoint("/ready", scene.http_port, {}), "healthy"
    shop = targets.page("shop", scene.https_port, str(Path(scene.certificates) / CA_FILE))
    yield shop, "healthy; the intermediate certificate expires in 12 days"


def _logs(keeper: Keeper, caches: Iterable[str]) -> Iterator[Path]:
    for name in ("shop", "orders-db", "inventory-db", *caches):
        yield keeper.folder / f"{name}.log"


def _scene(
    keeper: Keeper,
    story: str,
    busy: PostgresServer,
    calm: PostgresServer,
    caches: Mapping[str, ValkeyServer],
) -> Scene:
    certificates = keeper.folder / "certificates"
    certificates.mkdir()
    return Scene(
        story=story,
        busy=busy.dsn(dbname="shop"),
        calm=calm.dsn(dbname="inventory"),
        cache_port=caches["cache"].port if caches else None,
        sessions_port=caches["sessions"].port if caches else None,
        http_port=free_port(),
        https_port=free_port(),
        certificates=str(certificates),
    )


def _begin(keeper: Keeper, scene: Scene) -> None:
    """Start the story's process, and wait until each of its rows is held and the shop is open."""
    log = keeper.folder / "shop.log"
    argv = [sys.executable, "-m", "opsdash.tui.demo.story", msgspec.json.encode(scene).decode()]
    importable = os.pathsep.join((str(Path(opsdash.__file__).parents[1]), *sys.path))
    keeper.start("story", argv, log=log, env={"PATH": os.defpath, "PYTHONPATH": importable}, user=None)
    deadline = time.monotonic() + _STORY_S
    while True:
        said = log.read_text()
        if said.count(HOLDS) == len(STORIES[scene.story].jams) and SERVES in said:
            return
        if keeper.poll("story") is not None or time.monotonic() > deadline:
            last = (said.strip().splitlines() or ["it said nothing"])[-1]
            raise KeeperError(f"the demo's story did not begin: {last}")
        time.sleep(0.01)
