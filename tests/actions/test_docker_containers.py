"""Restart, stop, start, kill, pause and unpause through the gateway; the engine is asked afterwards."""

from pathlib import Path

import pytest

from opsdash.tui.actions.action import OutcomeKind
from opsdash.tui.actions.guard import GuardKind
from tests.actions.docker_desk import at_desk, outcome, posts, said, told
from tests.support.engine import TestEngine
from tests.support.waiting import wait_until, wait_until_async

IGNORES_TERM = ("sh", "-c", "trap '' TERM; while true; do sleep 0.2; done")


async def test_a_restart_is_done_when_a_new_run_is_healthy(engine: TestEngine, tmp_path: Path) -> None:
    engine.run("web", health="true")
    before = engine.inspect("web")["State"]["StartedAt"]
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan("restart", "web")
        assert planned.guard.kind is GuardKind.CONFIRM
        assert f"POST /containers/{engine.inspect('web')['Id'][:12]}/restart" in said(planned)
        assert "SIGKILL if it has not ended after 2 s" in said(planned)
        assert engine.inspect("web")["State"]["StartedAt"] == before, "a plan does nothing"
        running = await desk.run(planned)
        await wait_until_async(lambda: desk.events()[-2:] == ["intent", "outcome"], 30, "both are recorded")
    kind, text = outcome(running)
    assert kind is OutcomeKind.DONE
    assert "healthy" in text
    state = engine.inspect("web")["State"]
    assert state["StartedAt"] != before
    assert state["Health"]["Status"] == "healthy"


async def test_a_restart_that_stays_unhealthy_has_failed(engine: TestEngine, tmp_path: Path) -> None:
    engine.run("web", health="echo no pool; false")
    async with at_desk(engine, tmp_path) as desk:
        running = await desk.do("restart", "web")
    kind, text = outcome(running)
    assert kind is OutcomeKind.FAILED
    assert "unhealthy: no pool" in text
    assert engine.inspect("web")["State"]["Health"]["Status"] == "unhealthy"


async def test_a_container_that_ends_again_is_told_with_its_code_and_last_line(
    engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("web", ("sh", "-c", "echo cannot bind, password=hunter2; exit 3"))
    wait_until(lambda: engine.inspect("web")["State"]["Status"] == "exited", 30, "it has ended")
    async with at_desk(engine, tmp_path) as desk:
        running = await desk.do("start", "web")
    kind, text = outcome(running)
    assert kind is OutcomeKind.FAILED
    assert "ended again, exit 3" in text
    assert "its last line: cannot bind" in text
    assert "hunter2" not in text


async def test_a_stop_says_how_the_container_ended(engine: TestEngine, tmp_path: Path) -> None:
    engine.run("polite", restart="always")
    engine.run("stubborn", IGNORES_TERM, options=["--stop-timeout", "1"])
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan("stop", "polite")
        assert "the next start of the engine does (always)" in said(planned)
        polite = await desk.run(planned)
        stubborn = await desk.do("stop", "stubborn")
    assert outcome(polite) == (OutcomeKind.DONE, "polite has ended, exit 143 SIGTERM")
    assert outcome(stubborn)[0] is OutcomeKind.DONE
    assert "did not end within 1 s and was killed" in outcome(stubborn)[1]
    assert not engine.inspect("polite")["State"]["Running"]
    assert not engine.inspect("stubborn")["State"]["Running"]


async def test_a_killed_container_stays_down_whatever_its_policy(engine: TestEngine, tmp_path: Path) -> None:
    engine.run("web", restart="always")
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan("kill", "web")
        assert "nothing is written or closed properly" in said(planned)
        running = await desk.run(planned)
        assert outcome(running) == (OutcomeKind.DONE, "web has ended, exit 137 SIGKILL")
        assert engine.inspect("web")["State"]["Status"] == "exited"
        assert outcome(await desk.do("start", "web"))[0] is OutcomeKind.DONE
    assert engine.inspect("web")["State"]["Status"] == "running"


async def test_pause_and_unpause_undo_each_other(engine: TestEngine, tmp_path: Path) -> None:
    engine.run("web")
    began = engine.inspect("web")["State"]["StartedAt"]
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan("pause", "web")
        assert planned.plan.can_undo
        assert outcome(await desk.run(planned)) == (OutcomeKind.DONE, "web is paused")
        assert engine.inspect("web")["State"]["Paused"]
        assert outcome(await desk.do("unpause", "web")) == (OutcomeKind.DONE, "web is unpaused")
    state = engine.inspect("web")["State"]
    assert (state["Status"], state["StartedAt"]) == ("running", began)


async def test_a_restart_loop_can_be_stopped_although_every_run_is_another_one(
    engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("looping", ("sh", "-c", "sleep 0.3; exit 3"), restart="always")
    wait_until(lambda: engine.inspect("looping")["RestartCount"] >= 1, 30, "it loops")
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan("stop", "looping")
        seen = engine.inspect("looping")["RestartCount"]
        wait_until(lambda: engine.inspect("looping")["RestartCount"] > seen, 30, "it is another run")
        running = await desk.run(planned)
    assert outcome(running)[0] is OutcomeKind.DONE
    assert engine.inspect("looping")["State"]["Status"] == "exited"


async def test_a_restart_loop_that_somebody_else_restarted_is_left_alone(
    engine: TestEngine, tmp_path: Path
) -> None:
    engine.run(
        "looping", ("sh", "-c", "test -e /tmp/ok || { sleep 0.2; exit 3; }; sleep 1000"), restart="always"
    )
    wait_until(lambda: engine.inspect("looping")["RestartCount"] >= 2, 30, "it loops")
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan("stop", "looping")
        engine.docker("stop", "looping")
        engine.docker("cp", "-", "looping:/tmp", stdin=_file_named("ok"))
        engine.docker("start", "looping")
        running = await desk.run(planned)
    kind, text = outcome(running)
    assert kind is OutcomeKind.REFUSED
    assert "restarted meanwhile" in text
    assert engine.inspect("looping")["State"]["Running"]


def _file_named(name: str) -> bytes:
    import io
    import tarfile

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    return packed.getvalue()


async def test_several_containers_are_told_row_by_row(engine: TestEngine, tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        engine.run(name)
    began = {name: engine.inspect(name)["State"]["StartedAt"] for name in ("one", "two", "three")}
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan("restart", "one", "two", "three")
        assert said(planned).count("hits: ") == 3
        engine.docker("rm", "--force", "two")
        engine.docker("restart", "three")
        third = engine.inspect("three")["State"]["StartedAt"]
        running = await desk.run(planned)
    assert outcome(running)[0] is OutcomeKind.DONE
    assert "1 sent · 1 gone already · 1 not the same any more" in outcome(running)[1]
    assert "two: gone already" in told(running)
    assert "three: not the same any more" in told(running)
    assert engine.inspect("one")["State"]["StartedAt"] != began["one"]
    assert engine.inspect("three")["State"]["StartedAt"] == third


async def test_what_shares_its_network_is_named(engine: TestEngine, tmp_path: Path) -> None:
    id = engine.run("web")
    engine.run("sidecar", network=f"container:{id}")
    async with at_desk(engine, tmp_path) as desk:
        assert "sidecar uses the network of web" in said(await desk.plan("restart", "web"))


async def test_what_stopping_removes_is_said_and_counts_as_stopped(
    engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("once", options=["--rm"])
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan("stop", "once")
        assert "the engine removes what stops" in said(planned)
        running = await desk.run(planned)
    assert outcome(running)[0] is OutcomeKind.DONE
    wait_until(lambda: engine.api("GET", "/containers/once/json")[0] == 404, 30, "it is removed")


@pytest.mark.parametrize(
    ("action", "state", "why"),
    [
        ("stop", "exited", "does not run: exited"),
        ("kill", "created", "does not run: created, never started"),
        ("start", "running", "is not stopped: up"),
        ("start", "paused", "is paused: Unpause container instead"),
        ("pause", "paused", "does not run: paused"),
        ("unpause", "running", "is not paused: up"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_is_sent(
    action: str, state: str, why: str, engine: TestEngine, tmp_path: Path
) -> None:
    if state == "created":
        engine.docker("create", "--name", "web", "--network", "none", "opsdash/bb:1")
    else:
        engine.run("web")
    if state in ("exited", "paused"):
        engine.docker({"exited": "kill", "paused": "pause"}[state], "web")
    sent = posts(engine)
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan(action, "web")
        assert planned.guard.kind is GuardKind.DENY
        assert why in (planned.plan.refusal or "")
        running = await desk.run(planned)
    assert outcome(running)[0] is OutcomeKind.REFUSED
    assert posts(engine) == sent
    assert engine.inspect("web")["State"]["Status"] == state


async def test_what_the_engine_cannot_do_is_told_in_its_words_with_what_has_become_of_it(
    engine: TestEngine, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        engine.docker("create", "--name", name, "--network", "none", "opsdash/bb:1", "/no/such/program")
    async with at_desk(engine, tmp_path) as desk:
        one = await desk.do("start", "one")
        both = await desk.do("start", "one", "two")
    kind, text = outcome(one)
    assert kind is OutcomeKind.FAILED
    assert text.startswith("failed · ")
    assert "/no/such/program" in text
    assert "; one is " in text
    assert outcome(both) == (OutcomeKind.FAILED, "2 failed")
    assert "two: failed" in told(both)
