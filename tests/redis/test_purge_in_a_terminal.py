"""A purge in a real terminal, aborted half-way: the server says the same as the screen."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.program import environ, opsdash
from tests.e2e.tmux import terminal
from tests.support.redis_servers import RedisServer, fill
from tests.support.waiting import wait_until

StartRedis = Callable[..., RedisServer]


@pytest.mark.parametrize("size", [(132, 34), (80, 24)])
def test_an_aborted_purge_says_what_the_server_says(
    tmp_path: Path, start_redis: StartRedis, size: tuple[int, int]
) -> None:
    server = start_redis()
    admin = server.admin()
    fill(server, 100_000, prefix="cart")
    fill(server, 150_000, prefix="session")
    config = tmp_path / "opsdash.toml"
    config.write_text(
        f'[environment]\nname = "staging"\n[[redis]]\nname = "sessions"\nurl = "{server.url()}"\n'
    )
    command = opsdash("--config", str(config), "--allow-actions")
    with terminal(tmp_path, command, environ=environ(tmp_path), size=size) as pane:
        pane.until("250000 keys")
        pane.keys("3")
        pane.until(lambda text: "▸ ● sessions" in text)
        pane.keys("Enter")
        pane.until("[figures]")
        pane.keys("A")
        pane.until("ARMED")
        pane.keys("a")
        pane.until("Purge keys by pattern")
        pane.keys("P")
        pane.until("pattern of the keys to purge")
        pane.type("cart:*")
        pane.until("cart:*▏")
        pane.keys("Enter")
        asked = pane.until("y does it")
        assert "keys match" in asked
        assert admin.dbsize() == 250_000
        pane.until_heard(lambda: pane.keys("y"), "keys are gone")
        wait_until(lambda: admin.dbsize() < 230_000, 40, "a part is gone")
        pane.keys("Escape")
        pane.until(lambda text: "intent recorded" not in text, what="the dialog is closed")
        pane.keys("9")
        pane.until("9 Actions")
        pane.keys("b")
        pane.until("aborted")
        pane.keys("Enter")
        shown = pane.until(lambda text: re.search(r"aborted: [\d,]+ of", text), what="how far it got")
    said = re.search(r"aborted: ([\d,]+) of", shown)
    assert said is not None
    assert int(said[1].replace(",", "")) == 250_000 - admin.dbsize()
    assert len(admin.keys("session:*")) == 150_000, "nothing else went"
