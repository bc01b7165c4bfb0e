"""The cache area on real servers, by keys."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from opsdash.collectors.clock import Clock
from opsdash.collectors.target import Target
from opsdash.tui.actions.audit import AuditLog
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.app import OpsdashApp
from opsdash.tui.watch import Watch
from tests.actions.lamps import maria
from tests.support.redis_servers import RedisServer, fill, redis_target
from tests.support.screen import SIZES, assert_fills, cursor_line, said, text_of, until
from tests.support.waiting import wait_until_async

StartRedis = Callable[..., RedisServer]


class Room:
    """The app, reading for real."""

    def __init__(self, folder: Path, targets: Sequence[Target]) -> None:
        clock = Clock()
        self.audit_path = folder / "audit.jsonl"
        self.gateway = Gateway(
            targets, AuditLog(self.audit_path, clock=clock), clock=clock, permitted=True, operator=maria
        )
        self.watch = Watch(targets, self.gateway, clock)
        self.app = OpsdashApp(self.watch)

    @asynccontextmanager
    async def at(self, width: int, height: int) -> AsyncIterator[Pilot[Any]]:
        """Open, with a first reading of every target."""
        async with self.app.run_test(size=(width, height)) as pilot:
            await wait_until_async(
                lambda: all(view.latest for view in self.watch.feed.views()), 30, "all were read once"
            )
            yield pilot
        await self.gateway.close()
        await self.watch.stop()


def target(server: RedisServer, **settings: Any) -> Target:
    return redis_target(server.url(), name="sessions", interval_s=0.5, **settings)


async def open_server(pilot: Pilot[Any], tabs: int = 0) -> None:
    await pilot.press("3")
    await until(pilot, "TARGET")
    await pilot.press("enter")
    await until(pilot, "[figures]")
    await pilot.press(*["tab"] * tabs)


@pytest.mark.parametrize("size", SIZES)
async def test_every_view_fits_and_says_what_it_shows(
    tmp_path: Path, start_redis: StartRedis, size: tuple[int, int]
) -> None:
    server = start_redis()
    fill(server, 500)
    other = server.admin(client_name="checkout")
    server.admin().config_set("slowlog-log-slower-than", 0)
    other.get("session:1")
    server.admin().config_set("slowlog-log-slower-than", -1)
    room = Room(tmp_path, [target(server)])
    async with room.at(*size) as pilot:
        await open_server(pilot)
        await until(pilot, "replicas 0")
        assert_fills(room.app)
        for words in ("checkout", "GET", "get", "db0"):
            await pilot.press("tab")
            await until(pilot, words)
            assert_fills(room.app)
        await until(pilot, "500")
        await until(pilot, "save (RDB)")
        await pilot.press("tab")
        await until(pilot, "[figures]")
        await pilot.press("escape")
        await until(pilot, "TARGET")


async def test_a_finding_leads_to_its_view_and_suggests_what_helps(
    tmp_path: Path, start_redis: StartRedis
) -> None:
    server = start_redis()
    fill(server, 2000, value="x" * 1000)
    server.admin().config_set("maxmemory", server.admin().info("memory")["used_memory"])
    room = Room(tmp_path, [target(server)])
    async with room.at(132, 34) as pilot:
        await until(pilot, "noeviction · ")
        await pilot.press("enter")
        await until(pilot, "sessions (test) › figures")
        await until(pilot, "likely data grows and nothing is evicted")
        assert "seen noeviction: " in said(room.app)
        await pilot.press("escape")
        await until(pilot, "What is wrong")
        await pilot.press("a")
        await until(pilot, "Set maxmemory")


async def test_a_client_is_killed_from_its_row(tmp_path: Path, start_redis: StartRedis) -> None:
    server = start_redis()
    other = server.admin(client_name="leaky")
    number = other.client_id()
    room = Room(tmp_path, [target(server)])
    async with room.at(132, 34) as pilot:
        await open_server(pilot, tabs=1)
        await until(pilot, lambda _: "leaky" in text_of(room.app))
        while "leaky" not in cursor_line(room.app):
            await pilot.press("j")
        await pilot.press("enter")
        await until(pilot, f"› client {number}")
        await pilot.press("A", "K")
        await until(pilot, "CLIENT KILL ID")
        await wait_until_async(lambda: not room.app.screen.is_deaf, 30, "it listens")
        await pilot.press("y")
        await until(pilot, "client is gone")
        await pilot.press("escape")
        await until(pilot, "this client is gone")
    assert number not in [int(row["id"]) for row in server.admin().client_list()]


async def test_arguments_are_shown_on_demand_recorded_and_masked_again(
    tmp_path: Path, start_redis: StartRedis
) -> None:
    server = start_redis()
    admin = server.admin()
    admin.config_set("slowlog-log-slower-than", 0)
    admin.get("user:hunter2")
    admin.config_set("slowlog-log-slower-than", -1)
    room = Room(tmp_path, [target(server)])
    async with room.at(132, 34) as pilot:
        await open_server(pilot, tabs=2)
        await until(pilot, "GET 1 masked")
        while " GET " not in cursor_line(room.app):
            await pilot.press("j")
        assert "hunter2" not in said(room.app)
        await pilot.press("v")
        await until(pilot, "user:hunter2")
        assert '"reveal"' in room.audit_path.read_text()
        assert "hunter2" not in room.audit_path.read_text()
        await pilot.press("tab")
        await until(pilot, "[commands]")
        await pilot.press("shift+tab")
        await until(pilot, "GET 1 masked")


async def test_what_may_not_be_read_is_named_and_not_shown_as_empty(
    tmp_path: Path, start_redis: StartRedis
) -> None:
    server = start_redis()
    server.admin().execute_command("ACL", "SETUSER", "half", "on", ">pw", "-@all", "+info")
    room = Room(tmp_path, [redis_target(server.url("half", "pw"), name="sessions", interval_s=0.5)])
    async with room.at(132, 34) as pilot:
        await open_server(pilot)
        await until(pilot, "not seen")
        await pilot.press("tab")
        await until(pilot, "? not read")
        assert "+client|list" in said(room.app)
        assert "no clients" not in said(room.app)


async def test_the_next_server_is_one_key_away(tmp_path: Path, start_redis: StartRedis) -> None:
    server = start_redis()
    room = Room(
        tmp_path,
        [target(server), redis_target("redis://127.0.0.1:1/0", name="dead", interval_s=0.5)],
    )
    async with room.at(80, 24) as pilot:
        await pilot.press("3")
        await until(pilot, "✖ dead")
        await pilot.press("g", "enter")
        await until(pilot, "dead (test)")
        await until(pilot, "Connection refused")
        await pilot.press("right_square_bracket")
        await until(pilot, "sessions (test)")
        await until(pilot, "no maxmemory")
        await pilot.press("left_square_bracket")
        await until(pilot, "dead (test)")


@pytest.mark.parametrize("size", SIZES)
async def test_the_list_tells_each_servers_state(
    tmp_path: Path, start_redis: StartRedis, size: tuple[int, int]
) -> None:
    server = start_redis()
    dead = redis_target("redis://127.0.0.1:1/0", name="dead", interval_s=0.5)
    room = Room(tmp_path, [target(server), dead])
    async with room.at(*size) as pilot:
        await pilot.press("3")
        await until(pilot, "● sessions")
        await until(pilot, "✖ dead")
        assert_fills(room.app)
