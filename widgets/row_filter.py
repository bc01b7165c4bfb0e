"""What a person types after `/` in a table: which rows stay. Pure.

Words apart from each other must all hold:
    checkout            some cell has this text; upper and lower case are alike
    -idle               no cell has it
    /lock|tuple/        some cell matches this regular expression
    state:idle          this column has the text; state:/^idle$/ likewise
    age>5m mem>=1g      this column's value compares; s m h d, k m g t and % as the column's unit has them
    "order items"       quotes keep a blank, and make text of what looks like a column: "sess:12"
    10.2.0.31:5432      as no column is called like that, it is text
"""

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any, Generic

import msgspec

from opsdash.widgets.columns import Column, Row, Unit

_WORD = re.compile(
    r"""(?P<no>-)?
    (?:(?P<column>[^\s:<>=!"/]+)(?P<compare><=|>=|!=|<|>|=|:))?
    (?:"(?P<quoted>[^"]*)"?|/(?P<pattern>(?:\\.|[^/\\])+)/(?=\s|$)|(?P<plain>[^\s"]\S*)?)""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_AMOUNT = re.compile(r"(?P<number>\d+(?:\.\d*)?|\.\d+)\s*(?P<suffix>[a-zµ%]*)", re.IGNORECASE)
_SECONDS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"b": 1.0} | {
    f"{letter}{end}": 1024.0**power for power, letter in enumerate("kmgt", 1) for end in ("", "b", "ib")
}
_THOUSANDS = {"k": 1e3, "m": 1e6, "g": 1e9}
_PER_SECOND: dict[Unit, float] = {"s": 1.0, "ms": 1e3}


class FilterError(ValueError):
    """What was typed says nothing that can be looked for; the text says what was expected."""


Test = Callable[[Row], bool]


class RowFilter(msgspec.Struct, Generic[Row], frozen=True, kw_only=True, eq=False):
    """What was typed, understood for the columns of one table."""

    text: str
    tests: tuple[Test[Row], ...]
    has_pattern: bool = False
    """Whether a person's own regular expression is in it, which may take for ever."""

    def keeps(self, row: Row) -> bool:
        """Whether the row stays."""
        return all(test(row) for test in self.tests)


def amount(text: str, unit: Unit | None) -> float:
    """A number as a person writes it, in a column's own unit.

    >>> amount("5m", "s"), amount("2s", "ms"), amount("250us", "ms"), amount("7", "s")
    (300.0, 2000.0, 0.25, 7.0)
    >>> amount("1g", "bytes"), amount("1.5k", "bytes"), amount("80%", "ratio"), amount("80", "ratio")
    (1073741824.0, 1536.0, 0.8, 0.8)
    >>> amount("2k", None)
    2000.0

    Raises:
        FilterError: It is no number, or its suffix does not belong to the unit.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise FilterError(f"{text!r} is no number")
    number, suffix = float(found["number"]), found["suffix"].lower()
    plain = 0.01 if unit == "ratio" else 1.0
    factors = _factors(unit)
    if suffix and suffix not in factors:
        raise FilterError(f"{text!r}: expected one of {', '.join(factors)} after the number")
    return number * factors.get(suffix, plain)


def _factors(unit: Unit | None) -> dict[str, float]:
    """What a number is multiplied by, for each suffix that may follow it."""
    if unit is None:
        return _THOUSANDS
    if unit == "ratio":
        return {"%": 0.01}
    if unit == "bytes":
        return _BYTES
    return {name: seconds * _PER_SECOND[unit] for name, seconds in _SECONDS.items()}


def parse(text: str, columns: Sequence[Column[Row]]) -> RowFilter[Row]:
    """Understand what was typed.

    >>> from opsdash.widgets.columns import Column
    >>> columns = (
    ...     Column(key="app", title="APP", width=9, cell=lambda r: r[0]),
    ...     Column(key="age", title="AGE", width=9, cell=lambda r: f"{r[1]}s", sort=lambda r: r[1], unit="s"),
    ... )
    >>> rows = (("checkout", 400), ("api", 20), ("cron api", None))
    >>> def kept(text):
    ...     return [row[0] for row in rows if parse(text, columns).keeps(row)]
    >>> kept("API"), kept("age>5m"), kept("api -cron"), kept('app:"cron api"'), kept("/^c.*t$/")
    (['api', 'cron api'], ['checkout'], ['api'], ['cron api'], ['checkout'])
    >>> kept("")
    ['checkout', 'api', 'cron api']
    >>> [parse(text, columns).keeps(("10.2.0.31:5432", 1)) for text in ("31:54", '"31:54"', "-31:54")]
    [True, True, False]

    Raises:
        FilterError: A column that is not there, a pattern or a number that makes no sense.
    """
    tests: list[Test[Row]] = []
    for found in _WORD.finditer(text):
        if found[0] in ("", "-"):
            continue  # a word that is only being begun
        test = _test(found, columns)
        tests.append(_not(test) if found["no"] else test)
    has_pattern = any(found["pattern"] is not None for found in _WORD.finditer(text))
    return RowFilter(text=text, tests=tuple(tests), has_pattern=has_pattern)


def _not(test: Test[Row]) -> Test[Row]:
    return lambda row: not test(row)


def _test(found: re.Match[str], columns: Sequence[Column[Row]]) -> Test[Row]:
    name, is_text = found["column"], found["compare"] in (None, ":")
    looked_for = next((found[name] for name in ("quoted", "plain") if found[name] is not None), "")
    if name is None:
        among = columns
    elif is_text and not name.isalpha() and _meant(name, columns) is None:
        among, looked_for = columns, f"{name}:{looked_for}"  # an address, a time
    else:
        among = (_column(name, columns),)
    if found["pattern"] is None and not is_text:
        return _comparison(among[0], found["compare"], looked_for)
    pattern = re.escape(looked_for) if found["pattern"] is None else found["pattern"]
    try:
        matches = re.compile(pattern, re.IGNORECASE).search
    except re.error as error:
        raise FilterError(f"/{pattern}/ is no regular expression: {error}") from error
    return lambda row: any(matches(cell_words(column, row)) for column in among)


def _comparison(column: Column[Row], compare: str, looked_for: str) -> Test[Row]:
    value, holds = column.sort or column.compare, _COMPARE[compare]
    if value is None:
        raise FilterError(f"{column.key} cannot be compared here, only searched: {column.key}:text")
    if not looked_for:
        return lambda row: True  # a comparison that is only being begun
    try:
        limit: Any = amount(looked_for, column.unit)
    except FilterError:
        if column.unit is not None or compare not in ("=", "!="):
            raise
        return lambda row: holds(cell_words(column, row).lower(), looked_for.lower())

    def test(row: Row) -> bool:
        of_row = value(row)
        if of_row is None:
            return False
        if isinstance(of_row, int | float):
            return holds(of_row, limit)
        text = of_row if isinstance(of_row, str) else cell_words(column, row)  # a moment: as it is shown
        return holds(text.lower(), looked_for.lower())

    return test


def _column(name: str, columns: Sequence[Column[Row]]) -> Column[Row]:
    """The column that is meant. Raises FilterError."""
    column = _meant(name, columns)
    if column is None:
        known = ", ".join(c.key for c in columns if c.title)
        raise FilterError(f"no column {name!r} (in quotes it is text): {known}")
    return column


def _meant(name: str, columns: Sequence[Column[Row]]) -> Column[Row] | None:
    """The column of this key or title, whole or begun; None: there is none."""
    wanted = name.lower()
    for is_meant in (str.__eq__, str.startswith):
        for column in columns:
            if any(is_meant(word.lower(), wanted) for word in (column.key, column.title)):
                return column
    return None


def cell_words(column: Column[Row], row: Row) -> str:
    """The text of a cell."""
    cell = column.cell(row)
    return cell if isinstance(cell, str) else cell[0]
