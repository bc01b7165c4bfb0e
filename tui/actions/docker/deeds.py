"""What is done to containers: the call, what counts as the same run, and what speaks against it. Pure."""

import enum
import socket
from datetime import datetime, timedelta

from opsdash.collectors.format import age
from opsdash.tui.actions.action import ActionSpec
from opsdash.tui.actions.docker import (
    KILL,
    PAUSE,
    RESTART,
    RESTART_SERVICE,
    START,
    START_SERVICE,
    STOP,
    STOP_SERVICE,
    UNPAUSE,
)
from opsdash.tui.actions.docker.identities import ContainerRun
from opsdash.tui.actions.docker.inspection import Seen

_FOR_EVER_S = 120.0
"""In place of a stop timeout without an end."""

_LOOPS_WITHIN = timedelta(minutes=5)


class Deed(enum.Enum):
    """One of the six; the value is its word in the API."""

    RESTART = "restart"
    STOP = "stop"
    START = "start"
    KILL = "kill"
    PAUSE = "pause"
    UNPAUSE = "unpause"

    @property
    def spec(self) -> ActionSpec:
        """As an action on containers."""
        return _ON_CONTAINERS[self]

    @property
    def service_spec(self) -> ActionSpec | None:
        """As an action on all containers of a service; None: there is none."""
        return _ON_SERVICES.get(self)

    @property
    def params(self) -> dict[str, str]:
        """Of the call."""
        return {"signal": "SIGKILL"} if self is Deed.KILL else {}

    @property
    def ends_a_run(self) -> bool:
        """Whether processes end by it, with all that they hold in memory."""
        return self in (Deed.RESTART, Deed.STOP, Deed.KILL)

    @property
    def can_undo(self) -> bool:
        """Whether the opposite brings back what was."""
        return not self.ends_a_run

    @property
    def done(self) -> str:
        """What has become of the container, in a word."""
        return _DONE[self]

    def takes_s(self, seen: Seen) -> float:
        """How long the engine gives the container to end, within the call."""
        if self not in (Deed.RESTART, Deed.STOP) or not seen.is_up:
            return 0.0
        return seen.stop_timeout_s if seen.stop_timeout_s >= 0 else _FOR_EVER_S


_ON_CONTAINERS = {
    Deed.RESTART: RESTART,
    Deed.STOP: STOP,
    Deed.START: START,
    Deed.KILL: KILL,
    Deed.PAUSE: PAUSE,
    Deed.UNPAUSE: UNPAUSE,
}
_ON_SERVICES = {Deed.RESTART: RESTART_SERVICE, Deed.STOP: STOP_SERVICE, Deed.START: START_SERVICE}
_DONE = {
    Deed.RESTART: "restarted",
    Deed.STOP: "stopped",
    Deed.START: "started",
    Deed.KILL: "killed",
    Deed.PAUSE: "paused",
    Deed.UNPAUSE: "unpaused",
}


def loops(seen: Seen, now: datetime) -> bool:
    """Whether its restart policy restarts it over and over."""
    if seen.status == "restarting":
        return True
    ended_lately = seen.finished_at is not None and now - seen.finished_at < _LOOPS_WITHIN
    return seen.restarts > 0 and seen.status == "running" and ended_lately


def refusal(deed: Deed, seen: Seen, now: datetime) -> str | None:
    """Why `deed` makes no sense on this container as it is; None when nothing speaks against it."""
    state = state_words(seen, now)
    if seen.status in ("removing", "dead"):
        return f"{seen.name} is {state}: it can only be removed"
    if deed.ends_a_run and _is_us(seen):
        return f"opsdash itself runs in {seen.name}"
    match deed:
        case Deed.STOP | Deed.KILL if not seen.is_up:
            return f"{seen.name} does not run: {state}"
        case Deed.START if seen.status == "paused":
            return f"{seen.name} is paused: {UNPAUSE.title} instead"
        case Deed.START if seen.is_up:
            return f"{seen.name} is not stopped: {state}"
        case Deed.PAUSE if seen.status != "running":
            return f"{seen.name} does not run: {state}"
        case Deed.UNPAUSE if seen.status != "paused":
            return f"{seen.name} is not paused: {state}"
    return None


def not_the_same(
    *, started_at: datetime | None, restarts: int | None, loops: bool, seen: Seen, now: datetime
) -> str | None:
    """Why this is not the run any more that was chosen or planned for; None: it is.

    A container whose policy restarts it over and over is another run every few seconds. It stays the same
    for as long as nobody but its policy restarts it, which shows in the count: by hand it begins at 0 again.

    Args:
        started_at: When the run that was meant began.
        restarts: By policy, at that time; None: not known.
        loops: Whether it was restarted over and over then.
        seen: The container now.
        now: The engine's clock.
    """
    if seen.started_at == started_at:
        return None
    if loops and (restarts is None or seen.restarts > restarts):
        return None
    by = "by its restart policy" if restarts is not None and seen.restarts > restarts else "meanwhile"
    return f"{seen.name} was restarted {by}: now {state_words(seen, now)}"


def changed(deed: Deed, run: ContainerRun, seen: Seen, now: datetime) -> str | None:
    """Why a planned `deed` is not done right before it would be; None: all is as it was."""
    lapsed = not_the_same(
        started_at=run.started_at, restarts=run.restarts, loops=run.loops, seen=seen, now=now
    )
    return lapsed or refusal(deed, seen, now)


def state_words(seen: Seen, now: datetime) -> str:
    """What a container does at present, and since when."""
    if seen.status == "running":
        words = f"up {_since(seen.started_at, now)}"
        return f"{words}, {_health(seen)}" if seen.health is not None else words
    if seen.status == "paused":
        return f"paused, started {_since(seen.started_at, now)} ago"
    if seen.status == "restarting":
        return f"in a restart loop ({seen.restarts} by its policy), last {seen.ended}"
    if seen.status == "created":
        return "created, never started"
    if seen.status in ("exited", "dead"):
        return f"{seen.status} {_since(seen.finished_at, now)} ago, {seen.ended}"
    return seen.status


def _health(seen: Seen) -> str:
    if seen.health == "unhealthy" and seen.failing_streak:
        return f"unhealthy ({seen.failing_streak} checks in a row failed)"
    return f"health {seen.health}" if seen.health == "starting" else str(seen.health)


def _since(at: datetime | None, now: datetime) -> str:
    return age((now - at).total_seconds() if at is not None else None)


def _is_us(seen: Seen) -> bool:
    """Whether this process runs in it: by default a container's host name is the beginning of its id."""
    host = socket.gethostname()
    return len(host) == 12 and seen.id.startswith(host)
