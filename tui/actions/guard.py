"""What stands between a plan and the target: deny, `y`, or the typed name. Pure."""

import enum

import msgspec

from opsdash.collectors.target import Environment
from opsdash.tui.actions.action import Plan


class Mode(msgspec.Struct, frozen=True, kw_only=True):
    """What this session of opsdash may do at this moment."""

    read_only: bool = False
    """`--read-only`: wins over everything."""
    permitted: bool = False
    """`--allow-actions`: arming is possible."""
    armed: bool = False


READ_ONLY = "read-only: opsdash was started with --read-only"
NOT_PERMITTED = "read-only: start with --allow-actions to permit arming"
NOT_ARMED = "not armed: press A"


class GuardKind(enum.Enum):
    """What a person must do to go on."""

    DENY = "deny"
    """Nothing helps here; the reason says what would."""
    CONFIRM = "confirm"
    """Press `y`."""
    TYPE = "type"
    """Type the target's name."""


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """How one plan is guarded at one moment."""

    kind: GuardKind
    reason: str | None = None
    """For DENY: why, and how to change it."""
    must_type: str | None = None
    """For TYPE: the name, to be matched exactly."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A person chose to go on: with `y`, or with what was typed."""

    typed: str | None = None


def guard(plan: Plan, environment: Environment, mode: Mode) -> Guard:
    """How `plan` is guarded on a target of `environment`, now.

    What can never be changed comes first, so that nobody arms in vain. An environment that nobody
    stated counts as production.
    """
    reason = _denied(plan, environment, mode)
    if reason is not None:
        return Guard(kind=GuardKind.DENY, reason=reason)
    cannot_be_mended = environment.production and not plan.can_undo
    if plan.always_type or environment.actions == "type" or cannot_be_mended:
        return Guard(kind=GuardKind.TYPE, must_type=plan.target.name)
    return Guard(kind=GuardKind.CONFIRM)


def _denied(plan: Plan, environment: Environment, mode: Mode) -> str | None:
    if plan.refusal is not None:
        return plan.refusal
    if environment.actions == "deny":
        return f'{plan.target.name} denies actions (actions = "deny" in its configuration)'
    return mode_denies(mode)


def mode_denies(mode: Mode) -> str | None:
    """Why nothing may be done in `mode`, and what would change it; None when it may.

    >>> mode_denies(Mode(read_only=True, permitted=True, armed=True))
    'read-only: opsdash was started with --read-only'
    >>> mode_denies(Mode())
    'read-only: start with --allow-actions to permit arming'
    >>> mode_denies(Mode(permitted=True)), mode_denies(Mode(permitted=True, armed=True))
    ('not armed: press A', None)
    """
    if mode.read_only:
        return READ_ONLY
    if not mode.permitted:
        return NOT_PERMITTED
    return None if mode.armed else NOT_ARMED


def is_satisfied(guard: Guard, decision: Decision) -> bool:
    """Whether `decision` is what `guard` asks for; a typed name must match to the letter.

    >>> typed = Guard(kind=GuardKind.TYPE, must_type="orders")
    >>> [is_satisfied(typed, Decision(typed=t)) for t in (None, "", "Orders", "orders ", "orders")]
    [False, False, False, False, True]
    >>> is_satisfied(Guard(kind=GuardKind.CONFIRM), Decision())
    True
    >>> is_satisfied(Guard(kind=GuardKind.DENY, reason="not armed: press A"), Decision(typed="orders"))
    False
    """
    match guard.kind:
        case GuardKind.DENY:
            return False
        case GuardKind.CONFIRM:
            return True
        case GuardKind.TYPE:
            return decision.typed is not None and decision.typed == guard.must_type
