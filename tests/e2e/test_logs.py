"""A log file followed in a real terminal while it is rotated under load; then its lines are counted."""

import os
import re
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.program import environ, opsdash
from tests.e2e.test_incident import is_over
from tests.e2e.tmux import Terminal, terminal
from tests.support.waiting import wait_until

COUNT = 20_000
ROTATIONS = 5
BLOCK = 40
"""Lines between two pauses of a hundredth of a second: some thousand lines in a second."""
REQUEST = "7f3a91c2"
"""The id of three of the lines, the last of which is an error."""
_NUMBER = re.compile(r" (\d{8})(?: |$)")


class Program(threading.Thread):
    """Appends numbered lines, and rotates its log while it does."""

    def __init__(self, path: Path, how: str) -> None:
        super().__init__(daemon=True)
        self._path = path
        self._how = how
        self._out = path.open("ab", buffering=0)
        self._pause = threading.Event()
        self.written = 0

    def run(self) -> None:
        every = COUNT // (ROTATIONS + 1)
        while self.written < COUNT:
            self.write(min(BLOCK, COUNT - self.written))
            if self.written % every < BLOCK and self.written < COUNT - every // 2:
                self._rotate(self.written // every)
            self._pause.wait(0.01)

    def write(self, lines: int) -> None:
        """So many lines more."""
        for number in range(self.written, self.written + lines):
            self._out.write(line(number).encode())
        self.written += lines

    def _rotate(self, number: int) -> None:
        old = self._path.with_name(f"{self._path.name}.{number}")
        if self._how == "truncate":
            shutil.copy(self._path, old)
            os.truncate(self._path, 0)
        else:
            self._path.rename(old)
            self._out.close()
            self._out = self._path.open("ab", buffering=0)


def line(number: int) -> str:
    """What it prints: every second line is a health check, every thousandth an error."""
    text = f"INFO shop.api: GET /healthz {number:08}"
    if number % 1000 == 999:
        text = f'ERROR shop.api: could not obtain lock on "stock" {number:08}'
    elif number % 2:
        text = f"INFO shop.api: order placed {number:08}"
    if number in (COUNT - 1005, COUNT - 1003, COUNT - 1001):
        text += f" request={REQUEST}"
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} {text}\n"


def configuration(folder: Path, path: Path) -> Path:
    config = folder / "opsdash.toml"
    config.write_text(
        f'[environment]\nname = "shop"\nproduction = false\n[[log]]\nname = "shop"\npath = "{path}"\n'
    )
    config.chmod(0o600)
    return config


def exported(pane: Terminal, folder: Path) -> list[int]:
    """The numbers of the lines that `x` writes."""
    pane.until(lambda text: "exported" not in text, what="the notice of the export before has gone")
    pane.keys("x")
    pane.until("exported, masked best effort")
    (path,) = (folder / "state/opsdash/exports").iterdir()
    lines = [one for one in path.read_text().splitlines() if not one.startswith("#")]
    path.unlink()
    return [int(number) for one in lines for number in _NUMBER.findall(one)]


def asked(pane: Terminal, key: str, text: str) -> None:
    """Open the input of a filter, and type."""
    pane.keys(key)
    pane.until("-not  /pattern/", what="an input")
    pane.type(text)
    pane.keys("Enter")


def narrow(pane: Terminal, folder: Path) -> None:
    """Filters one upon the other, away again; an error, and what else is known of its id."""
    asked(pane, "F", "-healthz")
    pane.until("filter: -healthz  10 000 of 20 000 lines")
    asked(pane, "&", "+lock")
    pane.until("filter: -healthz +lock  20 of 20 000 lines")
    assert exported(pane, folder) == list(range(999, COUNT, 1000))
    pane.keys("BSpace")
    pane.until("filter: -healthz  10 000 of 20 000 lines")
    pane.keys("BSpace")
    pane.until(lambda text: "filter:" not in text and "20 000 lines" in text, what="no filter")
    pane.until(lambda text: re.search(rf"▸.*ERROR.*{COUNT - 1:08}", text), what="the newest line")
    pane.keys("E")
    pane.until(lambda text: re.search(rf"▸.*ERROR.*{COUNT - 1001:08}", text), what="the error before")
    pane.keys("i")
    pane.until(f"filter: +id:{REQUEST}  3 of 20 000 lines")
    pane.keys("i")
    pane.until(lambda text: "filter:" not in text and "20 000 lines" in text, what="no filter")
    pane.keys("G")
    pane.until("● following")


@pytest.mark.parametrize("how", ["rename", "truncate"])
def test_every_line_of_a_rotated_file_is_there_once(tmp_path: Path, how: str) -> None:
    path = tmp_path / "log" / "api.log"
    path.parent.mkdir()
    program = Program(path, how)
    program.write(BLOCK)
    command = opsdash("--config", str(configuration(tmp_path, path)))
    with terminal(tmp_path, command, environ=environ(tmp_path), size=(132, 34)) as pane:
        pane.until("● 1 target live")
        pane.keys("5")
        pane.until(lambda text: "● following" in text and f"{BLOCK} lines" in text, what="the log")
        program.start()
        pane.until(f"{COUNT - 1:08}", timeout_s=90, what="the last line")
        assert program.written == COUNT
        assert "20 000 lines  0 dropped" in pane.until("20 000 lines")
        assert exported(pane, tmp_path) == list(range(COUNT))
        assert len(list(path.parent.iterdir())) == 1 + ROTATIONS
        narrow(pane, tmp_path)
        pane.keys("p")
        pane.until("paused")
        program.write(312)
        assert f"{COUNT + 311:08}" not in pane.until("paused, 312 new")
        pane.keys("p")
        pane.until(lambda text: "● following" in text and f"{COUNT + 311:08}" in text, what="it goes on")
        pane.keys("q")
        pane.until("What is wrong")
        pane.keys("q")
        wait_until(lambda: is_over(pane), 20, "it has ended")
