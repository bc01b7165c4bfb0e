"""A real compose project in a folder, brought up on a real engine by docker-compose."""

import shutil
import subprocess
from pathlib import Path

from opsdash.collectors.docker.rows import ServiceIdentity
from tests.support.engine import TestEngine
from tests.support.needs import require

SHOP = ServiceIdentity("shop")

FILE = """
version: "2.4"
services:
  db:
    image: opsdash/bb:1
    command: sleep 1000  # db
    init: true
    network_mode: none
    healthcheck: {test: "true", interval: 200ms, retries: 2}
  web:
    image: opsdash/bb:1
    command: sleep 1000
    init: true
    network_mode: none
"""


class Project:
    """A compose project in a folder, brought up on an engine."""

    def __init__(self, engine: TestEngine, folder: Path, text: str) -> None:
        self.engine = engine
        self.folder = folder
        self.file = folder / "docker-compose.yml"
        self.file.write_text(text)
        self.compose("up", "--detach", "--scale", "web=2")

    def compose(self, *words: str) -> None:
        argv = ["docker-compose", "--project-name", "shop", *words]
        subprocess.run(
            argv, cwd=self.folder, env=self.engine.environ(), capture_output=True, check=True, timeout=120
        )

    def change(self, before: str, after: str) -> None:
        assert before in self.file.read_text()
        self.file.write_text(self.file.read_text().replace(before, after))

    def names(self) -> list[str]:
        """Of all containers of the engine."""
        _, found = self.engine.api("GET", "/containers/json?all=1")
        return sorted(each["Names"][0].lstrip("/") for each in found)

    def ids(self) -> dict[str, str]:
        return {name: self.engine.inspect(name)["Id"] for name in self.names()}


def project_in(engine: TestEngine, folder: Path, text: str = FILE) -> Project:
    """It is up, with two of its `web`; the test is skipped where there is no docker-compose."""
    if shutil.which("docker-compose") is None:
        require("docker-compose", "apt install docker-compose")
    folder.mkdir()
    return Project(engine, folder, text)
