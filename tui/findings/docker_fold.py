"""The same finding on several containers of one service told as one. Pure."""

from collections.abc import Sequence

import msgspec

from opsdash.collectors.docker.rows import Container
from opsdash.collectors.docker.services import group_word, service_of
from opsdash.collectors.finding import Finding, ranked

_NAMED = 6


def folded(findings: Sequence[Finding], containers: Sequence[Container]) -> tuple[Finding, ...]:
    """One finding per rule and service: the worst one, which then speaks for the others as well.

    Args:
        findings: Each on one container, whose id is its subject.
        containers: All of the engine.
    """
    by_id = {container.id: container for container in containers}
    groups: dict[tuple[str, object], list[Finding]] = {}
    for finding in findings:
        group = service_of(by_id[finding.subject]) or finding.subject
        groups.setdefault((finding.rule, group), []).append(finding)
    return tuple(_as_one(ranked(tuple(group)), by_id) for group in groups.values())


def _as_one(group: Sequence[Finding], by_id: dict[str, Container]) -> Finding:
    worst = group[0]
    if len(group) == 1:
        return worst
    others = group[1:]
    service = group_word(by_id[worst.subject])
    names = [by_id[other.subject].name for other in others]
    listed = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    return msgspec.structs.replace(
        worst,
        subject=service,
        title=f"{len(group)} of {service}: {worst.title}",
        short=f"{worst.short} +{len(others)}",
        evidence=(*worst.evidence, f"the same on {listed}"),
        actions=tuple(dict.fromkeys(action for finding in group for action in finding.actions)),
        weight=worst.weight + len(others),
    )
