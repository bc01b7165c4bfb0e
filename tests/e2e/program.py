"""How the tests run opsdash: this checkout, with a state and a configuration of its own."""

import json
import os
import shlex
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.target import Target
from tests.support.targets import postgres_target
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]


def environ(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a person who has nothing configured."""
    importable = os.pathsep.join((str(ROOT), *filter(None, sys.path)))
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "PYTHONPATH": importable,
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        **more,
    }


def opsdash(*arguments: str) -> str:
    """A shell command that runs opsdash."""
    return shlex.join([sys.executable, "-m", "opsdash", *arguments])


def watched(command: str, folder: Path) -> str:
    """A shell that runs `command`, keeps the terminal's modes of before and after it, and then stays."""
    before, after = (shlex.quote(str(folder / name)) for name in ("stty-before", "stty-after"))
    return f"stty -g > {before}; {command}; echo ended with $?; stty -g > {after}; echo all told; exec cat"


def configuration(folder: Path, targets: Sequence[Target], *, production: bool = False) -> Path:
    """A file that names the PostgreSQL servers among `targets`."""
    lines = ["[environment]", 'name = "shop"', f"production = {str(production).lower()}"]
    for target in targets:
        settings = target.settings
        if not isinstance(settings, PostgresSettings):
            continue
        lines += [
            "[[postgres]]",
            f'name = "{target.name}"',
            f'dsn = "{settings.dsn}"',
            f'act_dsn = "{settings.act_dsn or settings.dsn}"',
            f"interval = {target.interval_s}",
            "[postgres.thresholds]",
            f"wait_warn_s = {settings.thresholds.wait_warn_s}",
            f"wait_crit_s = {settings.thresholds.wait_crit_s}",
            f"idle_in_transaction_s = {settings.thresholds.idle_in_transaction_s}",
        ]
    path = folder / "opsdash.toml"
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    return path


def audited(folder: Path) -> list[dict[str, Any]]:
    """The intent and what follows it, as they are on disk; an outcome is written right after it is shown."""
    path = folder / "state/opsdash/audit.jsonl"

    def acts() -> list[dict[str, Any]]:
        records = map(json.loads, path.read_text().splitlines())
        return [r for r in records if r["event"] in ("intent", "outcome", "refused")]

    wait_until(lambda: [act["event"] for act in acts()][-1:] != ["intent"], 30, "the outcome is recorded")
    return acts()


@contextmanager
def silent_targets(count: int, *, is_listening: bool = True) -> Iterator[list[Target]]:
    """Targets that take connections and never say a word; or that refuse them."""
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        if is_listening:
            port.listen(64)
        dsn = f"host=127.0.0.1 port={port.getsockname()[1]} user=nobody dbname=none sslmode=disable"
        yield [postgres_target(dsn, name=f"silent-{number}", interval_s=1.0) for number in range(count)]
