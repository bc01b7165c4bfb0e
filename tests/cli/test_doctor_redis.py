"""`opsdash doctor` on real Redis and Valkey servers, as users of an ACL."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsdash.collectors.redis.commands import READS, acl_name
from opsdash.collectors.redis.doctor import PROBES, diagnose
from tests.cli.run_opsdash import run_opsdash, write_config
from tests.support.faults import Proxy, Wire
from tests.support.redis_servers import RedisServer, redis_target

PASSWORD = "hunter2x"


def examined(folder: Path, url: str, extra: str = "") -> tuple[int, dict[str, Any]]:
    """The exit code, and what was said of the only target."""
    text = f'[[redis]]\nname = "cache"\nenvironment = "staging"\nurl = "{url}"\n{extra}\n'
    path = write_config(folder, text)
    environ = {"PASSWORD": PASSWORD}
    ended = run_opsdash("doctor", "--json", "--config", str(path), home=folder, environ=environ)
    assert ended.stderr == ""
    assert PASSWORD not in ended.stdout
    (target,) = json.loads(ended.stdout)["targets"]
    return ended.returncode, target


def states(target: dict[str, Any]) -> dict[str, str]:
    return {check["subject"]: check["state"] for check in target["checks"]}


def fixes(target: dict[str, Any], state: str = "missing") -> list[str]:
    found = [check["fix"]["lines"] for check in target["checks"] if check["state"] == state and check["fix"]]
    return [line for lines in found for line in lines]


def run(server: RedisServer, *lines: str) -> None:
    for line in lines:
        server.admin().execute_command(*line.replace("CHOOSE-A-PASSWORD", PASSWORD).split())


def url(server: RedisServer, user: str) -> str:
    return server.url(user, PASSWORD)


def test_every_command_that_is_read_with_is_tried() -> None:
    sent_at_login = {"select"}
    needs_a_name = {"sentinel|ckquorum"}
    assert {acl_name(words) for words in PROBES} == set(READS) - sent_at_login - needs_a_name


@pytest.mark.parametrize(
    "rules", ["-@all +info", "~* -@all +@read +info +client|id", "~* +@all -slowlog|get"]
)
def test_what_a_user_may_not_send_is_granted_as_told(
    rules: str, any_redis: RedisServer, tmp_path: Path
) -> None:
    run(any_redis, f"ACL SETUSER ops on >CHOOSE-A-PASSWORD {rules}")
    code, target = examined(tmp_path, url(any_redis, "ops"))
    assert (code, states(target)["reading"]) == (1, "missing")
    run(any_redis, *fixes(target))
    code, target = examined(tmp_path, url(any_redis, "ops"))
    assert (code, states(target)["reading"]) == (0, "ok")


def test_the_user_it_advises_in_place_of_default_is_enough(any_redis: RedisServer, tmp_path: Path) -> None:
    code, target = examined(tmp_path, any_redis.url())
    assert (code, states(target)["user"]) == (0, "advice")
    run(any_redis, *fixes(target, "advice"))
    acting = 'act_username = "opsdash_act"\nact_password_env = "PASSWORD"'
    code, target = examined(tmp_path, url(any_redis, "opsdash"), acting)
    assert (code, fixes(target)) == (0, [])
    assert states(target) == {"reading": "ok", "acting": "ok", "password": "advice"}


def test_a_user_that_does_not_get_in_is_let_in_as_told(any_redis: RedisServer, tmp_path: Path) -> None:
    code, target = examined(tmp_path, url(any_redis, "ops"))
    assert (code, target["failure"]["kind"]) == (3, "authentication failed")
    run(any_redis, *fixes(target))
    code, target = examined(tmp_path, url(any_redis, "ops"))
    assert target["failure"] is None
    run(any_redis, *fixes(target))  # what only this version has
    assert examined(tmp_path, url(any_redis, "ops"))[0] == 0


def test_an_act_user_that_does_not_get_in_is_let_in_as_told(any_redis: RedisServer, tmp_path: Path) -> None:
    acting = 'act_username = "acts"\nact_password_env = "PASSWORD"'
    code, target = examined(tmp_path, any_redis.url(), acting)
    assert (code, states(target)["acting"]) == (1, "missing")
    run(any_redis, *fixes(target))
    assert examined(tmp_path, any_redis.url(), acting)[0] == 0


def test_doctor_sends_nothing_that_changes_the_server(any_redis: RedisServer, tmp_path: Path) -> None:
    admin = any_redis.admin()
    run(any_redis, "SET key value", "CONFIG RESETSTAT")
    examined(tmp_path, any_redis.url(), 'act_username = "default"')
    sent = {name.removeprefix("cmdstat_") for name in admin.info("commandstats")}
    assert sent <= {*READS, "hello", "auth", "config|resetstat", "client|setinfo"}
    assert admin.get("key") == "value"


def test_a_server_that_is_not_there_is_3(tmp_path: Path) -> None:
    code, target = examined(tmp_path, "redis://127.0.0.1:1")
    assert (code, target["status"]) == (3, "unreachable")
    assert target["failure"]["hint"]


@pytest.mark.parametrize(
    "wire", [wire for wire in Wire if wire is not Wire.PASS], ids=lambda wire: wire.value
)
async def test_a_broken_wire_gives_a_reason_in_time(
    wire: Wire, start_redis: Callable[..., RedisServer]
) -> None:
    server = start_redis("redis7")
    async with Proxy(server.port) as proxy:
        proxy.set(wire)
        async with asyncio.timeout(30):
            diagnosis = await diagnose(redis_target(f"redis://127.0.0.1:{proxy.port}"))
    assert diagnosis.failure is not None
    assert diagnosis.failure.reason


def test_a_sentinel_is_looked_at_as_one(start_redis: Callable[..., RedisServer], tmp_path: Path) -> None:
    primary = start_redis("redis7")
    config = primary.folder / "sentinel.conf"
    config.write_text(f"sentinel monitor shop 127.0.0.1 {primary.port} 1\n")
    config.chmod(0o666)
    sentinel = start_redis("redis7", str(config), "--sentinel")
    code, target = examined(tmp_path, sentinel.url())
    assert (code, target["summary"], states(target)) == (0, "Sentinel", {"reading": "ok"})
