"""URLs of endpoints: where to connect, what to ask for, and how to show them without their secrets. Pure."""

import ipaddress
import re
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

import msgspec

from opsdash.collectors.text import one_line

PORTS = {"http": 80, "https": 443}


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One URL, taken apart."""

    scheme: str
    host: str
    """A name in ASCII, or an address without brackets."""
    port: int
    path: str
    """Path and query, as they are sent."""
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"Endpoint({self.shown})"

    @property
    def has_tls(self) -> bool:
        """Whether it is https."""
        return self.scheme == "https"

    @property
    def origin(self) -> tuple[str, str, int]:
        """What must be the same for secrets to be sent again after a redirect."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them.

        >>> parse("https://api/").authority, parse("http://[::1]:8080/").authority
        ('api', '[::1]:8080')
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def label(self) -> str:
        """The path alone, for people; a query is only hinted at, since it may hold a token.

        >>> parse("https://api/health?token=hunter2").label
        '/health?…'
        """
        path, mark, _ = self.path.partition("?")
        return one_line(path + ("?…" if mark else ""))

    @property
    def shown(self) -> str:
        """The URL for people: no user, no password, no query.

        >>> parse("https://me:hunter2@api.internal/health?token=hunter2").shown
        'https://api.internal/health?…'
        """
        return f"{self.scheme}://{one_line(self.authority)}{self.label}"


def parse(url: str) -> Endpoint:
    """Take a URL apart.

    >>> parse("https://api.internal/health?deep=1").path, parse("http://bücher.example").host
    ('/health?deep=1', 'xn--bcher-kva.example')

    Raises:
        ValueError: It is none that can be probed; the text does not repeat it.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise ValueError("expected a URL such as https://api.internal/health") from None
    if parts.scheme not in PORTS:
        raise ValueError("expected a URL that begins with http:// or https://")
    if not parts.hostname:
        raise ValueError("expected a URL with a host, such as https://api.internal/health")
    path = quote(parts.path or "/", safe="/:@!$&'()*+,;=-._~%")
    if parts.query:
        path += "?" + quote(parts.query, safe="/?:@!$&'()*+,;=-._~%")
    return Endpoint(
        scheme=parts.scheme,
        host=_host(parts),
        port=port if port is not None else PORTS[parts.scheme],
        path=path,
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if is_address(host):
        return host
    try:
        name = host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError("expected a host name that DNS allows") from None
    if not re.fullmatch(r"[a-z0-9._-]+", name):
        raise ValueError("expected a host name that DNS allows")
    return name


def parse_connect(text: str, port: int) -> tuple[str, int]:
    """Where to connect instead: a host or an address, and a port where it is not the URL's.

    >>> parse_connect("10.0.0.5:8443", 443), parse_connect("10.0.0.5", 443), parse_connect("[::1]:80", 443)
    (('10.0.0.5', 8443), ('10.0.0.5', 443), ('::1', 80))

    Raises:
        ValueError: It is no such thing.
    """
    if is_address(text):
        return text, port
    try:
        parts = urlsplit(f"//{text}")
        host, stated = parts.hostname, parts.port
    except ValueError:
        host, stated = None, None
    if not host or parts.path or parts.username is not None:
        raise ValueError('expected an address and a port, such as "10.0.0.5:443"')
    return host, stated if stated is not None else port


def redirected(endpoint: Endpoint, location: str) -> Endpoint:
    """Where a redirect leads. Raises ValueError when that is nothing that can be probed.

    >>> redirected(parse("http://api/old?x=1"), "/new").shown
    'http://api/new'
    >>> redirected(parse("http://api/old"), "https://login.example/?next=a").shown
    'https://login.example/?…'
    """
    base = f"{endpoint.scheme}://{endpoint.authority}{endpoint.path}"
    return parse(urljoin(base, location.strip()))


def is_address(host: str) -> bool:
    """Whether `host` need not be looked up.

    >>> is_address("10.0.0.1"), is_address("::1"), is_address("api.internal")
    (True, True, False)
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
