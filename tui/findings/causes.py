"""Findings that another target explains: a health body names a dependency, a container has its name. Pure."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.http.rows import HttpData
from opsdash.collectors.http.settings import HttpSettings
from opsdash.collectors.target import TargetId
from opsdash.tui.findings.docker_causes import containers_behind, named
from opsdash.tui.findings.reachability import RULE

Key = tuple[TargetId, str, str]
"""`Finding.key`."""

_EXPLAINED = ("http.down", "http.degraded", "http.slow", "http.errors")
"""Rules whose findings may have their cause elsewhere."""

_LINE = "postgres.blocking"
"""The rule of sessions that wait for another."""

_KINDS: Mapping[str, str] = {
    **dict.fromkeys(("database", "db", "postgres", "postgresql", "sql", "datasource"), "postgres"),
    **dict.fromkeys(("cache", "redis", "valkey", "session", "sessions"), "redis"),
}
"""What health bodies call a dependency -> the kind of target that it is."""


def with_causes(findings: Sequence[Finding], views: Iterable[TargetView]) -> tuple[Finding, ...]:
    """Name what a target probably fails because of, and stand the two together.

    Args:
        findings: Worst first.
        views: All targets.

    Returns:
        The same findings, worst first; one that is explained stands right below all that explains it, or,
        where it is milder than that, on top of its own severity.
    """
    seen = {view.target.id: view for view in views}
    explained: dict[Key, tuple[Finding, tuple[Finding, ...]]] = {}
    for finding in findings:
        view = seen.get(finding.target)
        if finding.rule not in (*_EXPLAINED, RULE) or view is None:
            continue
        because = containers_behind(finding, seen.values(), findings)
        if finding.rule in _EXPLAINED:
            because = (*_explanations(finding, view, seen, findings), *because)
        if because:
            words = "; and of ".join(f"{one.target.name}: {one.title}" for one in because)
            names = ", ".join(dict.fromkeys(named(one, seen[one.target]) for one in because))
            told = msgspec.structs.replace(
                finding,
                title=_before_details(finding.title, f"probably because of {names}"),
                short=_before_details(finding.short, f"likely {names}"),
                cause=f"probably because of {words}",
            )
            explained[finding.key] = (told, because)
    return _ordered(findings, explained) if explained else tuple(findings)


def _before_details(text: str, cause: str) -> str:
    """The cause right behind what is wrong, where it is cut last.

    >>> _before_details("slow · p95 2.0s", "likely db"), _before_details("connection refused", "likely db")
    ('slow · likely db · p95 2.0s', 'connection refused · likely db')
    """
    what, dot, details = text.partition(" · ")
    return f"{what} · {cause}{dot}{details}"


def _explanations(
    finding: Finding, view: TargetView, seen: Mapping[TargetId, TargetView], findings: Sequence[Finding]
) -> tuple[Finding, ...]:
    """The worst finding of each target that the body says is not well, worst first.

    It is at least as bad, or sessions that wait in line: a line makes others slow before it is long itself.
    """
    suspects = _suspects(view, seen)
    worst: dict[TargetId, Finding] = {}
    for other in findings:
        is_bad_enough = other.severity >= finding.severity or other.rule == _LINE
        if other.target in suspects and is_bad_enough:
            worst.setdefault(other.target, other)
    return tuple(worst.values())


def _suspects(view: TargetView, seen: Mapping[TargetId, TargetView]) -> frozenset[TargetId]:
    """The targets behind the dependencies that the newest body calls down or degraded."""
    data, settings = view.data, view.target.settings
    if not isinstance(data, HttpData) or not isinstance(settings, HttpSettings):
        return frozenset()
    found: set[TargetId] = set()
    for check in data.probe.failing_checks:
        found |= _named(check.name, settings.depends, view.target.id, seen)
    return frozenset(found)


def _named(
    name: str, depends: Mapping[str, str], own: TargetId, seen: Mapping[TargetId, TargetView]
) -> set[TargetId]:
    """What a dependency's name means: as configured, else a target's name, else the only one of a kind."""
    plain = name.partition(":")[0].lower()  # health+json: "postgres:responseTime"
    wanted = depends.get(name) or depends.get(plain) or plain
    by_name = {target for target in seen if target.name.lower() == wanted.lower() and target != own}
    if by_name or wanted != plain:
        return by_name
    of_kind = {target for target in seen if target.kind == _KINDS.get(plain)}
    return of_kind if len(of_kind) == 1 else set()


def _ordered(
    findings: Sequence[Finding], explained: Mapping[Key, tuple[Finding, tuple[Finding, ...]]]
) -> tuple[Finding, ...]:
    """Each explained finding behind its explanations, the severities in their order."""
    place = {finding.key: index for index, finding in enumerate(findings)}

    def rank(finding: Finding, above: tuple[Key, ...] = ()) -> tuple[int, ...]:
        pair = explained.get(finding.key)
        if pair is None or finding.key in above:  # two endpoints may each name the other
            return (place[finding.key],)
        alike = [because for because in pair[1] if because.severity == finding.severity]
        if not alike:
            return (-1, place[finding.key])
        return (*max(rank(one, (*above, finding.key)) for one in alike), place[finding.key])

    ranked = sorted(findings, key=lambda finding: (-finding.severity, rank(finding)))
    return tuple(explained[f.key][0] if f.key in explained else f for f in ranked)
