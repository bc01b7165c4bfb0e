"""`up` with a real docker-compose, on a project in a folder."""

from pathlib import Path

import pytest

from opsdash.collectors.docker.rows import ServiceIdentity
from opsdash.collectors.errors import TargetError
from opsdash.tui.actions.action import OutcomeKind
from tests.actions.compose_project import SHOP, Project, project_in
from tests.actions.docker_desk import at_desk, outcome, posts, said, told
from tests.support.engine import TestEngine


@pytest.fixture
def project(engine: TestEngine, tmp_path: Path) -> Project:
    return project_in(engine, tmp_path / "shop")


async def test_up_says_what_it_changes_and_changes_just_that(project: Project, tmp_path: Path) -> None:
    project.change("sleep 1000  # db", "sleep 2000")
    before = project.ids()
    async with at_desk(project.engine, tmp_path) as desk:
        planned = await desk.plan("up", SHOP)
        assert not planned.plan.can_undo, "so that production asks for the name"
        assert "db (shop_db_1) is made anew" in said(planned)
        assert "web (shop_web_1, shop_web_2) stays as it is" in said(planned)
        command = next(line.text for line in planned.plan.lines if line.label == "will run")
        assert command == (
            f"docker-compose --project-name shop --project-directory {project.folder} "
            f"--file {project.file} up --detach --scale web=2"
        )
        assert project.ids() == before, "a plan changes nothing"
        running = await desk.run(planned)
        kind, text = outcome(running)
        assert kind is OutcomeKind.DONE, told(running)
        assert "healthy" in text
        sent = posts(project.engine)
        again = await desk.plan("up", SHOP)
        assert again.plan.refusal == "everything runs as the files say: up would change nothing"
        assert outcome(await desk.run(again))[0] is OutcomeKind.REFUSED
        assert posts(project.engine) == sent
    after = project.ids()
    assert {name for name in after if after[name] != before[name]} == {"shop_db_1"}
    assert project.engine.inspect("shop_db_1")["Config"]["Cmd"] == ["sleep", "2000"]


async def test_up_of_one_service_starts_what_has_ended_and_leaves_the_others(
    project: Project, tmp_path: Path
) -> None:
    project.engine.docker("kill", "shop_web_2", "shop_db_1")
    before = project.ids()
    async with at_desk(project.engine, tmp_path) as desk:
        planned = await desk.plan("up", ServiceIdentity("shop", "web"))
        assert "web (shop_web_1, shop_web_2) is started" in said(planned)
        assert outcome(await desk.run(planned))[0] is OutcomeKind.DONE
    assert project.ids() == before
    assert project.engine.inspect("shop_web_2")["State"]["Running"]
    assert not project.engine.inspect("shop_db_1")["State"]["Running"]


async def test_what_does_not_come_up_has_failed_in_the_words_of_its_check_or_of_compose(
    project: Project, tmp_path: Path
) -> None:
    project.change('test: "true"', 'test: "echo no disk; false"')
    async with at_desk(project.engine, tmp_path) as desk:
        unhealthy = await desk.do("up", SHOP)
        assert outcome(unhealthy)[0] is OutcomeKind.FAILED
        assert "shop_db_1 runs since" in told(unhealthy)
        assert "is unhealthy: no disk" in told(unhealthy)
        project.change("init: true", "init: false")
        project.change("sleep 1000", "/no/such/program")
        complained = await desk.do("up", SHOP)
        kind, text = outcome(complained)
        assert kind is OutcomeKind.FAILED
        assert "compose ended with exit code 1" in text
        assert "/no/such/program" in text
        project.change("image:", "imagine:")
        with pytest.raises(TargetError, match="imagine"):
            await desk.plan("up", SHOP)
