"""Looks at containers after an act, until each is what it should be, surely is not, or it is too late."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import TargetError
from opsdash.collectors.format import plural
from opsdash.tui.actions.action import Step
from opsdash.tui.actions.docker.connection import Lane
from opsdash.tui.actions.docker.deeds import Deed
from opsdash.tui.actions.docker.identities import ContainerRun
from opsdash.tui.actions.docker.inspection import Seen, brief
from opsdash.tui.actions.docker.sighting import look_at


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long effects are waited for."""

    engine_s: float = 15.0
    """How long the engine may take for a call, beyond the time it gives a container to end."""
    settle_s: float = 3.0
    """So long a container without a health check must run before it counts as started."""
    effect_s: float = 15.0
    """For what the engine does by itself, and on top of what a health check may take."""
    healthy_at_most_s: float = 120.0
    poll_s: float = 0.25


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What one look tells of one container."""

    text: str
    is_ok: bool = True
    is_final: bool = False


def limit_s(seen: Seen, patience: Patience) -> float:
    """How long a started container is followed: what its own check may take to fail, within bounds."""
    if seen.check is None:
        return patience.settle_s + patience.effect_s
    check = seen.check
    longest = check.start_period_s + (check.interval_s + check.timeout_s) * check.retries
    return min(longest + patience.effect_s, patience.healthy_at_most_s)


class Watched:
    """One container after its act: what has been seen of it so far."""

    def __init__(
        self, deed: Deed, run: ContainerRun, patience: Patience, *, jobs_may_end: bool = False
    ) -> None:
        self.run = run
        self.verdict: Verdict | None = None
        """The last one; None: nothing is known yet."""
        self.limit_s = patience.effect_s
        self._deed = deed
        self._patience = patience
        self._jobs_may_end = jobs_may_end
        self._new: Seen | None = None
        """As it was when its new run was first seen."""
        self._new_s = 0.0

    def look(self, seen: Seen | None, mono_s: float) -> Verdict | None:
        """Judge how it is now; None: nothing new."""
        if self._deed in (Deed.RESTART, Deed.START):
            verdict = self._started(seen, mono_s)
        else:
            verdict = self._reached(seen)
        if verdict is None or (self.verdict is not None and verdict == self.verdict):
            return None
        self.verdict = verdict
        return verdict

    def too_late(self) -> Verdict:
        """What is said when it was not there in time."""
        so_far = self.verdict.text if self.verdict is not None else f"not {self._deed.done} yet"
        self.verdict = Verdict(text=f"after {self.limit_s:.0f} s: {so_far}", is_ok=False, is_final=True)
        return self.verdict

    def _started(self, seen: Seen | None, mono_s: float) -> Verdict | None:
        if seen is None:
            return _failed("was removed meanwhile")
        self.limit_s = limit_s(seen, self._patience)
        if seen.started_at == self.run.started_at:
            if seen.is_up or not seen.error:
                return None
            return _failed(f"was not started: {seen.error}")
        if self._new is None:
            self._new, self._new_s = seen, mono_s
        if seen.started_at != self._new.started_at:
            return _failed(f"ended again ({seen.ended}) and was restarted by its policy ({seen.policy})")
        if self._jobs_may_end and seen.status == "exited" and seen.exit_code == 0:
            return Verdict(text="has ended, exit 0: a job that is done", is_final=True)
        if seen.status != "running":
            return _failed(_not_running(seen))
        return self._runs(seen, mono_s)

    def _runs(self, seen: Seen, mono_s: float) -> Verdict:
        since = f"{seen.started_at:%H:%M:%S}" if seen.started_at is not None else "now"
        match seen.health:
            case "healthy":
                return Verdict(text=f"runs since {since} · healthy", is_final=True)
            case "unhealthy":
                return _failed(f"runs since {since}, but is unhealthy: {seen.health_output or 'no output'}")
            case None:
                settled = mono_s - self._new_s >= self._patience.settle_s
                words = f", and for {self._patience.settle_s:g} s; no health check" if settled else ""
                return Verdict(text=f"runs since {since}{words}", is_final=settled)
        if seen.failing_streak:
            text = f"{plural(seen.failing_streak, 'check')} failed: {seen.health_output or 'no output'}"
            return Verdict(text=f"runs since {since}, not healthy yet · {text}", is_ok=False)
        return Verdict(text=f"runs since {since}, waiting for its health check")

    def _reached(self, seen: Seen | None) -> Verdict | None:
        """Stop, kill, pause, unpause: a state that is there or not."""
        is_end = self._deed in (Deed.STOP, Deed.KILL)
        if seen is None:
            text = "is gone: the engine removed it (--rm)"
            return Verdict(text=text, is_final=True) if is_end else _failed("was removed meanwhile")
        if is_end:
            return self._ended(seen)
        if seen.status == ("paused" if self._deed is Deed.PAUSE else "running"):
            return Verdict(text=f"is {self._deed.done}", is_final=True)
        if not seen.is_up:
            return _failed(_not_running(seen))
        return None

    def _ended(self, seen: Seen) -> Verdict | None:
        if not seen.is_up:
            words = seen.ended
            if self._deed is Deed.STOP and seen.exit_code == 137 and not seen.oom_killed:
                words += f": it did not end within {seen.stop_timeout_s} s and was killed"
            return Verdict(text=f"has ended, {words}", is_final=True)
        if seen.started_at != self.run.started_at and seen.status == "running":
            return _failed("runs again: something started it meanwhile")
        return None


def _failed(text: str) -> Verdict:
    return Verdict(text=text, is_ok=False, is_final=True)


def _not_running(seen: Seen) -> str:
    words = {"restarting": "ended again", "paused": "is paused: somebody was faster"}
    said = words.get(seen.status, "ended again" if seen.status == "exited" else f"is {seen.status}")
    if seen.status == "paused":
        return said
    policy = f"; its policy ({seen.policy}) tries again" if seen.status == "restarting" else ""
    return f"{said}, {seen.ended}{policy}"


async def follow(
    lane: Lane,
    deed: Deed,
    runs: Sequence[ContainerRun],
    clock: Clock,
    patience: Patience,
    *,
    jobs_may_end: bool = False,
) -> AsyncIterator[Step]:
    """Steps as things happen; the last one is final and tells how all of them are.

    Args:
        lane: A connection for reads.
        deed: What was done.
        runs: Each as it was right before.
        clock: Time.
        patience: How long to wait.
        jobs_may_end: Whether one that has ended without an error is as it should be.

    Raises:
        TargetError: The engine does not answer any more.
    """
    began_s = clock.mono_s()
    watched = [Watched(deed, run, patience, jobs_may_end=jobs_may_end) for run in runs]
    left = list(watched)
    while left:
        for each in tuple(left):
            verdict = each.look(await look_at(lane, each.run.id), clock.mono_s())
            if verdict is None and clock.mono_s() - began_s >= each.limit_s:
                verdict = each.too_late()
            if verdict is None:
                continue
            if verdict.is_final:
                left.remove(each)
                verdict = await _with_last_line(lane, each, verdict)
            if len(watched) > 1 or not verdict.is_final:
                yield _step(each.run, verdict, clock, is_final=False)
        if left:
            await clock.sleep(patience.poll_s)
    yield _last(watched, clock)


async def _with_last_line(lane: Lane, each: Watched, verdict: Verdict) -> Verdict:
    """A failure with what the container printed last, as far as its log can be read."""
    if verdict.is_ok or (line := await last_line(lane, each.run.id)) is None:
        return verdict
    each.verdict = msgspec.structs.replace(verdict, text=f"{verdict.text} · its last line: {line}")
    return each.verdict


async def last_line(lane: Lane, id: str) -> str | None:
    """What a container printed last, masked; None: nothing, or its log cannot be read."""
    try:
        seen = await look_at(lane, id)
        body = await lane.get_bytes(f"/containers/{id}/logs", stdout="1", stderr="1", tail="1")
    except TargetError:
        return None
    if seen is None or not seen.has_tty:
        body = unframed(body)
    return brief(body.decode(errors="replace")) or None


def unframed(body: bytes) -> bytes:
    r"""The text of a log, without the eight bytes before each piece that tell its stream and length.

    >>> unframed(b"\x02\0\0\0\0\0\0\x03no \x02\0\0\0\0\0\0\x04disk")
    b'no disk'
    """
    text, at = b"", 0
    while at + 8 <= len(body):
        length = int.from_bytes(body[at + 4 : at + 8], "big")
        text += body[at + 8 : at + 8 + length]
        at += 8 + length
    return text


def _step(run: ContainerRun, verdict: Verdict, clock: Clock, *, is_final: bool) -> Step:
    return Step(text=f"{run.name} {verdict.text}", at=clock.now(), is_ok=verdict.is_ok, is_final=is_final)


def _last(watched: Sequence[Watched], clock: Clock) -> Step:
    """How all of them are."""
    verdicts = [each.verdict or each.too_late() for each in watched]
    if len(watched) == 1:
        return _step(watched[0].run, verdicts[0], clock, is_final=True)
    bad = [each.run.name for each, verdict in zip(watched, verdicts, strict=True) if not verdict.is_ok]
    good = len(watched) - len(bad)
    text = f"{good} of {len(watched)} are as they should be"
    if bad:
        text += f"; not: {', '.join(bad)}"
    return Step(text=text, at=clock.now(), is_ok=not bad, is_final=True)
