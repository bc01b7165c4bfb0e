"""What a column shows can be typed in a filter: `age>5m mem>1g cpu>80%`."""

import re
from pathlib import Path
from typing import Any

from opsdash.widgets.columns import Column, Unit
from opsdash.widgets.row_filter import amount, cell_words, parse
from opsdash.widgets.table import Table
from tests.screens.hand import PLACES, Hand
from tests.support.every_kind import EveryKind

FIGURE = re.compile(r"\d+(?:\.\d+)? ?(?P<unit>%|[KMGT]?i?B|us|µs|ms|s|m|h|d)(?![A-Za-z])")
"""A figure with its unit, as cells show it."""
TIMES: tuple[Unit, ...] = ("s", "ms")


def fits(column: Column[Any], row: Any) -> bool:
    """Whether the unit of the column is the one that its cell shows, and the figure is about the same."""
    value = column.sort(row) if column.sort is not None else None
    shown = cell_words(column, row)
    figure = FIGURE.search(shown)
    if not isinstance(value, int | float) or figure is None:
        return True
    unit = column.unit
    if "/" in shown:  # a part of a whole, or a rate
        return unit in ("bytes", "ratio")
    units = {"%": ("ratio",), "B": ("bytes",)}.get(figure["unit"][-1], TIMES)
    if unit is None or unit not in units:
        return False
    return value < 0.05 or 0.4 < amount(figure[0], unit) / value < 1.3  # small ones are rounded coarsely


Shown = dict[str, tuple[tuple[Column[Any], ...], tuple[Any, ...]]]


async def tables(hand: Hand) -> Shown:
    """Columns and rows of every table of every place that has rows."""
    found: Shown = {}
    for place in PLACES:
        await hand.go(place)
        for _ in range(6):
            for table in hand.app.screen.query(Table):
                if table.rows:
                    found[f"{place} › {table.id}"] = (table.arrangement.columns, table.rows)
            await hand.press("tab")
    return found


async def test_every_figure_that_is_shown_in_a_unit_can_be_compared_in_it(tmp_path: Path) -> None:
    stage = EveryKind(tmp_path)
    wrong, seen = [], set()
    async with stage.at(180, 46) as pilot:
        for where, (columns, rows) in (await tables(Hand(stage, pilot))).items():
            for column in columns:
                shown = [cell_words(column, row) for row in rows if not fits(column, row)]
                wrong += [f"{where}: {column.key} shows {words!r}" for words in shown[:1]]
                if column.unit is not None and column.sort is not None:
                    seen.add((where, column.key))
                    assert parse(f"{column.key}>0", columns).tests
    assert wrong == []
    assert len(seen) > 40
