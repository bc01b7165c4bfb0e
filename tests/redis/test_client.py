"""Connecting: TLS, sockets, passwords, users, and what each failure is called."""

import asyncio
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from opsdash.collectors.errors import (
    AuthenticationFailed,
    BadReply,
    ConnectionLost,
    ConnectionRefused,
    NotSupported,
    PermissionDenied,
    ReadOnly,
    StartingUp,
    TargetError,
    TimedOut,
    TlsFailed,
    TooManyClients,
    WritesRefused,
)
from opsdash.collectors.redis.client import Purpose, Session, connect, own_ids
from opsdash.collectors.redis.sayings import told
from opsdash.collectors.redis.settings import RedisSettings
from opsdash.collectors.secret import redact
from opsdash.collectors.target import Target, TargetId
from opsdash.tui.demo.servers import free_port
from tests.support.redis_servers import RedisServer, redis_target

StartRedis = Callable[..., RedisServer]
CACHE = TargetId("redis", "cache")


async def opened(target: Target, purpose: Purpose = Purpose.READ, **options: object) -> Session:
    session = await connect(target, purpose, **options)  # type: ignore[arg-type]  # only look_up
    (answer,) = await session.ask(("INFO", "server"))
    assert "redis_version" in answer
    return session


async def failure(target: Target, purpose: Purpose = Purpose.READ) -> TargetError:
    with pytest.raises(TargetError) as caught:
        await connect(target, purpose)
    assert caught.value.hint, "every failure says what to do next"
    return caught.value


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the servers' user can pass through."""
    made = Path(tempfile.mkdtemp(prefix="opsdash-test-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


class Certified:
    """A server with TLS only, its certificate for `cache.internal`, and the authority that signed it."""

    def __init__(self, start: StartRedis, folder: Path) -> None:
        authority, other = trustme.CA(), trustme.CA()
        self.ca_file, self.other_ca_file = folder / "ca.pem", folder / "other.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        other.cert_pem.write_to_path(self.other_ca_file)
        leaf = authority.issue_cert("cache.internal")
        leaf.private_key_pem.write_to_path(folder / "key.pem")
        leaf.cert_chain_pems[0].write_to_path(folder / "cert.pem")
        for path in folder.iterdir():
            path.chmod(0o644)
        self.port = free_port()
        files = {
            "tls-cert-file": str(folder / "cert.pem"),
            "tls-key-file": str(folder / "key.pem"),
            "tls-ca-cert-file": str(self.ca_file),
            "tls-auth-clients": "no",
        }
        self.server: RedisServer = start("redis7", options={"tls-port": self.port, **files})

    def target(self, host: str = "cache.internal", **settings: object) -> Target:
        known = {"ca_file": str(self.ca_file), **settings}
        return redis_target(f"rediss://{host}:{self.port}/0", **known)


@pytest.fixture
def certified(start_redis: StartRedis, folder: Path) -> Certified:
    return Certified(start_redis, folder)


async def here(target: TargetId, host: str, port: int) -> tuple[str, ...]:
    return ("127.0.0.1",)


async def test_tls_is_checked_against_the_name_although_we_connect_to_its_address(
    certified: Certified,
) -> None:
    (await opened(certified.target(), look_up=here)).close()


async def test_another_name_in_the_certificate_can_be_stated(certified: Certified) -> None:
    (await opened(certified.target("127.0.0.1", server_name="cache.internal"))).close()


@pytest.mark.parametrize(
    ("host", "ca", "says"),
    [
        ("127.0.0.1", "ca_file", "IP address mismatch"),
        ("cache.internal", "other_ca_file", "certificate verify failed"),
        ("cache.internal", None, "certificate"),
    ],
)
async def test_a_certificate_that_does_not_fit_is_refused_with_the_reason(
    certified: Certified, host: str, ca: str | None, says: str
) -> None:
    target = certified.target(host, ca_file=str(getattr(certified, ca)) if ca else None)
    with pytest.raises(TlsFailed) as caught:
        await connect(target, Purpose.READ, look_up=here)
    assert says in caught.value.reason
    assert caught.value.hint


async def test_tls_on_a_plain_port_and_the_reverse_are_told(certified: Certified) -> None:
    plain = await failure(redis_target(f"rediss://127.0.0.1:{certified.server.port}/0"))
    assert isinstance(plain, TimedOut), "a plain port waits for the end of what it takes for a command"
    assert "TLS" in (plain.hint or "")
    reverse = redis_target(f"redis://127.0.0.1:{certified.port}/0")
    assert isinstance(await failure(reverse), ConnectionLost | BadReply)


async def test_a_file_of_certificates_that_is_missing_is_named(certified: Certified) -> None:
    error = await failure(certified.target(ca_file="/nonexistent/ca.pem"))
    assert isinstance(error, TlsFailed)
    assert "ca_file" in error.reason


async def test_a_unix_socket_is_connected_to(start_redis: StartRedis) -> None:
    server = start_redis()
    path = server.folder / "redis.sock"
    server.stop()
    server.options["unixsocket"] = str(path)
    server.options["unixsocketperm"] = 777
    server.start()
    server.wait_ready()
    (await opened(redis_target(f"unix://{path}"))).close()
    assert isinstance(await failure(redis_target(f"unix://{path}x")), ConnectionRefused)


class TestLogins:
    @pytest.fixture
    def guarded(self, any_redis: RedisServer) -> RedisServer:
        admin = any_redis.admin()
        admin.execute_command("ACL", "SETUSER", "watch", "on", ">pa/ss wörd", "~*", "+@all")
        admin.execute_command("ACL", "SETUSER", "act", "on", ">other", "~*", "+@all")
        admin.config_set("requirepass", "of the default user")
        return any_redis

    async def test_no_password_a_wrong_one_and_the_right_one(self, guarded: RedisServer) -> None:
        url = f"redis://watch@127.0.0.1:{guarded.port}/0"
        assert isinstance(await failure(redis_target(guarded.url())), AuthenticationFailed)
        assert isinstance(await failure(redis_target(url)), AuthenticationFailed)
        wrong = await failure(redis_target(guarded.url("watch", "wrong")))
        assert isinstance(wrong, AuthenticationFailed)
        assert "WRONGPASS" in wrong.reason
        (await opened(redis_target(guarded.url("watch", "pa%2Fss%20w%C3%B6rd")))).close()

    async def test_the_old_password_without_a_user(self, guarded: RedisServer) -> None:
        (await opened(redis_target(guarded.url("", "of%20the%20default%20user")))).close()

    async def test_passwords_by_reference(
        self, guarded: RedisServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("CACHE_PASSWORD", "pa/ss wörd")
        file = tmp_path / "password"
        file.write_text("pa/ss wörd\n")
        script = tmp_path / "tell"
        script.write_text(f"#!{sys.executable}\nprint('pa/ss wörd')\n")
        script.chmod(stat.S_IRWXU)
        url = f"redis://watch@127.0.0.1:{guarded.port}/0"
        for reference in (
            {"password_env": "CACHE_PASSWORD"},
            {"password_file": str(file)},
            {"password_command": (str(script),)},
        ):
            (await opened(redis_target(url, **reference))).close()
        error = await failure(redis_target(url, password_env="NOT_SET_ANYWHERE"))
        assert "NOT_SET_ANYWHERE" in error.reason
        assert redact("told: pa/ss wörd") == "told: ***"

    async def test_actions_have_their_own_user(
        self, guarded: RedisServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ACT_PASSWORD", "other")
        target = redis_target(
            guarded.url("watch", "pa%2Fss%20w%C3%B6rd"), act_username="act", act_password_env="ACT_PASSWORD"
        )
        session = await opened(target, Purpose.ACT)
        (text,) = await session.ask(("CLIENT", "LIST"))
        session.close()
        assert "user=act" in text


async def test_a_database_that_there_is_not_is_told(any_redis: RedisServer) -> None:
    error = await failure(redis_target(any_redis.url(db=99)))
    assert isinstance(error, NotSupported)


async def test_a_reading_session_sends_nothing_that_acts(any_redis: RedisServer) -> None:
    session = await opened(redis_target(any_redis.url()))
    with pytest.raises(ValueError, match="flushall"):
        await session.ask(("FLUSHALL",))
    with pytest.raises(ValueError, match="config"):
        await session.ask(("CONFIG", "GET", "*"))
    session.close()


async def test_our_own_connections_are_known_until_they_close(any_redis: RedisServer) -> None:
    target = redis_target(any_redis.url(), name="own")
    session = await opened(target)
    assert own_ids(target.id) == {session.id}
    session.close()
    assert own_ids(target.id) == frozenset()


async def test_a_cancelled_exchange_closes_the_connection(any_redis: RedisServer) -> None:
    """The answer that still comes would be taken for the next command's."""
    session = await opened(redis_target(any_redis.url()), Purpose.ACT)
    any_redis.admin().client_pause(3000)
    asking = asyncio.ensure_future(session.ask(("INFO", "server")))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not session.is_open


async def test_the_library_never_tries_again_by_itself() -> None:
    """Left to itself it rests longer than this before each of its tries; a busy machine may hold up one."""
    loop = asyncio.get_running_loop()
    took_s = []
    for _ in range(5):
        began_s = loop.time()
        await failure(redis_target("redis://127.0.0.1:1/0"))
        took_s.append(loop.time() - began_s)
    assert min(took_s) < 0.5


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("LOADING Redis is loading the dataset in memory", StartingUp),
        ("NOAUTH Authentication required.", AuthenticationFailed),
        ("WRONGPASS invalid username-password pair or user is disabled.", AuthenticationFailed),
        ("max number of clients reached", TooManyClients),
        ("READONLY You can't write against a read only replica.", ReadOnly),
        ("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to", WritesRefused),
        ("OOM command not allowed when used memory > 'maxmemory'.", WritesRefused),
        ("NOREPLICAS Not enough good replicas to write.", WritesRefused),
        ("NOPERM User x has no permissions to run the 'info' command", PermissionDenied),
        ("DENIED Redis is running in protected mode because", PermissionDenied),
        ("unknown command 'MEMORY', with args beginning with:", NotSupported),
        ("Error 113 connecting to 10.0.0.1:6379. Connect call failed ('10.0.0.1', 6379).", TimedOut),
        ("Error 111 connecting to 10.0.0.1:6379. Connect call failed ('10.0.0.1', 6379).", ConnectionRefused),
        ("Connection closed by server.", ConnectionLost),
        ("Protocol Error: b'HTTP/1.1 400'", BadReply),
    ],
)
def test_what_is_said_is_told_apart(words: str, kind: type[TargetError]) -> None:
    error = told(CACHE, words)
    assert type(error) is kind
    assert error.hint


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"url": "http://cache"}, "url"),
        ({"url": "redis://cache/0?ssl=true"}, "url"),
        ({"password_env": "A", "password_file": "b"}, "password_file"),
        ({"act_password_env": "A"}, "act_password_env"),
        ({"ca_file": "ca.pem"}, "ca_file"),
        ({"url": "rediss://cache", "key_file": "key.pem"}, "key_file"),
    ],
)
def test_mistakes_in_the_settings_are_named_by_their_key(settings: dict[str, str], key: str) -> None:
    mistakes = RedisSettings(**settings).mistakes()  # type: ignore[arg-type]  # texts only
    assert [name for name, _ in mistakes] == [key]


def test_what_may_only_stand_in_a_private_file_is_known() -> None:
    assert RedisSettings(url="redis://me:hunter2@cache").inline_secrets() == ("url",)
    assert RedisSettings(password_command=("pass", "cache")).commands() == ("password_command",)
