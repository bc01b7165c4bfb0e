"""Redis's and Valkey's faults: how each is brought about on a real server, and what it must be called."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import redis

from opsdash.collectors.clock import Clock
from opsdash.collectors.redis.collector import RedisCollector
from opsdash.collectors.redis.commands import READS, acl_rule
from opsdash.collectors.snapshot import FailureKind
from tests.contract.fault import SECRET, Cell, Expected, NotApplicable, Trial
from tests.contract.on_the_way import OK, always, faults_on_the_way, kinds, look_up
from tests.support.faults import Proxy, frozen
from tests.support.redis_servers import RedisServer, fill, redis_target
from tests.support.waiting import wait_until, wait_until_async

MAXCLIENTS = 6

SLOW_LOADING = {"loading-process-events-interval-bytes": 1024, "key-load-delay": 0}


class RedisRig:
    """A server, a proxy in front of it, and a collector that reads through both as the documented user."""

    deadline_s = 1.5

    def __init__(self, server: RedisServer, proxy: Proxy) -> None:
        self.server, self.proxy = server, proxy
        self.admin = server.admin()
        self.make_user()
        url = f"redis://opsdash:{SECRET}@localhost:{proxy.port}/0"
        self.collector = RedisCollector(redis_target(url), Clock(), look_up=look_up)

    def make_user(self) -> None:
        """The user of the documented rule; a server that restarts forgets it."""
        version = tuple(int(part) for part in self.admin.info("server")["redis_version"].split(".")[:2])
        rule = acl_rule(version=version)
        self.admin.execute_command(*rule.replace("CHOOSE-A-PASSWORD", SECRET).split())

    async def cut(self) -> None:
        """End the collector's connection."""
        await self.proxy.cut()

    async def read_everything(self) -> None:
        """Read while the slow log and the list of clients have something to show."""
        self.admin.config_set("slowlog-log-slower-than", 0)
        self.admin.config_resetstat()
        for _ in range(3):
            data = await self.collector.collect()
            assert data.slowlog
            assert data.clients

    def foreign_statements(self) -> set[str]:
        """What the server counted, less what is listed and what this rig sent."""
        counted = {name.removeprefix("cmdstat_") for name in self.admin.info("commandstats")}
        assert counted & set(READS)
        return counted - set(READS) - {"auth", "config|resetstat"}

    async def restarted(self) -> None:
        await asyncio.to_thread(self.server.restart)
        self.make_user()


@asynccontextmanager
async def restart(rig: RedisRig) -> AsyncIterator[Expected]:
    await rig.restarted()
    yield Expected(open=kinds(FailureKind.LOST), fresh=OK)


@asynccontextmanager
async def limits_reached(rig: RedisRig) -> AsyncIterator[Expected]:
    rig.admin.config_set("maxclients", MAXCLIENTS)
    held: list[redis.Redis] = []

    def is_full() -> bool:
        """Take whatever place is free."""
        held.append(rig.server.admin())
        try:
            held[-1].ping()
        except redis.ConnectionError:
            return True
        return False

    async def filled() -> None:
        await wait_until_async(is_full, 30, "the server is full")

    await filled()
    yield Expected(open=OK, fresh=kinds(FailureKind.TOO_MANY_CLIENTS), before_fresh=filled)
    for client in held:
        client.close()
    rig.admin.config_set("maxclients", 1000)


@asynccontextmanager
async def rights_revoked(rig: RedisRig) -> AsyncIterator[Expected]:
    rig.admin.execute_command("ACL", "SETUSER", "opsdash", "-@all")
    yield always(FailureKind.NO_PERMISSION)
    rig.make_user()


@asynccontextmanager
async def wrong_password(rig: RedisRig) -> AsyncIterator[Expected]:
    rig.admin.execute_command("ACL", "SETUSER", "opsdash", "resetpass", ">another")
    yield Expected(open=OK, fresh=kinds(FailureKind.AUTHENTICATION))
    rig.make_user()


@asynccontextmanager
async def server_frozen(rig: RedisRig) -> AsyncIterator[Expected]:
    with frozen(rig.server.pid):
        yield always(FailureKind.TIMED_OUT)


@asynccontextmanager
async def starting_up(rig: RedisRig) -> AsyncIterator[Expected]:
    acl = rig.server.folder / "users.acl"
    acl.touch()
    rule = acl_rule().split()
    users = ["user default on nopass ~* &* +@all", " ".join(["user", *rule[2:]])]
    known = [word for word in users[1].split() if "no-touch" not in word]
    acl.write_text("\n".join([users[0], " ".join(known)]).replace("CHOOSE-A-PASSWORD", SECRET) + "\n")
    fill(rig.server, 20_000)
    rig.admin.save()
    rig.server.stop()
    rig.server.options["aclfile"] = str(acl)  # a server that loads knows no users but these
    rig.server.options["key-load-delay"] = 500
    rig.server.start()
    await asyncio.to_thread(rig.server.wait_ready)
    yield Expected(open=kinds(FailureKind.LOST), fresh=kinds(FailureKind.STARTING_UP))
    rig.server.options["key-load-delay"] = 0
    await asyncio.to_thread(rig.server.restart)
    # it answers before it has loaded, and until then the fault is not over
    await asyncio.to_thread(
        wait_until, lambda: not rig.admin.info("persistence")["loading"], 30, "the server has loaded"
    )


CELLS: dict[str, Cell | NotApplicable] = {
    **faults_on_the_way(),
    "restart": restart,
    "limits reached": limits_reached,
    "rights revoked": rights_revoked,
    "wrong password": wrong_password,
    "connection frozen": NotApplicable("one thread serves all connections: that is a frozen server"),
    "server frozen": server_frozen,
    "starting up": starting_up,
    "in recovery": NotApplicable("a replica that fetches its data answers all that is read"),
    "shutting down": NotApplicable("it closes its connections at once: that is a restart"),
}


def trial(product: str) -> Trial:
    """One product: valkey or redis7."""

    @asynccontextmanager
    async def start(request: pytest.FixtureRequest) -> AsyncIterator[RedisRig]:
        server: RedisServer = request.getfixturevalue("start_redis")(product, options=SLOW_LOADING)
        async with Proxy(server.port) as proxy:
            rig = RedisRig(server, proxy)
            yield rig
            await rig.collector.close()

    return Trial(start=start, cells=CELLS)
