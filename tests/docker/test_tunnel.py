"""Engines behind ssh: a real sshd, one tunnel for all, and nothing left of it."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from opsdash.collectors.docker.client import EngineClient
from opsdash.collectors.docker.tunnel import close_tunnels
from opsdash.collectors.errors import AuthenticationFailed, ConnectionLost, ConnectionRefused, TargetError
from opsdash.tui.demo.keeper_link import Keeper
from opsdash.tui.demo.servers import free_port
from tests.support.engine import TestEngine, docker_target
from tests.support.needs import require
from tests.support.waiting import wait_until, wait_until_async

LIMIT_S = 30


class Sshd:
    """An sshd on 127.0.0.1, and an `ssh` on PATH that knows its key and has one for it."""

    def __init__(self, keeper: Keeper, folder: Path) -> None:
        self.keeper, self.folder, self.port = keeper, folder, free_port()
        for name in ("host", "user", "other"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        shutil.copy(folder / "user.pub", folder / "authorized")
        host_key = " ".join((folder / "host.pub").read_text().split()[:2])
        (folder / "known").write_text(f"[127.0.0.1]:{self.port} {host_key}\n")
        (folder / "sshd.conf").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {folder / 'host'}\nUsePAM no\n"
            f"StrictModes no\nAuthorizedKeysFile {folder / 'authorized'}\n"
            "PidFile none\nPermitRootLogin prohibit-password\n"
        )
        (folder / "bin").mkdir()
        script = folder / "bin" / "ssh"
        script.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {folder / "ssh.conf"} "$@"\n')
        script.chmod(0o755)
        self.use_key("user")
        self.start()

    def use_key(self, name: str, known: str = "known") -> None:
        (self.folder / "ssh.conf").write_text(
            f"IdentityFile {self.folder / name}\nIdentitiesOnly yes\n"
            f"UserKnownHostsFile {self.folder / known}\nGlobalKnownHostsFile none\n"
        )

    def start(self) -> None:
        # it insists on /run/sshd, which it gets in a namespace of its own
        prepare = "mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec /usr/sbin/sshd -D -e -f $0"
        self.keeper.start(
            "sshd",
            [
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                prepare,
                str(self.folder / "sshd.conf"),
            ],
            log=self.folder / "sshd.log",
            env={"PATH": os.environ["PATH"]},
            user=None,
        )
        wait_until(lambda: "listening" in (self.folder / "sshd.log").read_text(), LIMIT_S, "sshd listens")

    def stop(self) -> None:
        """End it with every connection, as a machine that is switched off does."""
        for process in psutil.process_iter(["name", "cmdline"]):
            if process.info["name"] == "sshd" and str(self.port) not in (process.info["cmdline"] or []):
                ours = [c for c in process.net_connections("tcp") if c.laddr and c.laddr[1] == self.port]
                if ours:
                    process.kill()
        self.keeper.stop("sshd")
        (self.folder / "sshd.log").write_text("")

    def host(self, engine: TestEngine) -> str:
        return f"ssh://root@127.0.0.1:{self.port}{engine.socket}"

    def tunnels(self) -> list[int]:
        """The ssh processes that lead to it."""
        return [
            process.pid
            for process in psutil.process_iter(["name", "cmdline"])
            if process.info["name"] == "ssh" and str(self.port) in (process.info["cmdline"] or [])
        ]


@pytest.fixture
def sshd(keeper: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    if not Path("/usr/sbin/sshd").exists() or os.geteuid() != 0:
        require("sshd", "needs root and sshd: apt install openssh-server")
    server = Sshd(keeper, tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    yield server
    keeper.stop("sshd")


@pytest.fixture(autouse=True)
def _no_tunnel_left() -> Iterator[None]:
    yield
    close_tunnels()


async def opened(host: str) -> EngineClient:
    """A client that is connected, however long ssh takes."""
    client = EngineClient(docker_target(host))

    async def is_there() -> bool:
        try:
            await client.negotiate()
        except TargetError as error:
            if "still connecting" not in error.reason:
                raise
            return False
        return True

    await wait_until_async(is_there, LIMIT_S, "ssh has connected")
    return client


async def refusal(host: str) -> TargetError:
    found: list[TargetError] = []

    async def is_told() -> bool:
        try:
            await EngineClient.open(docker_target(host))
        except TargetError as error:
            found.append(error)
            return "still connecting" not in error.reason
        raise AssertionError("it connected")

    await wait_until_async(is_told, LIMIT_S, "ssh has failed")
    assert found[-1].hint
    return found[-1]


async def test_an_engine_behind_ssh_is_read_and_followed(engine: TestEngine, sshd: Sshd) -> None:
    engine.run("alpha", ("sh", "-c", "echo hello; sleep 100000"))
    client = await opened(sshd.host(engine))
    found = await client.get("/containers/json", as_=list[dict[str, Any]])
    assert [each["Names"] for each in found] == [["/alpha"]]
    assert not client.is_local
    async with client.stream("/containers/alpha/logs", stdout=True, follow=True) as pieces:
        assert b"hello" in await anext(pieces)
    await client.close()


async def test_one_ssh_serves_all_and_ends_with_its_folder(engine: TestEngine, sshd: Sshd) -> None:
    first, second = await asyncio.gather(opened(sshd.host(engine)), opened(sshd.host(engine)))
    assert len(sshd.tunnels()) == 1
    folders = list(sshd.folder.glob("opsdash-ssh-*"))
    assert len(folders) == 1
    assert folders[0].stat().st_mode & 0o077 == 0
    await first.close()
    assert await second.get_bytes("/_ping") == b"OK", "the tunnel outlives one of its users"
    await second.close()
    close_tunnels()
    await wait_until_async(lambda: not sshd.tunnels(), LIMIT_S, "ssh has ended")
    await wait_until_async(lambda: not folders[0].exists(), LIMIT_S, "its folder is removed")


async def test_ssh_does_not_outlive_a_killed_opsdash(engine: TestEngine, sshd: Sshd) -> None:
    code = f"""if True:
        import asyncio
        from tests.docker.test_tunnel import opened
        async def main():
            await opened({sshd.host(engine)!r})
            print("open", flush=True)
            await asyncio.sleep(1000)
        asyncio.run(main())
    """
    process = started(code)
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == b"open\n"
    assert len(sshd.tunnels()) == 1
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    await wait_until_async(lambda: not sshd.tunnels(), LIMIT_S, "ssh has ended")
    await wait_until_async(
        lambda: not list(sshd.folder.glob("opsdash-ssh-*")), LIMIT_S, "its folder is removed"
    )


def started(code: str) -> "subprocess.Popen[bytes]":
    """A Python process with the code of tests within reach."""
    root = Path(__file__).parents[2]
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=root)


async def test_a_key_that_is_not_taken_is_told_in_sshs_words(engine: TestEngine, sshd: Sshd) -> None:
    sshd.use_key("other")
    error = await refusal(sshd.host(engine))
    assert isinstance(error, AuthenticationFailed)
    assert "Permission denied (publickey" in error.reason


async def test_an_unknown_host_is_not_trusted(engine: TestEngine, sshd: Sshd) -> None:
    sshd.use_key("user", known="nobody-known")
    error = await refusal(sshd.host(engine))
    assert isinstance(error, AuthenticationFailed)
    assert "Host key verification failed" in error.reason


async def test_a_port_without_sshd_is_refused(engine: TestEngine, sshd: Sshd) -> None:
    sshd.stop()
    error = await refusal(sshd.host(engine))
    assert isinstance(error, ConnectionRefused)
    assert "Connection refused" in error.reason


async def test_a_far_socket_that_is_not_there_is_told_as_such(sshd: Sshd) -> None:
    error = await refusal(f"ssh://root@127.0.0.1:{sshd.port}/nowhere.sock")
    assert isinstance(error, ConnectionRefused)
    assert "open failed" in error.reason
    assert "ssh works" in (error.hint or "")


async def test_a_tunnel_that_broke_is_opened_anew(engine: TestEngine, sshd: Sshd) -> None:
    client = await opened(sshd.host(engine))
    await asyncio.to_thread(sshd.stop)
    await wait_until_async(lambda: not sshd.tunnels(), LIMIT_S, "ssh noticed")
    with pytest.raises((ConnectionLost, ConnectionRefused)):
        await client.get_bytes("/_ping")
    sshd.start()

    async def works() -> bool:
        try:
            return await client.get_bytes("/_ping") == b"OK"
        except TargetError:
            return False

    await wait_until_async(works, LIMIT_S, "a new tunnel is open")
    await client.close()
