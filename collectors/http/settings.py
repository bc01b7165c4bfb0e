"""What the configuration says of one HTTP endpoint. Imports no client library."""

import re
from typing import Annotated, Literal

import msgspec

from opsdash.collectors.http.address import parse, parse_connect
from opsdash.collectors.secret_source import SecretSource

Ratio = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Amount = Annotated[float, msgspec.Meta(ge=0)]
Status = Annotated[int, msgspec.Meta(ge=100, le=599)]
StatusClass = Literal["1xx", "2xx", "3xx", "4xx", "5xx"]

_SECRET_HEADER = re.compile(r"authorization|cookie|token|secret|password|(^|-)key$|auth", re.IGNORECASE)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class HeaderSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A header whose value is a secret: `{ env = "API_TOKEN", prefix = "Bearer " }`."""

    env: str | None = None
    file: str | None = None
    command: tuple[str, ...] | None = None
    """Argument list of a program that prints it; no shell."""
    prefix: str = ""
    """What stands before the secret; not a secret itself."""

    def source(self, header: str) -> SecretSource:
        """Where to read the value of `header`."""
        return SecretSource(key=f"headers.{header}", env=self.env, file=self.file, command=self.command)


class HttpThresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a rule fires. `[http.thresholds]` below an `[[http]]` table."""

    latency_warn_s: Amount = 0.5
    """95th percentile of the answered probes in the window."""
    latency_crit_s: Amount = 1.0
    """The same, critical."""
    errors_warn_ratio: Ratio = 0.01
    """Share of the probes in the window that failed."""
    errors_crit_ratio: Ratio = 0.05
    """The same, critical."""
    certificate_warn_days: Amount = 30.0
    """Until the first certificate of the chain expires."""
    certificate_crit_days: Amount = 7.0
    """The same, critical."""
    down_after: Count = 3
    """Failed probes in a row before it counts as down."""
    up_after: Count = 2
    """Good probes in a row before it counts as up again."""


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[http]]` table, but for the keys that every kind has (name, interval, environment, …)."""

    url: str
    """What is asked for; its path is what the service calls its health."""
    service: str | None = None
    """Probes of one service stand together; None: the target's own name."""
    method: Literal["GET", "HEAD"] = "GET"
    """HEAD reads no body, so nothing can be expected of it."""
    connect: str | None = None
    """Address and port to connect to in place of the URL's: "10.0.0.5:443". Name and certificate stay its."""
    accept: tuple[Status | StatusClass, ...] = ("2xx",)
    """Status codes that are fine. An accepted redirect is not followed."""
    redirects: Annotated[int, msgspec.Meta(ge=0, le=20)] = 5
    """How many redirects are followed."""
    headers: dict[str, str | HeaderSource] = {}
    """Values that are secret stand elsewhere and are referred to."""
    expect: str | None = None
    """JMESPath condition on the JSON body: "status == 'ok'"."""
    depends: dict[str, str] = {}
    """What the body calls a dependency -> the name of its target: { database = "orders-db" }."""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=4.5)] = 4.0
    """For a whole probe, redirects and body included."""
    body_limit_bytes: Annotated[int, msgspec.Meta(ge=1, le=16_777_216)] = 1_048_576
    """A longer body is a failure of its own."""
    window: Annotated[int, msgspec.Meta(ge=2, le=1000)] = 60
    """How many of the last probes the figures are over."""
    ca_file: str | None = None
    """Certificates to trust instead of the system's. PEM."""
    cert_file: str | None = None
    """Our own certificate, where the server asks for one. PEM."""
    key_file: str | None = None
    """Its key. PEM."""
    thresholds: HttpThresholds = HttpThresholds()

    def mistakes(self) -> tuple[tuple[str, str], ...]:
        """What is wrong beyond the types, as (key, what was expected); no text repeats a value."""
        wrong: list[tuple[str, str]] = []
        try:
            endpoint = parse(self.url)
        except ValueError as error:
            return (("url", str(error)),)
        if self.connect is not None:
            try:
                parse_connect(self.connect, endpoint.port)
            except ValueError as error:
                wrong.append(("connect", str(error)))
        for name, value in self.headers.items():
            wrong += _header_mistakes(name, value)
        if self.expect is not None:
            wrong += _expect_mistakes(self.expect, self.method)
        tls = [key for key in ("ca_file", "cert_file", "key_file") if getattr(self, key) is not None]
        if not endpoint.has_tls and not self.redirects:
            wrong += [(key, "needs an https:// URL") for key in tls]
        if self.key_file is not None and self.cert_file is None:
            wrong.append(("key_file", "needs cert_file"))
        return tuple(wrong)

    def inline_secrets(self) -> tuple[str, ...]:
        """The keys whose value itself holds a secret; only a private file may."""
        keys = [
            f"headers.{name}"
            for name, value in self.headers.items()
            if isinstance(value, str) and _SECRET_HEADER.search(name)
        ]
        return (*(["url"] if parse(self.url).password is not None else []), *keys)

    def commands(self) -> tuple[str, ...]:
        """The keys that name a program to run; only a file that nobody else can write may."""
        return tuple(
            f"headers.{name}.command"
            for name, value in self.headers.items()
            if isinstance(value, HeaderSource) and value.command
        )

    def accepts(self, status: int) -> bool:
        """Whether a status code is fine.

        >>> settings = HttpSettings(url="http://api/", accept=("2xx", 301))
        >>> [settings.accepts(status) for status in (204, 301, 302, 503)]
        [True, True, False, False]
        """
        return status in self.accept or f"{status // 100}xx" in self.accept


def _header_mistakes(name: str, value: str | HeaderSource) -> list[tuple[str, str]]:
    key = f"headers.{name}"
    if not _HEADER_NAME.fullmatch(name):
        return [("headers", "one of its names is not the name of a header")]
    if name.lower() in ("host", "content-length", "transfer-encoding", "connection", "accept-encoding"):
        return [(key, "opsdash sets this header itself")]
    if isinstance(value, str):
        return [] if is_header_value(value) else [(key, "holds characters that HTTP does not allow")]
    stated = [word for word in ("env", "file", "command") if getattr(value, word) is not None]
    if len(stated) != 1:
        return [(key, "exactly one of env, file and command is needed")]
    return (
        [] if is_header_value(value.prefix) else [(f"{key}.prefix", "holds characters HTTP does not allow")]
    )


def is_header_value(text: str) -> bool:
    r"""Whether HTTP allows `text` as the value of a header.

    >>> is_header_value("Bearer abc"), is_header_value("a\nb"), is_header_value("€")
    (True, False, False)
    """
    return all(char == "\t" or (0x20 <= ord(char) <= 0xFF and ord(char) != 0x7F) for char in text)


def _expect_mistakes(expect: str, method: str) -> list[tuple[str, str]]:
    if method == "HEAD":
        return [("expect", "a HEAD request has no body to look at")]
    from opsdash.collectors.http.condition import syntax_error  # jmespath: only where there is a condition

    error = syntax_error(expect)
    return [("expect", error)] if error else []
