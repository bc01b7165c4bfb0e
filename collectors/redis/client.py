"""The only place that connects to a Redis, and that turns the library's exceptions into ours."""

import asyncio
import ipaddress
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from weakref import WeakSet

from redis.asyncio.connection import Connection, UnixDomainSocketConnection
from redis.exceptions import RedisError, ResponseError

from opsdash.collectors import errors
from opsdash.collectors.cost import count
from opsdash.collectors.errors import TargetError, TimedOut
from opsdash.collectors.redis.address import parse
from opsdash.collectors.redis.commands import ACTS, READS, Words, acl_name
from opsdash.collectors.redis.login import CONNECT_LIMIT_S, Purpose, login, tls_context
from opsdash.collectors.redis.sayings import told
from opsdash.collectors.redis.settings import RedisSettings
from opsdash.collectors.target import Target, TargetId
from opsdash.collectors.threads import resolve
from opsdash.collectors.under_way import shared

LOOK_UP_LIMIT_S = 3.0
EXCHANGE_LIMIT_S = 4.0
"""How long commands sent together may take to be answered; below the deadline of a whole reading."""

__all__ = ["LookUp", "Purpose", "Session", "connect", "first_error", "own_ids", "translate"]

LookUp = Callable[[TargetId, str, int], Awaitable[tuple[str, ...]]]
"""Target, host name and port to addresses, in the order to try."""

_FAILURES = (RedisError, OSError, EOFError, ValueError, TypeError, RecursionError)
"""What the library raises when an answer fails, or is none: its parser trusts what it reads."""


async def look_up_name(target: TargetId, host: str, port: int) -> tuple[str, ...]:
    """The addresses of `host`, looked up on a thread of our own; raises NameUnknown, NameLookupHangs."""
    return await shared(
        f"look up {target} {host} {port}", lambda: resolve(target, host, port, timeout_s=LOOK_UP_LIMIT_S)
    )


class _Link(Connection):
    """A TCP connection to an address, with TLS for a name where a context is given."""

    def __init__(self, *, tls: ssl.SSLContext | None, server_name: str, **options: Any) -> None:
        super().__init__(**options)
        self._tls: Mapping[str, Any] = {"ssl": tls, "server_hostname": server_name} if tls else {}

    def _connection_arguments(self) -> Mapping[str, Any]:
        # the library would verify the certificate against the address that we looked up
        return {**super()._connection_arguments(), **self._tls}


class Session:
    """One connection; one exchange at a time. After a failure or a cancellation it is closed for good."""

    def __init__(self, target: TargetId, link: Any, purpose: Purpose) -> None:
        self.target = target
        self.id: int | None = None
        """Which of the server's clients it is; None where it may not ask."""
        self._link = link
        self._may_send = {*READS, *(ACTS if purpose is Purpose.ACT else ())}

    @property
    def is_open(self) -> bool:
        """Whether nothing has gone wrong yet."""
        return bool(self._link.is_connected)

    async def ask(self, *commands: Words, raw: bool = False, limit_s: float = EXCHANGE_LIMIT_S) -> list[Any]:
        """Send commands together, and wait for all replies.

        Args:
            commands: Those of `commands.py` only.
            raw: Whether texts are given as the bytes that they are (names of keys).
            limit_s: How long they may take altogether.

        Returns:
            A reply for each, in order. One that the server refused is a TargetError as a value.

        Raises:
            TargetError: The connection failed, and is closed now.
        """
        for words in commands:
            if acl_name(words) not in self._may_send:
                raise ValueError(f"{acl_name(words)} is not among the commands that opsdash sends here")
        count(self.target, len(commands))
        try:
            async with asyncio.timeout(limit_s):
                await self._link.send_packed_command(self._link.pack_commands(commands))
                return [await self._reply(raw) for _ in commands]
        except TimeoutError:
            self.close()
            raise TimedOut(
                self.target,
                f"no answer to {acl_name(commands[0])} within {limit_s:g} s",
                hint="the server or the network hangs; a slow command holds up all others",
            ) from None
        except _FAILURES as error:
            self.close()
            raise translate(self.target, error) from error.with_traceback(None)
        except asyncio.CancelledError:
            self.close()  # the answer that still comes would be taken for the next command's
            raise

    async def _reply(self, raw: bool) -> Any:
        try:
            return await self._link.read_response(disable_decoding=raw)
        except ResponseError as error:
            return translate(self.target, error)

    def close(self) -> None:
        """Shut the socket, now and without waiting; whatever waits for it ends."""
        writer, self._link._writer, self._link._reader = self._link._writer, None, None
        if writer is not None:
            writer.transport.abort()


_open: dict[TargetId, WeakSet[Session]] = {}


def own_ids(target: TargetId) -> frozenset[int]:
    """The ids of our own open connections to `target`, among the server's clients."""
    return frozenset(s.id for s in _open.get(target, ()) if s.is_open and s.id is not None)


async def connect(target: Target, purpose: Purpose, *, look_up: LookUp = look_up_name) -> Session:
    """Open a connection and log in.

    The protocol is RESP2, which every server speaks; what opsdash reads is no richer in RESP3.

    Raises:
        TargetError: It could not be opened; the class says why.
    """
    settings = target.settings
    assert isinstance(settings, RedisSettings)
    address = parse(settings.url)
    options = await login(target, settings, address, purpose)
    if address.path is not None:
        return await _opened(target.id, UnixDomainSocketConnection(path=address.path, **options), purpose)
    tls = await tls_context(target.id, settings) if address.has_tls else None
    addresses = (
        (address.host,) if _is_address(address.host) else await look_up(target.id, address.host, address.port)
    )
    failed: TargetError | None = None
    for host in addresses:
        name = settings.server_name or address.host
        link = _Link(host=host, port=address.port, tls=tls, server_name=name, **options)
        try:
            return await _opened(target.id, link, purpose)
        except (errors.ConnectionRefused, errors.TimedOut) as error:
            failed = error  # a name may have several addresses, and not all may be listened on
    raise failed or errors.NameUnknown(target.id, f'"{address.host}" has no address', hint="check the name")


async def _opened(target: TargetId, link: Any, purpose: Purpose) -> Session:
    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            await link.connect()
    except TimeoutError:
        raise TimedOut(
            target,
            f"connecting got no answer within {CONNECT_LIMIT_S:g} s",
            hint="check the network and the firewall; a frozen server or TLS on a port without it are so too",
        ) from None
    except _FAILURES as error:
        raise translate(target, error) from error.with_traceback(None)
    session = Session(target, link, purpose)
    _open.setdefault(target, WeakSet()).add(session)
    # none of these is needed: an ACL may refuse some, and old servers do not know all
    replies = await session.ask(
        ("CLIENT", "ID"),
        ("CLIENT", "SETNAME", "opsdash"),
        ("CLIENT", "NO-EVICT", "on"),
        ("CLIENT", "NO-TOUCH", "on"),
    )
    session.id = replies[0] if isinstance(replies[0], int) else None
    return session


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def translate(target: TargetId, error: BaseException) -> TargetError:
    """Our error for what the library raised: the reason in the server's words, on one line, no secrets."""
    if not isinstance(error, RedisError | OSError | EOFError):
        return errors.BadReply(
            target, f"an answer that is none ({type(error).__name__})", hint="is this a Redis server?"
        )
    code = getattr(error, "status_code", None)
    words = str(error) or type(error).__name__
    return told(target, words if code in (None, "ERR") else f"{code} {words}")


def first_error(replies: Sequence[Any]) -> TargetError | None:
    """The first reply that is a refusal."""
    return next((reply for reply in replies if isinstance(reply, TargetError)), None)
