"""Whether there is a terminal the screen can be shown on, and how Textual is told to behave on it."""

import os
from collections.abc import Mapping, MutableMapping
from typing import Protocol

_ALWAYS = {
    "TEXTUAL_ANIMATIONS": "none",  # each frame of an animation is bytes over a slow link
    "TEXTUAL_SMOOTH_SCROLL": "0",
    # what is drawn waits for the next frame: at Textual's 60 a second that was 8 ms of every key, and 16 of
    # the first figures. How often readings draw is decided elsewhere (`bridge.py`)
    "TEXTUAL_FPS": "250",
}


class Stream(Protocol):
    """The part of a standard stream that is looked at."""

    def isatty(self) -> bool:
        """Whether it is a terminal."""


def why_no_screen(environ: Mapping[str, str], streams: Mapping[str, Stream | None]) -> str | None:
    """Why the screen cannot be shown; None when it can.

    Args:
        environ: The variables, as in `os.environ`.
        streams: Standard streams by name; None for a closed one. Textual reads keys from standard input
            and draws on standard error, so every one of them must be a terminal.

    >>> why_no_screen({"TERM": "dumb"}, {})
    'TERM is "dumb": this terminal cannot place text'
    >>> why_no_screen({"TERM": "xterm"}, {"standard output": None})
    'standard output is not a terminal'
    """
    for name, stream in streams.items():
        if stream is None or not stream.isatty():
            return f"{name} is not a terminal"
    term = environ.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        return f'TERM is "{term}": this terminal cannot place text'
    return None


def takes_mouse(environ: Mapping[str, str]) -> bool:
    """Whether to take the mouse when nobody said so.

    Not where every movement is sent over a network, nor where people share a terminal and select in it.

    >>> takes_mouse({}), takes_mouse({"TMUX": "socket,1,0"}), takes_mouse({"SSH_TTY": "pts/1"})
    (True, False, False)
    """
    return not any(environ.get(name) for name in ("SSH_TTY", "SSH_CONNECTION", "TMUX", "STY"))


def prepare(environ: MutableMapping[str, str] = os.environ, *, is_slow: bool = False) -> None:
    """Tell Textual to be quiet. It reads its settings once, when it is imported: call this before.

    What the user set stays.

    Args:
        environ: The variables, which are changed.
        is_slow: Whether bytes are dear: fewer frames then.
    """
    if is_slow:
        environ.setdefault("TEXTUAL_FPS", "10")
    for name, value in _ALWAYS.items():
        environ.setdefault(name, value)
    for name in ("COLUMNS", "LINES"):  # would win over what the terminal says, and stay when it is resized
        environ.pop(name, None)
