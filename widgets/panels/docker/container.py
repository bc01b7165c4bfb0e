"""One container in full, as labelled lines: what every reading says of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from opsdash.collectors.docker.concern import concerned
from opsdash.collectors.docker.exits import exit_words
from opsdash.collectors.docker.rows import Container, EngineData, HealthCheck, Usage
from opsdash.collectors.docker.services import group_word
from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import age, moment, number, percent, plural, size
from opsdash.widgets.chart import bar, spark
from opsdash.widgets.facts import Fact, fact_lines
from opsdash.widgets.lines import Line, labelled
from opsdash.widgets.panel import fit
from opsdash.widgets.panels.docker.containers import CPU_LEAST_TOP
from opsdash.widgets.panels.docker.words import (
    age_s,
    amount_of,
    condition,
    condition_tone,
    is_throttled,
    memory_ratio,
    thresholds_of,
    when,
)
from opsdash.widgets.status import Tone, severity_tone

INDENT = 12
_NOT_BELOW = ("docker.restarts", "docker.oom", "docker.memory", "docker.throttled")
"""Rules whose evidence does not stand on the rest of the screen anyway."""
_HISTORY = 30
_LINES = 8
"""Of what it printed."""


def same_container(data: EngineData, id: str) -> Container | None:
    """The container of this id; None: the engine has it no more."""
    return next((c for c in data.containers if c.id == id), None)


def successor(data: EngineData, gone: Container) -> Container | None:
    """Another container in the place of one that is gone: compose makes a new one at each change."""
    return next((c for c in data.containers if c.name == gone.name and c.id != gone.id), None)


def container_detail(
    data: EngineData, view: TargetView, container: Container, findings: Sequence[Finding], width: int
) -> tuple[Line, ...]:
    """What is wrong with it, what it is, what it uses, what it printed last.

    Args:
        data: The newest good reading.
        view: What the feed holds of its engine.
        container: As that reading has it.
        findings: All of the engine.
        width: Cells to wrap at.
    """
    return (
        *fact_lines(_wrong(container, findings), width, indent=INDENT),
        *fact_lines(_facts(container, data), width, indent=INDENT),
        *usage_lines(container, data.usage.get(container.id), view, width),
        *fact_lines(_printed(container, data), width, indent=INDENT),
    )


def _wrong(container: Container, findings: Sequence[Finding]) -> Iterator[Fact]:
    for finding in findings:
        if container.id in concerned(finding):
            yield finding.severity.word, finding.title, severity_tone(finding.severity)
            if finding.cause:
                yield "likely", finding.cause, Tone.NORMAL
            for seen in finding.evidence if finding.rule in _NOT_BELOW else ():
                yield "seen", seen, Tone.NORMAL


def _facts(container: Container, data: EngineData) -> Iterator[Fact]:
    group = group_word(container)
    number_of = f" number {container.number}" if container.number is not None else ""
    where = f"{group}{number_of}" if group else "not made by compose"
    yield "container", f"{container.name} · {container.short_id} · {where}", Tone.ACCENT
    digest = container.image_id.removeprefix("sha256:")[:12]
    yield "image", f"{container.image}{f' · {digest}' if digest else ''}", Tone.NORMAL
    word = condition(container)
    yield "state", f"{word} · {_times(container, data.now)}", condition_tone(word)
    if not container.is_inspected:
        yield "not known", "restarts, limits and health log: the engine was not asked yet", Tone.UNKNOWN
        return
    yield from _health(container, data.now)
    yield from _ends(container, data.now)
    yield "limits", _limits(container), Tone.NORMAL
    yield "ports", ", ".join(container.ports) or "none", Tone.NORMAL
    tty = ", with a terminal" if container.has_tty else ""
    yield "log driver", f"{container.log_driver or '-'}{tty}", Tone.NORMAL


def _times(container: Container, now: datetime) -> str:
    started = f"started {when(container.started_at, now)}" if container.started_at else "never started"
    made = "" if container.created_at is None else f" · made {_ago(container.created_at, now)} ago"
    return f"for {age(age_s(container, now))} · {started}{made}"


def _ago(at: datetime | None, now: datetime) -> str:
    return "-" if at is None else age((now - at).total_seconds())


def _health(container: Container, now: datetime) -> Iterator[Fact]:
    if container.health is None:
        yield "health", "it has no health check: running is all that is known", Tone.MUTED
        return
    streak = container.failing_streak
    failed = f", {plural(streak, 'check')} in a row failed" if streak else ""
    yield "health", f"{container.health}{failed}", condition_tone(container.health)
    for check in container.health_log:
        yield "", _check(check, now), Tone.NORMAL if check.exit_code == 0 else Tone.WARN


def _check(check: HealthCheck, now: datetime) -> str:
    at = check.ended_at or check.started_at
    code = "not known" if check.exit_code is None else str(check.exit_code)
    return f"{when(at, now)}, {_ago(at, now)} ago, exit {code}: {check.output or '(nothing printed)'}"


def _ends(container: Container, now: datetime) -> Iterator[Fact]:
    if container.exit_code is not None and container.finished_at is not None:
        code, ago = exit_words(container.exit_code, container.oom_killed), _ago(container.finished_at, now)
        yield "last exit", f"{code} · {ago} ago", Tone.WARN if container.exit_code else Tone.NORMAL
    if container.error:
        yield "error", f"the engine says: {container.error}", Tone.CRIT
    count = "-" if container.restart_count is None else str(container.restart_count)
    policy = container.restart_policy or "not known"
    told = f"{count} by its policy ({policy}), since it was made or started by hand"
    if policy == "no":
        told = "its policy is no: when it ends, it stays down"
    yield "restarts", told, Tone.WARN if container.restart_count else Tone.NORMAL


def _limits(container: Container) -> str:
    memory, swap = container.memory_limit_bytes, container.swap_limit_bytes
    words = "no memory limit" if memory is None else f"memory {size(memory)}"
    if memory is not None and swap is not None:
        words += " · swap unlimited" if swap < 0 else f" · swap {size(max(swap - memory, 0))}"
    cpu = "no CPU limit" if container.cpu_limit is None else f"CPU {container.cpu_limit:g} cores"
    return f"{words} · {cpu}"


def usage_lines(container: Container, usage: Usage | None, view: TargetView, width: int) -> tuple[Line, ...]:
    """What it uses, with its history; why that is not known where it is not."""
    if container.state not in ("running", "paused"):
        return labelled("usage", "none: it does not run", width=width, indent=INDENT, tone=Tone.MUTED)
    if usage is None:
        return labelled("usage", "? being asked for", width=width, indent=INDENT, tone=Tone.UNKNOWN)
    limits = thresholds_of(view)
    over = f" over {age(usage.window_s)}" if usage.window_s is not None else ""
    ratio = memory_ratio(container, usage)
    throttled = (
        "" if usage.throttled_ratio is None else f"held back in {percent(usage.throttled_ratio)} of periods"
    )
    held = Tone.WARN if is_throttled(usage, limits) else Tone.NORMAL
    used = amount_of(usage.memory_bytes, container.memory_limit_bytes)
    picture: Line = ((bar(ratio, 12), _memory_tone(ratio, view)),) if ratio is not None else ()
    cpu: list[tuple[int, Line]] = [
        (0, (f"{percent(usage.cpu_ratio)} of one core{over}",)),
        (2, _history(view, f"cpu {container.id}")),
        (1, ((throttled, held),)),
    ]
    memory: list[tuple[int, Line]] = [
        (0, (used,)),
        (1, picture),
        (1, (percent(ratio) if ratio is not None else "",)),
        (2, _history(view, f"memory {container.id}")),
    ]
    pids = "-" if usage.pids is None else str(usage.pids)
    flows = (
        f"network in {number(usage.received_per_s)} out {number(usage.sent_per_s)} B/s · "
        f"disk read {number(usage.read_per_s)} written {number(usage.written_per_s)} B/s · {pids} PIDs"
    )
    return (
        _labelled_parts("CPU", cpu, width),
        _labelled_parts("memory", memory, width),
        *labelled("flows", flows, width=width, indent=INDENT),
    )


def _memory_tone(ratio: float | None, view: TargetView) -> Tone:
    limits = thresholds_of(view)
    if ratio is None or ratio < limits.memory_warn_ratio:
        return Tone.OK
    return Tone.CRIT if ratio >= limits.memory_crit_ratio else Tone.WARN


def _history(view: TargetView, measure: str) -> Line:
    """A sparkline with the time that it spans; nothing before the second point."""
    points = view.points[-_HISTORY:]
    values = view.series(measure)[-_HISTORY:]
    known = [i for i, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return ()
    span_s = points[-1].mono_s - points[known[0]].mono_s
    least = CPU_LEAST_TOP if measure.startswith("cpu ") else 0.0
    drawn = spark(values[known[0] :], _HISTORY, least_top=least)
    return ((drawn, Tone.ACCENT), (f" {age(span_s)}", Tone.MUTED))


def _labelled_parts(label: str, parts: Sequence[tuple[int, Line]], width: int) -> Line:
    said = [part for part in parts if part[1] and part[1][0] not in ("", ("", Tone.NORMAL))]
    return ((label.ljust(INDENT), Tone.MUTED), *fit(said, width - INDENT))


def _printed(container: Container, data: EngineData) -> Iterator[Fact]:
    source = next((s for s in data.logs if s.identity == container.id), None)
    if source is None:
        yield "printed", "its log is not followed", Tone.MUTED
        return
    if source.failure is not None:
        yield "printed", f"its log is not followed: {source.failure.reason}", Tone.WARN
    lines = {line.number: line for line in (*source.latest_trouble, *source.latest)}
    for index, place in enumerate(sorted(lines)[-_LINES:]):
        line = lines[place]
        at = datetime.fromtimestamp(line.at, tz=data.now.tzinfo)
        tone = Tone.WARN if line.level is not None and line.level >= 4 else Tone.NORMAL
        yield "" if index else "printed", f"{moment(at)} {line.text}", tone
    if not lines and source.failure is None:
        yield "printed", "nothing yet", Tone.MUTED
