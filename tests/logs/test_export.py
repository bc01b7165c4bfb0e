"""Lines that leave the screen, into a file or to the clipboard: masked, private, whole or not at all."""

import asyncio
import os
import stat
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.app import App

from opsdash.tui import clipboard
from opsdash.tui.export import ExportError, ExportFile, write_all, write_new
from opsdash.tui.screens.logs.lines import LogScreen
from tests.support.log_lines import at, source
from tests.support.log_stage import LogStage
from tests.support.screen import said, until
from tests.support.waiting import wait_until_async


async def parts(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text


async def test_a_file_is_only_its_owners_and_never_overwritten(tmp_path: Path) -> None:
    first = await write_new(tmp_path / "exports", "logs", "one\n")
    second = await write_new(tmp_path / "exports", "logs", "two\n")
    assert first != second
    assert (first.read_text(), second.read_text()) == ("one\n", "two\n")
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.parent.stat().st_mode) == 0o700


async def test_what_is_broken_off_leaves_no_file(tmp_path: Path) -> None:
    reached = asyncio.Event()

    async def endless() -> AsyncIterator[str]:
        yield "one\n"
        reached.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(write_all(ExportFile(tmp_path, "logs"), endless()))
    await asyncio.wait_for(reached.wait(), 30)
    assert len(os.listdir(tmp_path)) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert os.listdir(tmp_path) == []


class HeldFile(ExportFile):
    """Its disk is slow: a write lasts until a test lets it go on."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder, name)
        self.writes = threading.Event()
        self.goes_on = threading.Event()

    def _write(self, data: bytes) -> None:
        self.writes.set()
        assert self.goes_on.wait(30)
        super()._write(data)


async def test_what_is_broken_off_in_the_middle_of_a_write_leaves_no_file(tmp_path: Path) -> None:
    file = HeldFile(tmp_path, "logs")
    task = asyncio.create_task(write_all(file, parts("one\n", "two\n")))
    await wait_until_async(file.writes.is_set, 30, "it writes")
    task.cancel()
    await asyncio.sleep(0)
    file.goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert os.listdir(tmp_path) == []


async def test_a_folder_that_cannot_be_written_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match=r"file/exports.*(Not a directory|File exists)"):
        await write_new(tmp_path / "file" / "exports", "logs", "one\n")


async def test_a_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (tmp_path / "logs.txt").symlink_to(victim)
    path = await write_new(tmp_path, "logs", "one\n")
    assert path.name == "logs-2.txt"
    assert victim.read_text() == "kept"


def exported(folder: Path) -> list[str]:
    (path,) = (folder / "opsdash" / "exports").iterdir()
    return path.read_text().splitlines()


async def test_what_the_filters_leave_is_exported_masked_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    api = source(
        "api", [at(1, "INFO healthz"), at(2, "ERROR login password=hunter2 failed"), "  at \x1b[2JPool"]
    )
    web = source("web", [at(3, "WARN slow"), at(4, "INFO healthz")])
    stage = LogStage(tmp_path, api, web)
    async with stage.at(180, 46) as pilot:
        await pilot.press("F", *"-healthz", "enter")
        await until(pilot, "3 of 5 lines")
        await pilot.press("x")
        await until(pilot, "exported, masked best effort:")
    lines = exported(tmp_path)
    assert [line for line in lines if not line.startswith("#")] == [
        f"api | {at(2, 'ERROR login password=*** failed')}",
        "api |   at ␛[2JPool",
        f"web | {at(3, 'WARN slow')}",
    ]
    head = "\n".join(line for line in lines if line.startswith("#"))
    assert "masked by pattern, best effort" in head
    assert "filters: -healthz" in head
    assert "sources: api, web" in head


async def test_marked_lines_alone_are_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    stage = LogStage(tmp_path, source("api", [at(n, f"INFO line {n}") for n in range(30)]))
    async with stage.at(132, 34) as pilot:
        await pilot.press("k", "k", "space", "k", "k", "k", "space", "x")
        await until(pilot, "exported")
    assert [line.split()[-1] for line in exported(tmp_path) if not line.startswith("#")] == ["25", "27"]


async def test_an_export_can_be_broken_off_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lines = [at(n / 1000, f"INFO line {n}") for n in range(60_000)]
    stage = LogStage(tmp_path, source("api", lines), source("web", lines))
    async with stage.at(132, 34) as pilot:
        screen = stage.app.screen
        assert isinstance(screen, LogScreen)
        screen.action_export_lines()
        await wait_until_async(lambda: screen._carrier.progress is not None, 30, "the export has begun")
        await screen.action_show_all_or_back()  # Esc; a key would only come when much of it is written
        await until(pilot, "export broken off: no file was left")
        assert "5 Logs" in said(stage.app)
    assert list((tmp_path / "opsdash" / "exports").iterdir()) == []


class CopyApp(App[None]):
    copied: str | None = None

    def copy_to_clipboard(self, text: str) -> None:
        self.copied = text


async def copied(text: str, **environ: str) -> tuple[CopyApp, clipboard.Copied]:
    app = CopyApp()
    return app, await clipboard.copy(app, text, environ)


async def test_a_terminal_gets_the_text_itself(tmp_path: Path) -> None:
    app, result = await copied("one line", TERM="xterm-256color", XDG_STATE_HOME=str(tmp_path))
    assert (app.copied, result.path) == ("one line", None)


@pytest.mark.parametrize("environ", [{"TERM": "linux"}, {"TERM": "screen", "STY": "1.pts"}])
async def test_where_there_is_no_clipboard_a_file_is_written(tmp_path: Path, environ: dict[str, str]) -> None:
    app, result = await copied("one line", XDG_STATE_HOME=str(tmp_path), **environ)
    assert app.copied is None
    assert result.path is not None
    assert result.path.read_text() == "one line"
    assert "no clipboard" in result.to


async def test_too_much_for_a_clipboard_goes_to_a_file(tmp_path: Path) -> None:
    app, result = await copied("x" * 200_000, TERM="xterm", XDG_STATE_HOME=str(tmp_path))
    assert app.copied is None
    assert result.path is not None
    assert result.path.stat().st_size == 200_000


async def test_the_record_under_the_cursor_is_copied_masked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    taken: list[str] = []
    log = [at(1, "INFO a"), at(2, "ERROR login password=hunter2"), "  at Pool", at(3, "INFO b")]
    stage = LogStage(tmp_path, source("api", log))

    def keep(text: str) -> None:
        taken.append(text)

    monkeypatch.setattr(stage.app, "copy_to_clipboard", keep)
    async with stage.at(132, 34) as pilot:
        await pilot.press("k", "y")
        await until(pilot, "2 lines, masked, to the terminal's clipboard")
    assert taken == [f"{at(2, 'ERROR login password=***')}\n  at Pool"]
