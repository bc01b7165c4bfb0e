"""Keys purged from a cache in a real terminal; then the server is asked what is left."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import audited, environ, opsdash
from tests.e2e.tmux import Terminal, terminal
from tests.support.redis_servers import RedisServer, fill
from tests.support.waiting import wait_until

StartRedis = Callable[..., RedisServer]

CARTS = 120_000
SESSIONS = 30_000
"""Must stay."""

SIZES = [(132, 34), (80, 24)]


def count(server: RedisServer, pattern: str) -> int:
    """Keys that match, counted by the server's own SCAN."""
    return len({*server.admin().scan_iter(pattern, count=5000)})


def configuration(folder: Path, server: RedisServer) -> Path:
    path = folder / "opsdash.toml"
    path.write_text(
        '[environment]\nname = "shop"\nproduction = true\n'
        f'[[redis]]\nname = "carts"\nurl = "{server.url()}"\ninterval = 1.0\n'
    )
    path.chmod(0o600)
    return path


@pytest.fixture
def open_pane(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Runs opsdash on a server of production, armed when the block begins."""

    def opened(server: RedisServer, size: tuple[int, int]) -> Any:
        command = opsdash("--config", str(configuration(tmp_path, server)), "--allow-actions")
        return terminal(tmp_path, command, environ=environ(tmp_path), size=size)

    return opened


def plan_of_purge(pane: Terminal, pattern: str) -> str:
    """From the first look to the plan, as a person goes: the cache, its actions, what to purge."""
    assert "PRODUCTION shop" in pane.until("● 1 target live")  # before, there is nothing to act on
    pane.keys("3")
    pane.until(lambda text: "3 Cache" in text and re.search(r"▸ . carts", text), what="the list of caches")
    pane.keys("Enter")
    pane.until("[figures]")
    pane.keys("A")
    pane.until("ARMED")
    pane.keys("a")
    pane.until("Purge keys by pattern")
    pane.keys("P")
    pane.until("pattern of the keys to purge")
    pane.type(pattern)
    pane.until(f"{pattern}▏")
    pane.keys("Enter")
    return pane.until(f"Purge {pattern} of db0 on carts (PRODUCTION shop)")


def unwrapped(text: str) -> str:
    """The text of the dialog in front, without its frame, line ends and what is behind it."""
    inside = (line.split("│")[1] for line in text.splitlines() if line.count("│") == 2)
    return re.sub(r"\s+", " ", " ".join(inside))


def whole_plan(pane: Terminal) -> str:
    """The plan with what there was no room for; wrapped lines are joined."""
    seen = pane.text()
    hidden = re.search(r"lines \d+ to (\d+) of (\d+)", seen)
    while hidden is not None and hidden[1] != hidden[2]:
        pane.keys("Down")
        before = hidden[0]
        text = pane.until(lambda text, before=before: before not in text, what="the plan has moved")
        seen += text
        hidden = re.search(r"lines \d+ to (\d+) of (\d+)", text)
    return unwrapped(seen)


def agree(pane: Terminal, name: str = "carts") -> None:
    """Type the name, and Enter."""
    pane.until("Type the target's name")
    pane.until_heard(lambda: pane.keys("Enter"), "that is not its name")
    pane.type(name)
    pane.until("Enter does it")
    pane.until_heard(lambda: pane.keys("Enter"), "intent recorded")


def gone(text: str) -> int:
    """How many keys went, by what is said last."""
    said = re.findall(r"([\d,]+) of about [\d,]+ keys are gone", text)
    assert said, text
    return int(said[-1].replace(",", ""))


@pytest.mark.parametrize("size", SIZES)
def test_purge_aborted_half_way_tells_what_the_server_counts(
    tmp_path: Path, start_redis: StartRedis, open_pane: Callable[..., Any], size: tuple[int, int]
) -> None:
    server = start_redis("redis7" if size == (80, 24) else "valkey")
    fill(server, CARTS, prefix="cart")
    fill(server, SESSIONS)
    admin = server.admin()
    with open_pane(server, size) as pane:
        plan_of_purge(pane, "cart:*")
        planned = whole_plan(pane)
        assert re.search(r"about 1[12]\d(\.\d)?k of 150(\.0)?k keys match", planned)
        assert len(set(re.findall(r"cart:\d+", planned))) == 20
        assert admin.dbsize() == CARTS + SESSIONS, "a plan purges nothing"
        agree(pane)
        wait_until(lambda: admin.dbsize() < SESSIONS + CARTS // 2, 60, "half of them went")
        pane.keys("Escape")
        pane.until(lambda text: "intent recorded" not in text, what="the dialog has closed")
        pane.keys("9")
        pane.until("9 Actions")
        pane.keys("b")
        pane.until("aborted")
        pane.keys("Enter")
        shown = gone(unwrapped(pane.until(lambda text: "stopped on request" in unwrapped(text))))
        pane.keys("Escape")
        left = admin.dbsize()
    assert shown == CARTS + SESSIONS - left
    assert 0 < left - SESSIONS < CARTS // 2
    assert count(server, "cart:*") == left - SESSIONS
    assert count(server, "session:*") == SESSIONS
    intent, outcome = audited(tmp_path)
    assert (intent["action"], outcome["id"]) == ("redis.purge", intent["id"])
    assert intent["identities"][0]["pattern"] == "cart:*"
    assert outcome["outcome"] == "aborted"
    assert gone(outcome["text"]) == shown


@pytest.mark.parametrize("size", SIZES)
def test_purge_to_the_end_leaves_none_and_touches_no_other(
    tmp_path: Path, start_redis: StartRedis, open_pane: Callable[..., Any], size: tuple[int, int]
) -> None:
    server = start_redis("valkey" if size == (80, 24) else "redis7")
    fill(server, 10_000, prefix="cart")
    fill(server, 10_000)
    fill(server, 500, prefix="cart", db=1)
    with open_pane(server, size) as pane:
        plan_of_purge(pane, "cart:*")
        assert "10000 of 20000 keys match (50%)" in whole_plan(pane)
        agree(pane)
        shown = pane.until(lambda text: "· no key matches any more" in unwrapped(text))
        assert gone(unwrapped(shown)) == 10_000
        pane.keys("Escape")
        pane.until(lambda text: "10500 keys" in text, what="the figures follow")
    assert server.admin().dbsize() == count(server, "session:*") == 10_000
    assert server.admin(1).dbsize() == 500
    intent, outcome = audited(tmp_path)
    assert outcome["id"] == intent["id"]
    assert outcome["outcome"] == "done"
    assert gone(outcome["text"]) == 10_000


def test_purge_of_a_replica_is_refused_and_names_the_primary(
    tmp_path: Path, start_redis: StartRedis, open_pane: Callable[..., Any]
) -> None:
    primary, replica = start_redis(), start_redis()
    fill(primary, 1000, prefix="cart")
    replica.admin().replicaof("127.0.0.1", primary.port)
    wait_until(lambda: replica.admin().dbsize() == 1000, 40, "the replica has the keys")
    with open_pane(replica, (80, 24)) as pane:
        text = unwrapped(plan_of_purge(pane, "cart:*"))
        assert f"this is a replica of 127.0.0.1:{primary.port}: act on the primary" in text
        assert "Type the target's name" not in text
        pane.type("carts")
        pane.keys("Enter")
        pane.until("[figures]")
    assert primary.admin().dbsize() == replica.admin().dbsize() == 1000
    assert audited(tmp_path) == []
