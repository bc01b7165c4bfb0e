"""Containers whose own health check fails. Pure."""

from collections.abc import Iterator

from opsdash.collectors.docker.rows import Container, HealthCheck
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import moment
from opsdash.collectors.text import one_line
from opsdash.tui.findings.docker_seen import Seen, on_container, on_service

_HEAVIEST = 10
_MOST = 100
"""Characters of what a check printed."""


def unhealthy(container: Container, seen: Seen) -> Iterator[Finding]:
    """The engine calls it unhealthy; critical where no healthy one of its service is left."""
    if container.state != "running" or container.health != "unhealthy":
        return
    streak = container.failing_streak
    count = f", {streak} checks in a row failed" if streak and streak > 1 else ""
    last = next(iter(container.health_log), None)
    said = f" · {_words(last)}" if last is not None else ""
    yield Finding(
        severity=seen.severity(container),
        target=seen.target,
        rule="docker.unhealthy",
        subject=container.id,
        title=f"{container.name} unhealthy{count}{said}{seen.loss_words(container)}",
        short=f"{container.name} unhealthy{': ' if last else ''}{_words(last) if last else ''}",
        evidence=tuple(_evidence(container, seen)),
        cause=None if last is None else _cause(last),
        basis="the engine's health check",
        place="container",
        identity=container.identity,
        actions=(
            *on_container(container, "docker.restart"),
            *on_service(container, "docker.restart_service"),
        ),
        weight=float(min(streak or 1, _HEAVIEST)),
    )


def _words(check: HealthCheck) -> str:
    """What a check printed, in one line; its exit code where it printed nothing."""
    output = one_line(check.output)
    if not output:
        return f"exit {_code(check)}, nothing printed"
    return output if len(output) <= _MOST else output[: _MOST - 1] + "…"


_CAUSES = (
    (
        ("exceeded timeout", "timed out", "timeout"),
        "its check gets no answer in time: it hangs or is overloaded",
    ),
    (("refused",), "nothing listens where its check asks: the program has ended, or is not up yet"),
    (("not found", "no such file"), "the check's own command is not in the image: it may be well otherwise"),
)


def _cause(check: HealthCheck) -> str | None:
    """What its output points to; None: it has to be read."""
    said = check.output.lower()
    return next((cause for words, cause in _CAUSES if any(word in said for word in words)), None)


def _code(check: HealthCheck) -> str:
    return "not known" if check.exit_code is None else str(check.exit_code)


def _evidence(container: Container, seen: Seen) -> Iterator[str]:
    for check in container.health_log:
        yield f"{moment(check.ended_at or check.started_at)} UTC exit {_code(check)}: {_words(check)}"
    if container.started_at is not None:
        yield f"it runs for {seen.ago(container.started_at)}"
    yield from seen.last_lines(container)
