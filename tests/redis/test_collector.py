"""What is read of a real server, and what is not."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest
import redis

from opsdash.collectors.errors import PermissionDenied, StartingUp, TooManyClients
from opsdash.collectors.redis.beside import ASK_AGAIN_S
from opsdash.collectors.redis.commands import READS, acl_rule
from opsdash.collectors.redis.drill import slow_arguments
from opsdash.tui.demo.servers import free_port
from tests.redis.reading import SteppedClock, collector, read_once
from tests.support.redis_servers import RedisServer, fill, redis_target
from tests.support.waiting import wait_until_async

LIMIT_S = 20.0

StartRedis = Callable[..., RedisServer]


def version_of(server: RedisServer) -> tuple[int, ...]:
    told = server.admin().info("server")
    return tuple(int(part) for part in str(told["redis_version"]).split(".")[:2])


async def test_a_server_is_read_with_its_windows(any_redis: RedisServer) -> None:
    clock, admin = SteppedClock(), any_redis.admin()
    admin.config_set("maxmemory", "64mb")
    admin.config_set("maxmemory-policy", "allkeys-lru")
    fill(any_redis, 100)
    admin.expire("session:1", 1000)
    admin.set("only", "1")
    any_redis.admin(3).set("other", "1")
    async with collector(any_redis.url(), clock) as made:
        first = await made.collect()
        for name in ["session:2"] * 6 + ["no such key"] * 2:
            admin.get(name)
        clock.at_s += 4.0
        second = await made.collect()
    assert first.rates.span_s is None
    assert first.rates.ops_per_s is None, "nothing is said about a time before the first reading"
    assert first.recent.rejected_connections is None
    assert (second.rates.span_s, second.rates.lookups_per_s, second.rates.hit_ratio) == (4.0, 2.0, 0.75)
    assert (second.recent.span_s, second.recent.lookups) == (4.0, 8)
    assert second.hit_ratio == 0.75
    assert [(d.db, d.keys, d.expires) for d in second.databases] == [(0, 101, 1), (3, 1, 0)]
    assert second.memory.maxmemory_bytes == 64 * 2**20
    assert second.memory.maxmemory_policy == "allkeys-lru"
    assert second.mode == "standalone"
    assert second.replication.role == "master"
    assert next(c for c in second.commands if c.name == "get").calls_per_s == 2.0
    assert second.limits == ()


@pytest.mark.parametrize(("product", "name"), [("valkey", "Valkey 9."), ("redis7", "Redis 7.")])
async def test_the_product_is_named(product: str, name: str, start_redis: StartRedis) -> None:
    data = await read_once(start_redis(product).url())
    assert data.title.startswith(name)


async def test_after_a_reset_of_the_counters_nothing_is_made_up(any_redis: RedisServer) -> None:
    clock, admin = SteppedClock(), any_redis.admin()
    for _ in range(500):
        admin.get("a")
    async with collector(any_redis.url(), clock) as made:
        await made.collect()
        admin.config_resetstat()
        clock.at_s += 2.0
        after = await made.collect()
        clock.at_s += 2.0
        later = await made.collect()
    assert after.rates.ops_per_s is None
    assert after.recent.lookups is None
    assert later.recent.span_s == 2.0


async def test_after_a_restart_the_next_reading_connects_anew(any_redis: RedisServer) -> None:
    async with collector(any_redis.url()) as made:
        before = await made.collect()
        await asyncio.to_thread(any_redis.restart)
        with suppress(Exception):
            await made.collect()
        after = await made.collect()
    assert after.run_id != before.run_id
    assert after.rates.ops_per_s is None


async def test_clients_are_listed_without_our_own(any_redis: RedisServer) -> None:
    other = any_redis.admin(2, client_name="checkout")
    other.get("a")
    async with collector(any_redis.url()) as watching, collector(any_redis.url()) as made:
        await watching.collect()
        data = await made.collect()
    assert data.clients is not None
    assert [(c.name, c.db, c.command) for c in data.clients] == [("checkout", 2, "get")]


async def test_whoever_calls_itself_opsdash_too_is_shown(any_redis: RedisServer) -> None:
    other = any_redis.admin(client_name="opsdash")
    other.get("a")
    data = await read_once(any_redis.url())
    other.close()
    assert [c.name for c in data.clients or ()] == ["opsdash"]


async def test_a_blocked_client_and_an_open_transaction_are_told(any_redis: RedisServer) -> None:
    waiting, queueing = any_redis.admin(), any_redis.admin()
    connection = queueing.connection_pool.get_connection()
    for words in (["MULTI"], ["SET", "a", "1"]):
        connection.send_command(*words)
        connection.read_response()
    blocked = asyncio.create_task(asyncio.to_thread(waiting.blpop, ["empty"], 0))

    async def is_blocked() -> Any:
        data = await read_once(any_redis.url())
        return data.blocked_clients and data.clients

    clients = await wait_until_async(is_blocked, LIMIT_S, "somebody is blocked")
    any_redis.admin().rpush("empty", "1")
    await blocked
    assert [c.command for c in clients if c.is_blocked] == ["blpop"]
    assert [c.queued for c in clients if c.queued is not None] == [1]


async def test_arguments_of_slow_commands_are_in_nothing_that_comes_out(any_redis: RedisServer) -> None:
    admin = any_redis.admin()
    admin.config_set("slowlog-log-slower-than", 0)
    admin.set("user:hunter2", "hunter2")
    admin.eval("return redis.call('get', KEYS[1])", 1, "user:hunter2")
    admin.config_set("slowlog-log-slower-than", -1)
    data = await read_once(any_redis.url())
    commands = [(e.command, e.arguments) for e in data.slowlog or ()]
    assert ("SET", 2) in commands
    assert ("EVAL", 3) in commands
    assert "hunter2" not in msgspec.json.encode(data).decode()


async def test_the_arguments_of_one_slow_command_can_be_asked_for(any_redis: RedisServer) -> None:
    admin = any_redis.admin()
    admin.config_set("slowlog-log-slower-than", 0)
    admin.set("cart:7", "some value")
    admin.config_set("slowlog-log-slower-than", -1)
    data = await read_once(any_redis.url())
    entry = next(e for e in data.slowlog or () if e.command == "SET")
    target = redis_target(any_redis.url())
    assert await slow_arguments(target, entry.id) == "cart:7 some value"
    assert await slow_arguments(target, entry.id + 100) is None


async def test_refused_writes_are_counted_over_the_last_minute(any_redis: RedisServer) -> None:
    clock, admin = SteppedClock(), any_redis.admin()
    async with collector(any_redis.url(), clock) as made:
        await made.collect()
        admin.config_set("maxmemory", "1mb")
        for _ in range(3):
            with pytest.raises(redis.OutOfMemoryError):
                admin.set("a", "x" * 10)
        clock.at_s += 12.0
        data = await made.collect()
        clock.at_s += 70.0
        await made.collect()
        clock.at_s += 70.0
        later = await made.collect()
    assert [(e.count, e.recent) for e in data.errors if e.name == "OOM"] == [(3, 3)]
    assert data.recent.span_s == 12.0
    assert [(e.count, e.recent) for e in later.errors if e.name == "OOM"] == [(3, 0)]


@pytest.mark.parametrize("may_act", [False, True])
async def test_the_documented_acl_permits_all_that_is_read(any_redis: RedisServer, may_act: bool) -> None:
    admin = any_redis.admin()
    rule = acl_rule("watcher", version=version_of(any_redis), may_act=may_act)
    admin.execute_command(*rule.replace("CHOOSE-A-PASSWORD", "pw").split())
    admin.config_set("slowlog-log-slower-than", 0)
    data = await read_once(any_redis.url("watcher", "pw"))
    assert data.limits == ()
    assert data.clients
    assert data.slowlog
    denied = admin.acl_log()
    # what an old server does not know it cannot permit; asked for once, when connecting
    assert {entry["object"] for entry in denied} <= {"client|no-evict", "client|no-touch"}


async def test_only_listed_commands_are_sent(any_redis: RedisServer) -> None:
    """Judged by the server's own counts."""
    admin = any_redis.admin()
    admin.config_set("slowlog-log-slower-than", 0)
    admin.config_resetstat()
    async with collector(any_redis.url(db=1)) as made:
        for _ in range(3):
            await made.collect()
    sent = {name.removeprefix("cmdstat_") for name in admin.info("commandstats")}
    assert sent <= {*READS, "config|resetstat"}
    assert {"info", "client|list", "slowlog|get", "latency|latest", "memory|doctor"} <= sent


async def test_what_may_not_be_asked_is_named_and_asked_again_later(any_redis: RedisServer) -> None:
    clock, admin = SteppedClock(), any_redis.admin()
    admin.execute_command("ACL", "SETUSER", "half", "on", ">pw", "~*", "-@all", "+info", "+ping")
    async with collector(any_redis.url("half", "pw"), clock) as made:
        first = await made.collect()
        admin.acl_log_reset()
        clock.at_s += 2.0
        await made.collect()
        assert admin.acl_log() == [], "a refused command is not sent again with every reading"
        admin.execute_command("ACL", "SETUSER", "half", "+client|list", "+slowlog|get")
        clock.at_s += ASK_AGAIN_S
        later = await made.collect()
    assert first.memory.used_memory_bytes
    assert first.clients is None, "unknown, not empty"
    assert first.slowlog is None
    assert any("CLIENT LIST" in limit and "+client|list" in limit for limit in first.limits)
    assert later.clients is not None
    assert not any("CLIENT LIST" in limit for limit in later.limits)


async def test_without_info_the_rule_that_is_missing_is_told(any_redis: RedisServer) -> None:
    any_redis.admin().execute_command("ACL", "SETUSER", "none", "on", ">pw", "-@all", "+ping")
    with pytest.raises(PermissionDenied) as caught:
        await read_once(any_redis.url("none", "pw"))
    assert "ACL SETUSER opsdash" in (caught.value.hint or "")


async def test_at_maxclients_the_open_connection_goes_on_and_a_new_one_is_told_why(
    any_redis: RedisServer,
) -> None:
    async with collector(any_redis.url()) as made:
        await made.collect()
        any_redis.admin().config_set("maxclients", 3)
        held = [any_redis.admin() for _ in range(3)]
        with suppress(redis.ConnectionError):
            for client in held:
                client.ping()
        with pytest.raises(TooManyClients):
            await read_once(any_redis.url())
        data = await made.collect()
    assert data.maxclients == 3
    assert data.rejected_connections


async def test_a_long_list_of_clients_is_read_less_often(any_redis: RedisServer) -> None:
    clock = SteppedClock()
    held = [any_redis.admin() for _ in range(300)]
    for client in held:
        client.ping()
    async with collector(any_redis.url(), clock) as made:
        first = await made.collect()
        held.append(any_redis.admin())
        held[-1].ping()
        clock.at_s += 2.0
        second = await made.collect()
        clock.at_s += 2.0
        third = await made.collect()
    assert len(first.clients or ()) == 300
    assert len(second.clients or ()) == 300
    assert second.clients_read_s_ago == 2.0
    assert len(third.clients or ()) == 301


async def test_a_server_that_loads_says_how_far_it_is(start_redis: StartRedis) -> None:
    slowly = {"key-load-delay": 0, "loading-process-events-interval-bytes": 1024}
    server = start_redis("redis7", options=slowly)
    fill(server, 20_000)
    server.admin().save()
    server.stop()
    server.options["key-load-delay"] = 500
    server.start()
    server.wait_ready()
    with pytest.raises(StartingUp) as caught:
        await read_once(server.url())
    assert "done" in caught.value.reason


async def test_a_replica_and_its_broken_link_are_told(start_redis: StartRedis) -> None:
    primary, replica = start_redis(), start_redis()
    replica.admin().replicaof("127.0.0.1", primary.port)

    async def link() -> str | None:
        return (await read_once(replica.url())).replication.link_status

    await wait_until_async(lambda: _is(link, "up"), LIMIT_S, "the link is up")
    seen = await read_once(primary.url())
    assert [(r.state, r.address) for r in seen.replication.replicas] == [
        ("online", f"127.0.0.1:{replica.port}")
    ]
    primary.stop()
    await wait_until_async(lambda: _is(link, "down"), LIMIT_S, "the link is down")
    data = await read_once(replica.url())
    assert data.replication.is_replica
    assert data.title.endswith("replica")
    assert data.replication.primary_address == f"127.0.0.1:{primary.port}"


async def _is(read: Callable[[], Any], wanted: str) -> bool:
    return bool(await read() == wanted)


@pytest.mark.parametrize("product", ["valkey", "redis7"])
async def test_a_sentinel_tells_of_its_primary_and_the_quorum(
    product: str, start_redis: StartRedis, tmp_path_factory: pytest.TempPathFactory
) -> None:
    primary = start_redis(product)
    conf = primary.folder.parent / f"sentinel-{primary.port}.conf"
    conf.write_text(
        f"sentinel monitor shop 127.0.0.1 {primary.port} 2\nsentinel down-after-milliseconds shop 500\n"
    )
    conf.chmod(0o666)
    sentinel = start_redis(product, str(conf), "--sentinel")
    data = await read_once(sentinel.url())
    assert data.mode == "sentinel"
    (master,) = data.sentinel
    assert (master.name, master.status, master.address) == ("shop", "ok", f"127.0.0.1:{primary.port}")
    assert master.has_quorum is False, "one sentinel, two are wanted"
    assert "NOQUORUM" in (master.quorum or "")
    primary.stop()

    async def status() -> bool:
        return (await read_once(sentinel.url())).sentinel[0].status == "sdown"

    await wait_until_async(status, LIMIT_S, "the sentinel says that it is down")


@pytest.mark.parametrize("product", ["valkey", "redis7"])
async def test_a_cluster_node_tells_whether_all_slots_are_served(
    product: str, start_redis: StartRedis
) -> None:
    server = start_redis(product, options={"cluster-enabled": "yes", "cluster-port": free_port()})
    before = await read_once(server.url())
    assert before.mode == "cluster"
    assert before.cluster is not None
    assert before.cluster.state == "fail"
    server.admin().execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)

    async def is_ok() -> bool:
        data = await read_once(server.url())
        return data.cluster is not None and data.cluster.state == "ok"

    await wait_until_async(is_ok, LIMIT_S, "all slots are served")


async def test_escape_sequences_in_error_names_are_made_visible(any_redis: RedisServer) -> None:
    with suppress(redis.ResponseError):
        any_redis.admin().eval("return redis.error_reply('E\\27[31mVIL told')", 0)
    data = await read_once(any_redis.url())
    assert "\x1b" not in str([e.name for e in data.errors])
