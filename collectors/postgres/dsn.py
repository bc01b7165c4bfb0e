"""What a libpq connection string says, read without libpq: to name a target, and to find passwords in it."""

import re
from urllib.parse import parse_qsl, unquote

_URI = re.compile(r"postgres(?:ql)?://", re.IGNORECASE)
_URI_PARTS = re.compile(
    r"\w+://(?:(?P<account>[^/]*)@)?(?P<hosts>[^/?]*)(?:/(?P<database>[^?]*))?(?:\?(?P<options>.*))?",
    re.DOTALL,
)
_PAIR = re.compile(r"\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))\s*", re.DOTALL)
_HOST_PORT = re.compile(r"(\[[^\]]*\]|[^:]*):?(.*)", re.DOTALL)
_SECRETS = ("password", "sslpassword", "oauth_client_secret")


def parts(dsn: str) -> dict[str, str]:
    r"""The parameters of a connection string, URI or key=value, by their libpq names.

    Raises:
        ValueError: It is neither. The text never repeats the string, which may hold a password.

    >>> parts("postgresql://me:s%20x@db:5433/shop?sslmode=require")
    {'host': 'db', 'port': '5433', 'user': 'me', 'password': 's x', 'dbname': 'shop', 'sslmode': 'require'}
    >>> parts(r"host=db  dbname = 'my shop' password='it\'s'")
    {'host': 'db', 'dbname': 'my shop', 'password': "it's"}
    >>> parts("postgres://a,[::1]:5433/x"), parts("postgresql:///shop?host=/run/pg"), parts("")
    ({'host': 'a,::1', 'port': ',5433', 'dbname': 'x'}, {'dbname': 'shop', 'host': '/run/pg'}, {})
    >>> parts("postgresql://me:p?a#ss@db/shop")["password"]
    'p?a#ss'
    >>> parts("orders")
    Traceback (most recent call last):
    ValueError: expected postgresql://user@host/database or key=value pairs
    """
    return _of_uri(dsn) if _URI.match(dsn) else _of_pairs(dsn.strip())


def secret_keys(dsn: str) -> tuple[str, ...]:
    """The parameters of a connection string that hold a secret value.

    >>> secret_keys("postgresql://me:x@db"), secret_keys("host=db sslpassword=x"), secret_keys("host=db")
    (('password',), ('sslpassword',), ())
    """
    stated = parts(dsn)
    return tuple(key for key in _SECRETS if stated.get(key))


def _of_pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            raise ValueError("expected postgresql://user@host/database or key=value pairs")
        quoted, plain = pair.group(2), pair.group(3)
        found[pair.group(1)] = re.sub(r"\\(.)", r"\1", plain if quoted is None else quoted)
        at = pair.end()
    return found


def _of_uri(dsn: str) -> dict[str, str]:
    """Apart as libpq takes it: a password ends at the @, and may hold ? and #, but no /."""
    found = _URI_PARTS.fullmatch(dsn)
    if found is None:
        raise ValueError("expected postgresql://user@host/database or key=value pairs")
    if found["hosts"].count("[") != found["hosts"].count("]"):
        raise ValueError("the host in the URI cannot be read")
    user, _, password = (found["account"] or "").partition(":")
    pairs = [_host_port(host) for host in found["hosts"].split(",")]
    if not all(port.isdecimal() or not port for _, port in pairs):
        raise ValueError("the port in the URI is not a number; a / in a password is written %2F")
    stated = {
        "host": ",".join(host for host, _ in pairs),
        "port": ",".join(port for _, port in pairs) if any(port for _, port in pairs) else "",
        "user": unquote(user),
        "password": unquote(password),
        "dbname": unquote(found["database"] or ""),
    }
    return {key: value for key, value in stated.items() if value} | dict(parse_qsl(found["options"] or ""))


def _host_port(text: str) -> tuple[str, str]:
    """Apart by the first colon outside the brackets of an IPv6 address."""
    found = _HOST_PORT.fullmatch(text)
    host, port = found.groups() if found else (text, "")
    return unquote(host).strip("[]"), port
