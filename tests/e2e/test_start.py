"""Keys that come with the first paint."""

from pathlib import Path

import pytest

from tests.e2e.program import configuration, environ, opsdash, silent_targets
from tests.e2e.tmux import terminal


@pytest.mark.parametrize("_", range(4))  # about one start in four meets the moment
def test_key_at_the_first_paint_does_not_keep_it_from_reading(tmp_path: Path, _: int) -> None:
    with silent_targets(1, is_listening=False) as targets:
        command = opsdash("--config", str(configuration(tmp_path, targets)))
        with terminal(tmp_path, command, environ=environ(tmp_path)) as pane:
            pane.until("opsdash")
            pane.keys("2")
            pane.until("Overview › 2 Database")
            pane.until("connection refused")
