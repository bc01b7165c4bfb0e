"""Rows of a table as text to carry away: for a person to paste, for a spreadsheet, for a script. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from opsdash.collectors.text import one_line
from opsdash.widgets.columns import Column, Row
from opsdash.widgets.row_filter import cell_words


def as_lines(rows: Iterable[Row], columns: Sequence[Column[Row]]) -> str:
    r"""The cells of each row, whole and with tabs between.

    >>> from opsdash.widgets.columns import Column
    >>> columns = (
    ...     Column(key="pid", title="PID", width=3, cell=lambda r: str(r), sort=lambda r: r),
    ...     Column(key="q", title="QUERY", width=3, cell=lambda r: "=1+1, \x1b[31m"),
    ... )
    >>> as_lines((12, 7), columns).split("\n")[1]
    '7\t=1+1, ␛[31m'
    """
    return "\n".join("\t".join(_cell(column, row) for column in columns) for row in rows)


def as_csv(rows: Iterable[Row], columns: Sequence[Column[Row]]) -> str:
    r"""A header and a line per row. A cell that a spreadsheet would run as a formula is told as text.

    >>> from opsdash.widgets.columns import Column
    >>> columns = (Column(key="q", title="QUERY", width=3, cell=lambda r: "=1+1, 2"),)
    >>> as_csv((1,), columns)
    'q\r\n"\'=1+1, 2"\r\n'
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.key for column in columns])
    for row in rows:
        writer.writerow([_harmless(_cell(column, row)) for column in columns])
    return text.getvalue()


def as_json(rows: Iterable[Row], columns: Sequence[Column[Row]]) -> str:
    """A list of objects: each cell's text by its column's key, and under `values` what is sorted by.

    >>> from opsdash.widgets.columns import Column
    >>> columns = (Column(key="age", title="AGE", width=3, cell=lambda r: "6s", sort=lambda r: r),)
    >>> print(as_json((6.0,), columns), end="")
    [
      {
        "age": "6s",
        "values": {
          "age": 6.0
        }
      }
    ]
    """
    found = [
        {
            **{column.key: _cell(column, row) for column in columns},
            "values": {column.key: _value(column, row) for column in columns if column.sort is not None},
        }
        for row in rows
    ]
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"


def _cell(column: Column[Row], row: Row) -> str:
    return one_line(cell_words(column, row)).strip()


def _value(column: Column[Row], row: Row) -> str | int | float | bool | date | None:
    value = None if column.sort is None else column.sort(row)
    plain = isinstance(value, str | int | float | bool | date) or value is None
    return value if plain else str(value)


def _harmless(text: str) -> str:
    is_number = text[1:2].isdigit() and text[0] in "+-"
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") and len(text) > 1 and not is_number else text
