"""A real, private Docker engine of a test run: own socket, own data, own cgroup, nothing left behind."""

import http.client
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opsdash.collectors.docker.settings import DockerSettings
from opsdash.collectors.target import Environment, Target, TargetId
from opsdash.tui.demo.servers import HOST, free_port
from tests.support.needs import require
from tests.support.waiting import wait_until

IMAGE = "opsdash/bb:1"
"""Busybox and nothing else."""

READY_S = 60.0
"""Usual is 1 s."""

FOREVER = ("sleep", "100000")

_APPLETS = (
    "sh sleep cat echo nc httpd wget true false date ls kill top ps dd printf seq yes head tail env test"
)
_CALL = re.compile(r'msg="Calling ([A-Z]+) ([^"]+)"')


class TestEngine:
    """One dockerd with a debug log, on a Unix socket; `port` too where it was asked for."""

    __test__ = False  # the name is no test's

    def __init__(
        self, options: Sequence[str] = (), *, has_port: bool = False, is_quiet: bool = False
    ) -> None:
        """Begin with a folder and a janitor; `start` starts the daemon.

        Args:
            options: More arguments of dockerd, such as `--tlsverify`.
            has_port: Whether it listens on TCP as well.
            is_quiet: Without the debug log, and so without `requests`: for measuring what it costs.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="opsdash-engine-", dir="/tmp"))  # sockets' paths are short
        self.folder.chmod(0o755)
        self.cgroup = self.folder.name
        self.socket = self.folder / "docker.sock"
        self.log_path = self.folder / "dockerd.log"
        self.port = free_port() if has_port else None
        self.options = list(options)
        self.is_quiet = is_quiet
        self._daemon: subprocess.Popen[bytes] | None = None
        self._janitor = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                Path(__file__).with_name("engine_janitor.py"),
                self.folder,
                self.cgroup,
            ],
            stdin=subprocess.PIPE,
            cwd="/",
            start_new_session=True,
        )

    @property
    def host(self) -> str:
        """As DOCKER_HOST has it."""
        return f"unix://{self.socket}"

    @property
    def tcp_host(self) -> str:
        """The same over TCP."""
        return f"tcp://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Of dockerd."""
        assert self._daemon is not None
        return self._daemon.pid

    def start(self) -> None:
        """Start the daemon and wait until it answers."""
        for leftover in ("docker.sock", "pid", "exec/containerd/containerd.pid"):
            (self.folder / leftover).unlink(missing_ok=True)  # a killed daemon leaves them, and then refuses
        with self.log_path.open("ab") as log:
            self._daemon = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "dockerd", *self._arguments()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.environ["PATH"]},  # COLUMNS would cut what its `ps` says
                start_new_session=True,
            )
        wait_until(self._answers, READY_S, f"dockerd answers; see {self.log_path}")

    def _arguments(self) -> list[str]:
        tcp = [] if self.port is None else ["--host", self.tcp_host]
        places = {"data-root": "data", "exec-root": "exec", "pidfile": "pid"}
        return [
            *(() if self.is_quiet else ("--debug",)),
            *("--host", self.host, *tcp),
            *(word for key, name in places.items() for word in (f"--{key}", str(self.folder / name))),
            *("--bridge", "none", "--iptables=false", "--ip6tables=false"),
            *("--cgroup-parent", f"/{self.cgroup}", *(self.options or ["--tls=false"])),
        ]

    def _answers(self) -> bool:
        assert self._daemon is not None
        if self._daemon.poll() is not None:
            raise AssertionError(f"dockerd ended: {self.log_path.read_text(errors='replace')[-800:]}")
        try:
            return self.api("GET", "/_ping")[0] == 200
        except OSError:
            return False

    def stop(self) -> None:
        """Stop the daemon as an administrator does: its containers stop too."""
        self._end(signal.SIGTERM)

    def crash(self) -> None:
        """Kill the daemon."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        assert self._daemon is not None
        self._daemon.send_signal(number)
        self._daemon.wait(60)

    def freeze(self) -> None:
        """Stop the daemon in its tracks: it answers nothing any more."""
        os.kill(self.pid, signal.SIGSTOP)
        status = Path(f"/proc/{self.pid}/status")
        wait_until(lambda: "\nState:\tT" in status.read_text(), 30, "dockerd is frozen")

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """End everything; back when nothing is left."""
        assert self._janitor.stdin is not None
        self._janitor.stdin.close()
        self._janitor.wait(60)
        if self._daemon is not None:
            self._daemon.wait(10)

    def docker(self, *words: str, stdin: bytes | None = None) -> str:
        """Run the docker client against it; its output, or a failed test."""
        ended = subprocess.run(
            ["docker", *words],
            input=stdin if stdin is not None else b"",
            capture_output=True,
            timeout=120,
            check=False,
            env=self.environ(),
        )
        assert ended.returncode == 0, f"docker {' '.join(words)}: {ended.stderr.decode(errors='replace')}"
        return ended.stdout.decode(errors="replace").strip()

    def environ(self) -> dict[str, str]:
        """The variables with which docker and docker-compose talk to this engine and to no other."""
        kept = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"}
        return {**kept, "DOCKER_HOST": self.host, "DOCKER_CONFIG": str(self.folder)}

    def api(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """One request past opsdash: the status, and the decoded answer (None where there is none)."""
        connection = _UnixConnection(self.socket)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, json.loads(text) if text and is_json else None

    def inspect(self, name: str) -> dict[str, Any]:
        """What the engine says of a container."""
        status, found = self.api("GET", f"/containers/{name}/json")
        assert status == 200, found
        assert isinstance(found, dict)
        return found

    def run(
        self,
        name: str,
        command: Sequence[str] = FOREVER,
        *,
        labels: Mapping[str, str] | None = None,
        health: str | None = None,
        health_interval: str = "200ms",
        memory: str | None = None,
        restart: str | None = None,
        network: str = "none",
        options: Sequence[str] = (),
    ) -> str:
        """Start a container of the busybox image; its full id.

        Args:
            name: At least two letters.
            command: What it runs, under an init that passes signals on.
            labels: `com.docker.compose.project` and so on; see `compose_labels`.
            health: A shell command; checked every `health_interval`, unhealthy after two failures.
            health_interval: As docker writes it.
            memory: As docker writes it: "16m".
            restart: "always", "on-failure:3".
            network: "none" or "host".
            options: More words for `docker run`.
        """
        words = ["run", "--detach", "--init", "--name", name, "--network", network, "--stop-timeout", "2"]
        for key, value in (labels or {}).items():
            words += ["--label", f"{key}={value}"]
        if health is not None:
            words += ["--health-cmd", health, "--health-interval", health_interval, "--health-retries", "2"]
        if memory is not None:
            words += ["--memory", memory]
        if restart is not None:
            words += ["--restart", restart]
        return self.docker(*words, *options, IMAGE, *command)

    def remove_all(self) -> None:
        """Remove every container."""
        _, found = self.api("GET", "/containers/json?all=1")
        for each in found:
            self.api("DELETE", f"/containers/{each['Id']}?force=1&v=1")
        wait_until(
            lambda: self.api("GET", "/containers/json?all=1")[1] == [], 60, "every container is removed"
        )

    def requests(self) -> list[tuple[str, str]]:
        """Method and path of every request so far, by its own debug log."""
        return _CALL.findall(self.log_path.read_text(errors="replace"))

    def import_image(self) -> None:
        """Make the image, which needs no network."""
        busybox = shutil.which("busybox")
        if busybox is None:
            require("docker", "busybox is missing: apt install busybox-static")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            tar.add(Path(busybox).resolve(), "bin/busybox")
            for applet in _APPLETS.split():
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
            for folder in ("tmp", "proc", "sys", "dev", "etc"):
                made = tarfile.TarInfo(folder)
                made.type, made.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
                tar.addfile(made)
        self.docker("import", "--change", 'CMD ["/bin/sh"]', "-", IMAGE, stdin=packed.getvalue())


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("docker", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def started_engine(
    options: Sequence[str] = (), *, has_port: bool = False, is_quiet: bool = False
) -> TestEngine:
    """An engine that answers and has the image; the test is skipped where there can be none."""
    if os.geteuid() != 0:
        require("docker", "a private dockerd needs root")
    for program, package in (
        ("dockerd", "docker.io"),
        ("docker", "docker.io"),
        ("busybox", "busybox-static"),
    ):
        if shutil.which(program) is None:
            require("docker", f"{program} is missing: apt install {package}")
    engine = TestEngine(options, has_port=has_port, is_quiet=is_quiet)
    try:
        engine.start()
        engine.import_image()
    except AssertionError as error:
        engine.close()
        require("docker", f"a private engine does not run here: {str(error)[-200:]}")
    except BaseException:
        engine.close()
        raise
    return engine


def compose_labels(project: str, service: str, number: int = 1) -> dict[str, str]:
    """The labels by which compose knows its containers."""
    prefix = "com.docker.compose"
    return {
        f"{prefix}.project": project,
        f"{prefix}.service": service,
        f"{prefix}.container-number": str(number),
        f"{prefix}.oneoff": "False",
    }


def docker_target(host: str, *, name: str = "local", interval_s: float = 2.0, **settings: Any) -> Target:
    """A Docker target outside production; `settings` are those of its kind."""
    return Target(
        id=TargetId("docker", name),
        environment=Environment(name="test", production=False),
        interval_s=interval_s,
        settings=DockerSettings(host=host, **settings),
        source="a test",
    )
