"""From an answer to a verdict: up, degraded, down, or not to be known. Pure."""

from typing import Any

import msgspec

from opsdash.collectors.http import body as health
from opsdash.collectors.http.answer import Exchange
from opsdash.collectors.http.rows import SubCheck, Trouble, Verdict
from opsdash.collectors.http.settings import HttpSettings
from opsdash.collectors.text import one_line

_NOT_LET_IN = {
    401: (Trouble.NOT_LET_IN, "check the header with the credentials in the configuration"),
    407: (Trouble.NOT_LET_IN, "a proxy on the way asks for credentials"),
    403: (Trouble.FORBIDDEN, "these credentials, or this address, may not read this path"),
    429: (Trouble.RATE_LIMITED, "probe less often: a larger interval"),
}
_NAMED = 3
"""Failing dependencies named in a reason."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer means."""

    verdict: Verdict
    trouble: Trouble | None = None
    reason: str | None = None
    hint: str | None = None
    checks: tuple[SubCheck, ...] = ()


def judge(settings: HttpSettings, exchange: Exchange) -> Judgement:
    """Say what an exchange means for the endpoint."""
    if exchange.broken is not None:
        broken = exchange.broken
        unknown = broken.trouble is Trouble.NAME_LOOKUP_HANGS
        return Judgement(
            verdict=Verdict.UNKNOWN if unknown else Verdict.DOWN,
            trouble=broken.trouble,
            reason=broken.reason,
            hint=broken.hint,
        )
    status = exchange.status or 0
    document, why_none = _document(settings, exchange)
    said = health.Said() if why_none else health.read(document)
    if not settings.accepts(status):
        return _wrong_status(status, exchange, said)
    if settings.expect is not None:
        return _condition(settings, settings.expect, exchange, document, why_none, said)
    return _said(status, said)


def _document(settings: HttpSettings, exchange: Exchange) -> tuple[Any, str | None]:
    """The JSON document of the body, or why there is none."""
    if exchange.is_cut:
        return None, f"the body is larger than {settings.body_limit_bytes} bytes"
    if exchange.is_encoded:
        return None, "the body is compressed although plain text was asked for"
    if not exchange.body.strip():
        return None, "the body is empty"
    if settings.expect is None and "json" not in (exchange.media_type or ""):
        return None, "the body is not said to be JSON"
    try:
        return health.decode(exchange.body), None
    except ValueError as error:
        kind = f" ({exchange.media_type})" if exchange.media_type else ""
        return None, f"the body is not JSON{kind}: {error}"


def _wrong_status(status: int, exchange: Exchange, said: health.Said) -> Judgement:
    """401, 403 and 429 are answers of a living service that does not want us."""
    phrase = f" {one_line(exchange.phrase)[:40]}" if exchange.phrase else ""
    named = _failing(said)
    if status in _NOT_LET_IN:
        trouble, hint = _NOT_LET_IN[status]
        return Judgement(verdict=Verdict.UNKNOWN, trouble=trouble, reason=f"{status}{phrase}", hint=hint)
    return Judgement(
        verdict=Verdict.DOWN,
        trouble=Trouble.SERVER_ERROR if status >= 500 else Trouble.STATUS,
        reason=f"{status}{phrase}" + (f" · {named}" if named else ""),
        hint="look at its log"
        if status >= 500
        else "check the path, or say that this status is fine: accept",
        checks=said.checks,
    )


def _condition(
    settings: HttpSettings,
    expect: str,
    exchange: Exchange,
    document: Any,
    why_none: str | None,
    said: health.Said,
) -> Judgement:
    if why_none is not None and (exchange.is_cut or exchange.is_encoded):
        return Judgement(
            verdict=Verdict.UNKNOWN,
            trouble=Trouble.OVERSIZED if exchange.is_cut else Trouble.NOT_JSON,
            reason=f"{why_none}: the condition cannot be looked at",
            hint="raise body_limit_bytes, or probe a smaller path",
        )
    if why_none is not None:
        return Judgement(
            verdict=Verdict.DOWN,
            trouble=Trouble.NOT_JSON,
            reason=why_none,
            hint="something else may be answering: a proxy, an error page",
        )
    from opsdash.collectors.http.condition import failed_part  # jmespath: only where there is a condition

    failed = failed_part(expect, document)
    if failed is None:
        return _said(exchange.status or 0, said, is_condition_met=True)
    is_half = said.verdict is Verdict.DEGRADED
    return Judgement(
        verdict=Verdict.DEGRADED if is_half else Verdict.DOWN,
        trouble=Trouble.DEGRADED if is_half else Trouble.CONDITION,
        reason=_with(failed, _failing(said)),
        hint="look at what the body names, and at its log",
        checks=said.checks,
    )


def _said(status: int, said: health.Said, *, is_condition_met: bool = False) -> Judgement:
    """An accepted status: what the body says of the whole decides; of one dependency, it is degraded."""
    named = _failing(said)
    if said.verdict is Verdict.DOWN and not is_condition_met:
        return Judgement(
            verdict=Verdict.DOWN,
            trouble=Trouble.UNHEALTHY,
            reason=_with(f"{status}, but it says {said.word}", named),
            hint="look at what the body names, and at its log",
            checks=said.checks,
        )
    if said.verdict is Verdict.DEGRADED or named:
        word = f"it says {said.word}" if said.word else f"{status}"
        return Judgement(
            verdict=Verdict.DEGRADED,
            trouble=Trouble.DEGRADED,
            reason=_with(word, named),
            hint="look at what the body names",
            checks=said.checks,
        )
    return Judgement(verdict=Verdict.UP, checks=said.checks)


def _with(text: str, named: str) -> str:
    return f"{text} · {named}" if named else text


def _failing(said: health.Said) -> str:
    """The dependencies that are not well: "database=unhealthy, cache=slow"."""
    bad = [c for c in said.checks if c.verdict is Verdict.DOWN]
    bad += [c for c in said.checks if c.verdict is Verdict.DEGRADED]
    words = ", ".join(f"{check.name}={check.says}" for check in bad[:_NAMED])
    return words + (f", +{len(bad) - _NAMED} more" if len(bad) > _NAMED else "")
