"""What doctor says of the terminal: what it can show, and what tmux should be told."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from opsdash.collectors.diagnosis import Check, Fix, advice, missing, ok
from opsdash.collectors.text import one_line
from opsdash.tui.terminal import takes_mouse, why_no_screen

_SMALLEST = (60, 15)
"""Columns and rows below which the screen has no room."""
_ESCAPE_MS = 50
"""tmux waits this long after Esc for more of a key; above it Esc feels late."""
_TMUX_S = 2.0
_TMUX_CONF = "in a shell; the same lines without `tmux` in ~/.tmux.conf keep it"


class Output(Protocol):
    """The part of standard output that is looked at."""

    @property
    def encoding(self) -> str:
        """How text becomes bytes."""

    def isatty(self) -> bool:
        """Whether it is a terminal."""

    def fileno(self) -> int:
        """Its descriptor."""


def terminal_checks(environ: Mapping[str, str], output: Output) -> Sequence[Check]:
    """What can be known from the environment, from standard output and from tmux; draws nothing."""
    if not output.isatty():
        return [advice("terminal", "not looked at: standard output is not a terminal")]
    refused = why_no_screen(environ, {})
    if refused is not None:
        fix = Fix(where="in a shell, where the terminal can", lines=("export TERM=xterm-256color",))
        return [missing("TERM", refused, fix)]
    checks = [_colours(environ), _encoding(output.encoding), _size(output), _mouse(environ)]
    if environ.get("TMUX"):
        checks += tmux_checks(environ, _tmux_options())
    elif environ.get("STY"):
        checks.append(advice("screen", "inside GNU screen: 256 colours and no clipboard; tmux does more"))
    return checks


def tmux_checks(environ: Mapping[str, str], options: Mapping[str, str] | None) -> Iterator[Check]:
    """What tmux should be told. Pure.

    Args:
        environ: The variables, as in `os.environ`.
        options: `escape-time`, `window-size`, `terminal-features` and `terminal-overrides`; None where tmux
            did not answer.

    >>> options = {"escape-time": "500", "window-size": "latest"}
    >>> [check.fix.lines for check in tmux_checks({"TERM": "tmux-256color"}, options) if check.fix][0]
    ('tmux set-option -s escape-time 10',)
    """
    term = environ.get("TERM", "")
    if not term.startswith(("tmux", "screen")):
        yield missing(
            "tmux",
            f"TERM is {one_line(term)} inside tmux, not tmux-256color: keys and colours may be wrong",
            Fix(where=_TMUX_CONF, lines=("tmux set-option -g default-terminal tmux-256color",)),
        )
    if options is None:
        yield advice("tmux", "it did not say how it is set up; escape-time 10 is what Esc needs")
        return
    yield _escape(options)
    if environ.get("COLORTERM") in ("truecolor", "24bit") and not _passes_truecolor(options):
        yield advice(
            "tmux",
            "COLORTERM promises 16 million colours, but tmux is not told that its terminal has them",
            Fix(
                where=_TMUX_CONF + "; then attach again",
                lines=("tmux set-option -as terminal-features ',xterm*:RGB'",),
            ),
        )
    if options.get("window-size") == "latest":
        yield advice(
            "tmux",
            "window-size is latest: where several watch, whoever types next resizes the screen for all",
            Fix(where=_TMUX_CONF, lines=("tmux set-option -g window-size smallest",)),
        )


def _escape(options: Mapping[str, str]) -> Check:
    stated = options.get("escape-time", "")
    if not stated.isdecimal() or int(stated) <= _ESCAPE_MS:
        return ok("tmux", f"escape-time is {stated or 'unknown'} ms")
    return advice(
        "tmux",
        f"escape-time is {stated} ms: Esc is answered that much later (q is not)",
        Fix(where=_TMUX_CONF, lines=("tmux set-option -s escape-time 10",)),
    )


def _passes_truecolor(options: Mapping[str, str]) -> bool:
    return "RGB" in options.get("terminal-features", "") or "Tc" in options.get("terminal-overrides", "")


def _tmux_options() -> Mapping[str, str] | None:
    """What the tmux around us is set to; None when it does not answer."""
    asked = {
        "escape-time": "-sv",
        "terminal-features": "-sv",
        "terminal-overrides": "-sv",
        "window-size": "-gwv",
    }
    options = {}
    for name, scope in asked.items():
        try:
            ended = subprocess.run(
                ["tmux", "show-options", scope, name],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TMUX_S / len(asked),
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if ended.returncode == 0:  # older ones do not know all
            options[name] = one_line(ended.stdout.decode("utf-8", "replace"))
    return options or None


def _colours(environ: Mapping[str, str]) -> Check:
    term = one_line(environ.get("TERM", ""))
    if environ.get("NO_COLOR"):
        return ok("colours", f"none, since NO_COLOR is set (TERM={term}); glyphs and words say the same")
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return ok("colours", f"16 million (TERM={term})")
    if term.endswith(("256color", "kitty", "direct")):
        return ok("colours", f"256 (TERM={term})")
    return advice(
        "colours",
        f"16 (TERM={term}); glyphs and words say the same",
        Fix(where="in a shell, where the terminal can do more", lines=("export TERM=xterm-256color",)),
    )


def _encoding(encoding: str) -> Check:
    if encoding.lower().replace("-", "") == "utf8":
        return ok("encoding", "UTF-8")
    return missing(
        "encoding",
        f"{encoding}: glyphs, lines and bars become question marks",
        Fix(where="in a shell", lines=("export LC_ALL=C.UTF-8",)),
    )


def _size(output: Output) -> Check:
    columns, rows = os.get_terminal_size(output.fileno())
    if (columns, rows) == (0, 0):
        return advice("size", "the terminal does not say")
    if columns < _SMALLEST[0] or rows < _SMALLEST[1]:
        wanted = f"{_SMALLEST[0]}x{_SMALLEST[1]}"
        return missing("size", f"{columns}x{rows}: the screen needs {wanted}; 80x24 shows it well")
    return ok("size", f"{columns}x{rows}")


def _mouse(environ: Mapping[str, str]) -> Check:
    if takes_mouse(environ):
        return ok("mouse", "taken by opsdash")
    return ok(
        "mouse", "left to the terminal over SSH and in tmux, so that people can select; --mouse takes it"
    )
