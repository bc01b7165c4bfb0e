"""The gateway, with lamps for targets: what is sent, what is told, and what is on disk."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from opsdash.collectors.errors import ConnectionLost, PermissionDenied, TargetError, TimedOut, TooManyClients
from opsdash.collectors.secret import Secret
from opsdash.collectors.target import TargetId
from opsdash.tui.actions.action import Effect, OutcomeKind
from opsdash.tui.actions.audit import AuditError, AuditLog
from opsdash.tui.actions.chain import check
from opsdash.tui.actions.guard import Decision, GuardKind
from opsdash.tui.actions.running import Running
from opsdash.tui.actions.who import Operator
from tests.actions.lamps import (
    HALL,
    MARIA,
    YES,
    House,
    ManualClock,
    armed_plan,
    ended,
    hall,
    outcome,
    performed,
    plan,
)
from tests.support.waiting import wait_until_async


def told(running: Running) -> list[tuple[str, bool]]:
    return [(step.text, step.is_ok) for step in running.steps]


# -- the whole way --------------------------------------------------------------------------------------


async def test_an_action_is_told_step_by_step_and_recorded(house: House) -> None:
    running = await performed(house)
    assert house.sent_lamps() == [1]
    assert outcome(running) == (OutcomeKind.DONE, "it is dark")
    assert told(running) == [
        ("intent recorded", True),
        ("same lamp re-checked", True),
        ("switched", True),
        ("it glows on", True),
        ("it is dark", True),
    ]
    armed, intent, end, _ = house.records()
    assert armed["event"] == "armed"
    assert intent["event"] == "intent"
    assert intent["id"] == end["id"] == running.id
    assert intent["target"] == "lamps/hall"
    assert intent["environment"] == "staging"
    assert intent["identities"] == [{"number": 1}]
    assert intent["plan"] == [{"will run": "off()"}, {"over": "True"}]
    assert intent["who"] == "maria, from 10.0.4.7"
    assert (end["event"], end["outcome"], end["text"]) == ("outcome", "done", "it is dark")
    assert check(house.path.read_bytes().splitlines()).problems == ()


async def test_the_intent_is_on_disk_before_anything_is_sent(house: House) -> None:
    on_disk: list[object] = []
    house.off.reach = lambda stage: on_disk.extend(house.events()) if stage == "run" else None
    await performed(house)
    assert on_disk == ["armed", "intent"]


async def test_a_secret_in_a_plan_or_an_error_is_not_recorded(house: House) -> None:
    held = Secret("swordfish")
    house.off.refusal = "password swordfish refused"
    await performed(house)
    house.off.refusal = None
    house.off.fail_run = PermissionDenied(HALL, "role swordfish may not")
    await performed(house, 2)
    assert held.reveal().encode() not in house.path.read_bytes()
    assert b"password *** refused" in house.path.read_bytes()


# -- the guard ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [None, "", "Hall", "hall "])
async def test_an_unsatisfied_decision_sends_nothing(tmp_path: Path, typed: str | None) -> None:
    house = House(tmp_path, hall(name="prod", production=True))
    running = await performed(house, decision=Decision(typed=typed))
    assert house.sent_lamps() == []
    assert outcome(running) == (OutcomeKind.REFUSED, "the target's name was not typed: hall")
    assert house.events() == ["armed", "refused", "disarmed"]


async def test_the_exact_name_lets_it_happen_in_production(tmp_path: Path) -> None:
    house = House(tmp_path, hall(name="prod", production=True))
    await performed(house, decision=Decision(typed="hall"))
    assert house.sent_lamps() == [1]


async def test_the_guard_is_judged_when_the_decision_comes_not_when_the_plan_was_shown(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    house = House(tmp_path, clock=clock)
    planned = await armed_plan(house)
    assert planned.guard.kind is GuardKind.CONFIRM
    clock.advance(601)
    assert house.gateway.guard(planned).kind is GuardKind.DENY
    running = await ended(house, house.gateway.perform(planned, YES))
    assert outcome(running) == (OutcomeKind.REFUSED, "not armed: press A")
    assert house.sent_lamps() == []


async def test_a_plan_shown_unarmed_can_be_carried_out_once_armed(house: House) -> None:
    planned = await plan(house)
    assert planned.guard.reason == "not armed: press A"
    assert await house.gateway.arm() is None
    await ended(house, house.gateway.perform(planned, YES))
    assert house.sent_lamps() == [1]


async def test_a_refused_plan_cannot_be_carried_out(house: House) -> None:
    house.off.refusal = "the lamp holds up the ceiling"
    running = await performed(house)
    assert outcome(running) == (OutcomeKind.REFUSED, "the lamp holds up the ceiling")
    assert house.sent_lamps() == []


# -- arming ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        ({"permitted": False}, "--allow-actions"),
        ({"permitted": True, "read_only": True}, "--read-only"),
        ({"permitted": False, "read_only": True}, "--read-only"),
    ],
)
async def test_arming_is_refused_with_the_reason(tmp_path: Path, flags: dict[str, Any], reason: str) -> None:
    house = House(tmp_path, **flags)
    assert reason in (await house.gateway.arm() or "")
    assert not house.gateway.mode.armed
    assert house.events() == []
    planned = await plan(house)
    assert ("over", "False") in [(line.label, line.text) for line in planned.plan.lines]
    await ended(house, house.gateway.perform(planned, YES))
    assert house.sent_lamps() == []


async def test_it_is_not_armed_when_that_cannot_be_recorded(tmp_path: Path) -> None:
    house = House(tmp_path, audit=AuditLog(Path("/dev/full"), clock=ManualClock()))
    assert "No space left" in (await house.gateway.arm() or "")
    assert not house.gateway.mode.armed


async def test_arming_ends_after_ten_minutes_and_that_is_recorded(tmp_path: Path) -> None:
    clock = ManualClock()
    house = House(tmp_path, clock=clock)
    changes: list[bool] = []
    house.gateway.on_change(lambda: changes.append(house.gateway.mode.armed))
    await house.gateway.arm()
    assert (house.gateway.armed_left_s, changes) == (600, [True])
    clock.advance(599)
    assert house.gateway.mode.armed
    for _ in range(3):  # it may first have slept for the last seconds
        await asyncio.sleep(0)
    clock.advance(1)
    assert (house.gateway.mode.armed, house.gateway.armed_left_s) == (False, 0)
    await wait_until_async(lambda: house.events() == ["armed", "disarmed"], 30, "the expiry is recorded")
    assert house.records()[1]["how"] == "by time"
    assert changes == [True, False]


@pytest.mark.parametrize(("mono_s", "wall_s"), [(5, 700), (700, 5)], ids=["machine slept", "clock set back"])
async def test_either_clock_ends_arming(tmp_path: Path, mono_s: float, wall_s: float) -> None:
    clock = ManualClock()
    house = House(tmp_path, clock=clock)
    await house.gateway.arm()
    clock.advance(mono_s, wall_s)
    assert not house.gateway.mode.armed


async def test_disarming_and_quitting_are_recorded(house: House) -> None:
    await house.gateway.arm()
    assert await house.gateway.disarm() is None
    assert not house.gateway.mode.armed
    assert await house.gateway.disarm() is None
    await house.gateway.arm()
    await house.gateway.close()
    assert [record.get("how") for record in house.records()] == [None, "by key", None, "by quitting"]


async def test_it_is_disarmed_even_when_that_cannot_be_recorded(house: House) -> None:
    await house.gateway.arm()
    house.path.unlink()
    house.path.mkdir()
    assert "cannot be written" in (await house.gateway.disarm() or "")
    assert not house.gateway.mode.armed


# -- the audit log --------------------------------------------------------------------------------------


async def test_nothing_is_sent_when_the_intent_cannot_be_recorded(house: House) -> None:
    planned = await armed_plan(house)
    house.path.unlink()
    house.path.mkdir()
    running = await ended(house, house.gateway.perform(planned, YES))
    assert house.sent_lamps() == []
    kind, text = outcome(running)
    assert kind is OutcomeKind.REFUSED
    assert text.startswith(f"nothing was sent: the audit log {house.path} cannot be written: Is a directory")
    assert "[audit] path" in text


async def test_an_outcome_that_cannot_be_recorded_is_said(house: House) -> None:
    planned = await armed_plan(house)

    def lose_the_log(stage: str) -> None:
        if stage == "verify":
            house.path.unlink()
            house.path.mkdir()

    house.off.reach = lose_the_log
    running = await ended(house, house.gateway.perform(planned, YES))
    assert outcome(running) == (OutcomeKind.DONE, "it is dark")
    assert told(running)[-1] == ("the outcome could not be recorded: Is a directory", False)


async def test_what_must_be_recorded_and_cannot_be_is_an_error(house: House) -> None:
    await house.gateway.record("reveal", target="postgres/orders", what="literals of pid 4312")
    [record] = house.records()
    assert (record["event"], record["who"]) == ("reveal", "maria, from 10.0.4.7")
    house.path.unlink()
    house.path.mkdir()
    with pytest.raises(AuditError):
        await house.gateway.record("reveal", target="postgres/orders")


# -- how it can end -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (TimedOut(HALL, "no answer within 3 s"), OutcomeKind.UNKNOWN, "sent perhaps, then no answer"),
        (ConnectionLost(HALL, "reset by peer"), OutcomeKind.UNKNOWN, "sent perhaps, then no answer"),
        (PermissionDenied(HALL, "may not", hint="GRANT it"), OutcomeKind.FAILED, "may not; GRANT it"),
        (RuntimeError("a defect"), OutcomeKind.UNKNOWN, "RuntimeError: a defect"),
    ],
    ids=["timed out", "lost", "denied", "defect"],
)
async def test_an_error_while_sending_is_told_for_what_it_means(
    house: House, error: Exception, kind: OutcomeKind, words: str
) -> None:
    house.off.fail_run = error
    running = await performed(house)
    assert outcome(running)[0] is kind
    assert words in outcome(running)[1]
    assert ("look at the target" in outcome(running)[1]) == (kind is OutcomeKind.UNKNOWN)
    assert house.records()[2]["outcome"] == kind.value


async def test_a_target_lost_after_sending_leaves_the_outcome_unknown(house: House) -> None:
    house.off.fail_verify = ConnectionLost(HALL, "reset by peer")
    running = await performed(house)
    assert outcome(running) == (
        OutcomeKind.UNKNOWN,
        "sent, then no answer: reset by peer; look at the target",
    )


async def test_sent_is_not_done_when_the_effect_does_not_come(house: House) -> None:
    house.off.final = house.off.step("after 10 s it glows on", is_ok=False, is_final=True)
    assert outcome(await performed(house)) == (OutcomeKind.FAILED, "after 10 s it glows on")


async def test_sent_is_not_done_when_nothing_more_is_heard(house: House) -> None:
    house.off.final = None
    assert outcome(await performed(house)) == (OutcomeKind.FAILED, "sent; its effect was not seen")


@pytest.mark.parametrize(
    ("effect", "kind"),
    [
        (Effect.GONE, OutcomeKind.REFUSED),
        (Effect.CHANGED, OutcomeKind.REFUSED),
        (Effect.NOT_VISIBLE, OutcomeKind.FAILED),
        (Effect.DENIED, OutcomeKind.FAILED),
    ],
)
async def test_a_thing_that_was_not_hit_is_told_apart(
    house: House, effect: Effect, kind: OutcomeKind
) -> None:
    house.off.effects = {1: effect}
    running = await performed(house)
    assert house.sent_lamps() == []
    assert outcome(running) == (kind, f"nothing was sent: 1 {effect.value}")
    assert told(running) == [("intent recorded", True), (effect.value, False)]


async def test_bulk_is_told_row_by_row(house: House) -> None:
    house.off.effects = {2: Effect.GONE, 4: Effect.CHANGED}
    running = await performed(house, 1, 2, 3, 4)
    assert house.sent_lamps() == [1, 3]
    assert outcome(running) == (
        OutcomeKind.DONE,
        "2 sent · 1 gone already · 1 not the same any more · it is dark",
    )
    assert told(running)[1:5] == [
        ("lamp 1: same lamp re-checked · switched", True),
        ("lamp 2: gone already", False),
        ("lamp 3: same lamp re-checked · switched", True),
        ("lamp 4: not the same any more", False),
    ]
    effects = [hit["effect"] for hit in house.records()[2]["hits"]]
    assert effects == ["sent", "gone already", "sent", "not the same any more"]


async def test_bulk_that_the_target_refused_in_part_is_not_done(house: House) -> None:
    house.off.effects = {2: Effect.DENIED}
    assert outcome(await performed(house, 1, 2))[0] is OutcomeKind.FAILED


# -- connections and targets ----------------------------------------------------------------------------


async def test_connections_are_opened_ahead_where_actions_are_possible_and_failures_told(
    tmp_path: Path,
) -> None:
    full, open_, closed = (TargetId("lamps", name) for name in ("full", "open", "closed"))
    places = [(full, hall()), (open_, hall()), (closed, hall(actions="deny"))]
    targets = [msgspec.structs.replace(target, id=id_) for id_, target in places]
    house = House(tmp_path, *targets)
    house.kit.fail_open[full] = TooManyClients(full, "sorry, too many clients already")
    failed = await house.gateway.open()
    assert house.kit.opened == [open_]
    assert {id_: error.reason for id_, error in failed.items()} == {full: "sorry, too many clients already"}
    read_only = House(tmp_path, *targets, read_only=True)
    assert await read_only.gateway.open() == {}
    assert read_only.kit.opened == []


async def test_a_target_that_cannot_be_read_gives_no_plan(house: House) -> None:
    house.off.fail_plan = TimedOut(HALL, "no answer within 3 s")
    with pytest.raises(TargetError, match="no answer"):
        await plan(house)


async def test_a_kind_that_is_only_watched_hinders_nothing(tmp_path: Path) -> None:
    watched = msgspec.structs.replace(hall(), id=TargetId("bells", "tower"))
    house = House(tmp_path, watched, hall())
    assert await house.gateway.open() == {}
    assert house.kit.opened == [HALL]
    await house.gateway.close()


async def test_a_screen_that_fails_to_look_on_stops_no_action(house: House) -> None:
    def broken() -> None:
        raise RuntimeError("the screen is gone")

    house.gateway.on_change(broken)
    running = await performed(house)
    assert outcome(running) == (OutcomeKind.DONE, "it is dark")
    assert house.events() == ["armed", "intent", "outcome", "disarmed"]


async def test_a_defect_before_the_intent_sends_nothing_and_ends(tmp_path: Path) -> None:
    people = iter([MARIA, MARIA])

    async def operator() -> Operator:
        return next(people, None) or _no_more()

    house = House(tmp_path, operator=operator)
    running = await performed(house)
    assert outcome(running) == (OutcomeKind.REFUSED, "opsdash failed (LookupError; see its log)")
    assert house.sent_lamps() == []


def _no_more() -> Operator:
    raise LookupError


async def test_who_is_asked_afresh_for_every_record(tmp_path: Path) -> None:
    people = iter(["maria", "maria", "tom", "tom", "tom"])

    async def operator() -> Operator:
        return Operator(uid=1000, user=next(people))

    house = House(tmp_path, operator=operator)
    planned = await armed_plan(house)
    assert planned.operator == "maria"
    await ended(house, house.gateway.perform(planned, YES))
    assert [record["who"] for record in house.records()] == ["maria", "tom", "tom", "tom"]
