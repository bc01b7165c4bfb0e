"""A defect of opsdash itself, on a screen that others look at too."""

import shlex
import sys
from pathlib import Path

from tests.e2e.program import environ, watched
from tests.e2e.tmux import terminal


def test_crash_tells_where_without_telling_secrets(tmp_path: Path) -> None:
    command = shlex.join([sys.executable, "-m", "tests.e2e.crashing", str(tmp_path)])
    secrets = {"TEST_SECRET": "hunter2-in-a-local", "TEST_REGISTERED": "hunter2-in-the-message"}
    settings = environ(tmp_path, **secrets)
    with terminal(tmp_path, watched(command, tmp_path), environ=settings, size=(132, 60)) as pane:
        pane.until("What is wrong")
        pane.keys("F8")
        text = pane.until("all told")
        assert "Traceback (most recent call last)" in text
        assert "RuntimeError: no rows ␛]52;c;aGk=␇[/red]" in text
        assert "in key_f8" in text
        assert "opsdash ended by a defect of its own" in text
        assert "hunter2" not in text
        assert "ended with 1\n" in text
        assert pane.state("alternate_on") == "0"
        assert pane.state("cursor_flag") == "1"
        assert (tmp_path / "stty-after").read_text() == (tmp_path / "stty-before").read_text()
