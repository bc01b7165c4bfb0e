"""What is wrong with an HTTP endpoint. Pure."""

from collections.abc import Iterator

from msgspec.structs import replace

from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.format import age, duration, moment, percent, plural
from opsdash.collectors.http.rows import HttpData, Probe, Trouble, Verdict
from opsdash.collectors.http.settings import HttpSettings, HttpThresholds
from opsdash.collectors.target import Target
from opsdash.tui.findings.http_certificate import certificate

PLACE = "probes"

_ENOUGH = 20
"""Probes below which a share of failed ones says nothing: one blip would be more than 5 %."""

_HEAVIEST = 10
"""Failed probes in a row after which more of them do not weigh more."""

_SETTLED = 5
"""So many probes in a row that are not slow: what is left is the window's memory."""


def findings(data: HttpData, target: Target) -> tuple[Finding, ...]:
    """All findings of one endpoint, in no particular order.

    Args:
        data: Its last probes.
        target: Its target; the settings are `HttpSettings`.
    """
    settings = target.settings
    limits = settings.thresholds if isinstance(settings, HttpSettings) else HttpThresholds()
    is_down = data.state is Verdict.DOWN
    slow = None if is_down else _slow(data, target, limits)
    degraded = _degraded(data, target, slow)
    found = (
        *_down(data, target, limits),
        *_not_let_in(data, target),
        *(one for one in (degraded or slow,) if one is not None),
        *(() if is_down else _errors(data, target, limits)),
        *certificate(data, target.id, limits),
    )
    return tuple(_without_label(finding, data.label) for finding in found)


def _without_label(finding: Finding, label: str) -> Finding:
    """A target that is named after its path is not told the path again."""
    if not finding.target.name.endswith(label):
        return finding
    said = {"title": finding.title, "short": finding.short}
    return replace(finding, **{key: text.removeprefix(f"{label} ") for key, text in said.items()})


def _down(data: HttpData, target: Target, limits: HttpThresholds) -> Iterator[Finding]:
    """Failed probes: a warning from the first, critical from the third in a row until two are good."""
    probe = data.probe
    if data.state is not Verdict.DOWN and probe.verdict is not Verdict.DOWN:
        return
    if probe.trouble is Trouble.CERTIFICATE and data.chain is not None:
        return  # the rule about certificates says it, with the chain
    watching = f"watching for {age(data.watched_s)}"
    if probe.verdict is not Verdict.DOWN:
        title = f"{data.label} answers again: {data.passing} of {limits.up_after} good probes in a row"
        short = f"{data.label} back? {data.passing} of {limits.up_after} good probes"
    else:
        title = f"{data.label} failing {data.failing} of {data.probed}, {watching} · {probe.reason}"
        short = f"{data.label} failing {data.failing}/{data.probed} · {_brief(probe)}"
    yield Finding(
        severity=Severity.CRIT if data.state is Verdict.DOWN else Severity.WARN,
        target=target.id,
        rule="http.down",
        title=title,
        short=short,
        evidence=tuple(_down_evidence(data, limits)),
        cause=_down_cause(probe),
        basis=f"{plural(data.failing, 'failed probe')} in a row, {watching}"
        if data.failing
        else "one reading",
        place=PLACE,
        weight=float(min(data.failing, _HEAVIEST)),
    )


def _brief(probe: Probe) -> str:
    """Why, in a few words: the dependency that is named, else the kind of trouble."""
    named = ", ".join(f"{check.name}={check.says}" for check in probe.failing_checks[:2])
    is_news = probe.status is not None and not 200 <= probe.status < 300
    status = f"{probe.status} " if is_news else ""
    if named:
        return f"{status}{named}"
    if probe.trouble is Trouble.CONDITION and probe.reason:
        return probe.reason
    return f"{status}{probe.trouble.value if probe.trouble else ''}".strip()


def _down_evidence(data: HttpData, limits: HttpThresholds) -> Iterator[str]:
    probe = data.probe
    if probe.trouble is not None:
        yield f"{probe.trouble.value}: {probe.reason}"
    if data.failed_since is not None:
        yield f"first failed probe of this run at {moment(data.failed_since)} UTC"
    yield f"{data.window.failed} of the last {plural(data.window.probes, 'probe')} failed"
    if data.state is not Verdict.DOWN:
        yield f"it counts as down after {limits.down_after} failed probes in a row"
    else:
        yield f"it counts as up again after {plural(limits.up_after, 'good probe')} in a row"
    yield from _checks_evidence(probe)
    if probe.hint and probe.trouble is not None:
        yield f"next: {probe.hint}"


def _checks_evidence(probe: Probe) -> Iterator[str]:
    for check in probe.failing_checks:
        yield f"the body says {check.name}={check.says}" + (f": {check.detail}" if check.detail else "")
    for hop in probe.hops:
        yield f"{hop.status} redirect to {hop.to}"


def _down_cause(probe: Probe) -> str | None:
    bad = [check.name for check in probe.failing_checks]
    if bad:
        return f"it says that {' and '.join(bad[:3])} {'is' if len(bad) == 1 else 'are'} not well"
    return {
        Trouble.REFUSED: "nothing listens there: it is stopped or restarting, or the port is wrong",
        Trouble.TIMED_OUT: "it is frozen or overloaded, or the network drops what is sent",
        Trouble.NAME_UNKNOWN: "the name is misspelt, or its DNS record is gone",
        Trouble.LOST: "it was restarted, or something on the way cuts connections",
        Trouble.NOT_JSON: "something else answers in its place: a proxy or an error page",
    }.get(probe.trouble or Trouble.STATUS)


def _not_let_in(data: HttpData, target: Target) -> Iterator[Finding]:
    """Nobody can know: opsdash is not let in, or could not look."""
    probe = data.probe
    if probe.verdict is not Verdict.UNKNOWN or probe.trouble is None:
        return
    yield Finding(
        severity=Severity.WARN if probe.trouble is Trouble.RATE_LIMITED else Severity.UNKNOWN,
        target=target.id,
        rule="http.unknown",
        title=f"{data.label} {probe.trouble.value}: {probe.reason} · it answers, but not to opsdash"
        if probe.status is not None
        else f"{data.label} {probe.trouble.value}: {probe.reason}",
        short=f"{data.label} {probe.trouble.value}" + (f" ({probe.status})" if probe.status else ""),
        evidence=(f"it said: {probe.reason}", f"next: {probe.hint}"),
        cause=probe.hint,
        place=PLACE,
    )


def _degraded(data: HttpData, target: Target, slow: Finding | None) -> Finding | None:
    """It works, and says that something it needs does not; where it is slow as well, that is told with it."""
    probe = data.probe
    if probe.verdict is not Verdict.DEGRADED or data.state is Verdict.DOWN:
        return None
    named = ", ".join(f"{check.name}={check.says}" for check in probe.failing_checks)
    found = Finding(
        severity=Severity.WARN,
        target=target.id,
        rule="http.degraded",
        title=f"{data.label} degraded, not down · {named or probe.reason}",
        short=f"{data.label} degraded · {_brief(probe)}",
        evidence=(f"{probe.reason}", *_checks_evidence(probe)),
        cause=_down_cause(probe),
        place="checks" if probe.checks else PLACE,
        weight=float(len(probe.failing_checks)),
    )
    if slow is None:
        return found
    return replace(
        found,
        severity=slow.severity,
        title=f"{data.label} degraded and slow · {named or probe.reason} · {_p95_words(data)}",
        evidence=(*found.evidence, *slow.evidence),
        basis=slow.basis,
        weight=slow.weight,
    )


def _slow(data: HttpData, target: Target, limits: HttpThresholds) -> Finding | None:
    """The 95th percentile over the window, once more than one probe was slow."""
    window = data.window
    p95_s, found = window.p95_s, _slow_ones(data, limits)
    if p95_s is None or found is None:
        return None
    severity, limit_s, slow = found
    longest = slow[-1].phases.longest
    last = data.probes[-_SETTLED:]
    is_over = len(data.probes) > _SETTLED and all(one.is_answered and one.took_s <= limit_s for one in last)
    quick = f" · the last {_SETTLED} at most {duration(max(one.took_s for one in last))}" if is_over else ""
    return Finding(
        severity=Severity.WARN if is_over else severity,
        target=target.id,
        rule="http.slow",
        title=f"{data.label} slow: {_p95_words(data)}{quick}",
        short=f"{data.label} slow: p95 {duration(p95_s)}",
        evidence=(
            f"p50 {duration(window.p50_s)}, p95 {duration(p95_s)}, p99 {duration(window.p99_s)}, "
            f"worst {duration(window.worst_s)} {_over(data)}",
            f"{len(slow)} of them took more than {duration(limit_s)}",
        ),
        cause=f"most of the last slow probe went to {_phase_words(*longest)}" if longest else None,
        basis=f"{plural(window.answered, 'probe')} over {age(window.span_s)}",
        place=PLACE,
        weight=p95_s,
    )


def _p95_words(data: HttpData) -> str:
    return f"p95 {duration(data.window.p95_s)} {_over(data)}"


def _over(data: HttpData) -> str:
    return f"over {plural(data.window.answered, 'probe')}, {age(data.window.span_s)}"


def _slow_ones(data: HttpData, limits: HttpThresholds) -> tuple[Severity, float, tuple[Probe, ...]] | None:
    """The worse of the two thresholds that is passed, and the probes over it; None when neither is."""
    for severity, limit_s in ((Severity.CRIT, limits.latency_crit_s), (Severity.WARN, limits.latency_warn_s)):
        slow = data.slow_over(limit_s)
        if slow:
            return severity, limit_s, slow
    return None


def _phase_words(phase: str, seconds: float) -> str:
    words = {
        "name": "the name lookup",
        "connect": "connecting: the network, or a full accept queue",
        "TLS": "the TLS handshake",
        "first byte": "waiting for the first byte: the service itself, or what it waits for",
        "body": "reading the body",
        "redirects": "redirects before the last request",
    }
    return f"{words[phase]} ({duration(seconds)})"


def _errors(data: HttpData, target: Target, limits: HttpThresholds) -> Iterator[Finding]:
    """The share of failed probes in the window, once there are enough of them."""
    window = data.window
    ratio = window.error_ratio
    if ratio is None or window.probes < _ENOUGH or ratio <= limits.errors_warn_ratio:
        return
    over = f"over {age(window.span_s)}"
    last = next(probe for probe in reversed(data.probes) if probe.verdict is Verdict.DOWN)
    yield Finding(
        severity=Severity.CRIT if ratio > limits.errors_crit_ratio else Severity.WARN,
        target=target.id,
        rule="http.errors",
        title=f"{data.label} {window.failed} of {window.probes} probes failed ({percent(ratio)}) {over}",
        short=f"{data.label} {percent(ratio)} of probes failed {over}",
        evidence=(
            f"{window.failed} of {window.probes} probes failed {over}",
            f"the last one at {moment(last.at)} UTC: {last.reason}",
        ),
        basis=f"{plural(window.probes, 'probe')} {over}",
        place=PLACE,
        weight=ratio,
    )
