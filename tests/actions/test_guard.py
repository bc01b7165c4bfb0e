"""The guard: every combination of plan, environment and mode."""

import itertools
from datetime import UTC, datetime

import pytest

from opsdash.collectors.target import Environment, GuardPolicy, TargetId, environment
from opsdash.tui.actions.action import Plan
from opsdash.tui.actions.guard import Decision, GuardKind, Mode, guard, is_satisfied

ARMED = Mode(permitted=True, armed=True)
STAGING = environment("staging")
PRODUCTION = environment("prod-eu")
BOTH = (False, True)


def plan(*, can_undo: bool = False, refusal: str | None = None, always_type: bool = False) -> Plan:
    return Plan(
        action="postgres.terminate",
        target=TargetId("postgres", "orders"),
        title="Terminate session 4312",
        identities=(),
        lines=(),
        can_undo=can_undo,
        planned_at=datetime(2026, 3, 14, 3, 12, tzinfo=UTC),
        refusal=refusal,
        always_type=always_type,
    )


POLICIES: tuple[GuardPolicy, ...] = ("confirm", "type", "deny")
EVERY = [
    (
        plan(can_undo=undo, refusal=refusal, always_type=wide),
        Environment(name="x", production=production, actions=actions),
        Mode(read_only=read_only, permitted=permitted, armed=armed),
    )
    for undo, refusal, wide, production, actions, read_only, permitted, armed in itertools.product(
        BOTH, (None, "it is a walsender"), BOTH, BOTH, POLICIES, BOTH, BOTH, BOTH
    )
]


def test_only_an_armed_session_that_nothing_forbids_may_act() -> None:
    allowed = [case for case in EVERY if guard(*case).kind is not GuardKind.DENY]
    assert allowed
    for planned, where, mode in allowed:
        assert planned.refusal is None
        assert where.actions != "deny"
        assert mode == ARMED
    denied = len(EVERY) - len(allowed)
    assert denied == len(EVERY) - 2 * 2 * 2 * 2  # undo x wide x production x (confirm, type)


def test_every_denial_says_why() -> None:
    for case in EVERY:
        verdict = guard(*case)
        assert (verdict.reason is not None) == (verdict.kind is GuardKind.DENY)


def test_production_types_the_name_unless_it_can_be_undone() -> None:
    for planned, where, mode in EVERY:
        verdict = guard(planned, where, mode)
        if verdict.kind is GuardKind.DENY:
            continue
        must_type = (
            planned.always_type or where.actions == "type" or (where.production and not planned.can_undo)
        )
        assert (verdict.kind is GuardKind.TYPE) == must_type
        assert verdict.must_type == ("orders" if must_type else None)


@pytest.mark.parametrize(
    ("planned", "where", "mode", "word"),
    [
        (plan(refusal="it is a walsender"), Environment(actions="deny"), Mode(read_only=True), "walsender"),
        (plan(), Environment(actions="deny"), Mode(read_only=True), "orders denies actions"),
        (plan(), STAGING, Mode(read_only=True, permitted=True, armed=True), "--read-only"),
        (plan(), STAGING, Mode(), "--allow-actions"),
        (plan(), STAGING, Mode(armed=True), "--allow-actions"),
        (plan(), STAGING, Mode(permitted=True), "press A"),
    ],
    ids=["refusal", "deny", "read-only", "not permitted", "armed, not permitted", "not armed"],
)
def test_the_reason_is_the_one_that_cannot_be_helped_first(
    planned: Plan, where: Environment, mode: Mode, word: str
) -> None:
    assert word in (guard(planned, where, mode).reason or "")


def test_a_target_whose_environment_nobody_stated_is_guarded_as_production() -> None:
    assert guard(plan(), environment(None), ARMED).kind is GuardKind.TYPE
    assert guard(plan(), PRODUCTION, ARMED).kind is GuardKind.TYPE
    assert guard(plan(), STAGING, ARMED).kind is GuardKind.CONFIRM


def test_no_decision_satisfies_a_denial_and_only_the_exact_name_a_typed_guard() -> None:
    denied = guard(plan(), STAGING, Mode())
    typed = guard(plan(), PRODUCTION, ARMED)
    for text in (None, "", "y", "order", "orders ", " orders", "ORDERS", "orders\n", "оrders"):
        assert not is_satisfied(denied, Decision(typed=text))
        assert not is_satisfied(typed, Decision(typed=text))
    assert is_satisfied(typed, Decision(typed="orders"))
    assert not is_satisfied(denied, Decision(typed="orders"))
