"""`[[log]]` tables."""

from pathlib import Path

import pytest

from opsdash.collectors.errors import ConfigError
from opsdash.collectors.logs.settings import LogSettings
from opsdash.collectors.target import Target
from opsdash.tui.config import load_config
from tests.cli.run_opsdash import write_config


def load(folder: Path, table: str) -> Target:
    path = write_config(folder, f'[[log]]\nname = "api"\n{table}\n')
    (target,) = load_config(str(path), {"HOME": str(folder)}).targets
    return target


def test_one_path_and_nothing_else_is_enough(tmp_path: Path) -> None:
    target = load(tmp_path, 'path = "/var/log/api/*.log"')
    assert isinstance(target.settings, LogSettings)
    assert target.settings.paths == ("/var/log/api/*.log",)
    assert target.settings.max_bytes == 8 * 1024 * 1024
    assert target.interval_s == 0.25


def test_everything_can_be_said(tmp_path: Path) -> None:
    target = load(
        tmp_path,
        'path = ["~/logs/**/*.log", "/var/log/syslog"]\nmax_bytes = 1048576\ninterval = 0.1\n'
        "[log.thresholds]\nburst_warn_per_min = 20\nsilent_s = 60",
    )
    assert isinstance(target.settings, LogSettings)
    assert target.settings.paths == ("~/logs/**/*.log", "/var/log/syslog")
    assert (target.settings.thresholds.burst_warn_per_min, target.settings.thresholds.silent_s) == (20, 60)
    assert (target.settings.max_bytes, target.interval_s) == (1048576, 0.1)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("", "log[0].path: missing"),
        ("path = 3", "log[0].path: expected"),
        ("path = []", "log[0].path: expected at least one path"),
        ('path = "app.log"', "log[0].path: expected paths from / or ~ on"),
        ('path = ["/a", "b"]', "log[0].path: expected paths from / or ~ on"),
        ('path = "/a"\nmax_bytes = 10', "log[0].max_bytes: expected a whole number >= 65536, got 10"),
        ('path = "/a"\ninterval = 0.01', "log[0].interval: expected a number >= 0.1, got 0.01"),
        ('path = "/a"\npaths = "/b"', 'log[0].paths: unknown key; did you mean "path"?'),
    ],
)
def test_mistakes_are_told(tmp_path: Path, table: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, table)
    assert told in str(caught.value)
