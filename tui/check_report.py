"""What `opsdash check` says: lines for people, one JSON document for scripts. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import msgspec

from opsdash import __version__
from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.format import duration, plural

_WORDS = {None: "ok", Severity.WARN: "warning", Severity.UNKNOWN: "unknown", Severity.CRIT: "critical"}
_GLYPHS = {None: "●", Severity.WARN: "▲", Severity.UNKNOWN: "?", Severity.CRIT: "✖"}
_CODES = {None: 0, Severity.WARN: 1, Severity.UNKNOWN: 3, Severity.CRIT: 2}


@runtime_checkable
class Summarised(Protocol):
    """Data that can say what it is in a few words."""

    def summary(self) -> str:
        """The target in a few words: product, version, the figures that matter most."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One look at all targets."""

    views: tuple[TargetView, ...]
    """In the order of the configuration."""
    findings: tuple[Finding, ...]
    """Worst first."""
    taken_at: datetime
    took_s: float


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The severity that counts: critical, then unknown, then warning; None when nothing was found."""
    return max((finding.severity for finding in findings), default=None)


def exit_code(findings: Iterable[Finding]) -> int:
    """0 ok, 1 warning, 2 critical, 3 unknown.

    >>> exit_code(())
    0
    """
    return _CODES[worst(findings)]


def as_text(report: Report) -> str:
    """One line per target, in the order of the configuration, then its findings with their evidence."""
    lines: list[str] = []
    widest = max((len(view.target.name) for view in report.views), default=0)
    for view in report.views:
        own = _of(view, report.findings)
        mark = worst(own)
        facts = [view.target.environment.label, *_facts(view)]
        lines.append(f"{_GLYPHS[mark]} {_WORDS[mark]:8}  {view.target.name:{widest}}  {' · '.join(facts)}")
        for finding in own:
            lines.extend(f"  {line}" for line in _explained(finding))
    lines.append(
        f"{plural(len(report.findings), 'finding')} on {plural(len(report.views), 'target')}, "
        f"read at {report.taken_at:%Y-%m-%d %H:%M:%S} UTC in {duration(report.took_s)}"
    )
    return "\n".join(lines) + "\n"


def as_document(report: Report) -> str:
    """One JSON document. Its field names stay; more may join them."""
    document = {
        "opsdash": __version__,
        "taken_at": report.taken_at,
        "took_s": report.took_s,
        "status": _WORDS[worst(report.findings)],
        "exit_code": exit_code(report.findings),
        "targets": [_target(view, _of(view, report.findings)) for view in report.views],
        "findings": [_finding(finding) for finding in report.findings],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _of(view: TargetView, findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.target == view.target.id]


def _facts(view: TargetView) -> Iterator[str]:
    """What can be said of a target in a few words."""
    if view.good is not None and isinstance(view.good.data, Summarised):
        yield view.good.data.summary()
    if view.failure is not None:
        yield view.failure.kind.value
    if view.latest is not None:
        yield f"read in {duration(view.latest.took_s)}"


def _explained(finding: Finding) -> Iterator[str]:
    yield f"{_GLYPHS[finding.severity]} {finding.severity.word}  {finding.title}  ({finding.basis})"
    for fact in finding.evidence:
        yield f"    {fact}"
    if finding.cause is not None:
        yield f"    likely cause: {finding.cause}"
    if finding.actions:
        yield f"    would help: {', '.join(action.action for action in finding.actions)}"


def _target(view: TargetView, findings: Sequence[Finding]) -> dict[str, Any]:
    latest = view.latest
    failure = view.failure
    return {
        "name": view.target.name,
        "kind": view.target.id.kind,
        "environment": {
            "name": view.target.environment.name,
            "production": view.target.environment.production,
        },
        "source": view.target.source,
        "status": _WORDS[worst(findings)],
        "taken_at": latest.taken_at if latest else None,
        "took_s": latest.took_s if latest else None,
        "failure": failure and {"kind": failure.kind.value, "reason": failure.reason, "hint": failure.hint},
        "data": view.good.data if view.good else None,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "severity": _WORDS[finding.severity],
        "target": finding.target.name,
        "kind": finding.target.kind,
        "rule": finding.rule,
        "subject": finding.subject,
        "title": finding.title,
        "evidence": finding.evidence,
        "cause": finding.cause,
        "basis": finding.basis,
        "identity": finding.identity,
        "actions": [{"action": action.action, "identity": action.identity} for action in finding.actions],
    }
