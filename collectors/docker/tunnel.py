"""One ssh process for each engine behind ssh, which carries its socket to a local one for whoever asks."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from opsdash.collectors.docker.address import Address
from opsdash.collectors.errors import (
    AuthenticationFailed,
    ConnectionLost,
    ConnectionRefused,
    TargetError,
    TimedOut,
)
from opsdash.collectors.target import TargetId
from opsdash.collectors.text import one_line
from opsdash.collectors.under_way import shared

OPENING_LIMIT_S = 20.0
"""How long ssh may take altogether; a reading does not wait that long, and the next one finds it open."""

READING_LIMIT_S = 3.0

_STEP_S = 0.02

_KEEP = 'folder=$1; shift; "$@" </dev/null & exec 2>/dev/null; cat; kill $!; rm -rf "$folder"'
"""ssh lives until our end of stdin closes, which it does however opsdash ends. Only ssh holds stderr."""

_SSH = (
    "ssh",
    "-N",
    *("-o", "BatchMode=yes"),  # it must not ask on our screen
    *("-o", "ConnectTimeout=10"),
    *("-o", "ExitOnForwardFailure=yes"),
    *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"),
    *("-o", "ControlMaster=no", "-o", "ControlPath=none"),
    *("-o", "ForwardAgent=no", "-o", "ForwardX11=no"),
    *("-o", "LogLevel=INFO"),  # less would hide why the far socket could not be reached
)


class Tunnel:
    """A running ssh, and the socket at its near end."""

    def __init__(self, label: str, folder: Path, process: "subprocess.Popen[bytes]") -> None:
        """Takes over a process that was started."""
        assert process.stdin is not None
        assert process.stderr is not None
        self.label = label
        self.socket = folder / "docker.sock"
        self.is_open = True
        """Whether ssh still runs."""
        self._process = process
        self._stdin, self._stderr = process.stdin, process.stderr
        self._complaint = ""
        self._loop = asyncio.get_running_loop()
        os.set_blocking(self._stderr.fileno(), False)
        self._loop.add_reader(self._stderr.fileno(), self._listen)

    def complaint(self) -> str:
        """What ssh complained about since somebody asked last, on one line; empty: about nothing."""
        self._listen()
        complaint, self._complaint = self._complaint, ""
        return complaint

    def close(self) -> None:
        """End ssh, without waiting for it."""
        self._stdin.close()
        self._forget()

    def _listen(self) -> None:
        """Keep the last line that ssh says. It alone holds the pipe, which therefore ends with it."""
        if not self.is_open:
            return
        try:
            said = os.read(self._stderr.fileno(), 65_536)
        except BlockingIOError:
            return
        if not said:
            self._forget()
        lines = [one_line(line) for line in said.decode(errors="replace").splitlines()]
        telling = [line for line in lines if line and not line.startswith("Warning: Permanently added")]
        if telling:
            self._complaint = telling[-1].removeprefix("ssh: ")[:200]

    def _forget(self) -> None:
        if self.is_open:
            self.is_open = False
            self._loop.remove_reader(self._stderr.fileno())
            self._stderr.close()
            self._stdin.close()
            self._process.poll()


_open: dict[Address, Tunnel] = {}


async def open_tunnel(target: TargetId, address: Address) -> Tunnel:
    """The tunnel to `address`: the one that is open, or a new one.

    Raises:
        TargetError: ssh could not connect, in its own words, or has not yet.
    """
    tunnel = _open.get(address)
    if tunnel is not None and tunnel.is_open:
        return tunnel
    try:
        return await asyncio.wait_for(
            shared(f"ssh {address}", lambda: _opened(target, address)), READING_LIMIT_S
        )
    except TimeoutError:
        raise TimedOut(
            target, f"ssh to {address.label} is still connecting", hint="it is waited for; try ssh by hand"
        ) from None


def close_tunnels() -> None:
    """End every ssh, without waiting. They end with the process in any case."""
    for tunnel in _open.values():
        tunnel.close()
    _open.clear()


def ssh_arguments(address: Address, socket: Path) -> list[str]:
    """How ssh is called; names come after `--` and were checked by `address.parse`.

    >>> from opsdash.collectors.docker.address import parse
    >>> ssh_arguments(parse("ssh://ops@bastion:2222"), Path("/run/s"))[-8:]
    ['-L', '/run/s:/var/run/docker.sock', '-p', '2222', '-l', 'ops', '--', 'bastion']
    """
    port = [] if address.port is None else ["-p", str(address.port)]
    user = [] if address.user is None else ["-l", address.user]
    return [*_SSH, "-L", f"{socket}:{address.path}", *port, *user, "--", address.host]


async def _opened(target: TargetId, address: Address) -> Tunnel:
    folder = Path(tempfile.mkdtemp(prefix="opsdash-ssh-"))
    try:
        process = _started(ssh_arguments(address, folder / "docker.sock"), folder)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ConnectionRefused(target, f"ssh: {error.strerror}", hint="no process can be started") from error
    tunnel = Tunnel(address.label, folder, process)
    try:
        async with asyncio.timeout(OPENING_LIMIT_S):
            while not tunnel.socket.exists():
                if not tunnel.is_open:
                    raise _failed(target, address, tunnel.complaint())
                await asyncio.sleep(_STEP_S)
    except TimeoutError:
        tunnel.close()
        raise TimedOut(
            target,
            f"ssh to {address.label} did not connect within {OPENING_LIMIT_S:g} s",
            hint="try it by hand: ssh -v",
        ) from None
    except BaseException:
        tunnel.close()
        raise
    _open[address] = tunnel
    return tunnel


def _started(ssh: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    """Not through asyncio: it kills what it started when the loop ends, and then the shell cannot end ssh."""
    return subprocess.Popen(
        ["/bin/sh", "-c", _KEEP, "sh", str(folder), *ssh],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,  # no terminal to ask on, and no Ctrl-C from ours
    )


def _failed(target: TargetId, address: Address, said: str) -> TargetError:
    """Our error for why ssh ended."""
    reason = f"ssh to {address.label}: {said or 'it ended without a word'}"
    if "Permission denied" in said or "Host key verification failed" in said:
        return AuthenticationFailed(
            target,
            reason,
            hint="it may not ask here: load the key into ssh-agent, and accept the host once by hand",
        )
    if "refused" in said or "not found" in said or "Could not resolve" in said:
        return ConnectionRefused(target, reason, hint="try it by hand: ssh -v")
    return ConnectionLost(target, reason, hint="try it by hand: ssh -v")
