"""The demo's story crosses: what is wrong in the database and in a Valkey is seen in the shop's health."""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import psycopg
import pytest

from opsdash.collectors.http.certificates import chain_of
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.tui.demo.run import Demo, start_demo
from tests.demo.asking import Shop, endpoint, request, valkey
from tests.support.waiting import wait_until

_END_ROOT = """
    select pg_terminate_backend(pid) from pg_stat_activity a
    where cardinality(pg_blocking_pids(pid)) = 0 and state = 'idle in transaction'
      and exists (select from pg_locks w where not w.granted and a.pid = any(pg_blocking_pids(w.pid)))
"""


@pytest.fixture
def own_demo() -> Iterator[Demo]:
    """A demo in its incident, and the test's own."""
    with start_demo() as running:
        yield running


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """A demo whose incident is over; a test leaves it as well as it was."""
    with start_demo() as running:
        end_root(running)
        wait_until(lambda: Shop(running).check("database")["status"] == "ok", 30, "the database is green")
        yield running


@pytest.fixture(scope="module")
def shop(demo: Demo) -> Shop:
    return Shop(demo)


def as_actor(demo: Demo) -> psycopg.Connection:
    """A connection to the shop's database, with the right to terminate."""
    (orders,) = (target.settings for target in demo.targets if target.name == "orders-db")
    assert isinstance(orders, PostgresSettings)
    assert orders.act_dsn is not None
    return psycopg.connect(orders.act_dsn, autocommit=True)


def end_root(demo: Demo) -> None:
    with as_actor(demo) as connection:
        wait_until(lambda: connection.execute(_END_ROOT).fetchone() == (True,), 30, "a root to terminate")


def test_held_row_makes_health_degraded_and_slow_but_not_the_rest(own_demo: Demo) -> None:
    shop = Shop(own_demo)
    wait_until(lambda: shop.check("database")["status"] == "degraded", 30, "health notices the held row")
    said = shop.health()
    assert said["status"] == "degraded"
    assert said["checks"]["database"]["latency_ms"] > 500
    assert said["checks"]["cache"]["status"] == "ok"
    begun = time.monotonic()
    assert request(shop.port, "/ready") == (200, b'{"status":"ready"}')
    assert b"KX-" in request(shop.port, "/")[1]
    assert time.monotonic() - begun < said["checks"]["database"]["latency_ms"] / 1000


def test_terminated_root_makes_the_database_green_within_20_seconds(own_demo: Demo) -> None:
    shop = Shop(own_demo)
    wait_until(lambda: shop.check("database")["status"] == "degraded", 30, "health notices the held row")
    end_root(own_demo)
    wait_until(lambda: shop.check("database")["status"] == "ok", 20, "the database is green again")
    for _ in range(10):
        check = shop.check("database")
        assert check["status"] == "ok"
        assert check["latency_ms"] < 300


def test_lost_sessions_are_opened_again(demo: Demo, shop: Shop) -> None:
    with as_actor(demo) as connection:
        ended = connection.execute(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'api'"
        ).fetchone()
        assert ended is not None
        assert ended[0] >= 3
    wait_until(lambda: shop.check("database")["status"] == "ok", 30, "its pool works again")
    # whoever first reads over a lost session is told so; the next one gets a page
    wait_until(lambda: request(shop.port, "/")[0] == 200, 30, "pages are read again")


def test_most_reads_hit_the_cache(demo: Demo) -> None:
    cache = valkey(demo, "cache")
    before = cache.info("stats")

    def most_hit() -> bool:
        nonlocal before
        now = cache.info("stats")
        hits, misses = (now[key] - before[key] for key in ("keyspace_hits", "keyspace_misses"))
        if hits + misses < 200:
            return False
        before = now
        return hits / (hits + misses) > 0.9

    wait_until(most_hit, 60, "most of 200 reads hit, once it is warm")
    assert cache.info("memory")["maxmemory_policy"] == "allkeys-lru"
    assert cache.info("stats")["evicted_keys"] == 0


def test_shop_shows_a_chain_that_verifies_and_whose_intermediate_expires_first(demo: Demo) -> None:
    settings = endpoint(demo, "shop")
    url = urlsplit(settings.url)
    assert settings.connect == f"127.0.0.1:{url.port}"
    trusting = ssl.create_default_context(cafile=settings.ca_file)
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    with (
        socket.create_connection(("127.0.0.1", url.port), 20) as plain,
        trusting.wrap_socket(plain, server_hostname=url.hostname) as connection,
    ):
        chain = chain_of(connection)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
        assert connection.recv(20).startswith(b"HTTP/1.1 200 OK")
    assert chain is not None
    left = [each.not_after - datetime.now(UTC) for each in chain.certificates]
    assert len(left) == 2
    assert left[0] > timedelta(days=60)
    assert timedelta(days=12) < left[1] < timedelta(days=13)


def test_shop_is_not_trusted_without_its_root(demo: Demo) -> None:
    url = urlsplit(endpoint(demo, "shop").url)
    with (
        socket.create_connection(("127.0.0.1", url.port), 20) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"),
    ):
        ssl.create_default_context().wrap_socket(plain, server_hostname=url.hostname)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nothing", (404, b"Not Found\n")),
        ("POST", "/health", (405, b"Method Not Allowed\n")),
        ("HEAD", "/ready", (200, b"")),
        ("GET", "/ready?x=1", (200, b'{"status":"ready"}')),
    ],
)
def test_shop_answers_as_http_asks(shop: Shop, method: str, path: str, expected: tuple[int, bytes]) -> None:
    assert request(shop.port, path, method) == expected


async def test_shop_survives_what_is_not_http(shop: Shop) -> None:
    for sent in (b"", b"\x16\x03\x01", b"x" * 100_000, b"\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", shop.port)
        writer.write(sent)
        writer.write_eof()
        with contextlib.suppress(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 30)
        writer.close()
    assert request(shop.port, "/ready")[0] == 200


def test_sessions_fill_until_writes_are_refused_and_heal_when_purged(demo: Demo, shop: Shop) -> None:
    sessions = valkey(demo, "sessions")

    def refused() -> int:
        return int(sessions.info("errorstats").get("errorstat_OOM", {}).get("count", 0))

    wait_until(refused, 240, "writes are refused")  # usual is 45 s after the start
    wait_until(lambda: shop.check("sessions")["status"] == "degraded", 30, "health notices")
    seen = refused()
    wait_until(lambda: refused() > seen + 30, 60, "it stays full, and is asked on")
    said = shop.health()
    assert said["status"] == said["checks"]["sessions"]["status"] == "degraded"
    assert "maxmemory" in said["checks"]["sessions"]["error"]
    memory = sessions.info("memory")
    assert memory["used_memory"] > 0.98 * memory["maxmemory"]

    carts = len(sessions.keys("cart:*"))
    for key in sessions.scan_iter("sess:*", count=500):
        sessions.unlink(key)
    wait_until(lambda: shop.check("sessions")["status"] == "ok", 20, "it is green again")
    assert carts == len(sessions.keys("cart:*")) > 100
    seen = refused()
    wait_until(
        lambda: sum(sessions.ttl(key) > 0 for key in sessions.keys("sess:*")) > 10,
        60,
        "people sign in again, for a while",
    )
    assert refused() == seen
    assert sessions.info("memory")["used_memory"] < 0.5 * memory["maxmemory"]


def test_dead_database_makes_health_fail_and_cached_pages_go_on(own_demo: Demo) -> None:
    shop = Shop(own_demo)
    wait_until(lambda: valkey(own_demo, "cache").info("stats")["keyspace_hits"] > 50, 60, "the cache is warm")
    postmaster = own_demo.folder / "orders-db" / "data" / "postmaster.pid"
    os.kill(int(postmaster.read_text().split()[0]), signal.SIGINT)
    wait_until(lambda: request(shop.port, "/health")[0] == 503, 30, "health says that it is down")
    assert shop.check("database")["status"] == "down"
    assert shop.check("cache")["status"] == "ok"
    assert request(shop.port, "/ready")[0] == 200
    wait_until(lambda: request(shop.port, "/")[0] == 200, 30, "a page that is in the cache")
