"""Only lines that read differently are drawn again, and only visible rows are formatted."""

from textual.pilot import Pilot

from opsdash.widgets.columns import Column
from opsdash.widgets.table import Table
from tests.support.strips import lines_of
from tests.widgets.tables import Session, TableApp, sessions


async def drawn_by(pilot: Pilot[None], act: object = None, keys: tuple[str, ...] = ()) -> set[int]:
    table = pilot.app.query_one(Table)
    await pilot.pause()
    table.drawn.clear()  # type: ignore[attr-defined]  # a CountingTable
    if callable(act):
        act()
    await pilot.press(*keys)
    await pilot.pause()
    return set(table.drawn)  # type: ignore[attr-defined]  # a CountingTable


async def test_a_move_draws_two_lines() -> None:
    app = TableApp()
    app.table.show(sessions(*range(800)))
    async with app.run_test(size=(60, 40)) as pilot:
        await pilot.press("j")
        assert await drawn_by(pilot, keys=("j",)) == {2, 3}


async def test_choosing_a_sort_draws_the_header_again() -> None:
    app = TableApp()
    app.table.show(sessions(1, 2))
    async with app.run_test(size=(60, 10)) as pilot:
        assert 0 in await drawn_by(pilot, keys=("s",))
        assert 0 in await drawn_by(pilot, keys=("S",))


async def test_unchanged_rows_are_not_drawn_again() -> None:
    app = TableApp()
    app.table.show(sessions(*range(800)))
    async with app.run_test(size=(60, 40)) as pilot:
        assert await drawn_by(pilot, lambda: app.table.show(sessions(*range(800)))) == set()


async def test_only_the_visible_row_that_changed_is_drawn_again() -> None:
    app = TableApp()
    app.table.show(sessions(*range(800)))
    async with app.run_test(size=(60, 40)) as pilot:
        rows = sessions(*range(800))
        rows[4] = Session(pid=4, query="vacuum")
        rows[700] = Session(pid=700, query="vacuum")
        assert await drawn_by(pilot, lambda: app.table.show(rows)) == {5}


async def test_repaint_draws_cells_that_depend_on_time() -> None:
    clock = [0]
    age = Column[Session](key="age", title="AGE", cell=lambda s: f"{clock[0] // s.pid}s", width=6)
    app = TableApp((age,))
    app.table.show(sessions(1, 2, 3, 4))
    async with app.run_test(size=(60, 10)) as pilot:
        clock[0] = 2
        assert await drawn_by(pilot, app.table.repaint) == {1, 2}
        assert [line[2:4] for line in lines_of(app.table)[1:5]] == ["2s", "1s", "0s", "0s"]


async def test_rows_out_of_view_are_never_formatted() -> None:
    formatted: list[int] = []
    column = Column[Session](key="pid", title="PID", cell=lambda s: formatted.append(s.pid) or "x", width=6)
    app = TableApp((column,))
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(sessions(*range(5000)))
        await pilot.pause()
        assert set(formatted) <= set(range(10))
