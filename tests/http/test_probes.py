"""Probes of a real server that misbehaves in each of the ways that endpoints do."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from opsdash.collectors.errors import AuthenticationFailed, TimedOut
from opsdash.collectors.http.rows import HttpData, Trouble, Verdict
from opsdash.collectors.http.settings import HeaderSource
from tests.http.probing import collector, probed
from tests.http.server import Server, after, answer, endless, raw, silence
from tests.support.waiting import wait_until_async


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as started:
        yield started


def found(data: HttpData) -> tuple[Verdict, Trouble | None]:
    return data.probe.verdict, data.probe.trouble


async def test_a_good_answer_is_up_with_its_phases_and_no_kept_connection(server: Server) -> None:
    server.says("/health", answer(200, {"status": "ok"}))
    async with collector(server.url()) as made:
        await made.collect()
        data = await made.collect()
    assert found(data) == (Verdict.UP, None)
    phases = data.probe.phases
    named = dict(phases.named())
    assert {name for name, seconds in named.items() if seconds is not None} == {
        "name",
        "connect",
        "first byte",
        "body",
    }
    assert sum(seconds or 0.0 for seconds in named.values()) <= data.probe.took_s
    assert data.probe.address == f"127.0.0.1:{server.port}"
    assert (data.probed, data.window.answered, data.window.failed) == (2, 2, 0)
    assert server.connections == 2


async def test_time_is_put_to_the_phase_it_was_spent_in(server: Server) -> None:
    server.says("/health", after(0.3, answer(200)))
    data = await probed(server.url())
    longest = data.probe.phases.longest
    assert longest is not None
    assert longest[0] == "first byte"
    assert 0.3 <= longest[1] <= data.probe.took_s


@pytest.mark.parametrize(
    ("status", "verdict", "trouble"),
    [
        (204, Verdict.UP, None),
        (401, Verdict.UNKNOWN, Trouble.NOT_LET_IN),
        (403, Verdict.UNKNOWN, Trouble.FORBIDDEN),
        (429, Verdict.UNKNOWN, Trouble.RATE_LIMITED),
        (404, Verdict.DOWN, Trouble.STATUS),
        (503, Verdict.DOWN, Trouble.SERVER_ERROR),
    ],
)
async def test_status_codes_are_told_apart(
    server: Server, status: int, verdict: Verdict, trouble: Trouble | None
) -> None:
    server.says("/health", answer(status))
    data = await probed(server.url())
    assert found(data) == (verdict, trouble)
    assert data.probe.status == status


async def test_accepted_status_codes_are_up(server: Server) -> None:
    server.says("/health", answer(301, Location="/elsewhere"))
    data = await probed(server.url(), accept=("2xx", 301))
    assert found(data) == (Verdict.UP, None)
    assert [asked.path for asked in server.asked] == ["/health"]


async def test_failing_dependency_is_named_and_degraded_is_not_down(server: Server) -> None:
    checks = {"database": {"status": "unhealthy", "error": "pool is empty"}, "cache": "ok"}
    server.says("/down", answer(503, {"status": "unhealthy", "checks": checks}, phrase="Unavailable"))
    server.says("/degraded", answer(200, {"status": "degraded", "checks": checks}))
    down = await probed(server.url("/down"))
    assert found(down) == (Verdict.DOWN, Trouble.SERVER_ERROR)
    assert down.probe.reason == "503 Unavailable · database=unhealthy"
    degraded = await probed(server.url("/degraded"))
    assert found(degraded) == (Verdict.DEGRADED, Trouble.DEGRADED)
    assert [(c.name, c.says, c.detail) for c in degraded.probe.failing_checks] == [
        ("database", "unhealthy", "pool is empty")
    ]


@pytest.mark.parametrize(
    ("body", "media_type", "trouble", "words"),
    [
        ({"status": "ok"}, "application/json", None, None),
        (
            {"status": "broken"},
            "application/json",
            Trouble.CONDITION,
            "status == 'ok' failed: status is 'broken'",
        ),
        (b"<html>It works!</html>", "text/html", Trouble.NOT_JSON, "the body is not JSON (text/html)"),
        (b"", "application/json", Trouble.NOT_JSON, "the body is empty"),
        (b"[" * 100_000, "application/json", Trouble.NOT_JSON, "the body is not JSON"),
        (b'{"status": "\xff"}', "application/json", Trouble.NOT_JSON, "the body is not JSON"),
        (b" " * 2000 + b"{}", "application/json", Trouble.OVERSIZED, "larger than 1000 bytes"),
    ],
)
async def test_conditions_name_what_failed(
    server: Server, body: object, media_type: str, trouble: Trouble | None, words: str | None
) -> None:
    server.says("/health", answer(200, body, media_type=media_type))
    limit = 1000 if trouble is Trouble.OVERSIZED else 1_000_000
    data = await probed(server.url(), expect="status == 'ok'", body_limit_bytes=limit)
    assert data.probe.trouble is trouble
    assert (words or "") in (data.probe.reason or "")
    assert data.probe.verdict is (
        Verdict.UNKNOWN if trouble is Trouble.OVERSIZED else Verdict.DOWN if trouble else Verdict.UP
    )


async def test_endless_body_is_cut_at_the_limit(server: Server) -> None:
    server.says("/health", endless)
    data = await probed(server.url(), body_limit_bytes=100_000)
    assert found(data) == (Verdict.UP, None)
    assert data.probe.body_bytes == 100_000


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        (b"", Trouble.LOST),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", Trouble.LOST),
        (b"-ERR unknown command\r\n\r\n", Trouble.NOT_HTTP),
        (b"\x00\x01\x02\x1b[2J" * 50 + b"\r\n\r\n", Trouble.NOT_HTTP),
    ],
)
async def test_what_is_no_answer_is_told(server: Server, said: bytes, trouble: Trouble) -> None:
    server.says("/health", raw(said))
    data = await probed(server.url())
    assert found(data) == (Verdict.DOWN, trouble)
    assert "\x1b" not in (data.probe.reason or "")


async def test_reset_connection_is_lost(server: Server) -> None:
    server.says("/health", raw(b"HTTP/1.1 200 OK\r\n", resets=True))
    assert found(await probed(server.url())) == (Verdict.DOWN, Trouble.LOST)


async def test_silence_ends_at_the_limit_and_says_what_was_waited_for(server: Server) -> None:
    server.says("/health", silence)
    data = await probed(server.url(), timeout_s=0.3)
    assert found(data) == (Verdict.DOWN, Trouble.TIMED_OUT)
    assert data.probe.reason == "no answer within 0.3 s, waiting for the first byte"
    assert data.window.answered == 0
    assert data.window.p95_s is None


async def test_nobody_listens_is_data_and_not_a_failed_read(server: Server) -> None:
    server.refuse()
    data = await probed(server.url())
    assert found(data) == (Verdict.DOWN, Trouble.REFUSED)
    assert data.probe.reason == f"127.0.0.1:{server.port}: connection refused"


async def test_redirects_are_followed_and_shown(server: Server) -> None:
    server.says("/health", answer(301, Location="/new?token=hunter2"))
    server.says("/new?token=hunter2", answer(200, {"status": "ok"}))
    data = await probed(server.url())
    assert found(data) == (Verdict.UP, None)
    assert [(hop.status, hop.to) for hop in data.probe.hops] == [(301, server.url("/new?…"))]
    assert data.probe.phases.earlier_s is not None


async def test_redirect_loop_and_too_many_are_told_apart(server: Server) -> None:
    server.says("/a", answer(302, Location="/b"))
    server.says("/b", answer(302, Location="/a"))
    for step in range(9):
        server.says(f"/step{step}", answer(302, Location=f"/step{step + 1}"))
    assert found(await probed(server.url("/a"))) == (Verdict.DOWN, Trouble.REDIRECT_LOOP)
    many = await probed(server.url("/step0"), redirects=3)
    assert found(many) == (Verdict.DOWN, Trouble.TOO_MANY_REDIRECTS)
    assert len(server.asked) == 2 + 4


async def test_redirect_to_a_file_is_refused(server: Server) -> None:
    server.says("/health", answer(302, Location="file:///etc/passwd"))
    data = await probed(server.url())
    assert found(data) == (Verdict.DOWN, Trouble.STATUS)


async def test_secret_header_goes_to_its_own_host_alone(server: Server, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("hunter2-token\n")
    headers = {"Authorization": HeaderSource(file=str(token), prefix="Bearer ")}
    async with Server() as other:
        server.says("/health", answer(302, Location=other.url("/stolen")))
        other.says("/stolen", answer(200))
        assert found(await probed(server.url(), headers=headers)) == (Verdict.UP, None)
        assert server.asked[0].headers["authorization"] == "Bearer hunter2-token"
        assert "authorization" not in other.asked[0].headers


async def test_secret_is_read_afresh_and_what_cannot_be_read_is_named(server: Server, tmp_path: Path) -> None:
    server.says("/health", answer(200))
    token = tmp_path / "token"
    headers = {"X-Token": HeaderSource(file=str(token))}
    async with collector(server.url(), headers=headers) as made:
        with pytest.raises(AuthenticationFailed, match=r"headers\.X-Token: .*No such file"):
            await made.collect()
        for word in ("first", "second"):
            token.write_text(word)
            await made.collect()
        token.write_bytes(b"br\x07oken-secret")
        with pytest.raises(AuthenticationFailed) as failed:
            await made.collect()
    assert [asked.headers["x-token"] for asked in server.asked] == ["first", "second"]
    assert "oken-secret" not in str(failed.value)


async def test_password_of_the_url_is_sent_and_shown_nowhere(server: Server) -> None:
    server.says("/health?key=hunter2", answer(200))
    url = server.url("/health?key=hunter2").replace("localhost", "me:hunter2@localhost")
    data = await probed(url)
    assert found(data) == (Verdict.UP, None)
    assert server.asked[0].headers["authorization"] == "Basic bWU6aHVudGVyMg=="
    assert data.url == server.url("/health?…")


async def test_connects_to_an_address_under_another_name(server: Server) -> None:
    server.says("/health", answer(200))
    data = await probed("http://shop.example:8080/health", connect=f"127.0.0.1:{server.port}")
    assert found(data) == (Verdict.UP, None)
    assert server.asked[0].headers["host"] == "shop.example:8080"
    assert data.probe.phases.name_s is None


async def test_head_asks_for_no_body(server: Server) -> None:
    server.says("/health", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"))
    data = await probed(server.url(), method="HEAD")
    assert found(data) == (Verdict.UP, None)
    assert server.asked[0].method == "HEAD"


async def test_down_after_three_failed_probes_and_up_after_two_good_ones(server: Server) -> None:
    states = []
    async with collector(server.url()) as made:
        for status in (200, 503, 200, 503, 503, 503, 200, 503, 200, 200):
            server.says("/health", answer(status))
            states.append((await made.collect()).state)
    up, down = Verdict.UP, Verdict.DOWN
    assert states == [up, up, up, up, up, down, down, down, down, up]


async def test_abort_ends_a_probe_at_once_and_the_next_one_works(server: Server) -> None:
    server.says("/health", silence)
    async with collector(server.url()) as made:
        reading = asyncio.ensure_future(made.collect())
        await wait_until_async(lambda: bool(server.asked), 30, "the request came")
        began = time.monotonic()
        made.abort()
        with pytest.raises(TimedOut):
            await reading
        assert time.monotonic() - began < 3.0, "long before it would have timed out"
        server.says("/health", answer(200))
        assert (await made.collect()).state is Verdict.UP


async def test_window_forgets_what_is_older(server: Server) -> None:
    async with collector(server.url(), window=3) as made:
        for status in (503, 200, 200, 200):
            server.says("/health", answer(status))
            data = await made.collect()
    assert (data.window.probes, data.window.failed, data.probed) == (3, 0, 4)
