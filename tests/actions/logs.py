"""An audit log in a file, and what its lines say."""

from pathlib import Path

from opsdash.collectors.clock import Clock
from opsdash.tui.actions.audit import AuditLog
from opsdash.tui.actions.chain import ProblemKind, check


def log(path: Path, deadline_s: float = 20.0) -> AuditLog:
    return AuditLog(path, clock=Clock(), deadline_s=deadline_s)


async def write(path: Path, count: int = 1) -> None:
    audit = log(path)
    for number in range(count):
        await audit.append("note", {"number": number})


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().removesuffix(b"\n").split(b"\n")


def found(path: Path) -> list[tuple[int, ProblemKind]]:
    return [(problem.line, problem.kind) for problem in check(lines(path)).problems]


def numbers(path: Path) -> list[int]:
    return [record.fields["number"] for record in check(lines(path)).records]
