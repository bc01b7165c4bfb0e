"""`down` with a real docker-compose, on a project in a folder."""

from pathlib import Path

import pytest

from opsdash.collectors.docker.rows import ServiceIdentity
from opsdash.tui.actions.action import OutcomeKind
from opsdash.tui.actions.guard import GuardKind
from tests.actions.compose_project import SHOP, Project, project_in
from tests.actions.docker_desk import LIMIT_S, at_desk, outcome, said, told
from tests.support.engine import TestEngine, compose_labels
from tests.support.waiting import wait_until_async


@pytest.fixture
def project(engine: TestEngine, tmp_path: Path) -> Project:
    return project_in(engine, tmp_path / "shop")


async def test_down_removes_what_it_says_and_leaves_what_the_files_do_not_name(
    project: Project, tmp_path: Path
) -> None:
    engine = project.engine
    engine.run("shop_old_1", labels=compose_labels("shop", "old"))
    engine.run("other_web_1", labels=compose_labels("other", "web"))
    label = "com.docker.compose.project=shop"
    engine.docker("network", "create", "--config-only", "--label", label, "shop_spare")
    engine.docker("volume", "create", "--label", label, "shop_data")
    try:
        async with at_desk(engine, tmp_path) as desk:
            planned = await desk.plan("down", SHOP)
            assert not planned.plan.can_undo, "so that production asks for the name"
            assert said(planned).count("removes: shop_") == 3
            assert "networks shop_spare" in said(planned)
            assert "stays: volumes shop_data" in said(planned)
            assert "shop_old_1: the files do not name them" in said(planned)
            running = await desk.run(planned)
        assert outcome(running)[0] is OutcomeKind.DONE, told(running)
        assert "networks that stay, because they are in use: shop_spare" in outcome(running)[1]
        assert project.names() == ["other_web_1", "shop_old_1"]
        assert "shop_data" in engine.docker("volume", "ls")
    finally:
        engine.docker("network", "rm", "shop_spare")
        engine.docker("volume", "rm", "shop_data")


async def test_what_is_another_project_by_now_is_left_alone(project: Project, tmp_path: Path) -> None:
    async with at_desk(project.engine, tmp_path) as desk:
        planned = await desk.plan("down", SHOP)
        before = project.ids()
        project.change("sleep 1000", "sleep 3000")
        other_file = await desk.run(planned)
        assert project.ids() == before
        project.change("sleep 3000", "sleep 1000")
        project.engine.docker("rm", "--force", "shop_web_2")
        other_containers = await desk.run(planned)
    assert outcome(other_file)[0] is OutcomeKind.REFUSED
    assert "its compose files were changed meanwhile; nothing was run" in outcome(other_file)[1]
    assert outcome(other_containers)[0] is OutcomeKind.REFUSED
    assert "containers were made or removed meanwhile; nothing was run" in outcome(other_containers)[1]
    assert project.names() == ["shop_db_1", "shop_web_1"]


async def test_down_can_be_interrupted(project: Project, tmp_path: Path) -> None:
    project.change("sleep 1000", "sh -c \"trap '' TERM; while true; do sleep 0.2; done\"")
    project.compose("up", "--detach", "--timeout", "0")
    async with at_desk(project.engine, tmp_path) as desk:
        running = desk.start(await desk.plan("down", SHOP))
        await wait_until_async(lambda: "Stopping" in told(running), LIMIT_S, "compose has begun")
        running.abort()
        await wait_until_async(lambda: running.is_done, LIMIT_S, "it ends")
    assert outcome(running)[0] in (OutcomeKind.ABORTED, OutcomeKind.UNKNOWN)
    assert "shop_db_1" in project.names(), "nothing was removed"


async def test_what_cannot_be_taken_down_is_refused(project: Project, tmp_path: Path) -> None:
    async with at_desk(project.engine, tmp_path) as desk:
        one = await desk.plan("down", ServiceIdentity("shop", "web"))
        assert "down is for whole projects" in (one.plan.refusal or "")
        two = await desk.plan("down", SHOP, ServiceIdentity("other"))
        assert two.plan.refusal == "one project at a time"
        project.file.rename(project.folder / "elsewhere.yml")
        moved = await desk.plan("down", SHOP)
        assert moved.guard.kind is GuardKind.DENY
        assert f"not on this machine: {project.file}" in (moved.plan.refusal or "")
