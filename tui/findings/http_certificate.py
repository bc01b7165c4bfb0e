"""Certificates of an endpoint: refused, expired, or soon to expire. Pure."""

from collections.abc import Iterator
from datetime import datetime

from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.format import plural
from opsdash.collectors.http.rows import Certificate, Chain, HttpData, Trouble
from opsdash.collectors.http.settings import HttpThresholds
from opsdash.collectors.target import TargetId

RULE = "http.certificate"
PLACE = "chain"


def certificate(data: HttpData, target: TargetId, limits: HttpThresholds) -> Iterator[Finding]:
    """One finding for the chain: refused, or the certificate of it that expires first."""
    chain = data.chain
    if chain is None:
        return
    now = data.probe.at
    first = chain.earliest
    days = first.days_left(now)
    name = f'{chain.role(first)} "{first.subject}"'
    is_refused = data.probe.trouble is Trouble.CERTIFICATE
    if not is_refused and days >= limits.certificate_warn_days:
        return
    if is_refused:
        reason = data.probe.reason or "refused"
        dates = f" · {name} {expiry_words(first, now)}" if days < limits.certificate_warn_days else ""
        title, short = f"certificate refused: {reason}{dates}", f"certificate refused: {reason}"
    else:
        title = f"certificate {expiry_words(first, now)} ({name})"
        short = f"certificate {expiry_words(first, now)}"
    yield Finding(
        severity=Severity.CRIT if is_refused or days < limits.certificate_crit_days else Severity.WARN,
        target=target,
        rule=RULE,
        title=title,
        short=short,
        evidence=tuple(_evidence(data, chain, now)),
        cause=_cause(data, chain, now, is_refused=is_refused),
        place=PLACE,
        # what ends some day stands below what fails now
        weight=100.0 if is_refused else max(0.0, 1.0 - days / limits.certificate_warn_days),
    )


def expiry_words(certificate: Certificate, now: datetime) -> str:
    """How long a certificate is still good for, or since when it is not.

    >>> from datetime import UTC, timedelta
    >>> at = datetime(2026, 1, 1, tzinfo=UTC)
    >>> def until(**span):
    ...     ends = at + timedelta(**span)
    ...     return Certificate(subject="a", issuer="b", names=(), not_before=at - timedelta(days=90),
    ...                        not_after=ends, is_ca=False, serial="1")
    >>> [expiry_words(until(**s), at) for s in ({"days": 12.5}, {"hours": 5}, {"days": -2}, {"hours": -1})]
    ['expires in 12 days', 'expires in 5 hours', 'expired 2 days ago', 'expired 1 hour ago']
    """
    if certificate.not_before > now:
        return f"is not valid before {certificate.not_before:%Y-%m-%d %H:%M} UTC"
    days = certificate.days_left(now)
    whole = int(abs(days))
    span = plural(whole, "day") if whole else plural(int(abs(days) * 24), "hour")
    return f"expires in {span}" if days >= 0 else f"expired {span} ago"


def _evidence(data: HttpData, chain: Chain, now: datetime) -> Iterator[str]:
    for one in chain.certificates:
        until = f"{one.not_after:%Y-%m-%d %H:%M} UTC"
        yield f'{chain.role(one)} "{one.subject}" by "{one.issuer}" until {until}: {expiry_words(one, now)}'
    if chain.leaf.names:
        more = f", +{len(chain.leaf.names) - 5} more" if len(chain.leaf.names) > 5 else ""
        yield f"it is for {', '.join(chain.leaf.names[:5])}{more}"
    if chain.is_leaf_only:
        yield "leaf only: this Python cannot show the rest of the chain"
    if data.probe.trouble is Trouble.CERTIFICATE and data.probe.hint:
        yield f"next: {data.probe.hint}"


def _cause(data: HttpData, chain: Chain, now: datetime, *, is_refused: bool) -> str | None:
    first = chain.earliest
    if first.days_left(now) < 0:
        return f'the {chain.role(first)} "{first.subject}" has expired: its renewal failed, or was not loaded'
    early = next((one for one in chain.certificates if one.not_before > now), None)
    if early is not None:
        return (
            f'the {chain.role(early)} "{early.subject}" is valid later only: a clock is wrong, here or there'
        )
    if is_refused:
        return data.probe.hint
    if first is not chain.leaf:
        return "the intermediate goes first: renewing the server's own certificate alone does not help"
    return "its renewal is due: usually automatic, and then it has failed or was not loaded"
