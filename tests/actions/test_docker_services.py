"""Services and projects by their containers."""

from collections.abc import Mapping
from pathlib import Path

from opsdash.collectors.docker.rows import ServiceIdentity
from opsdash.tui.actions.action import OutcomeKind
from tests.actions.docker_desk import at_desk, outcome, said, told
from tests.support.engine import TestEngine, compose_labels
from tests.support.waiting import wait_until

WEB = ServiceIdentity("shop", "web")
SHOP = ServiceIdentity("shop")


def _started(engine: TestEngine, *names: str) -> Mapping[str, str]:
    return {name: engine.inspect(name)["State"]["StartedAt"] for name in names}


def _webs(engine: TestEngine, count: int) -> list[str]:
    names = [f"shop-web-{number}" for number in range(1, count + 1)]
    for number, name in enumerate(names, 1):
        engine.run(name, labels=compose_labels("shop", "web", number))
    return names


async def test_a_service_is_restarted_but_not_what_replaced_one_of_its_containers(
    engine: TestEngine, tmp_path: Path
) -> None:
    one, two, three = _webs(engine, 3)
    before = _started(engine, one, two, three)
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan("restart_service", WEB)
        assert said(planned).count("hits: ") == 3
        assert "all containers of shop/web that serve are hit" in said(planned)
        engine.docker("rm", "--force", two)
        engine.run(two, labels=compose_labels("shop", "web", 2))
        engine.run("shop-web-4", labels=compose_labels("shop", "web", 4))
        new = _started(engine, two, "shop-web-4")
        running = await desk.run(planned)
    kind, text = outcome(running)
    assert kind is OutcomeKind.DONE
    assert text == "2 sent · 1 gone already · 2 of 2 are as they should be"
    assert f"{two} is another container now" in told(running)
    assert f"not touched, came after the plan: {two}, shop-web-4" in told(running)
    assert _started(engine, two, "shop-web-4") == new
    assert _started(engine, one, three).items().isdisjoint(before.items())


async def test_a_service_whose_containers_do_not_come_back_has_failed_by_name(
    engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("shop-web-1", labels=compose_labels("shop", "web", 1), health="true")
    breaks = "test -e /tmp/ran && exit 7; touch /tmp/ran; sleep 1000"
    engine.run("shop-web-2", ("sh", "-c", breaks), labels=compose_labels("shop", "web", 2))
    async with at_desk(engine, tmp_path) as desk:
        running = await desk.do("restart_service", WEB)
    kind, text = outcome(running)
    assert kind is OutcomeKind.FAILED
    assert text == "2 sent · 1 of 2 are as they should be; not: shop-web-2"
    assert "shop-web-2 ended again, exit 7" in told(running)
    assert "healthy" in told(running)


async def test_when_one_that_served_does_not_come_back_the_others_go_on_serving(
    engine: TestEngine, tmp_path: Path
) -> None:
    breaks = "test -e /ran && exit 7; echo > /ran; sleep 1000"
    for number in (1, 2, 3):
        engine.run(f"shop-web-{number}", ("sh", "-c", breaks), labels=compose_labels("shop", "web", number))
    before = _started(engine, "shop-web-1", "shop-web-2", "shop-web-3")
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan("restart_service", WEB)
        assert "waits until that serves again, and stops if it does not" in said(planned)
        running = await desk.run(planned)
    kind, text = outcome(running)
    assert kind is OutcomeKind.FAILED
    assert text.startswith("1 sent · 2 not tried · shop-web-1 ended again, exit 7")
    assert "shop-web-2: not tried · shop-web-1 did not come back" in told(running)
    after = _started(engine, *before)
    assert {name for name in after if after[name] == before[name]} == {"shop-web-2", "shop-web-3"}


async def test_a_job_that_has_ended_is_not_run_again_by_a_restart(engine: TestEngine, tmp_path: Path) -> None:
    _webs(engine, 1)
    engine.run("shop-migrate-1", ("true",), labels=compose_labels("shop", "migrate"))
    wait_until(lambda: engine.inspect("shop-migrate-1")["State"]["Status"] == "exited", 30, "the job is done")
    before = _started(engine, "shop-migrate-1")
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan("restart_service", SHOP)
        assert "left out: shop-migrate-1 does not run" in said(planned)
        assert outcome(await desk.run(planned))[0] is OutcomeKind.DONE
    assert _started(engine, "shop-migrate-1") == before


async def test_a_project_stops_and_starts_in_the_order_of_its_dependencies(
    engine: TestEngine, tmp_path: Path
) -> None:
    engine.run("shop-db-1", labels=compose_labels("shop", "db"))
    api = {**compose_labels("shop", "api"), "com.docker.compose.depends_on": "db:service_started:false"}
    engine.run("shop-api-1", labels=api)
    engine.run("other-db-1", labels=compose_labels("other", "db"))
    async with at_desk(engine, tmp_path) as desk:
        stop = await desk.plan("stop_service", SHOP)
        assert [str(identity) for identity in stop.plan.identities] == ["shop-api-1", "shop-db-1"]
        assert "nobody of shop/api, shop/db serves afterwards" in said(stop)
        assert outcome(await desk.run(stop))[0] is OutcomeKind.DONE
        assert not engine.inspect("shop-db-1")["State"]["Running"]
        start = await desk.plan("start_service", SHOP)
        assert [str(identity) for identity in start.plan.identities] == ["shop-db-1", "shop-api-1"]
        assert outcome(await desk.run(start))[0] is OutcomeKind.DONE
        database = said(await desk.plan("restart", "shop-db-1"))
    assert "shop-api-1 depends on its service" in database
    assert "it is the only container of its service" in database
    assert engine.inspect("shop-api-1")["State"]["Running"]
    assert engine.inspect("other-db-1")["State"]["Running"]


async def test_neighbours_that_do_not_serve_are_named(engine: TestEngine, tmp_path: Path) -> None:
    engine.run("shop-web-1", labels=compose_labels("shop", "web", 1))
    engine.run("shop-web-2", labels=compose_labels("shop", "web", 2), health="false")
    wait_until(
        lambda: engine.inspect("shop-web-2")["State"]["Health"]["Status"] == "unhealthy",
        30,
        "it is unhealthy",
    )
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan("stop", "shop-web-1")
    assert "nobody else of its service serves; not serving: shop-web-2 (Up" in said(planned)


async def test_a_project_without_containers_is_refused(engine: TestEngine, tmp_path: Path) -> None:
    async with at_desk(engine, tmp_path) as desk:
        planned = await desk.plan("restart_service", SHOP)
    assert planned.plan.refusal == "project shop has no containers"
