"""Connecting to engines: sockets, TCP, TLS, contexts, versions, streams, and what each failure is called."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from opsdash.collectors.docker import failures
from opsdash.collectors.docker.client import NEWEST, EngineClient, EngineError
from opsdash.collectors.errors import (
    BadReply,
    ConnectionLost,
    ConnectionRefused,
    NameUnknown,
    NotSupported,
    PermissionDenied,
    TargetError,
    TimedOut,
)
from opsdash.collectors.target import Target
from tests.support.engine import TestEngine, docker_target
from tests.support.faults import Proxy
from tests.support.waiting import wait_until_async

LIMIT_S = 30


@asynccontextmanager
async def opened(target: Target, **options: Any) -> AsyncIterator[EngineClient]:
    """A client that is connected, closed with its test."""
    client = await EngineClient.open(target, **options)
    try:
        yield client
    finally:
        await client.close()


async def refusal(target: Target) -> TargetError:
    with pytest.raises(TargetError) as caught:
        await EngineClient.open(target)
    assert caught.value.hint, "every failure says what to do next"
    return caught.value


async def names(client: EngineClient) -> list[str]:
    found = await client.get("/containers/json", as_=list[dict[str, Any]], all=True)
    return sorted(each["Names"][0] for each in found)


async def test_the_local_socket_is_asked_in_the_newest_version_that_both_know(engine: TestEngine) -> None:
    engine.run("alpha")
    async with opened(docker_target(engine.host)) as client:
        assert await names(client) == ["/alpha"]
        assert (client.version[:5], client.api_version, client.is_local) == ("20.10", "1.41", True)
    assert ("GET", "/v1.41/containers/json?all=1") in engine.requests()


class Pretender:
    """Answers every request with the same, on a port of 127.0.0.1."""

    def __init__(self, answer: bytes, *, is_closed: bool = True) -> None:
        self._answer, self._is_closed = answer, is_closed

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self._answer)
            if self._is_closed:
                writer.close()


def json_answer(body: str, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    ("stated", "spoken"),
    [
        ('"ApiVersion": "1.52", "MinAPIVersion": "1.44"', f"{NEWEST[0]}.{NEWEST[1]}"),
        ('"ApiVersion": "1.35", "MinAPIVersion": "1.12"', "1.35"),
    ],
)
async def test_an_engine_of_another_age_is_spoken_to_in_its_version(stated: str, spoken: str) -> None:
    answer = json_answer(f'{{"Version": "x", {stated}}}')
    async with Pretender(answer) as host, opened(docker_target(host)) as client:
        assert client.api_version == spoken


@pytest.mark.parametrize(
    "stated",
    ['"ApiVersion": "1.24", "MinAPIVersion": "1.12"', '"ApiVersion": "1.70", "MinAPIVersion": "1.60"'],
    ids=["too old", "too new"],
)
async def test_an_engine_without_a_common_version_is_not_supported(stated: str) -> None:
    async with Pretender(json_answer(f'{{"Version": "x", {stated}}}')) as host:
        error = await refusal(docker_target(host))
    assert isinstance(error, NotSupported)
    assert "update" in (error.hint or "")


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (json_answer("{"), BadReply, "makes no sense"),
        (json_answer("[]"), BadReply, "makes no sense"),
        (json_answer('{"Version": "1", "ApiVersion": "one"}'), BadReply, "API version"),
        (json_answer("<html>", "404 Not Found"), BadReply, "HTTP status 404"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", BadReply, "not HTTP"),
        (b"", ConnectionLost, "ended the connection"),
        (json_answer("no", "403 Forbidden"), PermissionDenied, "HTTP status 403"),
        (json_answer("no", "503 Service Unavailable"), ConnectionLost, "HTTP status 503"),
    ],
)
async def test_what_is_no_engine_is_told_as_what_it_is(
    answer: bytes, kind: type[TargetError], words: str
) -> None:
    async with Pretender(answer) as host:
        error = await refusal(docker_target(host))
    assert isinstance(error, kind)
    assert words in error.reason


async def test_a_refusal_whose_end_never_comes_is_told_all_the_same() -> None:
    async with Pretender(b"HTTP/1.1 403 Forbidden\r\n\r\nno", is_closed=False) as host:
        assert isinstance(await refusal(docker_target(host)), PermissionDenied)


async def test_no_socket_is_told_from_a_socket_that_nobody_serves(tmp_path: Path) -> None:
    error = await refusal(docker_target(f"unix://{tmp_path}/none.sock"))
    assert isinstance(error, ConnectionRefused)
    assert "No such file or directory" in error.reason
    server = await asyncio.start_unix_server(lambda *_: None, tmp_path / "dead.sock")
    server.close()
    await server.wait_closed()
    if not (tmp_path / "dead.sock").exists():  # Python 3.13 removes it
        return
    error = await refusal(docker_target(f"unix://{tmp_path}/dead.sock"))
    assert isinstance(error, ConnectionRefused)
    assert "Connection refused" in error.reason


def test_a_socket_that_we_may_not_open_says_which_group_may(engine: TestEngine) -> None:
    async def try_it() -> str:
        try:
            await EngineClient.open(docker_target(engine.host))
        except PermissionDenied as error:
            return f"{error.reason} | {error.hint}"
        return "it was let in"

    said = as_nobody(lambda: asyncio.run(try_it()))
    assert "Permission denied" in said
    assert "group docker" in said


def as_nobody(function: Callable[[], str]) -> str:
    """What `function` gives in a process of its own, as a user who may do nothing: root may everything."""
    asyncio.run(refusal(docker_target("unix:///nowhere.sock")))  # nobody can import what is in root's home
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            os.write(writing, function().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


async def test_a_port_that_nobody_listens_on_is_refused() -> None:
    assert isinstance(await refusal(docker_target("tcp://127.0.0.1:1")), ConnectionRefused)


async def test_a_name_that_nobody_knows_is_unknown() -> None:
    assert isinstance(await refusal(docker_target("tcp://no-such-engine.invalid:2375")), NameUnknown)


async def test_of_several_addresses_of_a_name_the_one_that_answers_is_used(engine: TestEngine) -> None:
    async def look_up(*_: object) -> tuple[str, ...]:
        return ("127.0.0.9", "127.0.0.1")  # nobody listens on the first

    engine.run("alpha")
    async with Proxy(engine.socket) as proxy:
        target = docker_target(f"tcp://engine.internal:{proxy.port}")
        async with opened(target, look_up=look_up) as client:
            assert await names(client) == ["/alpha"]
            async with client.stream("/events", since="1", until="2") as pieces:
                assert [piece async for piece in pieces] == []


async def test_the_engines_own_words_are_told_with_the_status(engine: TestEngine) -> None:
    async with opened(docker_target(engine.host)) as client:
        with pytest.raises(EngineError) as caught:
            await client.get("/containers/nobody/json", as_=dict[str, Any])
    assert (caught.value.status, caught.value.reason) == (404, "No such container: nobody")


async def test_a_frozen_engine_is_given_up_in_time_and_used_again_later(
    start_engine: Callable[..., TestEngine],
) -> None:
    engine = start_engine()
    async with opened(docker_target(engine.host)) as client:
        engine.freeze()
        with pytest.raises(TimedOut):
            await client.get("/containers/json", as_=list[Any], limit_s=0.3)
        engine.thaw()
        assert await names(client) == []


async def test_an_abort_ends_every_wait_and_stream_at_once(engine: TestEngine) -> None:
    before = events_asked(engine)
    async with opened(docker_target(engine.host)) as client:
        async with client.stream("/events") as pieces:
            waiting = asyncio.ensure_future(
                client.get_bytes("/events", until="4000000000", limit_s=LIMIT_S * 4)
            )
            following = asyncio.ensure_future(anext(pieces, b"the end"))
            await wait_until_async(lambda: events_asked(engine) >= before + 2, LIMIT_S, "both are under way")
            client.abort()
            async with asyncio.timeout(LIMIT_S):
                with pytest.raises(TimedOut):
                    await waiting
                assert await following == b"the end"
        assert await names(client) == []


def events_asked(engine: TestEngine) -> int:
    return sum("/events" in path for _, path in engine.requests())


async def test_a_stream_brings_every_byte_of_a_flood(engine: TestEngine) -> None:
    engine.run("flood", ("sh", "-c", "seq 1 200000"), options=("--tty",))
    await wait_until_async(
        lambda: engine.inspect("flood")["State"]["Status"] == "exited", LIMIT_S, "it has printed all"
    )
    whole = bytearray()
    async with (
        opened(docker_target(engine.host)) as client,
        client.stream("/containers/flood/logs", stdout=True, follow=True) as pieces,
    ):
        async for piece in pieces:
            whole += piece
    assert whole.split() == [str(n).encode() for n in range(1, 200_001)]


async def test_a_stream_that_is_refused_says_why(engine: TestEngine) -> None:
    async with opened(docker_target(engine.host)) as client:
        with pytest.raises(EngineError) as caught:
            async with client.stream("/containers/nobody/logs", stdout=True):
                pass
    assert (caught.value.status, caught.value.reason) == (404, "No such container: nobody")


async def test_a_connection_kept_for_polling_that_ended_is_told_once(
    start_engine: Callable[..., TestEngine],
) -> None:
    engine = start_engine()
    async with opened(docker_target(engine.host)) as client:
        await client.poll("/info")
        engine.crash()
        engine.start()
        with pytest.raises(failures.NotSent):
            await client.poll("/info")
        await client.poll("/info")
