"""One action under way: what was decided, what has happened so far, how it ended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any, TypeVar, cast

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import ConnectionLost, TargetError, TimedOut
from opsdash.collectors.secret import redact
from opsdash.collectors.target import Environment, Target
from opsdash.collectors.text import one_line
from opsdash.tui.actions.action import (
    Action,
    Effect,
    Hit,
    Outcome,
    OutcomeKind,
    Plan,
    Step,
    SteppedAction,
)
from opsdash.tui.actions.guard import Guard

log = logging.getLogger(__name__)
T = TypeVar("T")

GRACE_S = 0.3
"""How long work that was broken off may take to end; then it is left behind."""

HALT_S = 5.0
"""How long an action in steps may take to end its present one, when it is aborted."""

_SEPARATOR = " · "
_LOOK = "look at the target"


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decides about: the dialog shows this and nothing else."""

    plan: Plan
    guard: Guard
    """As it was when the plan was made; it is judged again when the decision comes."""
    environment: Environment
    operator: str
    """Who will be recorded, in words."""
    planned_at: datetime


class Aborted(Exception):
    """Somebody broke the action off."""


class Running:
    """One action under way, or ended. Read by the screen, moved on by the gateway."""

    def __init__(self, run_id: str, planned: Planned, clock: Clock, notify: Callable[[], None]) -> None:
        self.id = run_id
        self.planned = planned
        self.started_at = clock.now()
        self.steps: tuple[Step, ...] = ()
        """Oldest first; grows."""
        self.hits: tuple[Hit, ...] = ()
        """What became of each identity; empty before the target has answered."""
        self.outcome: Outcome | None = None
        self._clock = clock
        self._notify = notify
        self._stop = asyncio.Event()
        self._progress: Step | None = None
        """The step that the next progress replaces."""

    @property
    def is_done(self) -> bool:
        """Whether it has ended, well or not."""
        return self.outcome is not None

    @property
    def is_aborted(self) -> bool:
        """Whether somebody asked to break it off."""
        return self._stop.is_set()

    def abort(self) -> None:
        """Break it off. What was sent is not taken back: the outcome is then unknown."""
        self._stop.set()

    def say(self, text: str, *, is_ok: bool = True) -> None:
        """Add a step that happened now."""
        self.add(Step(text=text, at=self._clock.now(), is_ok=is_ok))

    def add(self, step: Step) -> None:
        """Add a step."""
        self.steps = (*self.steps, step)
        self._notify()

    def progress(self, text: str) -> None:
        """Say how far it is, in the place of what was said of that before."""
        if self._progress is not None and self.steps and self.steps[-1] is self._progress:
            self.steps = self.steps[:-1]
        self._progress = Step(text=text, at=self._clock.now())
        self.add(self._progress)

    def end(self, outcome: Outcome) -> None:
        """It has ended."""
        self.outcome = outcome
        self._notify()

    async def breakable(self, work: Coroutine[Any, Any, T], *, halt_s: float = 0.0) -> T:
        """Await `work`, or leave it behind soon after `abort`.

        Args:
            work: What to do.
            halt_s: How long it may take to end by itself, once it is aborted.

        Raises:
            Aborted: It was broken off, whatever became of it.
        """
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if halt_s and not task.done():
                await asyncio.wait({task}, timeout=halt_s)
            if task.done():
                return task.result()
            task.cancel()
            await asyncio.wait({task}, timeout=GRACE_S)
            raise Aborted
        finally:
            stop.cancel()
            if not task.done():
                task.cancel()
            task.add_done_callback(_look_at_result)


def _look_at_result(task: asyncio.Future[Any]) -> None:
    """Fetch the exception of work that was left behind, so that asyncio does not print it."""
    if not task.cancelled():
        task.exception()


async def act(running: Running, action: Action, target: Target) -> Outcome:
    """Run the action, then follow its effect. The intent is on disk already; never raises for the target."""
    if running.is_aborted:
        return _refused("aborted before anything was sent")
    hits = await _run(running, action, target)
    if isinstance(hits, Outcome):
        return hits
    running.hits = tuple(hits)
    for text, is_ok in hit_lines(running.hits):
        running.say(text, is_ok=is_ok)
    if not any(hit.effect is Effect.SENT for hit in running.hits):
        return unsent(running.hits)
    final = await _settled(running, "sent", running.breakable(_follow(running, action, target)))
    return final if isinstance(final, Outcome) else followed(running.hits, final)


async def _run(running: Running, action: Action, target: Target) -> tuple[Hit, ...] | Outcome:
    """What became of each identity; the outcome where it ends with that."""
    plan = running.planned.plan
    if not action.spec.in_steps:
        return await _settled(running, "sent perhaps", running.breakable(action.run(target, plan)))
    work = cast(SteppedAction, action).run(target, plan, running)
    hits = await _settled(running, "sent perhaps", running.breakable(work, halt_s=HALT_S))
    if isinstance(hits, Outcome) or not running.is_aborted:
        return hits
    running.hits = hits
    return Outcome(kind=OutcomeKind.ABORTED, text="; ".join(hit.detail for hit in hits))


async def _settled(running: Running, how_far: str, work: Awaitable[T]) -> T | Outcome:
    """The result of `work`, or the outcome that its failure means when things are `how_far`."""
    is_sent = how_far == "sent"
    try:
        return await work
    except Aborted:
        text = "aborted after it was sent: not followed to the end" if is_sent else "aborted: sent perhaps"
    except TargetError as error:
        if not is_sent and not isinstance(error, TimedOut | ConnectionLost):
            return Outcome(kind=OutcomeKind.FAILED, text=_with_hint(error))
        text = f"{how_far}, then no answer: {error.reason}"
    except Exception as error:  # an unknown outcome is told, never swallowed
        log.exception("action %s %s", running.planned.plan.action, running.id)
        reason = redact(one_line(f"{type(error).__name__}: {error}"))
        text = f"{how_far}, then opsdash failed ({reason}; see its log)"
    return Outcome(kind=OutcomeKind.UNKNOWN, text=f"{text}; {_LOOK}")


def _with_hint(error: TargetError) -> str:
    return f"{error.reason}; {error.hint}" if error.hint else error.reason


async def _follow(running: Running, action: Action, target: Target) -> Step | None:
    """Add the steps of `verify` as they come; the final one, or None when there was none."""
    async for step in action.verify(target, running.planned.plan, running.hits):
        running.add(step)
        if step.is_final:
            return step
    return None


def _refused(text: str) -> Outcome:
    return Outcome(kind=OutcomeKind.REFUSED, text=text)


def hit_lines(hits: tuple[Hit, ...]) -> list[tuple[str, bool]]:
    """What is told of each hit: (text, whether it is well). A single one needs no name, and more detail.

    >>> class Pid(msgspec.Struct, frozen=True):
    ...     pid: int
    ...     def __str__(self): return str(self.pid)
    >>> sent = Hit(identity=Pid(7), effect=Effect.SENT, detail="re-checked · signal sent")
    >>> hit_lines((sent,))
    [('re-checked', True), ('signal sent', True)]
    >>> hit_lines((sent, Hit(identity=Pid(8), effect=Effect.GONE)))
    [('7: re-checked · signal sent', True), ('8: gone already', False)]
    """
    if len(hits) == 1 and hits[0].effect is Effect.SENT:
        return [(part, True) for part in (hits[0].detail or "sent").split(_SEPARATOR)]
    name_them = len(hits) > 1
    return [
        (f"{hit.identity}: {_told(hit)}" if name_them else _told(hit), hit.effect is Effect.SENT)
        for hit in hits
    ]


def _told(hit: Hit) -> str:
    if hit.effect is Effect.SENT:
        return hit.detail or hit.effect.value
    return f"{hit.effect.value}{_SEPARATOR}{hit.detail}" if hit.detail else hit.effect.value


def _counted(hits: tuple[Hit, ...]) -> str:
    """How many came out how: "3 sent · 2 gone already"."""
    counts = [(effect, sum(hit.effect is effect for hit in hits)) for effect in Effect]
    return _SEPARATOR.join(f"{count} {effect.value}" for effect, count in counts if count)


def _is_denied(hits: tuple[Hit, ...]) -> bool:
    return any(hit.effect in (Effect.DENIED, Effect.NOT_VISIBLE, Effect.FAILED) for hit in hits)


def unsent(hits: tuple[Hit, ...]) -> Outcome:
    """The outcome when no hit was sent: refused, or failed where the target said no."""
    kind = OutcomeKind.FAILED if _is_denied(hits) else OutcomeKind.REFUSED
    if len(hits) == 1 and hits[0].detail:
        return Outcome(kind=kind, text=_told(hits[0]))
    what = _counted(hits) or "no identity"
    is_tried = any(hit.effect is Effect.FAILED for hit in hits)
    return Outcome(kind=kind, text=what if is_tried else f"nothing was sent: {what}")


def followed(hits: tuple[Hit, ...], final: Step | None) -> Outcome:
    """The outcome after something was sent and followed.

    Done when the effect was seen and the target refused none; some that were gone or changed by then
    are told, and need nothing more.
    """
    seen = final.text if final is not None else "sent; its effect was not seen"
    text = f"{_counted(hits)}{_SEPARATOR}{seen}" if len(hits) > 1 else seen
    is_done = final is not None and final.is_ok and not _is_denied(hits)
    return Outcome(kind=OutcomeKind.DONE if is_done else OutcomeKind.FAILED, text=text)
