"""docker-compose as a program: found, asked, run. Its files are read by nobody but itself.

Everything that touches a disk or starts a program runs on a thread of its own: a hung file system must not
hold up the screen.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from opsdash.collectors.errors import NotSupported, TargetError, TimedOut
from opsdash.collectors.lines.mask import mask
from opsdash.collectors.target import TargetId
from opsdash.collectors.text import one_line
from opsdash.collectors.threads import StillRunning, call_in_thread
from opsdash.tui.actions.docker.inspection import Compose

ASK_S = 20.0
"""For a question: Compose 1 takes half a second to begin, on a loaded machine several."""

T = TypeVar("T")

_OURS = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH",
         "DOCKER_API_VERSION", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PATH_SEPARATOR")  # fmt: skip
"""Variables that would lead it to another engine or project than the one that is meant."""

_TOOLS = (("docker-compose",), ("docker", "compose"))

_KEPT_LINES = 200


class Tool(msgspec.Struct, frozen=True):
    """One compose that is installed here."""

    argv: tuple[str, ...]
    version: str

    @property
    def major(self) -> str:
        """1: the Python program; 2 and later: the client's plugin."""
        return self.version.partition(".")[0]


class ProjectFiles(msgspec.Struct, frozen=True, kw_only=True):
    """A project as compose is told of it."""

    project: str
    folder: str
    files: tuple[str, ...]
    """Absolute."""
    env_files: tuple[str, ...]

    @property
    def options(self) -> tuple[str, ...]:
        """What stands before the command."""
        files = (word for file in self.files for word in ("--file", file))
        env_files = (word for file in self.env_files for word in ("--env-file", file))
        return ("--project-name", self.project, "--project-directory", self.folder, *files, *env_files)


class Ended(msgspec.Struct, frozen=True):
    """A program that has ended."""

    code: int
    lines: tuple[str, ...]
    """The last ones that it printed, each cleaned and masked."""

    @property
    def complaint(self) -> str:
        """Its last words."""
        return " / ".join(self.lines[-3:]) or f"exit code {self.code}, without a word"


def files_of(made_with: Compose) -> ProjectFiles | str:
    """The files that a container's labels name; a text says why there are none here. Reads the disk."""
    if not made_with.files or not made_with.folder:
        return "its containers do not say from which files compose made them"
    files = tuple(os.path.join(made_with.folder, name) for name in made_with.files)
    env_files = tuple(os.path.join(made_with.folder, name) for name in made_with.env_files)
    missing = [name for name in (*files, *env_files) if not Path(name).is_file()]
    if missing:
        return f"not on this machine: {', '.join(missing)}. Act where the files are, or on its containers"
    return ProjectFiles(project=made_with.project, folder=made_with.folder, files=files, env_files=env_files)


async def find_files(target: TargetId, made_with: Compose) -> ProjectFiles | str:
    """The same on a thread; raises TimedOut."""
    return await _on_thread(target, "its files", lambda: files_of(made_with))


async def find_tool(target: TargetId, made_by: str) -> Tool | None:
    """The compose of this machine: that of the version which made the project, else the other; None: none.

    Raises:
        TargetError: One is there and does not answer.
    """
    major = made_by.partition(".")[0]
    other: Tool | None = None
    for argv in _TOOLS if major == "1" else reversed(_TOOLS):
        tool = await _tool(target, argv)
        if tool is not None and tool.major == major:
            return tool
        other = other or tool
    return other


async def _tool(target: TargetId, argv: tuple[str, ...]) -> Tool | None:
    path = shutil.which(argv[0])
    if path is None:
        return None
    ended = await run(target, (*argv, "version", "--short"), os.environ, "/")
    version = re.match(r"v?(\d+\.\d+\S*)", ended.lines[-1] if ended.lines else "")
    return Tool(argv, version[1]) if ended.code == 0 and version is not None else None


async def config_hashes(
    target: TargetId, tool: Tool, files: ProjectFiles, environ: Mapping[str, str]
) -> dict[str, str]:
    """Service -> the hash of its configuration as the files have it now, as compose labels containers.

    Raises:
        TargetError: Compose cannot make sense of the files; in its words.
    """
    argv = (*tool.argv, *files.options, "config", "--hash", "*")
    ended = await run(target, argv, environ, files.folder)
    pairs = [line.split() for line in ended.lines]
    hashes = {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and re.fullmatch("[0-9a-f]{64}", pair[1])}
    if ended.code != 0 or not hashes:
        raise NotSupported(
            target, f"{' '.join(tool.argv)} config: {ended.complaint}", hint="mend the files first"
        )
    return hashes


def environ_for(socket: str) -> dict[str, str]:
    """The environment for compose: ours, with this engine and no other."""
    kept = {name: value for name, value in os.environ.items() if name not in _OURS}
    return {**kept, "DOCKER_HOST": f"unix://{socket}"}


async def run(
    target: TargetId,
    argv: Sequence[str],
    environ: Mapping[str, str],
    folder: str,
) -> Ended:
    """Run a program that only asks, and wait for its end.

    Raises:
        TargetError: It cannot be run, or does not end in time.
    """
    program = Program(argv, environ, folder)
    try:
        return await _on_thread(target, " ".join(argv[:2]), program.run)
    except TimedOut:
        program.send(signal.SIGKILL)
        raise
    except OSError as error:
        raise TargetError(target, f"{argv[0]} cannot be run: {error.strerror or error}") from error


class Program:
    """One run of a program: its lines as they come, and a way to interrupt it."""

    def __init__(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        folder: str,
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        self._argv = argv
        self._environ = environ
        self._folder = folder
        self._on_line = on_line
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> Ended:
        """Run it to its end, blocking; raises OSError where it cannot be started.

        `on_line` is called on this thread.
        """
        lines: list[str] = []
        with subprocess.Popen(
            self._argv,
            env=dict(self._environ),
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            self._process = process
            assert process.stdout is not None
            for raw in process.stdout:
                line = one_line(mask(raw.decode(errors="replace").replace("\r", " ")))
                if line:
                    lines = [*lines[-_KEPT_LINES:], line]
                    if self._on_line is not None:
                        self._on_line(line)
        return Ended(process.returncode, tuple(lines))

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, and those that it has started; nothing where it has ended."""
        process = self._process
        if process is not None and process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)


async def _on_thread(target: TargetId, what: str, work: Callable[[], T]) -> T:
    try:
        return await call_in_thread(work, key=f"compose {target} {what}", timeout_s=ASK_S)
    except (TimeoutError, StillRunning) as error:
        text = f"{what}: no answer within {ASK_S:g} s"
        raise TimedOut(target, text, hint="does the file system of its folder answer?") from error
