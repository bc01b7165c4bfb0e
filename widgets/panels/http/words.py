"""How an endpoint's state and figures are told. Pure."""

from collections.abc import Sequence
from datetime import datetime

from opsdash.collectors.feed import TargetView
from opsdash.collectors.format import duration
from opsdash.collectors.http.rows import Certificate, Chain, HttpData, Probe, Trouble, Verdict
from opsdash.collectors.http.settings import HttpSettings, HttpThresholds
from opsdash.widgets.status import Tone

TONES = {
    Verdict.UP: Tone.OK,
    Verdict.DEGRADED: Tone.WARN,
    Verdict.UNKNOWN: Tone.UNKNOWN,
    Verdict.DOWN: Tone.CRIT,
}

_BLOCKS = {Verdict.UP: "▇", Verdict.DEGRADED: "▄", Verdict.UNKNOWN: "·", Verdict.DOWN: "▁"}

STRIP = 10
"""Probes in the strip."""


def strip(probes: Sequence[Probe], width: int = STRIP) -> str:
    """The last probes, oldest first: high is up, half is degraded, low is down, a dot could not be known."""
    return "".join(_BLOCKS[probe.verdict] for probe in probes[-width:])


def state_word(data: HttpData, limits: HttpThresholds) -> tuple[str, Tone]:
    """One word for the endpoint, with its tone: what the newest probe says, once it counts."""
    probe = data.probe
    if data.state is Verdict.DOWN:
        if probe.verdict is Verdict.DOWN:
            return "down", Tone.CRIT
        return "recovering", Tone.CRIT
    if probe.verdict is Verdict.DOWN:
        refused = probe.trouble is Trouble.CERTIFICATE
        return f"failed {data.failing} of {limits.down_after}", Tone.CRIT if refused else Tone.WARN
    if probe.verdict is Verdict.UNKNOWN:
        return probe.trouble.value if probe.trouble else "unknown", Tone.UNKNOWN
    if probe.verdict is Verdict.DEGRADED:
        return "degraded", Tone.WARN
    if not data.slow_over(limits.latency_warn_s):
        return "up", Tone.OK
    return "slow", Tone.CRIT if data.slow_over(limits.latency_crit_s) else Tone.WARN


def status_word(probe: Probe) -> str:
    """The status code, else what there was in its place.

    >>> from datetime import UTC
    >>> known = {"at": datetime(2026, 1, 1, tzinfo=UTC), "mono_s": 0.0, "took_s": 0.1}
    >>> status_word(Probe(verdict=Verdict.UP, status=204, **known))
    '204'
    >>> status_word(Probe(verdict=Verdict.DOWN, trouble=Trouble.REFUSED, **known))
    'refused'
    """
    if probe.status is not None:
        return str(probe.status)
    short = {
        Trouble.REFUSED: "refused",
        Trouble.TIMED_OUT: "timeout",
        Trouble.NAME_UNKNOWN: "no name",
        Trouble.NAME_LOOKUP_HANGS: "DNS",
        Trouble.UNREACHABLE: "no way",
        Trouble.LOST: "lost",
        Trouble.TLS: "TLS",
        Trouble.CERTIFICATE: "cert",
        Trouble.NOT_HTTP: "no HTTP",
        Trouble.REDIRECT_LOOP: "loop",
        Trouble.TOO_MANY_REDIRECTS: "3xx",
    }
    return short.get(probe.trouble, "-") if probe.trouble else "-"


def latency_tone(seconds: float | None, limits: HttpThresholds) -> Tone:
    """By the thresholds; unknown is not a fault here, an endpoint that does not answer is told elsewhere."""
    if seconds is None or seconds <= limits.latency_warn_s:
        return Tone.OK
    return Tone.CRIT if seconds > limits.latency_crit_s else Tone.WARN


def latency(probe: Probe) -> str:
    """How long a probe took; in brackets where nothing was answered in that time."""
    return duration(probe.took_s) if probe.is_answered else f"({duration(probe.took_s)})"


def days_word(chain: Chain | None, now: datetime, *, has_tls: bool) -> str:
    """Whole days until the first certificate of the chain expires."""
    if chain is None:
        return "?" if has_tls else "-"
    return f"{int(chain.earliest.days_left(now))} d"


def days_tone(certificate: Certificate, now: datetime, limits: HttpThresholds) -> Tone:
    """By the thresholds of the target."""
    days = certificate.days_left(now)
    if days < limits.certificate_crit_days or certificate.not_before > now:
        return Tone.CRIT
    return Tone.WARN if days < limits.certificate_warn_days else Tone.OK


def limits_of(view: TargetView) -> HttpThresholds:
    """The thresholds of a target."""
    settings = view.target.settings
    return settings.thresholds if isinstance(settings, HttpSettings) else HttpThresholds()
