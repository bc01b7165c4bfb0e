"""How the tests run opsdash: this checkout, with its own state, and a configuration that names given targets."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.target import Target

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
    """A file that names `targets`."""
    lines = ["[environment]", 'name = "shop"', f"production = {str(production).lower()}"]
    for target in targets:
        settings = target.settings
        assert isinstance(settings, PostgresSettings)
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
