"""What an action is: values and protocol only. Nothing in here acts."""

import enum
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from opsdash.collectors.target import Target, TargetId


class ActionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What menus, keys, palette and help say of an action before anybody asks for it."""

    name: str
    """`postgres.terminate`: unique, and what the audit log holds."""
    kind: str
    """Kind of target it works on."""
    title: str
    """What it does, as a verb phrase: "Terminate session"."""
    short: str = "act"
    """One word for the key line: "terminate"."""
    key: str
    """Its letter in the action menu."""
    on: type[msgspec.Struct]
    """The identity it hits: `SessionIdentity`."""
    asks: str | None = None
    """What a person is asked for before the plan ("pattern to purge"); None: nothing."""
    answered: Callable[[msgspec.Struct, str], msgspec.Struct] | None = None
    """Where it asks: (what the cursor is on, the answer) -> the identity to plan for. Never raises: a bad
    answer is the plan's refusal."""
    in_steps: bool = False
    """Whether it takes so long that it tells how far it is, and can be halted: see `SteppedAction`."""


class PlanLine(msgspec.Struct, frozen=True, kw_only=True):
    """One labelled fact of a plan: ("lost", "its open transaction since 03:06:46 …")."""

    label: str
    text: str
    is_warning: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen, read afresh from the target; frozen from then on.

    Lines come in the order of screens.md section 4: will run, it is, lost, freed, undo.
    """

    action: str
    target: TargetId
    title: str
    """"Terminate session 4312"."""
    identities: tuple[msgspec.Struct, ...]
    """What will be hit, as it was when the plan was read."""
    lines: tuple[PlanLine, ...]
    can_undo: bool
    planned_at: datetime
    followed: tuple[int, ...] = ()
    """What verify follows besides the identities: for sessions, the pids that wait behind them."""
    refusal: str | None = None
    """Set: the action would surely make things worse or cannot work; says why. It cannot be confirmed."""
    always_type: bool = False
    """Wide effects are typed in every environment (FLUSHALL, purge of `*`)."""


class Effect(enum.Enum):
    """How the acting statement came out for one identity."""

    SENT = "sent"
    GONE = "gone already"
    CHANGED = "not the same any more"
    NOT_VISIBLE = "not visible to this role"
    DENIED = "not permitted"
    FAILED = "failed"
    """The target tried or refused, and says why; what it is now stands in the detail."""
    NOT_TRIED = "not tried"
    """Left alone because of what became of one before."""


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One identity and what became of it."""

    identity: msgspec.Struct
    effect: Effect
    detail: str = ""
    """In the action's words, " · " between steps. SENT: what was checked and done ("same transaction
    re-checked · signal sent"); else why nothing was sent, or what the thing is now. Shown as it stands."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One line of progress, as it happens."""

    text: str
    at: datetime
    is_ok: bool = True
    is_final: bool = False
    """The effect is there; nothing more will come."""


class OutcomeKind(enum.Enum):
    """How an action ended."""

    DONE = "done"
    """The effect was seen on the target."""
    REFUSED = "refused"
    """Nothing was sent."""
    FAILED = "failed"
    """Sent or tried, and the target said no, or the effect did not come."""
    ABORTED = "aborted"
    """A person broke it off between two steps: what was done stays done, the text says how much."""
    UNKNOWN = "unknown"
    """Sent, perhaps; then no answer. The target must be looked at."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The end of an action."""

    kind: OutcomeKind
    text: str


class Action(Protocol):
    """One thing that changes targets of one kind. Called by `perform.py` alone."""

    @property
    def spec(self) -> ActionSpec:
        """What it is called and what it works on."""

    async def plan(self, target: Target, identities: Sequence[msgspec.Struct], *, may_act: bool) -> Plan:
        """Read the target afresh and say what would happen.

        Args:
            target: The target, with its settings.
            identities: What the person chose.
            may_act: Whether arming is permitted. If so the plan is read over the kept action connection and
                role; else over a short-lived one with the monitoring role.

        Raises:
            TargetError: The target could not be read.
        """

    async def run(self, target: Target, plan: Plan) -> tuple[Hit, ...]:
        """Do it: the identity stands in the acting statement. One hit per identity.

        Raises:
            TimedOut: Sent perhaps, no answer: the outcome is unknown.
            ConnectionLost: Likewise.
            TargetError: Any other: it surely was not done.
        """

    def verify(self, target: Target, plan: Plan, hits: Sequence[Hit]) -> AsyncIterator[Step]:
        """Follow the effect on the target until it is there (a final step) or a deadline passes.

        Called only when at least one hit was SENT. A final step that is not ok says what is still there.

        Raises:
            TargetError: The target could not be read any more; what was sent is not taken back.
        """


class Progress(Protocol):
    """How an action that takes long says how far it is, and learns that it should stop."""

    @property
    def is_aborted(self) -> bool:
        """Whether somebody asked to break it off: it then ends by itself, and tells how far it got."""

    def progress(self, text: str) -> None:
        """Say how far it is; each takes the place of the one before."""


class SteppedAction(Action, Protocol):
    """An action whose spec is `in_steps`."""

    async def run(self, target: Target, plan: Plan, progress: Progress | None = None) -> tuple[Hit, ...]:
        """Do it step by step; between two of them look whether it was aborted.

        Returns:
            Also when it was aborted: the details of the hits say how far it got.
        """


class ActionKit(Protocol):
    """The actions of one kind of target and the connections that they keep."""

    @property
    def actions(self) -> Mapping[str, Action]:
        """Name -> action, for every spec of the kind."""

    async def open(self, target: Target) -> None:
        """Open the kept action connection ahead of need: on a full server it could not be opened later.

        Open already: nothing happens.

        Raises:
            TargetError: It could not be opened; the next plan or `open` tries again.
        """

    def abort(self) -> None:
        """Break off whatever waits for a target, now and without waiting: shut the sockets."""

    async def close(self) -> None:
        """Let go of all connections; never waits for a target."""
