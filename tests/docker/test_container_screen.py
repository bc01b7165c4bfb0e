"""One container on a real engine, by keys: what is asked of the engine when a person opens it."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from opsdash.collectors.clock import Clock
from opsdash.tui.actions.audit import AuditLog
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.app import OpsdashApp
from opsdash.tui.watch import Watch
from tests.actions.lamps import maria
from tests.support.engine import FOREVER, TestEngine, compose_labels, docker_target
from tests.support.screen import assert_fills, cursor_line, said, text_of, until
from tests.support.waiting import wait_until_async

PATIENCE_S = 40.0
"""Usual is 2 s; an engine that shares the machine with others takes longer."""


@asynccontextmanager
async def watching(folder: Path, engine: TestEngine, width: int, height: int) -> AsyncIterator[Pilot[Any]]:
    """The app, reading the engine for real."""
    clock = Clock()
    targets = [docker_target(engine.host, interval_s=0.5)]
    audit = AuditLog(folder / "audit.jsonl", clock=clock)
    gateway = Gateway(targets, audit, clock=clock, permitted=True, operator=maria)
    watch = Watch(targets, gateway, clock)
    app = OpsdashApp(watch)
    async with app.run_test(size=(width, height)) as pilot:
        await wait_until_async(lambda: watch.feed.views()[0].good, PATIENCE_S, "the engine was read")
        yield pilot
    await gateway.close()
    await watch.stop()


async def open_container(pilot: Pilot[Any], name: str) -> None:
    await pilot.press("4")
    await until(pilot, "TARGET")
    await pilot.press("enter")
    await until(pilot, name, PATIENCE_S)
    while name not in cursor_line(pilot.app):
        await pilot.press("j")
    await pilot.press("enter")
    await until(pilot, f"› {name}")


async def test_values_are_masked_shown_on_demand_recorded_and_masked_again(
    tmp_path: Path, engine: TestEngine
) -> None:
    id = engine.run("env-1", FOREVER, options=("-e", "DB_PASSWORD=hunter2secret", "-e", "PORT=8080"))
    async with watching(tmp_path, engine, 100, 30) as pilot:
        await open_container(pilot, "env-1")
        await pilot.press("tab")
        await until(pilot, "DB_PASSWORD *** masked", PATIENCE_S)
        assert "PORT *** masked" in said(pilot.app), "the engine knows no secrets: all are masked"
        while "DB_PASSWORD" not in cursor_line(pilot.app):
            await pilot.press("j")
        await pilot.press("v")
        await until(pilot, "DB_PASSWORD hunter2secret", PATIENCE_S)
        assert "8080" not in said(pilot.app)
        written = (tmp_path / "audit.jsonl").read_text()
        assert '"reveal"' in written
        assert "DB_PASSWORD" in written
        assert id in written
        assert "hunter2" not in written
        await pilot.press("tab")
        await until(pilot, "[processes]")
        await pilot.press("shift+tab")
        await until(pilot, "DB_PASSWORD *** masked")
        await pilot.press("v")
        await until(pilot, "hunter2secret", PATIENCE_S)
        await pilot.press("l")
        await until(pilot, "5 Logs")
        await pilot.press("escape")
        await until(pilot, "*** masked")
        assert "hunter2" not in said(pilot.app)


async def test_its_processes_mounts_and_command_are_told(tmp_path: Path, engine: TestEngine) -> None:
    mount = ("-v", f"{tmp_path}:/data:ro")
    script = "sleep 100000 & exec sleep 200000"
    engine.run("top-1", ("sh", "-c", script), labels=compose_labels("crew", "top"), options=mount)
    async with watching(tmp_path, engine, 132, 60) as pilot:
        await open_container(pilot, "top-1")
        await until(pilot, "mounts /data ←", PATIENCE_S)
        told = said(pilot.app)
        for words in (
            "(bind, read-only)",
            "exec sleep 200000",
            "none: it reaches nothing",
            "crew/top number 1",
        ):
            assert words in told, words
        await pilot.press("shift+tab", "shift+tab")
        await until(pilot, "sleep 200000", PATIENCE_S)
        assert_fills(pilot.app)
        found = re.findall(r" S\w* +sleep (\d+)$", text_of(pilot.app), re.MULTILINE)
        assert sorted(found) == ["100000", "200000"], "one line for each process but the init"


async def test_one_that_does_not_run_has_no_processes(tmp_path: Path, engine: TestEngine) -> None:
    engine.run("done-1", ("sh", "-c", "exit 3"))
    async with watching(tmp_path, engine, 80, 24) as pilot:
        await open_container(pilot, "done-1")
        await until(pilot, "last exit 3, an error of its own", PATIENCE_S)
        await pilot.press("shift+tab", "shift+tab")
        await until(pilot, "it does not run, so it has no processes", PATIENCE_S)


async def test_a_hung_engine_holds_up_no_key_and_is_told(
    tmp_path: Path, start_engine: Callable[..., TestEngine]
) -> None:
    engine = start_engine()
    engine.run("hung-1")
    async with watching(tmp_path, engine, 80, 24) as pilot:
        await open_container(pilot, "hung-1")
        await until(pilot, "command sleep 100000", PATIENCE_S)
        engine.freeze()
        try:
            await pilot.press("shift+tab", "shift+tab")
            await until(pilot, "[processes]", 5.0)
            await until(pilot, "stale", PATIENCE_S)
            await until(pilot, "✖", PATIENCE_S)
            await pilot.press("tab")
            await until(pilot, "[events", 5.0)
        finally:
            engine.thaw()
        await until(pilot, lambda text: "stale" not in text, PATIENCE_S)


async def test_usage_is_read_of_what_is_looked_at(tmp_path: Path, engine: TestEngine) -> None:
    engine.run("busy-1", ("sh", "-c", "while true; do :; done"), options=("--cpus", "0.1"), memory="64m")
    async with watching(tmp_path, engine, 132, 34) as pilot:
        await open_container(pilot, "busy-1")
        await until(pilot, lambda text: "of one core over" in text and "held back in" in text, PATIENCE_S)
        await until(pilot, "/64 MiB")
        await until(pilot, "held back by its CPU limit", PATIENCE_S)


async def test_a_one_off_run_is_no_part_of_its_service(tmp_path: Path, engine: TestEngine) -> None:
    labels = compose_labels("crew", "web")
    engine.run("web-1", FOREVER, labels=labels)
    engine.run("web-run-1", ("sh", "-c", "exit 1"), labels={**labels, "com.docker.compose.oneoff": "True"})
    async with watching(tmp_path, engine, 132, 34) as pilot:
        await open_container(pilot, "web-run-1")
        await until(pilot, "last exit 1, an error of its own", PATIENCE_S)
        assert "crew number 1" in said(pilot.app)
        await pilot.press("escape", "tab")
        await until(pilot, lambda text: " web 1/1 1/1 running" in text, PATIENCE_S)
        assert "WARN" not in said(pilot.app)
