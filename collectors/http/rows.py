"""What probes of an HTTP endpoint found, as frozen rows."""

import enum
from collections.abc import Mapping
from datetime import datetime

import msgspec

from opsdash.collectors.format import duration
from opsdash.collectors.http.window import Window


class Verdict(enum.Enum):
    """What one probe says of the endpoint; the value is the word shown."""

    UP = "up"
    DEGRADED = "degraded"
    """It works, and says that something it needs does not."""
    UNKNOWN = "unknown"
    """opsdash was not let in, or could not look: neither up nor down."""
    DOWN = "down"


class Trouble(enum.Enum):
    """What was wrong with one probe, told apart as a person would; the value is the word shown."""

    REFUSED = "connection refused"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed out"
    NAME_UNKNOWN = "name unknown"
    NAME_LOOKUP_HANGS = "name lookup hangs"
    LOST = "connection lost"
    TLS = "TLS failed"
    CERTIFICATE = "certificate refused"
    NOT_HTTP = "no HTTP answer"
    NOT_LET_IN = "not let in"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate limited"
    SERVER_ERROR = "server error"
    STATUS = "unexpected status"
    REDIRECT_LOOP = "redirect loop"
    TOO_MANY_REDIRECTS = "too many redirects"
    OVERSIZED = "body too large"
    NOT_JSON = "not JSON"
    CONDITION = "condition failed"
    UNHEALTHY = "says unhealthy"
    DEGRADED = "says degraded"


class Phases(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time of one probe went, in seconds. None: not reached, or not needed."""

    earlier_s: float | None = None
    """Requests before the last redirect; None when there was none."""
    name_s: float | None = None
    """Name lookup; None for an address."""
    connect_s: float | None = None
    tls_s: float | None = None
    first_byte_s: float | None = None
    """From the request until the head of the answer was there."""
    body_s: float | None = None

    def named(self) -> tuple[tuple[str, float | None], ...]:
        """The phases in their order, as people call them."""
        return (
            ("redirects", self.earlier_s),
            ("name", self.name_s),
            ("connect", self.connect_s),
            ("TLS", self.tls_s),
            ("first byte", self.first_byte_s),
            ("body", self.body_s),
        )

    @property
    def longest(self) -> tuple[str, float] | None:
        """The phase that took most; None when none is known."""
        known = [(name, seconds) for name, seconds in self.named() if seconds is not None]
        return max(known, key=lambda pair: pair[1], default=None)


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One redirect that was followed."""

    status: int
    to: str
    """URL without user, password and query."""


class SubCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a health body says of one dependency."""

    name: str
    says: str
    """In the body's own word: "unhealthy", "UP", "timeout"."""
    verdict: Verdict
    """UNKNOWN: a word that opsdash does not know."""
    detail: str | None = None
    """What the body says more: a latency, a message."""


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate as the server sent it."""

    subject: str
    """Common name, else the first name it is for, else the whole subject."""
    issuer: str
    names: tuple[str, ...]
    """DNS names and addresses it is for."""
    not_before: datetime
    not_after: datetime
    is_ca: bool
    serial: str
    """Hexadecimal."""

    def days_left(self, now: datetime) -> float:
        """Until it expires; negative once it has."""
        return (self.not_after - now).total_seconds() / 86400


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """The certificates that the server sent, its own first. Never empty."""

    certificates: tuple[Certificate, ...]
    is_leaf_only: bool = False
    """This Python cannot show more than the server's own certificate."""
    refused: str | None = None
    """Why the handshake refused it, in OpenSSL's words; None when it was accepted."""

    @property
    def leaf(self) -> Certificate:
        """The server's own."""
        return self.certificates[0]

    @property
    def earliest(self) -> Certificate:
        """The one that expires first."""
        return min(self.certificates, key=lambda certificate: certificate.not_after)

    def role(self, certificate: Certificate) -> str:
        """What a certificate is in this chain, for people."""
        if certificate is self.leaf:
            return "certificate"
        return "root" if certificate.subject == certificate.issuer else "intermediate"


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One request and what came of it."""

    at: datetime
    """When it ended: aware, UTC, our clock."""
    mono_s: float
    took_s: float
    verdict: Verdict
    phases: Phases = Phases()
    trouble: Trouble | None = None
    """None: nothing is wrong."""
    reason: str | None = None
    """What was wrong in one line, in the endpoint's own words; None when nothing was."""
    hint: str | None = None
    """What to do next."""
    status: int | None = None
    """None: there was no answer."""
    address: str | None = None
    """Where it was connected to; None: it did not come to that."""
    hops: tuple[Hop, ...] = ()
    checks: tuple[SubCheck, ...] = ()
    body_bytes: int | None = None
    """What was read of the body."""
    media_type: str | None = None

    @property
    def is_answered(self) -> bool:
        """Whether there was an HTTP answer, so that `took_s` is a latency."""
        return self.status is not None and self.trouble is not Trouble.TIMED_OUT

    @property
    def failing_checks(self) -> tuple[SubCheck, ...]:
        """Dependencies that the body says are down or degraded, the worse ones first."""
        down = [check for check in self.checks if check.verdict is Verdict.DOWN]
        return (*down, *(check for check in self.checks if check.verdict is Verdict.DEGRADED))


class HttpData(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One endpoint, as its last probes found it."""

    url: str
    """Without user, password and query."""
    label: str
    """Its path."""
    service: str
    has_tls: bool
    probe: Probe
    """The newest."""
    probes: tuple[Probe, ...]
    """The window, oldest first; `probe` is the last."""
    state: Verdict
    """DOWN only after several failed probes in a row, and until several good ones."""
    failing: int
    """Failed probes in a row, the newest included; 0 when it did not fail."""
    passing: int
    """Good probes in a row since the last failed one."""
    probed: int
    """Probes since opsdash began to watch."""
    watched_s: float
    """Since the first of them was sent."""
    failed_since: datetime | None = None
    """The first failed probe of the run that is under way; None when there is none."""
    window: Window
    chain: Chain | None = None
    """The newest one seen; None: no TLS, or no handshake came that far yet."""

    def measures(self) -> Mapping[str, float | None]:
        """Figures worth a history."""
        return {
            "latency_s": self.probe.took_s if self.probe.is_answered else None,
            "p95_s": self.window.p95_s,
        }

    def slow_over(self, limit_s: float) -> tuple[Probe, ...]:
        """Answered probes of the window over `limit_s`, where the 95th percentile is over it as well.

        Empty where it is one alone: of a few probes that is the 95th percentile by itself, and a blip.
        """
        if self.window.p95_s is None or self.window.p95_s <= limit_s:
            return ()
        slow = tuple(probe for probe in self.probes if probe.is_answered and probe.took_s > limit_s)
        return slow if len(slow) > 1 else ()

    def is_settled(self) -> bool:
        """Whether more probes would not change the verdict: `opsdash check` asks again until it is so."""
        return self.probe.verdict is not Verdict.DOWN or self.state is Verdict.DOWN

    def summary(self) -> str:
        """The endpoint in a few words, for lists and headless output."""
        said = str(self.probe.status) if self.probe.status else "no answer"
        return f"{self.url} {said} · {duration(self.probe.took_s)} · {self.state.value}"
