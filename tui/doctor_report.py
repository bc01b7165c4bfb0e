"""What `opsdash doctor` says: a block per target, glyph and word, lines ready to paste; or JSON. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from opsdash import __version__
from opsdash.collectors.diagnosis import Check, Diagnosis, State, worst
from opsdash.collectors.format import duration, plural
from opsdash.collectors.target import Target

ALL_WELL, SOMETHING_MISSING, UNREACHABLE = 0, 1, 3

_GLYPHS = {State.OK: "●", State.ADVICE: "○", State.MISSING: "▲"}


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """One target and what was found."""

    target: Target
    diagnosis: Diagnosis


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One look at everything."""

    targets: tuple[Examined, ...]
    """In the order of the configuration."""
    configuration: tuple[Check, ...]
    audit: tuple[Check, ...]
    terminal: tuple[Check, ...]
    taken_at: datetime
    took_s: float

    @property
    def here(self) -> dict[str, tuple[Check, ...]]:
        """What concerns this machine, by what it is about."""
        return {"configuration": self.configuration, "audit": self.audit, "terminal": self.terminal}

    @property
    def checks(self) -> tuple[Check, ...]:
        """All of them."""
        found = [check for checks in self.here.values() for check in checks]
        return (*found, *(check for each in self.targets for check in each.diagnosis.checks))


def exit_code(report: Report) -> int:
    """0 all well, 1 something is missing, 3 a target cannot be reached; advice counts as well."""
    if any(each.diagnosis.failure for each in report.targets):
        return UNREACHABLE
    return SOMETHING_MISSING if worst(report.checks) is State.MISSING else ALL_WELL


def as_text(report: Report) -> str:
    """This machine first, then a block per target, then one line that counts."""
    lines: list[str] = []
    for title, checks in report.here.items():
        lines += [title, *_lines(checks), ""]
    for examined in report.targets:
        lines += [*_target(examined), ""]
    return "\n".join([*lines, _total(report)]) + "\n"


def as_document(report: Report) -> str:
    """One JSON document. Its field names stay; more may join them."""
    document = {
        "opsdash": __version__,
        "taken_at": report.taken_at,
        "took_s": report.took_s,
        "exit_code": exit_code(report),
        **report.here,
        "targets": [_target_document(examined) for examined in report.targets],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _target(examined: Examined) -> Iterator[str]:
    target, diagnosis = examined.target, examined.diagnosis
    facts = [str(target.id), target.environment.label, diagnosis.summary or "", target.source]
    yield " · ".join(fact for fact in facts if fact)
    if diagnosis.failure is not None:
        yield f"  ✖ unreachable  {diagnosis.failure.kind.value}: {diagnosis.failure.reason}"
        if diagnosis.failure.hint:
            yield f"      {diagnosis.failure.hint}"
    yield from _lines(diagnosis.checks)


def _lines(checks: Sequence[Check]) -> Iterator[str]:
    for check in checks:
        yield f"  {_GLYPHS[check.state]} {check.state.value:7}  {check.subject}: {check.text}"
        if check.fix is not None:
            yield f"      {check.fix.where}:"
            yield from (f"        {line}" for line in check.fix.lines)


def _total(report: Report) -> str:
    unreachable = sum(each.diagnosis.failure is not None for each in report.targets)
    lacking = sum(check.state is State.MISSING for check in report.checks)
    said = [f"{unreachable} not reached"] if unreachable else []
    said += [f"{plural(lacking, 'thing')} missing"] if lacking else []
    verdict = ", ".join(said) or ("all is well" if report.targets else "nothing to look at")
    return f"{plural(len(report.targets), 'target')}: {verdict} (looked in {duration(report.took_s)})"


def _target_document(examined: Examined) -> dict[str, Any]:
    target, diagnosis = examined.target, examined.diagnosis
    failure = diagnosis.failure
    status = "unreachable" if failure else worst(diagnosis.checks).value
    return {
        "name": target.name,
        "kind": target.id.kind,
        "environment": {"name": target.environment.name, "production": target.environment.production},
        "source": target.source,
        "status": status,
        "summary": diagnosis.summary,
        "failure": failure and {"kind": failure.kind.value, "reason": failure.reason, "hint": failure.hint},
        "checks": diagnosis.checks,
    }
