"""The second part: fifty endpoints and twenty Valkeys on the overview; a purge, as the server times it."""

import asyncio
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import redis

from opsdash.collectors.clock import Clock
from opsdash.collectors.redis.identities import PurgeIdentity
from opsdash.collectors.redis.settings import RedisSettings
from opsdash.collectors.target import Target, TargetId, environment
from opsdash.tui.actions.redis.kit import RedisKit
from opsdash.tui.demo.keeper_link import Keeper, KeeperError, server_user
from opsdash.tui.demo.servers import HOST, free_port
from opsdash.tui.demo.valkey import NO_VALKEY, ValkeyProgram, ValkeyServer, find_valkey
from tests.bench import subjects
from tests.bench.measure import Figures, Plan, run_overview
from tests.bench.report import OVERVIEW, PURGE, Part

ENDPOINTS, ENDPOINT_S = 50, 5.0
DEGRADED = 12
"""Of the endpoints: findings to move among."""
VALKEYS, VALKEY_S = 20, 2.0
KEYS = 300_000

_OF_MANY, _OF_ONE = Plan(steady_s=12.0, presses=40), Plan(steady_s=5.0, presses=40)
_RUNS = 2
_READY_S = 30.0
_MARKED_US = 20
"""Commands that take the server longer than this many microseconds are in its slow log."""


def measure(folder: Path, say: Callable[[str], None]) -> tuple[Part, ...]:
    """Both parts; takes about two minutes.

    Raises:
        KeeperError: There is no Valkey or Redis server, or one does not start.
    """
    with Keeper() as keeper:
        overview = _overview(folder, keeper, _program(keeper), say)
    with Keeper() as keeper:  # the twenty are gone
        program = _program(keeper)
        found = shutil.which("redis-server")
        system = None if found is None else ValkeyProgram(path=Path(found), source=found)
        others = () if system is None or system.path == program.path else (_purge(keeper, system, say),)
        purge = Part(
            title=f"purge among {KEYS:,} keys",
            measures=PURGE,
            ours=(_purge(keeper, program, say),),
            peers=others,
            subject=program.path.name.removesuffix("-server"),
            peer="redis",
        )
    return overview, purge


def _program(keeper: Keeper) -> ValkeyProgram:
    program = find_valkey(keeper.folder, user=server_user())
    if program is None:
        raise KeeperError(NO_VALKEY)
    return program


def _overview(folder: Path, keeper: Keeper, program: ValkeyProgram, say: Callable[[str], None]) -> Part:
    say(f"starting {VALKEYS} Valkeys and {ENDPOINTS} endpoints")
    servers = [ValkeyServer(keeper, program, name=f"valkey-{n}") for n in range(VALKEYS)]
    for server in servers:
        server.wait_ready()
    port = _start_endpoints(keeper)
    caches = [
        f'[[redis]]\nname = "cache-{n}"\nurl = "{server.url}"\ninterval = {VALKEY_S}\n'
        for n, server in enumerate(servers)
    ]
    endpoints = [_endpoint(port, n) for n in range(ENDPOINTS)]
    count = ENDPOINTS + VALKEYS
    many = subjects.opsdash_on(folder, "many", [*endpoints, *caches], data=rf"● {count} targets live")
    one = subjects.opsdash_on(folder, "one", endpoints[-1:], data=r"● 1 target live")
    run_overview(many, Plan(steady_s=0.0, presses=0))  # writes the byte code, and fills the file cache
    of_many: list[Figures] = []
    of_one: list[Figures] = []
    for turn in range(_RUNS):
        say(f"run {turn + 1} of {_RUNS}: {count} targets, then one")
        of_many.append(run_overview(many, _OF_MANY))
        of_one.append(run_overview(one, _OF_ONE))
    title = f"{ENDPOINTS} endpoints, {VALKEYS} Valkeys"
    return Part(title=title, measures=OVERVIEW, ours=tuple(of_many), peers=tuple(of_one), peer="one target")


def _endpoint(port: int, number: int) -> str:
    """A table of the configuration; the last endpoint has a second finding, to have two where it is alone."""
    is_last = number == ENDPOINTS - 1
    slow = "[http.thresholds]\nlatency_warn_s = 0.0\nlatency_crit_s = 9.0\n" if is_last else ""
    return (
        f'[[http]]\nname = "endpoint-{number}"\nurl = "http://{HOST}:{port}/{number}"\n'
        f'interval = {ENDPOINT_S}\nservice = "service-{number // 5}"\n{slow}'
    )


def _start_endpoints(keeper: Keeper) -> int:
    port, log = free_port(), keeper.folder / "endpoints.log"
    script = str(Path(__file__).with_name("endpoints.py"))
    keeper.start(
        "endpoints",
        [sys.executable, script, str(port), str(ENDPOINTS), str(DEGRADED)],
        log=log,
        env={"PATH": os.defpath, "HOME": str(keeper.folder)},
        user=None,
    )
    deadline = time.monotonic() + _READY_S
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1.0).close()
        except OSError as error:
            if keeper.poll("endpoints") is not None or time.monotonic() > deadline:
                raise KeeperError(f"the endpoints do not answer: {log.read_text()[-300:]}") from error
            time.sleep(0.05)
        else:
            return port


@contextmanager
def _filled(keeper: Keeper, program: ValkeyProgram) -> Iterator[ValkeyServer]:
    """A server with `KEYS` keys, a third of them carts, that notes how long each command takes it."""
    options: Mapping[str, str | int] = {
        "slowlog-max-len": 200_000,
        "slowlog-log-slower-than": -1,
        "latency-monitor-threshold": 1,
    }
    server = ValkeyServer(keeper, program, name=f"purged-{program.path.name}", options=options)
    server.wait_ready()
    with redis.Redis(host=HOST, port=server.port) as client:
        for start in range(0, KEYS, 10_000):
            names = (f"{'session' if n % 3 else 'cart'}:{n}" for n in range(start, start + 10_000))
            client.mset(dict.fromkeys(names, "x" * 50))
        client.execute_command("LATENCY", "RESET")
        client.config_set("slowlog-log-slower-than", _MARKED_US)
    yield server
    server.stop()


def _purge(keeper: Keeper, program: ValkeyProgram, say: Callable[[str], None]) -> Figures:
    """What the server says of one purge and of the sample before it."""
    say(f"a purge among {KEYS:,} keys: {program.source}")
    with _filled(keeper, program) as server, redis.Redis(host=HOST, port=server.port) as client:
        planned_s = asyncio.run(_plan_and_purge(server.url))
        slow = client.slowlog_get(-1)
        events = client.execute_command("LATENCY", "LATEST")
        left = client.dbsize()
    assert left == KEYS - len(range(0, KEYS, 3)), f"{left} keys are left"
    took_s: dict[bytes, list[float]] = {}
    for entry in slow:
        took_s.setdefault(entry["command"].split(b" ")[0].upper(), []).append(entry["duration"] / 1e6)
    return Figures(
        planned_s=planned_s,
        command_s=max((max(each) for each in took_s.values()), default=None),
        scan_s=tuple(took_s.get(b"SCAN", ())),
        unlink_s=max(took_s.get(b"UNLINK", ()), default=None),
        info_s=max(took_s.get(b"INFO", ()), default=None),
        event_s=max((event[3] / 1e3 for event in events), default=0.0),
    )


async def _plan_and_purge(url: str) -> float:
    """Plan and run it as opsdash does; seconds that the plan took."""
    clock = Clock()
    target = Target(
        id=TargetId("redis", "purged"),
        environment=environment("bench", production=False),
        interval_s=2.0,
        settings=RedisSettings(url=url),
        source="the benchmark",
    )
    with redis.Redis.from_url(url) as client:
        run_id = client.info("server")["run_id"]
    kit = RedisKit(clock)
    purge = kit.actions["redis.purge"]
    began_mono_s = clock.mono_s()
    plan = await purge.plan(target, (PurgeIdentity(run_id, 0, "cart:*"),), may_act=True)
    planned_s = clock.mono_s() - began_mono_s
    await purge.run(target, plan)
    await kit.close()
    return planned_s
