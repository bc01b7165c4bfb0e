"""`opsdash doctor` for one endpoint: probes it once, and says what keeps opsdash from judging it."""

from collections.abc import Iterator

from opsdash.collectors.clock import Clock
from opsdash.collectors.diagnosis import Check, Diagnosis, Fix, advice, missing, ok
from opsdash.collectors.errors import TargetError
from opsdash.collectors.format import duration
from opsdash.collectors.http.collector import HttpCollector
from opsdash.collectors.http.rows import HttpData, Probe, Trouble, Verdict
from opsdash.collectors.http.settings import HttpSettings
from opsdash.collectors.snapshot import Failure, FailureKind
from opsdash.collectors.target import Target

_NO_ANSWER = {
    Trouble.REFUSED: FailureKind.REFUSED,
    Trouble.UNREACHABLE: FailureKind.LOST,
    Trouble.TIMED_OUT: FailureKind.TIMED_OUT,
    Trouble.NAME_UNKNOWN: FailureKind.NAME_UNKNOWN,
    Trouble.NAME_LOOKUP_HANGS: FailureKind.NAME_LOOKUP_HANGS,
    Trouble.LOST: FailureKind.LOST,
    Trouble.TLS: FailureKind.TLS,
    Trouble.CERTIFICATE: FailureKind.TLS,
    Trouble.NOT_HTTP: FailureKind.BAD_REPLY,
}
"""Troubles that leave nothing to judge."""

_UNTRUSTED = ("unable to get local issuer", "self-signed", "self signed", "unable to verify")
"""How OpenSSL begins when the issuer is not known here."""


async def diagnose(target: Target) -> Diagnosis:
    """Probe once.

    Raises:
        TargetError: Nothing could be asked: a secret or a file cannot be read.
    """
    settings = target.settings
    assert isinstance(settings, HttpSettings)
    collector = HttpCollector(target, Clock())
    try:
        data = await collector.collect()
    except TargetError as error:
        return Diagnosis(failure=error.failure())
    finally:
        await collector.close()
    probe = data.probe
    kind = _NO_ANSWER.get(probe.trouble) if probe.trouble is not None else None
    if kind is not None:
        failure = Failure(kind=kind, reason=probe.reason or kind.value, hint=probe.hint)
        return Diagnosis(failure=failure, checks=tuple(_trust(data, settings)))
    checks = (*_answer(data), *_trust(data, settings), *_judging(probe, settings))
    return Diagnosis(checks=checks, summary=data.summary())


def _answer(data: HttpData) -> Iterator[Check]:
    """Whether opsdash is let in; that the endpoint itself is unwell is a finding, not a gap."""
    probe = data.probe
    words = f"{probe.status} in {duration(probe.took_s)}"
    if probe.trouble in (Trouble.NOT_LET_IN, Trouble.FORBIDDEN):
        yield missing("reading", f"{words}: {probe.trouble.value}; {probe.hint}")
    elif probe.trouble is Trouble.RATE_LIMITED:
        yield missing("reading", f"{words}: probed too often; a larger interval is needed")
    else:
        yield ok("reading", words if probe.reason is None else f"{words}; it says: {probe.reason}")
    for hop in probe.hops:
        yield advice("redirect", f"{hop.status} to {hop.to}: probing that directly is faster")


def _trust(data: HttpData, settings: HttpSettings) -> Iterator[Check]:
    """Whether the certificate is trusted, and what would make it so."""
    chain = data.chain
    if chain is None:
        if data.has_tls:
            yield missing("certificate", "no handshake came so far that one was seen")
        return
    first = chain.earliest
    words = (
        f'issued by "{chain.leaf.issuer}", first to expire: "{first.subject}" on {first.not_after:%Y-%m-%d}'
    )
    if chain.refused is None:
        yield ok("certificate", words)
    elif chain.refused.startswith(_UNTRUSTED) and settings.ca_file is None:
        fix = Fix(where="in opsdash.toml, in this target's table", lines=('ca_file = "/path/to/ca.pem"',))
        yield missing("certificate", f"{chain.refused}: {words}; get the CA from whoever issues it", fix)
    else:
        yield missing("certificate", f"{chain.refused}: {words}")
    if chain.is_leaf_only:
        yield advice("chain", "this Python shows the server's own certificate only")


def _judging(probe: Probe, settings: HttpSettings) -> Iterator[Check]:
    """Whether the body can be judged."""
    if settings.expect is not None:
        if probe.trouble in (Trouble.NOT_JSON, Trouble.OVERSIZED):
            yield missing("condition", f"{probe.reason}: expect cannot be looked at")
        elif probe.status is not None and settings.accepts(probe.status):
            yield ok("condition", "expect was looked at")
    unknown = [check for check in probe.checks if check.verdict is Verdict.UNKNOWN]
    if unknown:
        named = ", ".join(f"{check.name}={check.says}" for check in unknown[:5])
        yield advice("sub-checks", f"{named}: opsdash does not know what that word means")
