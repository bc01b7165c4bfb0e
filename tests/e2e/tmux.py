"""A real terminal: a tmux server of its own, whose one pane a test types into and reads."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.needs import require

PATIENCE_S = 40.0
"""Usual is a second or two; the machine may be busy."""


class Terminal:
    """One pane. Nothing of the tester's own tmux or its configuration is used."""

    def __init__(self, folder: Path, width: int, height: int) -> None:
        self._tmux = ["tmux", "-S", str(folder / "tmux"), "-f", "/dev/null"]
        self._size = (str(width), str(height))

    def start(self, command: str, environ: Mapping[str, str], term: str) -> None:
        """Run a shell command in the pane."""
        width, height = self._size
        self._do(
            *("set-option", "-g", "escape-time", "10", ";"),
            *("set-option", "-g", "default-terminal", term, ";"),
            *("new-session", "-d", "-x", width, "-y", height, command),
            env=dict(environ),
        )

    def keys(self, *keys: str) -> None:
        """Press keys, named as tmux names them."""
        self._do("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text, letter by letter."""
        for letter in text:
            self._do("send-keys", "-l", letter)

    def paste(self, text: str, *, bracketed: bool) -> None:
        """Paste, as a terminal does that marks pastes, or as one that does not."""
        self._do("set-buffer", text)
        self._do("paste-buffer", *(["-p"] if bracketed else []))

    def text(self) -> str:
        """What the pane shows."""
        return self._do("capture-pane", "-p")

    def styled_text(self) -> str:
        """The same with the escape sequences of its colours."""
        return self._do("capture-pane", "-p", "-e")

    def state(self, what: str) -> str:
        """One of tmux's own words on the pane: alternate_on, cursor_flag, pane_pid."""
        return self._do("display-message", "-p", f"#{{{what}}}").strip()

    def kill_pane(self) -> None:
        self._do("kill-pane")

    def until(
        self, condition: str | Callable[[str], object], timeout_s: float = PATIENCE_S, what: str = ""
    ) -> str:
        """Wait until the pane shows a text, or what the function finds right; gives the whole text."""
        deadline = time.monotonic() + timeout_s
        while True:
            text = self.text()
            if condition in text if isinstance(condition, str) else condition(text):
                return text
            assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what or condition!r}\n{text}"
            time.sleep(0.05)

    def until_heard(self, press: Callable[[], None], condition: str | Callable[[str], object]) -> str:
        """Press until it is heard: a dialog drops what comes in its first moments."""
        for _ in range(10):
            press()
            try:
                return self.until(condition, timeout_s=2.0)
            except AssertionError:
                continue
        raise AssertionError(f"not heard, {condition!r} never came:\n{self.text()}")

    def end(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False, capture_output=True)

    def _do(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            [*self._tmux, *arguments], check=False, capture_output=True, text=True, timeout=30, env=env
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def terminal(
    folder: Path,
    command: str,
    *,
    environ: Mapping[str, str],
    size: tuple[int, int] = (132, 34),
    term: str = "screen-256color",
) -> Iterator[Terminal]:
    """Run `command` in a terminal for the length of a block. Skips where there is no tmux."""
    if shutil.which("tmux") is None:
        require("tmux", "tmux is not installed (apt install tmux, brew install tmux)")
    opened = Terminal(folder, *size)
    opened.start(command, environ, term)
    try:
        yield opened
    finally:
        opened.end()
