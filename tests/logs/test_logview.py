"""The view of log lines as a person meets it: what stays where it is, and what a key does."""

import re
from typing import Any

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult

from opsdash.collectors.lines.merge import Timeline
from opsdash.collectors.lines.source import LogSource
from opsdash.collectors.lines.source_lines import LineRef
from opsdash.widgets.logview import LogView
from tests.support.log_lines import at, printed, source, texts, whole
from tests.support.strips import lines_of, style_of


class ViewApp(App[None]):
    def __init__(self, *sources: LogSource) -> None:
        super().__init__()
        self.view = LogView()
        self.timeline = whole(*sources)
        self.drawn: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        self.view.focus()
        self.view.show(self.timeline)


def shown(app: ViewApp) -> list[str]:
    return texts(app.view.window.shown)


def rows(app: ViewApp) -> list[str]:
    return [line.rstrip() for line in lines_of(app.view)]


def cursor_row(app: ViewApp) -> str:
    marked = [line for line in rows(app) if line.startswith("▸")]
    assert len(marked) == 1, rows(app)
    return marked[0]


def numbered(name: str, count: int, start: int = 0) -> list[str]:
    return [at(n, f"INFO {name}{n}") for n in range(start, start + count)]


# -- following and standing still ---------------------------------------------------------------------


async def test_the_end_is_followed_from_the_beginning() -> None:
    api = source("api", numbered("a", 100))
    app = ViewApp(api)
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        assert shown(app) == [f"a{n}" for n in range(90, 100)]
        printed(api, numbered("a", 3, 100))
        app.view.repaint()
        assert shown(app)[-1] == "a102"
        assert "a102" in cursor_row(app)


async def test_a_view_that_was_left_stands_still_while_lines_come() -> None:
    api = source("api", numbered("a", 100))
    app = ViewApp(api)
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.press("k", "k")
        before = rows(app)
        printed(api, numbered("a", 500, 100))
        app.view.repaint()
        assert rows(app) == before
        assert app.view.window.waiting == 500
        assert "a97" in cursor_row(app)
        await pilot.press("G")
        assert shown(app)[-1] == "a599"
        assert app.view.window.waiting == 0


async def test_below_the_last_line_the_end_is_followed_again() -> None:
    api = source("api", numbered("a", 100))
    app = ViewApp(api)
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.press("k", "j")
        assert not app.view.window.is_following
        await pilot.press("j")
        assert app.view.window.is_following


async def test_while_paused_nothing_new_is_shown_and_it_is_counted() -> None:
    api = source("api", numbered("a", 100))
    app = ViewApp(api)
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        app.view.window.pause()
        printed(api, numbered("a", 312, 100))
        app.view.repaint()
        assert shown(app)[-1] == "a99"
        assert app.view.window.waiting == 312
        await pilot.press("k", "G", "j", "pagedown")
        assert shown(app)[-1] == "a99"
        app.view.window.go_on()
        app.view.repaint()
        assert shown(app)[-1] == "a411"


async def test_lines_that_a_late_source_brings_do_not_move_what_is_read() -> None:
    api = source("api", numbered("a", 100))
    web = source("web", [at(0.5, "INFO w0")])
    app = ViewApp(api, web)
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.press("pageup", "pageup", "k")
        before = rows(app)[0]
        printed(web, [at(n + 0.5, f"INFO w{n}") for n in range(1, 50)])
        app.view.repaint()
        assert rows(app)[0] == before


async def test_that_lines_one_reads_were_dropped_is_known() -> None:
    api = source("api", numbered("a", 3000), max_bytes=150_000)
    app = ViewApp(api)
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.press("g")
        oldest = shown(app)[0]
        for start in range(3000, 30_000, 1000):
            printed(api, numbered("a", 1000, start))
        app.view.repaint()
        assert app.view.window.has_lost
        assert shown(app)[0] != oldest
        assert len(shown(app)) == 10
        assert app.view.cursor == app.view.window.shown[0]
        await pilot.press("j")
        assert not app.view.window.has_lost


# -- moving -------------------------------------------------------------------------------------------


async def test_moving_reaches_every_line_in_both_directions() -> None:
    api = source("api", numbered("a", 35))
    app = ViewApp(api, source("web", numbered("w", 35)))
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        seen = [app.view.cursor]
        for _ in range(69):
            app.view.action_move(-1)
            seen.append(app.view.cursor)
        everything, _ = app.timeline.below(app.timeline.first(), 1000)
        assert seen[::-1] == everything
        for line in everything[1:]:
            app.view.action_move(1)
            assert app.view.cursor == line


async def test_pages_go_through_everything_without_leaving_a_line_out() -> None:
    app = ViewApp(source("api", numbered("a", 95)))
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        seen = set(shown(app))
        for _ in range(9):
            await pilot.press("pageup")
            seen |= set(shown(app))
        assert seen == {f"a{n}" for n in range(95)}
        assert shown(app)[0] == "a0"
        for _ in range(9):
            await pilot.press("pagedown")
        assert shown(app)[-1] == "a94"


async def test_home_and_end() -> None:
    app = ViewApp(source("api", numbered("a", 95)))
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.press("home")
        assert (shown(app)[0], cursor_row(app).split()[-1]) == ("a0", "a0")
        await pilot.press("end")
        assert app.view.window.is_following


async def test_a_smaller_view_keeps_the_cursor_on_its_line() -> None:
    app = ViewApp(source("api", numbered("a", 100)))
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.press("k")
        before = app.view.cursor
        app.view.styles.height = 5
        await pilot.pause()
        assert app.view.cursor == before
        assert before in app.view.window.shown


async def test_other_sources_keep_the_place_in_time() -> None:
    api, web = source("api", numbered("a", 100)), source("web", numbered("w", 100))
    app = ViewApp(api, web)
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.press("g")
        app.view.action_move(60)
        row = app.view.window.shown.index(app.view.cursor)
        assert app.view.cursor.record.message == "a30"
        app.view.show(Timeline([app.timeline.lanes[0]]))
        assert app.view.cursor.record.message == "a30"
        assert app.view.window.shown.index(app.view.cursor) == row
        app.view.show(Timeline([app.timeline.lanes[1]]))
        assert app.view.cursor.record.message in ("w30", "w31")


# -- what a row says ----------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [40, 60, 80, 132, 200])
async def test_rows_are_as_wide_as_the_view_whatever_the_text(width: int) -> None:
    nasty = ["日本語" * 60, "x" * 400, "a\tb", "\x1b[31mred\x1b[0m", "e\u0301" * 50, "😀" * 80]
    log = [at(n, f"ERROR {text}") for n, text in enumerate(nasty)] + [f"  {text}" for text in nasty]
    app = ViewApp(source("a-long-name-of-a-source-日本", log), source("web", numbered("w", 3)))
    async with app.run_test(size=(width, 40)) as pilot:
        for key in ("t", "w", "t", "w", "t", "w"):
            await pilot.press(key)
            assert {cell_len(line) for line in lines_of(app.view)} == {width}
            assert not any("\x1b" in line for line in lines_of(app.view))


async def test_source_time_level_and_text_stand_in_columns() -> None:
    api = source("api", [at(38.114, "ERROR no lock"), "  at Pool.take"])
    app = ViewApp(api, source("web", [at(38.2, "WARN slow")]))
    async with app.run_test(size=(100, 5)) as pilot:
        await pilot.pause()
        assert rows(app)[:3] == [
            "  03:12:38 api ERROR no lock",
            "                       at Pool.take",
            "▸ 03:12:38 web WARN  slow",
        ]
        assert style_of(app.view, 0, "ERROR") != style_of(app.view, 2, "WARN")


async def test_one_source_alone_is_not_named() -> None:
    app = ViewApp(source("api", [at(38.114, "ERROR no lock")]))
    async with app.run_test(size=(132, 5)) as pilot:
        await pilot.pause()
        assert rows(app)[0] == "▸ 03:12:38.114 ERROR no lock"


async def test_times_as_differences_and_without() -> None:
    app = ViewApp(source("api", [at(1, "INFO a"), at(1.25, "INFO b"), at(91, "INFO c")]))
    async with app.run_test(size=(132, 5)) as pilot:
        await pilot.press("t", "t")
        assert rows(app)[0] == "           INFO  a"
        assert "+0.250s" in rows(app)[1]
        assert "+89.8s" in rows(app)[2]
        await pilot.press("t")
        assert rows(app)[0] == "  INFO  a"


async def test_long_lines_are_cut_or_wrapped() -> None:
    text = " ".join(f"word{n}" for n in range(60))
    app = ViewApp(source("api", [at(1, "INFO before"), at(2, f"INFO {text}"), at(3, "INFO after")]))
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.pause()
        assert rows(app)[1].endswith("…")
        assert "word59" not in "".join(rows(app))
        await pilot.press("w")
        assert "word59" in "".join(rows(app))
        assert "before" in rows(app)[0]
        assert "after" in "".join(rows(app))


async def test_wrapped_lines_taller_than_the_view_can_be_passed_in_both_directions() -> None:
    api = source("api", [at(n, f"INFO a{n} " + "long " * 100) for n in range(10)])
    app = ViewApp(api)
    async with app.run_test(size=(60, 5)) as pilot:
        await pilot.press("w")
        seen = []
        for _ in range(9):
            await pilot.press("k")
            seen.append(app.view.cursor.number)
        assert seen == list(range(8, -1, -1))
        for number in range(1, 10):
            await pilot.press("j")
            assert app.view.cursor.number == number


async def test_a_gap_is_told_where_it_is() -> None:
    api = source("api", numbered("a", 3))
    api.buffer.mark_gap("12 s without a connection")
    printed(api, numbered("a", 3, 50))
    app = ViewApp(api)
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        assert "── 12 s without a connection ──" in rows(app)[3]
        assert rows(app)[4].endswith("a50")


async def test_what_is_searched_for_is_marked_in_the_lines() -> None:
    app = ViewApp(source("api", [at(1, "INFO no lock here")]))
    async with app.run_test(size=(80, 5)) as pilot:
        await pilot.pause()
        app.view.search_for(re.compile("lock"))
        strip = app.view.render_line(0)
        assert [segment.text for segment in strip if segment.text == "lock"] == ["lock"]


async def test_marks_stay_on_their_lines_and_are_given_in_order() -> None:
    api = source("api", numbered("a", 30))
    app = ViewApp(api)
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.press("k", "k", "space", "k", "k", "k", "space")
        assert [line.record.message for line in app.view.marked()] == ["a25", "a27"]
        assert sum(row[1:2] == "*" for row in rows(app)) == 2
        printed(api, numbered("a", 30, 30))
        await pilot.press("G")
        assert len(app.view.marked()) == 2
        await pilot.press("u")
        assert app.view.marked() == ()


# -- what it costs ------------------------------------------------------------------------------------


async def test_only_lines_in_view_are_read() -> None:
    api = source("api", max_bytes=64 * 1024 * 1024)
    printed(api, numbered("a", 100_000))
    app = ViewApp(api)
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.press("k", "pageup", "g")
        lines = app.timeline.lanes[0].lines
        assert 10 <= len(lines._records) < 60


async def test_nothing_is_drawn_when_nothing_changed() -> None:
    class CountingView(LogView):
        drawn = 0

        def render_line(self, y: int) -> Any:
            self.drawn += 1
            return super().render_line(y)

    app = ViewApp(source("api", numbered("a", 100)))
    app.view = CountingView()
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.press("k")
        await pilot.pause()
        app.view.drawn = 0
        app.view.repaint()
        await pilot.pause()
        assert app.view.drawn == 0
        await pilot.press("k")
        await pilot.pause()
        assert app.view.drawn == 2  # the two rows that the cursor left and went to


async def test_a_line_can_be_gone_to_from_outside() -> None:
    app = ViewApp(source("api", numbered("a", 500)))
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        app.view.go_to(LineRef(app.timeline.lanes[0].lines, 250))
        assert "a250" in cursor_row(app)
        assert shown(app)[0] != "a250"
