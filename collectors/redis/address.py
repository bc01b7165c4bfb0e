"""Where a Redis is, read from its URL. Pure; no message repeats the URL, which may hold a password."""

from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

_SCHEMES = ("redis", "rediss", "valkey", "valkeys", "unix")
_EXPECTED = "expected redis://host:6379/0, rediss:// for TLS, or unix:///path"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a URL."""

    host: str = "localhost"
    port: int = 6379
    path: str | None = None
    """Of a Unix socket; then host and port mean nothing."""
    db: int = 0
    has_tls: bool = False
    username: str | None = None
    password: str | None = None

    @property
    def label(self) -> str:
        """The place as people say it, without user and password.

        >>> parse("rediss://me:hunter2@cache.internal/2").label, parse("unix:///run/redis.sock").label
        ('cache.internal:6379/2', '/run/redis.sock')
        """
        place = self.path or f"{self.host}:{self.port}"
        return f"{place}/{self.db}" if self.db else place


def parse(url: str) -> Address:
    """The parts of `url`.

    >>> found = parse("redis://me:p%40ss@cache.internal:6380/3")
    >>> (found.host, found.port, found.db, found.username, found.password)
    ('cache.internal', 6380, 3, 'me', 'p@ss')
    >>> parse("redis://[::1]").host, parse("rediss://cache").has_tls, parse("unix:///run/r.sock?db=2").db
    ('::1', True, 2)

    Raises:
        ValueError: It is none; the text says what was expected.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError("the host or port in the URL cannot be read") from error
    if parts.fragment:
        raise ValueError("a # in the password is written %23")
    if parts.scheme not in _SCHEMES:
        raise ValueError(_EXPECTED)
    is_socket = parts.scheme == "unix"
    if is_socket and not parts.path:
        raise ValueError("expected the path of a socket, as in unix:///run/redis/redis.sock")
    return Address(
        host=parts.hostname or "localhost",
        port=port or 6379,
        path=unquote(parts.path) if is_socket else None,
        db=_database(parts, is_socket=is_socket),
        has_tls=parts.scheme in ("rediss", "valkeys"),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def _database(parts: SplitResult, *, is_socket: bool) -> int:
    """The database's number: `?db=2`, else the path."""
    options = dict(option.partition("=")[::2] for option in parts.query.split("&") if option)
    stated = options.pop("db", "" if is_socket else parts.path.strip("/"))
    if options:
        raise ValueError(f"option {min(options)} of the URL is not supported; keys of the target are")
    if stated and not stated.isdecimal():
        raise ValueError("the database in the URL is not a number")
    return int(stated or 0)
