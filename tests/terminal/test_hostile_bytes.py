"""What a target says never reaches the terminal as anything but characters; judged on the bytes of a pty."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from opsdash.tui.demo.servers import PostgresServer
from tests.support.harmless import is_harmful
from tests.support.pty_program import PtyProgram
from tests.support.sessions import application

CLIPBOARD, TITLE, CLEAR, RESET = "\x1b]52;c;aGk=\x07", "\x1b]0;owned\x07", "\x1b[2J", "\x1bc"
HOSTILE = f"{CLIPBOARD}{CLEAR}{TITLE}{RESET}\x9b2J\u202e\u200b[@click=app.quit][/red]"
TABLE = f'"stock{HOSTILE}"'
ROLE = f"eve{CLIPBOARD}{RESET}"

MOVES_AND_COLOURS = re.compile(r"\x1b\[(?:\d+;\d+H|\d+G|[\d;]*m)")
STARTS_AND_ENDS = re.compile(
    r"\x1b\[(?:\?(?:7|25|1049)[hl]"  # screen and cursor
    r"|\?(?:1000|1003|1004|1006|1015|2004|2026|2048)[hl]"  # mouse, focus, paste, frames
    r"|\?(?:2026|2048)\$p|>\d+u|<u)"  # what the terminal can do, keyboard protocol
    r"|\x1b\]22;default\x07"  # shape of the mouse pointer
)


def unexplained(written: bytes) -> set[str]:
    """Control sequences and harmful characters that opsdash has no reason to write."""
    rest = STARTS_AND_ENDS.sub("", MOVES_AND_COLOURS.sub("", written.decode()))
    rest = rest.replace("\r\n", "")
    return {rest[at : at + 20] for at, character in enumerate(rest) if is_harmful(character)}


def test_a_stray_sequence_is_noticed() -> None:
    assert unexplained(b"\x1b[1;2H\x1b[0;31mage\x1b[m") == set()
    for stray in (CLIPBOARD, TITLE, CLEAR, RESET, "\x9b2J", "\u202e", "\x07", "\x1b[5n"):
        assert unexplained(b"\x1b[1;2Hage" + stray.encode())


async def test_hostile_names_and_statements_are_only_shown(
    start_postgres: Callable[..., PostgresServer], tmp_path: Path
) -> None:
    server = start_postgres(major=18)
    config = tmp_path / "opsdash.toml"
    unknown_user = server.dsn(user=f"'mallory{HOSTILE[:40]}'")
    config.write_text(
        f'[[postgres]]\nname = "orders"\ndsn = {json.dumps(server.dsn())}\n'
        f'[[postgres]]\nname = "denied"\ndsn = {json.dumps(unknown_user)}\n'
    )
    config.chmod(0o600)
    async with application(server) as shop:
        await shop.ask(f"create table {TABLE} (id int)")  # type: ignore[arg-type]  # hostile on purpose
        await shop.ask(f'create role "{ROLE}" superuser login')  # type: ignore[arg-type]  # hostile on purpose
        statement = f"/* {HOSTILE} */ lock table {TABLE}"
        root = await shop.hold(statement, application_name=f"app{HOSTILE}")  # type: ignore[arg-type]  # hostile
        for _ in range(4):
            await shop.wait(f"select * from {TABLE}", user=ROLE, application_name=f"app{HOSTILE}")  # type: ignore[arg-type]  # hostile
        written = await asyncio.to_thread(look_at_everything, config, root.info.backend_pid)
    assert unexplained(written) == set()


def look_at_everything(config: Path, root_pid: int) -> bytes:
    """Go through the screens that show sessions; returns all that was written to the terminal."""
    environ = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(config.parent),
        "TERM": "xterm-256color",
    }
    command = [sys.executable, "-m", "opsdash", "--config", str(config)]
    with PtyProgram(command, environ=environ) as opsdash:
        opsdash.wait_for(f"{root_pid} blocks 4", "mallory", "␛]52;c;aGk=␇")
        opsdash.press("2")
        targets = opsdash.wait_for("Overview › 2 Database", "orders", "denied", "▸")
        on_orders = any("▸" in line and "orders" in line for line in targets.splitlines())
        for keys, shown in (
            ("\r" if on_orders else "j\r", "orders (env unknown) › sessions"),
            ("\t", "› blocked"),
            ("\t", "› statements"),
            ("\t", "› connections"),
            ("\t", "› databases"),
            ("\t", "› replication"),
            ("\t", "› sessions"),
            ("\r", "› session "),
            ("?", "any key closes"),
        ):
            opsdash.press(keys)
            opsdash.wait_for(shown)
        opsdash.press("x")
        opsdash.wait_until_gone("any key closes")
        opsdash.press("a")
        opsdash.wait_for("Terminate session")
        opsdash.press("\x03\x03")
        assert opsdash.wait_for_end() == 0
        return opsdash.written
