"""`opsdash doctor`: for each target and for this machine: what works, what is missing, what to run.

It only reads, with one session at a time on each target.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Sequence

from opsdash.collectors.clock import Clock
from opsdash.collectors.diagnosis import Check, Diagnosis, missing, ok
from opsdash.collectors.errors import TargetError
from opsdash.collectors.format import duration
from opsdash.collectors.registry import KINDS, load, make_collector
from opsdash.collectors.secret import redact
from opsdash.collectors.snapshot import Failure, FailureKind
from opsdash.collectors.supervisor import Pace, Reader
from opsdash.collectors.target import Target
from opsdash.collectors.text import one_line
from opsdash.collectors.threads import call_in_thread
from opsdash.tui.check_report import Summarised
from opsdash.tui.config import Config
from opsdash.tui.doctor_here import audit_checks, configuration_checks
from opsdash.tui.doctor_report import Examined, Report, as_document, as_text, exit_code
from opsdash.tui.doctor_terminal import terminal_checks

log = logging.getLogger(__name__)

_PATIENCE_S = 60.0
"""For one target, whatever happens: two logins, each with a password command that may take 20 s."""
_HERE_S = 3.0
"""How long a file system or tmux may take to answer."""


def run_doctor(config: Config, *, as_json: bool, clock: Clock) -> int:
    """Look at everything at the same time, and print it on standard output.

    Returns:
        0 all well, 1 something is missing, 3 a target cannot be reached, which wins.
    """
    report = asyncio.run(_examine(config, clock))
    sys.stdout.write(as_document(report) if as_json else as_text(report))
    sys.stdout.flush()
    return exit_code(report)


async def _examine(config: Config, clock: Clock) -> Report:
    started = clock.mono_s()
    configuration, audit, terminal, targets = await asyncio.gather(
        _here("configuration", lambda: configuration_checks(config, os.environ)),
        _here("audit log", lambda: audit_checks(config.audit)),
        _here("terminal", lambda: terminal_checks(os.environ, sys.stdout)),
        _examine_targets(config.targets, clock),
    )
    return Report(
        targets=targets,
        configuration=configuration,
        audit=audit,
        terminal=terminal,
        taken_at=clock.now(),
        took_s=clock.mono_s() - started,
    )


async def _here(subject: str, look: Callable[[], Sequence[Check]]) -> tuple[Check, ...]:
    """Checks of this machine, on a thread: a home directory on a dead server hangs."""
    try:
        return tuple(await call_in_thread(look, key=f"doctor {subject}", timeout_s=_HERE_S))
    except TimeoutError:
        return (missing(subject, f"no answer within {_HERE_S:g} s: its file system hangs"),)


async def _examine_targets(targets: Sequence[Target], clock: Clock) -> tuple[Examined, ...]:
    return tuple(await asyncio.gather(*(_examine_target(target, clock) for target in targets)))


async def _examine_target(target: Target, clock: Clock) -> Examined:
    """Look at one target; one that fails, also by our own mistake, keeps the others."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            diagnosis = await _diagnose(target, clock)
    except TargetError as error:
        diagnosis = Diagnosis(failure=error.failure())
    except TimeoutError:
        failure = Failure(kind=FailureKind.TIMED_OUT, reason=f"not done within {_PATIENCE_S:g} s")
        diagnosis = Diagnosis(failure=failure)
    except Exception as error:  # one broken source breaks nothing else (law 8)
        log.exception("doctor of %s", target.id)
        reason = redact(one_line(f"{type(error).__name__}: {error}"))
        hint = "this is a defect in opsdash: see its log"
        diagnosis = Diagnosis(failure=Failure(kind=FailureKind.INTERNAL, reason=reason, hint=hint))
    return Examined(target=target, diagnosis=diagnosis)


async def _diagnose(target: Target, clock: Clock) -> Diagnosis:
    reference = KINDS[target.id.kind].doctor
    if reference is None:
        return await _read_once(target, clock)
    diagnose: Callable[[Target], Awaitable[Diagnosis]] = load(reference)
    return await diagnose(target)


async def _read_once(target: Target, clock: Clock) -> Diagnosis:
    """What can be said of a kind that has no doctor of its own: whether it can be read."""
    collector = make_collector(target, clock)
    try:
        snapshot = await Reader(collector, clock, Pace()).read()
    finally:
        collector.abort()
        await collector.close()
    if snapshot.failure is not None:
        return Diagnosis(failure=snapshot.failure)
    said = snapshot.data.summary() if isinstance(snapshot.data, Summarised) else None
    return Diagnosis(checks=(ok("reading", f"read in {duration(snapshot.took_s)}"),), summary=said)
