"""The connection that stays open for polling: every form of an answer, and what is no answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from opsdash.collectors.docker.kept import Answer, Ended, KeptConnection, TooMuch
from opsdash.collectors.docker.plain_http import connected
from opsdash.collectors.docker.transport import Channel
from tests.support.engine import docker_target

LIMIT_S = 30.0
LARGEST = 100
OK = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def answering(folder: Path, *answers: bytes | None) -> AsyncIterator[KeptConnection]:
    """A connection to a server that gives these answers to one request each; None: it hangs up instead."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            request = await reader.readuntil(b"\r\n\r\n")
            assert request.startswith(b"GET /v1.41/events?since=1&until=2 HTTP/1.1\r\nHost: docker\r\n")
            if answer is None:
                break
            writer.write(answer)
        writer.close()

    path = str(folder / "engine.sock")
    async with await asyncio.start_unix_server(serve, path):
        kept = KeptConnection(await connected(path, ("", 0), None, "docker"))
        try:
            yield kept
        finally:
            kept.close()


async def asked(kept: KeptConnection) -> Answer:
    async with asyncio.timeout(LIMIT_S):
        params = {"since": "1", "until": "2"}
        return await kept.get("/v1.41/events", params, host="docker", largest=LARGEST)


@pytest.mark.parametrize(
    ("answer", "status", "body", "is_kept"),
    [
        (OK + b"Content-Length: 5\r\n\r\none\r\n", 200, b"one\r\n", True),
        (OK + b"Content-Length: 0\r\nConnection: close\r\n\r\n", 200, b"", False),
        (OK + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n3\r\none\r\n3;x\r\ntwo\r\n0\r\n\r\n", 200, b"onetwo", True),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, b"", True),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", 503, b"busy", True),
        (OK + b"\r\nto the end", 200, b"to the end", False),
    ],
    ids=["length", "close", "chunks", "nothing", "refused", "no length"],
)  # fmt: skip
async def test_every_form_of_an_answer_is_read_to_its_end(
    tmp_path: Path, answer: bytes, status: int, body: bytes, is_kept: bool
) -> None:
    async with answering(tmp_path, answer) as kept:
        got = await asked(kept)
        assert (got.status, got.body, kept.is_kept) == (status, body, is_kept)


async def test_one_answer_after_the_other_comes_over_the_same_connection(tmp_path: Path) -> None:
    first = (
        OK + b"Date: Sun, 22 Nov 2026 03:12:40 GMT\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n"
    )
    async with answering(tmp_path, first, OK + b"Content-Length: 3\r\n\r\ntwo") as kept:
        one, two = await asked(kept), await asked(kept)
    assert (one.body, one.date) == (b"one", "Sun, 22 Nov 2026 03:12:40 GMT")
    assert (two.body, two.date) == (b"two", None)


async def test_a_connection_that_ended_in_between_is_told_from_one_that_broke(tmp_path: Path) -> None:
    async with answering(tmp_path, OK + b"Content-Length: 0\r\n\r\n", None) as kept:
        await asked(kept)
        with pytest.raises(Ended):
            await asked(kept)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 200", EOFError),
        (OK + b"Content-Length: 50\r\n\r\nshort", EOFError),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", EOFError),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\non", EOFError),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", ValueError),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n", ValueError),
        (OK + b"Content-Length: many\r\n\r\n", ValueError),
        (b"220 mail.internal ESMTP\r\n\r\n", ValueError),
        (OK + b"Content-Length: 101\r\n\r\n", TooMuch),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n3c\r\n" + b"x" * 60 + b"\r\n3c\r\n", TooMuch),
        (OK + b"\r\n" + b"x" * 101, TooMuch),
    ],
)
async def test_what_is_no_whole_answer_is_never_taken_for_one(
    tmp_path: Path, answer: bytes, error: type[Exception]
) -> None:
    async with answering(tmp_path, answer) as kept:
        with pytest.raises(error):
            await asked(kept)


async def test_who_is_let_go_of_while_it_polls_keeps_no_connection(tmp_path: Path) -> None:
    is_asked, may_answer, has_ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        is_asked.set()
        await may_answer.wait()
        writer.write(OK + b"Content-Length: 2\r\n\r\nOK")
        assert await reader.read() == b"", "nothing more is asked"
        has_ended.set()
        writer.close()

    async with await asyncio.start_unix_server(serve, tmp_path / "engine.sock"):
        channel = await Channel.open(docker_target(f"unix://{tmp_path}/engine.sock"))
        polling = asyncio.ensure_future(channel.poll("/v1.41/events", params={}))
        await asyncio.wait_for(is_asked.wait(), 30)
        await channel.retire()
        may_answer.set()
        assert (await polling).body == b"OK", "what was asked is answered"
        await asyncio.wait_for(has_ended.wait(), 30)
