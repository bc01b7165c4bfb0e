"""Text to the clipboard of whoever sits at the terminal, or as near to it as this terminal lets us."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from textual.app import App

from opsdash.collectors.format import size
from opsdash.tui.config import state_folder
from opsdash.tui.export import shown_path, write_new

LARGEST_BYTES = 100_000
"""More than this goes to a file: many terminals drop a longer sequence without a word."""
_TMUX_S = 2.0
_UNABLE = ("linux", "dumb", "vt100", "vt220")
"""Terminals without a clipboard."""


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """Where a text went."""

    to: str
    """For people: "the clipboard", "tmux's buffer", a file."""
    path: Path | None = None


async def copy(app: App[Any], text: str, environ: Mapping[str, str] | None = None) -> Copied:
    """Copy `text`, which is masked already.

    Inside tmux it goes into tmux's own buffer, and from there to the terminal where tmux passes it on.
    Elsewhere it goes to the terminal (OSC 52), which may refuse without saying so. What is too long, and
    where there is no clipboard, goes to a file of the state folder.

    Raises:
        ExportError: A file was needed and could not be written.
    """
    environ = os.environ if environ is None else environ
    if len(text.encode()) > LARGEST_BYTES:
        return await _to_file(text, environ, f"{size(len(text.encode()))} are too much for a clipboard")
    if environ.get("TMUX") and await _to_tmux(text):
        return Copied(to="tmux's buffer, and the terminal's clipboard where tmux passes it on")
    if environ.get("STY") or environ.get("TERM", "") in _UNABLE:
        return await _to_file(text, environ, "this terminal has no clipboard")
    app.copy_to_clipboard(text)
    return Copied(to="the terminal's clipboard (OSC 52; some terminals refuse it)")


async def _to_file(text: str, environ: Mapping[str, str], why: str) -> Copied:
    path = await write_new(state_folder(environ) / "copied", "copied", text)
    return Copied(to=f"{shown_path(path)}: {why}", path=path)


async def _to_tmux(text: str) -> bool:
    """Load tmux's buffer; False where that cannot be done, so that another way is taken."""
    for arguments in (("-w", "-"), ("-",)):  # before tmux 3.2 without passing it on
        try:
            process = await asyncio.create_subprocess_exec(
                *("tmux", "load-buffer", *arguments),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError:
            return False
        try:
            await asyncio.wait_for(process.communicate(text.encode()), _TMUX_S)
        except TimeoutError:
            process.kill()
            return False
        if process.returncode == 0:
            return True
    return False
