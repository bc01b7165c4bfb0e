"""The table as a person meets it: what stays where it is, what a key does, what is drawn again."""

from collections.abc import Hashable

import pytest
from textual.pilot import Pilot
from textual.widgets import Button

from opsdash.widgets.columns import Column
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table
from opsdash.widgets.tones import tone_style
from tests.support.strips import lines_of, style_of
from tests.support.waiting import wait_until_async
from tests.widgets.tables import COLUMNS, Session, TableApp, sessions


def pids(table: Table[Session]) -> list[int]:
    return [row.pid for row in table.rows]


def visible_pids(table: Table[Session]) -> list[int]:
    return [int(line[2:8]) for line in lines_of(table)[1:] if line.strip()]


def cursor_line(table: Table[Session]) -> int:
    """The line of the view that has the mark."""
    marked = [y for y, line in enumerate(lines_of(table)) if line.startswith("▸")]
    assert len(marked) == 1, lines_of(table)
    return marked[0]


# -- the cursor stays on its thing ---------------------------------------------------------------------


async def test_cursor_stays_on_its_row_when_rows_come_and_go_above_it() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(sessions(*range(100, 120)))
        app.table.go_to(105)
        app.table.show(sessions(*range(90, 103), *range(104, 130)))
        await pilot.pause()
        assert app.table.cursor_key == 105
        assert lines_of(app.table)[cursor_line(app.table)].split()[1] == "105"
        assert app.moved == [100, 105]


async def test_cursor_and_view_stay_when_hundreds_of_rows_arrive_above() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(sessions(700, 701, 702))
        await pilot.press("j", "j")
        app.table.show(sessions(*range(100, 800)))
        await pilot.pause()
        assert app.table.cursor_key == 702
        assert cursor_line(app.table) == 3


async def test_cursor_keeps_its_line_of_the_screen_in_a_scrolled_view() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(sessions(*range(1000)))
        await pilot.press("G", "k", "k", "k")
        before = cursor_line(app.table)
        app.table.show(sessions(*range(500, 1100)))
        await pilot.pause()
        assert (app.table.cursor_key, cursor_line(app.table)) == (996, before)


async def test_a_view_at_the_top_shows_what_arrives_at_the_top() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(sessions(*range(100, 200)))
        app.table.show(sessions(*range(98, 200)))
        await pilot.pause()
        assert visible_pids(app.table)[0] == 98
        assert app.table.cursor_key == 100


async def test_cursor_goes_to_the_neighbour_in_its_place_when_its_row_is_gone() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(sessions(1, 2, 3, 4))
        app.table.go_to(2)
        app.table.show(sessions(1, 3, 4))
        assert app.table.cursor_key == 3
        app.table.show(sessions(1))
        assert app.table.cursor_key == 1
        await pilot.pause()
        assert app.moved == [1, 2, 3, 1]


async def test_cursor_stays_on_its_row_when_the_order_changes() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(sessions(*range(100)))
        app.table.go_to(61)
        for key in ("s", "S", "s", "S", "s"):
            await pilot.press(key)
            assert app.table.cursor_key == 61
            assert cursor_line(app.table) >= 1
        assert app.moved == [0, 61]


async def test_no_rows_no_cursor() -> None:
    app = TableApp(empty="nobody waits")
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(sessions(1))
        app.table.show(())
        await pilot.press("j", "k", "G", "g", "enter", "s", "S", "pagedown", "ctrl+u")
        assert (app.table.cursor_row, app.table.cursor_key, app.chosen, app.moved) == (
            None,
            None,
            [],
            [1, None],
        )
        assert lines_of(app.table)[1].strip() == "nobody waits"


async def test_text_for_no_rows_can_change_and_have_lines() -> None:
    app = TableApp(empty="reading")
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.empty = "? no answer\n  for 12 s [/red]"
        await pilot.pause()
        assert [line.rstrip() for line in lines_of(app.table)[1:3]] == [
            "  ? no answer",
            "    for 12 s [/red]",
        ]


async def test_rows_shown_before_the_table_is_on_the_screen_are_there() -> None:
    app = TableApp()
    app.table.show(sessions(*range(50)))
    assert app.table.go_to(40)
    assert not app.table.go_to(99)
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        assert app.table.cursor_key == 40
        assert cursor_line(app.table) >= 1


async def test_cursor_stays_in_view_when_the_terminal_shrinks() -> None:
    app = TableApp()
    async with app.run_test(size=(180, 46)) as pilot:
        app.table.show(sessions(*range(100)))
        app.table.go_to(40)
        for size in ((80, 24), (60, 15), (60, 5)):
            await pilot.resize_terminal(*size)
            await wait_until_async(lambda: any("▸" in line for line in lines_of(app.table)), 30, f"{size}")
            assert app.table.cursor_key == 40


# -- keys ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "cursor"),
    [
        (["down", "j"], 2),
        (["j", "j", "j", "up", "k"], 1),
        (["k"], 0),
        (["pagedown"], 9),
        (["pagedown", "pagedown", "pageup"], 9),
        (["ctrl+d", "ctrl+d"], 8),
        (["ctrl+d", "ctrl+u"], 0),
        (["G"], 99),
        (["end", "j"], 99),
        (["G", "g"], 0),
        (["end", "home"], 0),
    ],
)
async def test_moving(keys: list[str], cursor: Hashable) -> None:
    app = TableApp()
    app.table.show(sessions(*range(100)))
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.press(*keys)
        assert app.table.cursor_key == cursor
        assert visible_pids(app.table)[cursor_line(app.table) - 1] == cursor


async def test_enter_chooses_the_row_under_the_cursor() -> None:
    app = TableApp()
    app.table.show(sessions(7, 8, 9))
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.press("j", "enter")
        assert app.chosen == [8]


async def test_a_click_moves_and_a_click_on_the_cursor_chooses() -> None:
    app = TableApp()
    app.table.show(sessions(7, 8, 9))
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.click(app.table, offset=(5, 3))
        assert (app.table.cursor_key, app.chosen) == (9, [])
        await pilot.click(app.table, offset=(5, 3))
        await pilot.click(app.table, offset=(5, 0))
        await pilot.click(app.table, offset=(5, 8))
        assert app.chosen == [9]


def footer(pilot: Pilot[None]) -> set[str]:
    return {key for key, active in pilot.app.active_bindings.items() if active.enabled}


async def test_sort_keys_are_absent_when_no_visible_column_can_be_sorted() -> None:
    plain = Column[Session](key="query", title="QUERY", cell=lambda s: s.query, width=12)
    late = Column[Session](
        key="pid", title="PID", cell=lambda s: str(s.pid), sort=lambda s: s.pid, width=50, priority=1
    )
    app = TableApp((plain, late))
    async with app.run_test(size=(80, 10)) as pilot:
        assert {"s", "S"} <= footer(pilot)
        await pilot.resize_terminal(40, 10)
        await wait_until_async(lambda: not {"s", "S"} & footer(pilot), 30, "sort keys go")


def test_every_key_has_a_name_and_a_description() -> None:
    for binding in Table.BINDINGS:
        assert binding.id.startswith("table.")  # type: ignore[union-attr]  # they are all Binding
        assert binding.description  # type: ignore[union-attr]  # they are all Binding


# -- order -----------------------------------------------------------------------------------------------


async def test_sort_goes_through_the_columns_and_back_to_the_given_order() -> None:
    app = TableApp()
    app.table.show([Session(pid=2, age_s=9), Session(pid=3), Session(pid=1, age_s=50)])
    async with app.run_test(size=(60, 10)) as pilot:
        seen = []
        for key in ("s", "S", "s", "S", "s"):
            await pilot.press(key)
            seen.append((pids(app.table), app.table.sort))
        assert seen == [
            ([1, 2, 3], ("pid", False)),
            ([3, 2, 1], ("pid", True)),
            ([1, 2, 3], ("age", True)),
            ([2, 1, 3], ("age", False)),
            ([2, 3, 1], None),
        ]


async def test_header_shows_what_is_sorted_and_which_way() -> None:
    app = TableApp(sort="age")
    async with app.run_test(size=(60, 10)) as pilot:
        assert "AGE▼" in lines_of(app.table)[0]
        await pilot.press("S")
        assert "AGE▲" in lines_of(app.table)[0]
        await pilot.press("s")
        assert "PID▲" in lines_of(app.table)[0]
        assert "AGE " in lines_of(app.table)[0]


async def test_order_holds_for_rows_that_come_later() -> None:
    app = TableApp(sort="age")
    async with app.run_test(size=(60, 10)):
        app.table.show([Session(pid=1, age_s=1), Session(pid=2, age_s=2)])
        app.table.show([Session(pid=1, age_s=5), Session(pid=2, age_s=2), Session(pid=3)])
        assert pids(app.table) == [1, 2, 3]


async def test_new_columns_without_the_sorted_one_give_the_given_order() -> None:
    app = TableApp(sort="age")
    async with app.run_test(size=(60, 10)):
        app.table.show(sessions(3, 1, 2))
        app.table.go_to(1)
        app.table.set_columns(COLUMNS[:1])
        assert (pids(app.table), app.table.sort, app.table.cursor_key) == ([3, 1, 2], None, 1)
        assert lines_of(app.table)[0].split() == ["PID"]


# -- look ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "titles"),
    [(60, ["PID", "AGE", "APP", "QUERY"]), (36, ["PID", "AGE", "QUERY"]), (20, ["PID", "AGE"])],
)
async def test_narrow_tables_drop_columns_by_priority(width: int, titles: list[str]) -> None:
    app = TableApp()
    app.table.show(sessions(1))
    async with app.run_test(size=(width, 10)):
        assert lines_of(app.table)[0].split() == titles
        assert {len(line) for line in lines_of(app.table)} == {width}


async def test_header_stays_when_rows_scroll() -> None:
    app = TableApp()
    app.table.show(sessions(*range(100)))
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.press("G")
        assert lines_of(app.table)[0].split() == ["PID", "AGE", "APP", "QUERY"]
        assert visible_pids(app.table) == list(range(91, 100))


async def test_without_header_the_first_line_is_a_row() -> None:
    app = TableApp(show_header=False)
    app.table.show(sessions(*range(100)))
    async with app.run_test(size=(60, 10)) as pilot:
        assert lines_of(app.table)[0].startswith("▸      0")
        await pilot.press("pagedown")
        assert app.table.cursor_key == 10


async def test_cursor_is_told_by_a_glyph_and_is_plainer_without_the_focus() -> None:
    app = TableApp()
    app.table.show(sessions(1, 2))
    async with app.run_test(size=(60, 10)) as pilot:
        assert style_of(app.table, cursor_line(app.table), "▸").reverse
        await app.mount(Button("elsewhere"))
        app.query_one(Button).focus()
        await pilot.pause()
        assert not style_of(app.table, cursor_line(app.table), "▸").reverse


async def test_cell_tone_wins_over_the_row_s() -> None:
    app = TableApp(tone=lambda s: Tone.CRIT)
    app.table.show(sessions(1, 2))
    async with app.run_test(size=(60, 10)):
        crit, muted = (tone_style(app.table, tone).color for tone in (Tone.CRIT, Tone.MUTED))
        assert (
            style_of(app.table, 2, "select").color
            == crit
            != muted
            == style_of(app.table, 2, "checkout").color
        )


async def test_theme_change_recolours_rows() -> None:
    app = TableApp(tone=lambda s: Tone.CRIT)
    app.table.show(sessions(1, 2))
    async with app.run_test(size=(60, 10)) as pilot:
        before = style_of(app.table, 2, "select").color
        app.theme = "textual-light"
        await pilot.pause()
        assert style_of(app.table, 2, "select").color != before
