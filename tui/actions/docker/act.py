"""One container: read again right before, then acted on, over one connection."""

from collections.abc import Callable

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.failures import EngineError
from opsdash.collectors.errors import PermissionDenied, TargetError
from opsdash.collectors.format import age
from opsdash.tui.actions.action import Effect, Hit
from opsdash.tui.actions.docker.connection import Lane
from opsdash.tui.actions.docker.deeds import Deed, changed, loops, state_words
from opsdash.tui.actions.docker.follow import Patience
from opsdash.tui.actions.docker.identities import ContainerRun
from opsdash.tui.actions.docker.inspection import Seen
from opsdash.tui.actions.docker.sighting import look, look_at


async def act_on(
    lane: Lane, deed: Deed, run: ContainerRun, clock: Clock, patience: Patience, tell: Callable[[str], None]
) -> tuple[Hit, bool]:
    """Do `deed` to one container, once, if it is still what was planned for.

    What the engine refuses is a hit; no answer is an error.

    Returns:
        The hit, whose identity is the run right before, and whether the container served then.

    Raises:
        TimedOut: Sent, no answer.
        ConnectionLost: Likewise.
        TargetError: Any other: it surely was not done.
    """
    try:
        seen = await look_at(lane, run.id)
        lapsed = await _lapsed(lane, deed, run, seen, clock)
    except TargetError as error:
        raise TargetError(lane.target.id, f"nothing was sent: {error.reason}", hint=error.hint) from error
    if seen is None or lapsed is not None:
        return lapsed or _gone(run, ""), False
    now = lane.engine_now or clock.now()
    served = seen.status == "running" and seen.health in (None, "healthy") and not loops(seen, now)
    run = msgspec.structs.replace(run, started_at=seen.started_at, restarts=seen.restarts)
    takes_s = deed.takes_s(seen)
    tell(f"{deed.value} {run.name}" + (f": {seen.stop_signal}, {takes_s:.0f} s to end" if takes_s else ""))
    path = f"/containers/{run.id}/{deed.value}"
    try:
        await lane.act(path, deed.params, None, takes_s + patience.engine_s)
    except PermissionDenied as error:
        return Hit(identity=run, effect=Effect.DENIED, detail=error.reason), served
    except EngineError as error:
        if error.status == 404:
            return _gone(run, ": it was removed just before"), served
        detail = await _failed(lane, run, error, clock)
        return Hit(identity=run, effect=Effect.FAILED, detail=detail), served
    return Hit(identity=run, effect=Effect.SENT, detail=f"same run re-checked · {deed.done}"), served


async def _lapsed(lane: Lane, deed: Deed, run: ContainerRun, seen: Seen | None, clock: Clock) -> Hit | None:
    """Why nothing is sent; None: it is what was planned for still."""
    now = lane.engine_now or clock.now()
    if seen is not None:
        why = changed(deed, run, seen, now)
        return why if why is None else _unsent(run, Effect.CHANGED, why)
    following = (await look(lane, [], clock)).named(run.name)
    if following is None:
        return _gone(run, "")
    made = age((now - following.created_at).total_seconds())
    return _gone(run, f": {run.name} is another container now, {following.id[:12]}, created {made} ago")


async def _failed(lane: Lane, run: ContainerRun, error: EngineError, clock: Clock) -> str:
    """The engine's words, and how the container is after them: a restart may have stopped it."""
    try:
        seen = await look_at(lane, run.id)
    except TargetError:
        return error.reason
    if seen is None:
        return f"{error.reason}; {run.name} is gone"
    return f"{error.reason}; {run.name} is {state_words(seen, lane.engine_now or clock.now())}"


def _unsent(run: ContainerRun, effect: Effect, why: str) -> Hit:
    return Hit(identity=run, effect=effect, detail=f"{why}; nothing was sent")


def _gone(run: ContainerRun, more: str) -> Hit:
    return _unsent(run, Effect.GONE, f"container {run.id[:12]}{more}")
