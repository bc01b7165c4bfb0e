"""opsdash's own log."""

import logging
import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsdash.collectors.secret import Secret
from opsdash.tui.logfile import log_to


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)


def test_the_log_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        log_to(tmp_path / "opsdash" / "opsdash.log")
        logging.getLogger("opsdash.test").warning("something")
    finally:
        os.umask(before)
    path = tmp_path / "opsdash" / "opsdash.log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "WARNING opsdash.test: something" in path.read_text()


def test_secrets_and_escapes_are_taken_out_of_tracebacks_too(tmp_path: Path) -> None:
    secret = Secret("hunter2hunter2")
    log_to(tmp_path / "opsdash.log")
    try:
        raise ValueError(f"refused {secret.reveal()} \x1b[31m")
    except ValueError:
        logging.getLogger("opsdash.test").exception("reading with %s", secret.reveal())
    said = (tmp_path / "opsdash.log").read_text()
    assert "ValueError: refused ***" in said
    assert "hunter2" not in said
    assert "\x1b" not in said


def test_nothing_is_written_until_there_is_something_to_say(tmp_path: Path) -> None:
    log_to(tmp_path / "opsdash" / "opsdash.log")
    assert list(tmp_path.iterdir()) == []


def test_the_log_stays_small(tmp_path: Path) -> None:
    log_to(tmp_path / "opsdash.log")
    for _ in range(25):
        logging.getLogger("opsdash.test").warning("x" * 100_000)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {"opsdash.log", "opsdash.log.1"}
    assert max(sizes.values()) < 1_200_000
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_log_that_cannot_be_written_says_nothing_on_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    log_to(tmp_path / "file" / "opsdash.log")
    logging.getLogger("opsdash.test").error("something")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("something else", stacklevel=1)
    assert "something" not in capfd.readouterr().err
