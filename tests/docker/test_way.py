"""The way to an engine: TLS with certificates, and the contexts of the docker client."""

import asyncio
import stat
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import trustme

from opsdash.collectors.docker.client import EngineClient
from opsdash.collectors.errors import NotSupported, TlsFailed
from opsdash.collectors.target import Target
from tests.docker.test_client import names, opened, refusal
from tests.support.engine import TestEngine, docker_target


class Certified:
    """A real engine that wants a certificate, its own for `engine.internal`, and the authority of both."""

    def __init__(self, start: Callable[..., TestEngine], folder: Path) -> None:
        authority, other = trustme.CA(), trustme.CA()
        self.ca, self.other_ca = folder / "ca.pem", folder / "other.pem"
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        authority.cert_pem.write_to_path(self.ca)
        other.cert_pem.write_to_path(self.other_ca)
        ours, theirs = authority.issue_cert("opsdash"), authority.issue_cert("engine.internal", "127.0.0.1")
        self.cert.write_bytes(ours.cert_chain_pems[0].bytes())
        self.key.write_bytes(ours.private_key_pem.bytes())
        (folder / "their-cert.pem").write_bytes(theirs.cert_chain_pems[0].bytes())
        (folder / "their-key.pem").write_bytes(theirs.private_key_pem.bytes())
        self.engine = start(
            "--tlsverify",
            f"--tlscacert={self.ca}",
            f"--tlscert={folder / 'their-cert.pem'}",
            f"--tlskey={folder / 'their-key.pem'}",
            has_port=True,
        )

    def target(self, **settings: Any) -> Target:
        files = {"ca_file": str(self.ca), "cert_file": str(self.cert), "key_file": str(self.key)}
        stated = {key: value for key, value in {**files, **settings}.items() if value is not None}
        return docker_target(stated.pop("host", self.engine.tcp_host), **stated)


async def to_localhost(*_: object) -> tuple[str, ...]:
    return ("127.0.0.1",)


async def test_an_engine_with_certificates_is_verified_by_its_name(
    start_engine: Callable[..., TestEngine], tmp_path: Path
) -> None:
    certified = Certified(start_engine, tmp_path)
    port = certified.engine.port
    named = certified.target(host=f"tcp://engine.internal:{port}")
    async with opened(named, look_up=to_localhost) as client:
        assert await names(client) == []
        assert not client.is_local
        async with client.stream("/events", since="1", until="2") as pieces:
            assert [piece async for piece in pieces] == []
    wrong = certified.target(host=f"tcp://another.internal:{port}")
    with pytest.raises(TlsFailed, match="certificate is refused"):
        await EngineClient.open(wrong, look_up=to_localhost)
    for settings, words in [
        ({"ca_file": str(certified.other_ca)}, "certificate is refused"),
        ({"cert_file": None, "key_file": None}, "certificate"),
        ({"ca_file": str(tmp_path / "none.pem")}, "cannot be read"),
    ]:
        error = await refusal(certified.target(**settings))
        assert isinstance(error, TlsFailed), settings
        assert words in error.reason
    plain = await refusal(docker_target(certified.engine.tcp_host))
    assert "HTTP status 400" in plain.reason


async def test_tls_to_a_port_without_it_says_so(
    start_engine: Callable[..., TestEngine], tmp_path: Path
) -> None:
    engine = start_engine(has_port=True)
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    error = await refusal(docker_target(engine.tcp_host, ca_file=str(tmp_path / "ca.pem")))
    assert isinstance(error, TlsFailed)
    assert "does not speak TLS" in (error.hint or "")


@pytest.fixture
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of the docker client's configuration."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    yield tmp_path
    assert all(stat.S_ISREG(path.stat().st_mode) for path in tmp_path.rglob("*.json"))


async def test_a_context_leads_to_its_engine(engine: TestEngine, docker_config: Path) -> None:
    engine.run("alpha")
    (docker_config / "config.json").write_text("{}")
    make_context(engine, docker_config, "staging", f"host={engine.host}")
    async with opened(docker_target(None, context="staging")) as client:
        assert await names(client) == ["/alpha"]
    error = await refusal(docker_target(None, context="nobody"))
    assert (type(error), error.reason) == (NotSupported, "there is no context nobody")


async def test_a_context_with_certificates_uses_them(
    start_engine: Callable[..., TestEngine], docker_config: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "certificates"
    folder.mkdir()
    certified = Certified(start_engine, folder)
    (docker_config / "config.json").write_text("{}")
    files = f"ca={certified.ca},cert={certified.cert},key={certified.key}"
    make_context(certified.engine, docker_config, "far", f"host={certified.engine.tcp_host},{files}")
    async with opened(docker_target(None, context="far")) as client:
        assert await names(client) == []


async def test_contexts_are_never_looked_for_in_the_working_folder(
    engine: TestEngine, docker_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "config.json").write_text("{}")
    make_context(engine, here, "planted", f"host={engine.host}")
    monkeypatch.chdir(here)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "nothing"))
    assert isinstance(await refusal(docker_target(None, context="planted")), NotSupported)


@pytest.mark.parametrize("text", ["{", "[]", '{"Name": "broken"}'])
async def test_a_context_that_cannot_be_read_says_so(docker_config: Path, text: str) -> None:
    (docker_config / "config.json").write_text("{}")
    meta = docker_config / "contexts" / "meta" / sha256(b"broken").hexdigest()
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(text)
    error = await refusal(docker_target(None, context="broken"))
    assert isinstance(error, NotSupported)
    assert "context broken" in error.reason


def make_context(engine: TestEngine, config: Path, name: str, endpoint: str) -> None:
    environ = {**engine.environ(), "DOCKER_CONFIG": str(config)}
    subprocess.run(
        ["docker", "context", "create", name, "--docker", endpoint],
        env=environ,
        check=True,
        capture_output=True,
    )


async def test_an_engine_may_have_an_address_of_either_kind(engine: TestEngine) -> None:
    engine.run("alpha")
    server = await asyncio.start_server(passed_on_to(engine), "::1", 0)
    port = server.sockets[0].getsockname()[1]
    async with opened(docker_target(f"tcp://[::1]:{port}")) as client:
        assert await names(client) == ["/alpha"]
        async with client.stream("/events", since="1", until="2") as pieces:
            assert [piece async for piece in pieces] == []
    server.close()


def passed_on_to(
    engine: TestEngine,
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_engine, to_engine = await asyncio.open_unix_connection(engine.socket)
        await asyncio.gather(copy(reader, to_engine), copy(from_engine, writer))

    return serve
