"""Runs the command `opsdash` as a person does: in a fresh interpreter, with an environment of its own."""

import os
import subprocess
import sys
from pathlib import Path

LIMIT_S = 60


def run_opsdash(
    *arguments: str, home: Path, environ: dict[str, str] | None = None, cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run `python -m opsdash` with nothing of our own environment but PATH."""
    return subprocess.run(
        [sys.executable, "-m", "opsdash", *arguments],
        env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), **(environ or {})},
        cwd=cwd or home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def write_config(folder: Path, text: str, mode: int = 0o600) -> Path:
    """Write an opsdash.toml into `folder`."""
    path = folder / "opsdash.toml"
    path.write_text(text)
    path.chmod(mode)
    return path
