"""What happens between plan and act, or in the middle of it: nothing else is hit, and nothing is made up."""

from collections.abc import Callable
from pathlib import Path

import pytest

from opsdash.collectors.errors import TargetError
from opsdash.tui.actions.action import OutcomeKind
from opsdash.tui.actions.docker.follow import Patience
from opsdash.tui.actions.guard import GuardKind
from tests.actions.docker_desk import LIMIT_S, at_desk, outcome, posts, said, told
from tests.actions.gatekeeper import gatekeeper
from tests.support.engine import TestEngine
from tests.support.waiting import wait_until_async

StartEngine = Callable[..., TestEngine]


async def test_a_container_that_was_restarted_meanwhile_is_not_touched(
    engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("web")
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan("restart", "web")
        engine.docker("restart", "web")
        began, sent = engine.inspect("web")["State"]["StartedAt"], posts(engine)
        running = await desk.run(planned)
    kind, text = outcome(running)
    assert kind is OutcomeKind.REFUSED
    assert text.startswith("not the same any more · web was restarted meanwhile: now up")
    assert "nothing was sent" in text
    assert engine.inspect("web")["State"]["StartedAt"] == began
    assert posts(engine) == sent


async def test_a_row_that_was_restarted_before_the_plan_is_refused(
    engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("web")
    async with at_desk(engine, tmp_path) as desk:
        row = desk.identity("web")
        engine.docker("restart", "web")
        planned = await desk.plan("stop", row)
    assert planned.guard.kind is GuardKind.DENY
    assert "was restarted meanwhile" in (planned.plan.refusal or "")


async def test_a_new_container_with_the_name_of_a_removed_one_is_not_touched(
    engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("web")
    async with at_desk(engine, tmp_path) as desk:
        row = desk.identity("web")
        planned = await desk.plan("stop", row)
        engine.docker("rm", "--force", "web")
        engine.run("web")
        running = await desk.run(planned)
        gone = await desk.plan("stop", row)
    kind, text = outcome(running)
    assert kind is OutcomeKind.REFUSED
    assert "web is another container now" in text
    assert engine.inspect("web")["State"]["Running"]
    assert "is gone: nothing is left to do" in (gone.plan.refusal or "")


async def test_what_ended_meanwhile_is_not_stopped_again(engine: TestEngine, tmp_path: Path) -> None:
    engine.run("web")
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan("stop", "web")
        engine.docker("kill", "web")
        running = await desk.run(planned)
    assert outcome(running)[0] is OutcomeKind.REFUSED
    assert "does not run: exited" in outcome(running)[1]


async def test_a_connection_that_ends_after_the_check_sends_nothing(
    engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("web")
    began = engine.inspect("web")["State"]["StartedAt"]
    async with gatekeeper(engine.socket, tmp_path) as gate, at_desk(engine, tmp_path, host=gate.host) as desk:
        planned = await desk.plan("restart", "web")
        gate.cuts_after = "/json"
        running = await desk.run(planned)
        assert not [line for line in gate.seen if line.startswith("POST")]
    kind, text = outcome(running)
    assert kind is OutcomeKind.FAILED
    assert "nothing was sent" in text
    assert engine.inspect("web")["State"]["StartedAt"] == began


async def test_a_proxy_that_forbids_it_is_told_as_not_permitted(engine: TestEngine, tmp_path: Path) -> None:
    engine.run("web")
    began = engine.inspect("web")["State"]["StartedAt"]
    async with gatekeeper(engine.socket, tmp_path) as gate, at_desk(engine, tmp_path, host=gate.host) as desk:
        gate.forbids_posts = True
        running = await desk.do("restart", "web")
    kind, text = outcome(running)
    assert kind is OutcomeKind.FAILED
    assert text.startswith("not permitted")
    assert engine.inspect("web")["State"]["StartedAt"] == began


async def test_an_answer_that_makes_no_sense_is_unknown(engine: TestEngine, tmp_path: Path) -> None:
    engine.run("web")
    async with gatekeeper(engine.socket, tmp_path) as gate, at_desk(engine, tmp_path, host=gate.host) as desk:
        gate.garbles_posts = True
        running = await desk.do("pause", "web")
    assert outcome(running)[0] is OutcomeKind.UNKNOWN
    assert engine.inspect("web")["State"]["Paused"]


async def test_an_answer_that_never_comes_is_unknown_and_can_be_broken_off(
    engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("web")
    async with gatekeeper(engine.socket, tmp_path) as gate, at_desk(engine, tmp_path, host=gate.host) as desk:
        gate.swallows_posts = True
        planned = await desk.plan("pause", "web")
        running = desk.start(planned)
        await wait_until_async(
            lambda: engine.inspect("web")["State"]["Paused"], LIMIT_S, "the engine has done it"
        )
        running.abort()
        await wait_until_async(lambda: running.is_done, LIMIT_S, "it ends")
        kind, text = outcome(running)
        assert kind is OutcomeKind.UNKNOWN
        assert "sent perhaps" in text
        gate.swallows_posts = False
        assert outcome(await desk.do("unpause", "web"))[0] is OutcomeKind.DONE


async def test_a_frozen_engine_gives_no_plan_and_an_unknown_outcome(
    start_engine: StartEngine, tmp_path: Path
) -> None:
    engine = start_engine()
    engine.run("web")
    async with (
        gatekeeper(engine.socket, tmp_path) as gate,
        at_desk(engine, tmp_path, host=gate.host, patience=Patience(engine_s=1.0)) as desk,
    ):
        row = desk.identity("web")
        planned = await desk.plan("pause", row)
        gate.on_post = engine.freeze
        running = desk.start(planned)
        try:
            await wait_until_async(lambda: running.is_done, LIMIT_S, "it ends although nothing answers")
            with pytest.raises(TargetError, match="no answer"):
                await desk.plan("pause", row)
        finally:
            engine.thaw()
    kind, text = outcome(running)
    assert kind is OutcomeKind.UNKNOWN
    assert "sent perhaps, then no answer" in text


async def test_two_actions_on_one_container_are_not_done_at_once(engine: TestEngine, tmp_path: Path) -> None:
    engine.run("web", ("sh", "-c", "trap '' TERM; while true; do sleep 0.2; done"))
    async with at_desk(engine, tmp_path) as desk:
        stop = desk.start(await desk.plan("stop", "web"))
        other = await desk.run(await desk.plan("pause", "web"))
        assert outcome(other)[0] is OutcomeKind.REFUSED
        assert "still under way" in outcome(other)[1]
        await wait_until_async(lambda: stop.is_done, LIMIT_S, "the first ends")
        assert outcome(stop)[0] is OutcomeKind.DONE


async def test_several_can_be_broken_off_between_two(engine: TestEngine, tmp_path: Path) -> None:
    slow = ("sh", "-c", "trap '' TERM; while true; do sleep 0.2; done")
    for name in ("one", "two", "three"):
        engine.run(name, slow)
    async with at_desk(engine, tmp_path) as desk:
        running = desk.start(await desk.plan("stop", "one", "two", "three"))
        await wait_until_async(lambda: "1 of 3: stop one" in told(running), LIMIT_S, "it has begun")
        running.abort()
        await wait_until_async(lambda: running.is_done, LIMIT_S, "it ends")
    kind, text = outcome(running)
    assert kind is OutcomeKind.ABORTED
    assert "one sent; two not tried; three not tried" in text
    assert engine.inspect("two")["State"]["Running"]


async def test_without_permission_to_arm_plans_are_read_and_nothing_is_kept(
    engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("web")
    async with at_desk(engine, tmp_path, permitted=False) as desk:
        planned = await desk.plan("stop", "web")
        assert "docker stop web" in said(planned)
        assert planned.guard.kind is GuardKind.DENY
        sent = posts(engine)
        assert outcome(await desk.run(planned))[0] is OutcomeKind.REFUSED
    assert posts(engine) == sent
    assert engine.inspect("web")["State"]["Running"]


async def test_the_engine_may_be_restarted_between_two_actions(
    start_engine: StartEngine, tmp_path: Path
) -> None:
    engine = start_engine()
    engine.run("web", restart="always")
    async with at_desk(engine, tmp_path) as desk:
        row = desk.identity("web")
        planned = await desk.plan("restart", row)
        engine.stop()
        with pytest.raises(TargetError, match=r"docker\.sock"):
            await desk.plan("restart", row)
        stopped = await desk.run(planned)
        engine.start()
        lapsed = await desk.run(planned)
        again = await desk.do("restart", "web")
    assert outcome(stopped)[0] is OutcomeKind.FAILED
    assert "nothing was sent" in outcome(stopped)[1]
    assert outcome(lapsed)[0] is OutcomeKind.REFUSED
    assert "was restarted" in outcome(lapsed)[1]
    assert outcome(again)[0] is OutcomeKind.DONE
