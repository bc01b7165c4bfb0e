"""Actions on Redis through the gateway, on real servers; the server is asked afterwards."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import TargetError
from opsdash.collectors.redis.client import own_ids
from opsdash.collectors.redis.collector import RedisCollector
from opsdash.collectors.redis.commands import acl_rule
from opsdash.collectors.redis.identities import (
    ClientIdentity,
    DatabaseIdentity,
    PurgeIdentity,
    ServerIdentity,
    SettingIdentity,
)
from opsdash.collectors.target import Target, TargetId
from opsdash.tui.actions.action import OutcomeKind
from opsdash.tui.actions.audit import AuditLog
from opsdash.tui.actions.guard import Decision, GuardKind
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.actions.redis.kit import RedisKit
from opsdash.tui.actions.redis.survey import Pace
from opsdash.tui.actions.running import Planned, Running
from opsdash.tui.demo.servers import free_port
from tests.actions.lamps import maria
from tests.support.faults import frozen
from tests.support.redis_servers import RedisServer, fill, redis_target
from tests.support.waiting import wait_until_async

LIMIT_S = 30.0

StartRedis = Callable[..., RedisServer]
FAST = Pace(steps_per_s=2000.0, survey_s=20.0, tell_every_s=0.0)


class Desk:
    """A gateway to one server, armed."""

    def __init__(
        self,
        server: RedisServer,
        folder: Path,
        *,
        pace: Pace = FAST,
        permitted: bool = True,
        **settings: Any,
    ) -> None:
        self.server = server
        self.admin = server.admin()
        self.target: Target = redis_target(settings.pop("url", server.url()), **settings)
        self.path = folder / "audit.jsonl"
        clock = Clock()
        self.kit = RedisKit(clock, pace=pace)
        self.gateway = Gateway(
            [self.target],
            AuditLog(self.path, clock=clock),
            clock=clock,
            permitted=permitted,
            make_kit=lambda kind, clock: self.kit,
            operator=maria,
        )

    @property
    def id(self) -> TargetId:
        return self.target.id

    @property
    def run_id(self) -> str:
        return str(self.admin.info("server")["run_id"])

    def database(self, db: int = 0) -> DatabaseIdentity:
        return DatabaseIdentity(self.run_id, db)

    async def plan(self, action: str, *things: msgspec.Struct) -> Planned:
        return await self.gateway.plan(action, self.id, things)

    async def run(self, planned: Planned) -> Running:
        """Decide for it, as its guard asks, and wait for its end."""
        running = self.start(planned)
        await wait_until_async(lambda: running.is_done, LIMIT_S, "the action ends")
        return running

    def start(self, planned: Planned) -> Running:
        return self.gateway.perform(planned, Decision(typed=planned.guard.must_type))

    async def do(self, action: str, *things: msgspec.Struct) -> Running:
        return await self.run(await self.plan(action, *things))

    def events(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(line) for line in self.path.read_bytes().splitlines()]

    async def recorded(self) -> dict[str, Any]:
        """Wait for the outcome's record: it is written right after the action has ended."""

        def outcomes() -> list[dict[str, Any]]:
            return [event for event in self.events() if event["event"] == "outcome"]

        return (await wait_until_async(outcomes, LIMIT_S, "it is recorded"))[-1]


Sit = Callable[..., Any]


@pytest.fixture
async def sit(tmp_path: Path) -> AsyncIterator[Sit]:
    """`await sit(server, …)` gives an armed desk."""
    desks: list[Desk] = []

    async def make(server: RedisServer, **options: Any) -> Desk:
        desk = Desk(server, tmp_path, **options)
        desks.append(desk)
        assert await desk.gateway.arm() is None
        return desk

    yield make
    for desk in desks:
        await desk.gateway.close()


def said(planned: Planned) -> str:
    return "\n".join(f"{line.label}: {line.text}" for line in planned.plan.lines)


def outcome(running: Running) -> tuple[OutcomeKind, str]:
    assert running.outcome is not None
    return running.outcome.kind, running.outcome.text


# -- purge ------------------------------------------------------------------------------------------------


async def test_a_purge_deletes_what_matches_and_nothing_else(any_redis: RedisServer, sit: Sit) -> None:
    fill(any_redis, 3000, prefix="cart")
    fill(any_redis, 7000, prefix="session")
    fill(any_redis, 50, prefix="cart", db=1)
    any_redis.admin().expire("cart:1", 500)
    desk = await sit(any_redis)
    planned = await desk.plan("redis.purge", PurgeIdentity(desk.run_id, 0, "cart:*"))
    assert planned.guard.kind is GuardKind.CONFIRM
    assert "3000 of 10000 keys match (30%)" in said(planned)
    assert "cart:" in said(planned)
    assert desk.admin.dbsize() == 10_000, "a plan deletes nothing"
    running = await desk.run(planned)
    kind, text = outcome(running)
    assert kind is OutcomeKind.DONE
    assert "3,000 of about 3,000 keys are gone" in text
    assert "no key matches any more" in text
    assert desk.admin.dbsize() == 7000
    assert any_redis.admin(1).dbsize() == 50
    await desk.recorded()
    assert [e["event"] for e in desk.events()][-2:] == ["intent", "outcome"]


async def test_an_aborted_purge_tells_exactly_how_many_went(any_redis: RedisServer, sit: Sit) -> None:
    fill(any_redis, 100_000, prefix="cart")
    desk = await sit(any_redis, pace=Pace(steps_per_s=60.0, survey_s=0.3, tell_every_s=0.05))
    planned = await desk.plan("redis.purge", PurgeIdentity(desk.run_id, 0, "cart:*"))
    running = desk.start(planned)

    def is_half_way() -> bool:
        return desk.admin.dbsize() < 80_000

    await wait_until_async(is_half_way, LIMIT_S, "a part is gone")
    running.abort()
    await wait_until_async(lambda: running.is_done, LIMIT_S, "it ends")
    left = desk.admin.dbsize()
    kind, text = outcome(running)
    assert kind is OutcomeKind.ABORTED
    assert text.startswith(f"{100_000 - left:,} of about ")
    assert 0 < left < 80_000
    await asyncio.sleep(0)
    assert desk.admin.dbsize() == left, "nothing goes on in the background"
    progress = [step.text for step in running.steps if "keys are gone" in step.text]
    assert len(progress) == 1, "each progress takes the place of the one before"
    assert (await desk.recorded())["text"] == text


async def test_quitting_in_the_middle_of_a_purge_leaves_its_count_in_the_audit_log(
    any_redis: RedisServer, sit: Sit
) -> None:
    fill(any_redis, 50_000, prefix="cart")
    desk = await sit(any_redis, pace=Pace(steps_per_s=50.0, survey_s=0.2))
    planned = await desk.plan("redis.purge", PurgeIdentity(desk.run_id, 0, "cart:*"))
    running = desk.start(planned)
    await wait_until_async(lambda: desk.admin.dbsize() < 45_000, LIMIT_S, "a part is gone")
    await desk.gateway.close()
    assert running.is_done
    assert "keys are gone" in outcome(running)[1]
    assert (await desk.recorded())["text"] == outcome(running)[1]


async def test_a_server_that_dies_in_the_middle_is_told_with_the_count_so_far(
    any_redis: RedisServer, sit: Sit
) -> None:
    fill(any_redis, 50_000, prefix="cart")
    desk = await sit(any_redis, pace=Pace(steps_per_s=50.0, survey_s=0.2))
    planned = await desk.plan("redis.purge", PurgeIdentity(desk.run_id, 0, "cart:*"))
    running = desk.start(planned)
    await wait_until_async(lambda: desk.admin.dbsize() < 45_000, LIMIT_S, "a part is gone")
    await asyncio.to_thread(any_redis.stop)
    await wait_until_async(lambda: running.is_done, LIMIT_S, "it ends")
    kind, text = outcome(running)
    assert kind is OutcomeKind.UNKNOWN
    assert "keys are gone" in text


@pytest.mark.parametrize(
    ("pattern", "share", "guard"),
    [("*", 1.0, GuardKind.TYPE), ("cart:*", 0.6, GuardKind.TYPE), ("cart:*", 0.4, GuardKind.CONFIRM)],
)
async def test_wide_purges_are_typed_in_every_environment(
    pattern: str, share: float, guard: GuardKind, any_redis: RedisServer, sit: Sit
) -> None:
    fill(any_redis, int(share * 1000), prefix="cart")
    fill(any_redis, 1000 - int(share * 1000), prefix="session")
    desk = await sit(any_redis)
    planned = await desk.plan("redis.purge", PurgeIdentity(desk.run_id, 0, pattern))
    assert planned.guard.kind is guard


async def test_an_estimate_says_that_it_is_one_and_is_near(any_redis: RedisServer, sit: Sit) -> None:
    fill(any_redis, 30_000, prefix="cart")
    fill(any_redis, 70_000, prefix="session")
    desk = await sit(any_redis, pace=Pace(steps_per_s=100.0, survey_s=0.5))
    planned = await desk.plan("redis.purge", PurgeIdentity(desk.run_id, 0, "cart:*"))
    words = next(line.text for line in planned.plan.lines if line.label == "hits")
    assert words.startswith("about ")
    estimate = float(words.split()[1].removesuffix("k")) * 1000
    assert 24_000 < estimate < 36_000


@pytest.mark.parametrize("pattern", ["nothing:*", "  "])
async def test_a_purge_of_nothing_is_refused(pattern: str, any_redis: RedisServer, sit: Sit) -> None:
    fill(any_redis, 10)
    desk = await sit(any_redis)
    planned = await desk.plan("redis.purge", PurgeIdentity(desk.run_id, 0, pattern))
    assert planned.guard.kind is GuardKind.DENY


async def test_on_a_replica_nothing_is_purged_or_flushed(start_redis: StartRedis, sit: Sit) -> None:
    primary, replica = start_redis(), start_redis()
    fill(primary, 10)
    replica.admin().replicaof("127.0.0.1", primary.port)
    await wait_until_async(lambda: replica.admin().dbsize() == 10, LIMIT_S, "the replica has the keys")
    desk = await sit(replica)
    for action, thing in (
        ("redis.purge", PurgeIdentity(desk.run_id, 0, "session:*")),
        ("redis.flushdb", desk.database()),
        ("redis.flushall", desk.database()),
    ):
        planned = await desk.plan(action, thing)
        assert planned.guard.kind is GuardKind.DENY
        assert f"replica of 127.0.0.1:{primary.port}" in (planned.guard.reason or "")


async def test_keys_that_the_user_may_not_touch_stay_and_are_counted(
    any_redis: RedisServer, sit: Sit
) -> None:
    fill(any_redis, 300, prefix="cart:a")
    fill(any_redis, 200, prefix="cart:b")
    rule = "ACL SETUSER part on >pw ~cart:a:* -@all +info +select +dbsize +scan +pttl +unlink +client|id"
    any_redis.admin().execute_command(*rule.split())
    desk = await sit(any_redis, url=any_redis.url("part", "pw"))
    running = await desk.do("redis.purge", PurgeIdentity(desk.run_id, 0, "cart:*"))
    assert "300 of about 500 keys are gone, 200 refused" in running.hits[0].detail
    assert desk.admin.dbsize() == 200


async def test_a_purge_works_on_a_cluster_node(start_redis: StartRedis, sit: Sit) -> None:
    server = start_redis("redis7", options={"cluster-enabled": "yes", "cluster-port": free_port()})
    admin = server.admin()
    admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    await wait_until_async(
        lambda: admin.cluster("info")["cluster_state"] == "ok", LIMIT_S, "it serves all slots"
    )
    for n in range(100):
        admin.set(f"cart:{n}", "1")
    desk = await sit(server)
    planned = await desk.plan("redis.purge", PurgeIdentity(desk.run_id, 0, "cart:*"))
    assert "only the keys of this node" in said(planned)
    running = await desk.run(planned)
    assert outcome(running)[0] is OutcomeKind.DONE
    assert admin.dbsize() == 0


async def test_after_a_restart_the_old_plan_hits_nothing(any_redis: RedisServer, sit: Sit) -> None:
    fill(any_redis, 100, prefix="cart")
    desk = await sit(any_redis)
    planned = await desk.plan("redis.purge", PurgeIdentity(desk.run_id, 0, "cart:*"))
    await asyncio.to_thread(any_redis.restart)
    fill(any_redis, 100, prefix="cart")
    running = await desk.run(planned)
    assert outcome(running)[0] is OutcomeKind.REFUSED
    assert "restarted" in outcome(running)[1]
    assert desk.admin.dbsize() == 100


# -- flush ------------------------------------------------------------------------------------------------


async def test_flushing_one_database_leaves_the_others(any_redis: RedisServer, sit: Sit) -> None:
    for db in (0, 2):
        fill(any_redis, 30, db=db)
    desk = await sit(any_redis)
    planned = await desk.plan("redis.flushdb", desk.database(2))
    assert planned.guard.kind is GuardKind.TYPE, "typed also outside of production"
    assert "30 keys" in said(planned)
    running = await desk.run(planned)
    assert outcome(running) == (OutcomeKind.DONE, "db2 is empty")
    assert (any_redis.admin(0).dbsize(), any_redis.admin(2).dbsize()) == (30, 0)
    again = await desk.do("redis.flushdb", desk.database(0))
    assert outcome(again) == (OutcomeKind.DONE, "db0 is empty")
    assert any_redis.admin(0).dbsize() == 0


async def test_flushing_all_empties_every_database(any_redis: RedisServer, sit: Sit) -> None:
    for db in (0, 2):
        fill(any_redis, 30, db=db)
    desk = await sit(any_redis)
    running = await desk.do("redis.flushall", desk.database())
    assert outcome(running) == (OutcomeKind.DONE, "the server is empty")
    assert desk.admin.info("keyspace") == {}


async def test_a_flush_that_the_acl_forbids_is_told_as_that(any_redis: RedisServer, sit: Sit) -> None:
    fill(any_redis, 30)
    version = tuple(int(p) for p in any_redis.admin().info("server")["redis_version"].split(".")[:2])
    rule = acl_rule("watcher", version=version).replace("CHOOSE-A-PASSWORD", "pw")
    any_redis.admin().execute_command(*rule.split())
    desk = await sit(any_redis, url=any_redis.url("watcher", "pw"))
    running = await desk.do("redis.flushdb", desk.database())
    assert outcome(running)[0] is OutcomeKind.FAILED
    assert "not permitted" in outcome(running)[1]
    assert desk.admin.dbsize() == 30


# -- clients ----------------------------------------------------------------------------------------------


async def test_the_chosen_client_is_killed_and_no_other(any_redis: RedisServer, sit: Sit) -> None:
    first, second = (any_redis.admin(client_name=name) for name in ("first", "second"))
    ids = [client.client_id() for client in (first, second)]
    desk = await sit(any_redis)
    planned = await desk.plan("redis.kill_client", ClientIdentity(desk.run_id, ids[0]))
    assert "name first" in said(planned)
    running = await desk.run(planned)
    assert outcome(running) == (OutcomeKind.DONE, "client is gone")
    left = [int(client["id"]) for client in desk.admin.client_list()]
    assert ids[0] not in left
    assert ids[1] in left
    again = await desk.plan("redis.kill_client", ClientIdentity(desk.run_id, ids[0]))
    assert again.guard.kind is GuardKind.DENY
    assert "gone" in (again.guard.reason or "")


async def test_a_client_that_left_meanwhile_is_told(any_redis: RedisServer, sit: Sit) -> None:
    other = any_redis.admin()
    desk = await sit(any_redis)
    planned = await desk.plan("redis.kill_client", ClientIdentity(desk.run_id, other.client_id()))
    other.close()
    await wait_until_async(lambda: len(desk.admin.client_list()) <= 2, LIMIT_S, "it is gone")
    running = await desk.run(planned)
    assert outcome(running)[0] is OutcomeKind.REFUSED
    assert "gone already" in outcome(running)[1]


async def test_opsdash_itself_and_replicas_are_not_killed(start_redis: StartRedis, sit: Sit) -> None:
    primary, replica = start_redis(), start_redis()
    replica.admin().replicaof("127.0.0.1", primary.port)

    def replica_id() -> int | None:
        rows = primary.admin().client_list(_type="replica")
        return int(rows[0]["id"]) if rows else None

    number = await wait_until_async(replica_id, LIMIT_S, "the replica is connected")
    desk = await sit(primary)
    watching = RedisCollector(desk.target, Clock())
    await watching.collect()
    for wrong in (number, *own_ids(desk.id)):
        planned = await desk.plan("redis.kill_client", ClientIdentity(desk.run_id, wrong))
        assert planned.guard.kind is GuardKind.DENY, wrong
    await watching.close()

    def master_id() -> int | None:
        rows = [row for row in replica.admin().client_list() if "M" in row["flags"]]
        return int(rows[0]["id"]) if rows else None

    link = await wait_until_async(master_id, LIMIT_S, "the link to the primary is up")
    other = Desk(replica, desk.path.parent)
    planned = await other.plan("redis.kill_client", ClientIdentity(other.run_id, link))
    assert "link to the primary" in (planned.guard.reason or "")
    await other.gateway.close()


async def test_several_clients_are_told_one_by_one(any_redis: RedisServer, sit: Sit) -> None:
    clients = [any_redis.admin() for _ in range(3)]
    ids = [client.client_id() for client in clients]
    desk = await sit(any_redis)
    planned = await desk.plan("redis.kill_client", *(ClientIdentity(desk.run_id, i) for i in ids))
    desk.admin.client_kill_filter(_id=str(ids[1]))
    running = await desk.run(planned)
    assert outcome(running)[0] is OutcomeKind.DONE
    assert "2 sent" in outcome(running)[1]
    assert "1 gone already" in outcome(running)[1]


# -- limits -----------------------------------------------------------------------------------------------


async def test_maxmemory_is_raised_and_restored(any_redis: RedisServer, sit: Sit) -> None:
    any_redis.admin().config_set("maxmemory", "64mb")
    desk = await sit(any_redis)
    raised = await desk.do("redis.maxmemory", SettingIdentity(desk.run_id, "maxmemory", "128mb"))
    assert outcome(raised)[0] is OutcomeKind.DONE
    assert desk.admin.config_get("maxmemory") == {"maxmemory": str(128 * 2**20)}
    again = await desk.do("redis.maxmemory", SettingIdentity(desk.run_id, "maxmemory", "256mb"))
    assert outcome(again)[0] is OutcomeKind.DONE
    planned = await desk.plan("redis.restore", desk.database())
    assert "CONFIG SET maxmemory 67108864 (64 MiB)" in said(planned)
    assert outcome(await desk.run(planned))[0] is OutcomeKind.DONE
    assert desk.admin.config_get("maxmemory") == {"maxmemory": str(64 * 2**20)}
    nothing = await desk.plan("redis.restore", desk.database())
    assert nothing.guard.kind is GuardKind.DENY


async def test_the_policy_is_set_and_the_writes_go_through(any_redis: RedisServer, sit: Sit) -> None:
    fill(any_redis, 2000, value="x" * 1000)
    desk = await sit(any_redis)
    desk.admin.config_set("maxmemory", desk.admin.info("memory")["used_memory"] - 10_000)
    with pytest.raises(redis.OutOfMemoryError):
        desk.admin.set("a", "1")
    planned = await desk.plan("redis.policy", SettingIdentity(desk.run_id, "maxmemory-policy", "allkeys-lru"))
    assert planned.guard.kind is GuardKind.TYPE, "keys are evicted at once"
    assert "keys are evicted at once" in said(planned)
    running = await desk.run(planned)
    assert outcome(running)[0] is OutcomeKind.DONE
    desk.admin.set("a", "1")


async def test_what_somebody_else_set_meanwhile_is_not_overwritten(any_redis: RedisServer, sit: Sit) -> None:
    any_redis.admin().config_set("maxmemory", "64mb")
    desk = await sit(any_redis)
    planned = await desk.plan("redis.maxmemory", SettingIdentity(desk.run_id, "maxmemory", "128mb"))
    desk.admin.config_set("maxmemory", "96mb")
    running = await desk.run(planned)
    assert outcome(running)[0] is OutcomeKind.REFUSED
    assert "96 MiB meanwhile" in outcome(running)[1]
    assert desk.admin.config_get("maxmemory") == {"maxmemory": str(96 * 2**20)}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("maxmemory", "lots", "is no size"),
        ("maxmemory", "999gb", "more than 75%"),
        ("maxmemory", "0", "no limit is more than 75%"),
        ("maxmemory", "64mb", "already"),
        ("maxmemory", "1mb", "writes would be refused at once"),
        ("maxmemory", "100mb", "of the 120 MiB there are"),
        ("maxmemory-policy", "allkeys-sometimes", "is no policy"),
        ("maxmemory-policy", "noeviction", "already"),
    ],
)
async def test_values_that_would_make_things_worse_are_refused(
    name: str, value: str, says: str, start_redis: StartRedis, sit: Sit
) -> None:
    server = start_redis()
    fill(server, 2000, value="x" * 1000)
    server.admin().config_set("maxmemory", "64mb")
    desk = await sit(server, memory_limit_bytes=120 * 2**20)
    planned = await desk.plan(
        f"redis.{name.replace('maxmemory-', '')}", SettingIdentity(desk.run_id, name, value)
    )
    assert planned.guard.kind is GuardKind.DENY
    assert says in (planned.guard.reason or "")


# -- slow log, and what holds for all ----------------------------------------------------------------------


async def test_the_slow_log_is_reset(any_redis: RedisServer, sit: Sit) -> None:
    desk = await sit(any_redis)
    desk.admin.config_set("slowlog-log-slower-than", 0)
    desk.admin.get("a")
    desk.admin.config_set("slowlog-log-slower-than", -1)
    running = await desk.do("redis.slowlog_reset", desk.database())
    assert outcome(running) == (OutcomeKind.DONE, "the slow log is empty")
    assert desk.admin.slowlog_len() == 0
    empty = await desk.plan("redis.slowlog_reset", ServerIdentity(desk.run_id))
    assert empty.guard.kind is GuardKind.DENY


async def test_without_the_flag_a_plan_is_made_as_the_monitoring_user(
    any_redis: RedisServer, tmp_path: Path
) -> None:
    fill(any_redis, 10)
    version = tuple(int(p) for p in any_redis.admin().info("server")["redis_version"].split(".")[:2])
    rule = acl_rule("watcher", version=version).replace("CHOOSE-A-PASSWORD", "pw")
    any_redis.admin().execute_command(*rule.split())
    watcher = any_redis.url("watcher", "pw")
    desk = Desk(any_redis, tmp_path, permitted=False, url=watcher, act_username="nobody")
    planned = await desk.plan("redis.purge", PurgeIdentity(desk.run_id, 0, "session:*"))
    assert "10 of 10 keys match" in said(planned)
    assert any_redis.admin().acl_log() == []
    await desk.gateway.close()


async def test_at_maxclients_actions_go_over_the_connection_that_was_kept(
    any_redis: RedisServer, sit: Sit
) -> None:
    fill(any_redis, 10, prefix="cart")
    desk = await sit(any_redis)
    await desk.gateway.open()
    desk.admin.config_set("maxclients", 2)
    with pytest.raises(redis.ConnectionError):
        any_redis.admin().ping()
    running = await desk.do("redis.purge", PurgeIdentity(desk.run_id, 0, "cart:*"))
    assert outcome(running)[0] is OutcomeKind.DONE
    assert desk.admin.dbsize() == 0


async def test_a_frozen_server_gives_no_plan_and_says_why(start_redis: StartRedis, sit: Sit) -> None:
    server = start_redis()
    desk = await sit(server)
    database = desk.database()
    with frozen(server.pid), pytest.raises(TargetError) as caught:
        await desk.plan("redis.flushdb", database)
    assert "no answer" in caught.value.reason
