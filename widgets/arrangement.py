"""Rows in the order in which a table shows them, with a cursor that is on a thing, not on a line. Pure."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic

from opsdash.widgets.columns import Column, Row


def ordered(
    rows: Sequence[Row], value: Callable[[Row], Any], *, largest_first: bool = False
) -> tuple[Row, ...]:
    """Sort rows by a value; those without one come last in both directions, equal ones keep their order.

    >>> ordered(("b", None, "a"), lambda row: row)
    ('a', 'b', None)
    >>> ordered(("b", None, "a"), lambda row: row, largest_first=True)
    ('b', 'a', None)
    """
    known, unknown = [], []
    for row in rows:
        of_row = value(row)
        if of_row is None:
            unknown.append(row)
        else:
            known.append((of_row, row))
    known.sort(key=lambda pair: pair[0], reverse=largest_first)
    return (*(row for _, row in known), *unknown)


class Arrangement(Generic[Row]):
    """What is in a table, in which order, and where its cursor is."""

    def __init__(
        self, columns: Sequence[Column[Row]], key: Callable[[Row], Hashable], sort: str | None
    ) -> None:
        """Args: the columns, the identity of a row, and the key of the column sorted by at first."""
        self.columns = tuple(columns)
        self.key = key
        self.rows: tuple[Row, ...] = ()
        self.cursor = 0
        """Index into `rows`; 0 when there are none."""
        self.sort: str | None = None
        """Key of the column sorted by; None: the given order."""
        self.largest_first = False
        self.marked: frozenset[Hashable] = frozenset()
        """Keys of the marked rows; a row that has gone is no longer marked, one that is filtered out is."""
        self._given: tuple[Row, ...] = ()
        self._keeps: Callable[[Row], bool] | None = None
        self._has_given_order = sort is None
        self._choose_sort(sort)

    @property
    def cursor_key(self) -> Hashable | None:
        """Identity of the row under the cursor; None when there are no rows."""
        return self.key(self.rows[self.cursor]) if self.rows else None

    def index(self, key: Hashable) -> int | None:
        """Where the row of this identity is; None when it is not here."""
        # looked for each time: the cursor is mostly near the top, and a table of all keys costs more
        return next((i for i, row in enumerate(self.rows) if self.key(row) == key), None)

    @property
    def given(self) -> tuple[Row, ...]:
        """All rows, in the order given, also those that are filtered out."""
        return self._given

    @property
    def hidden_marks(self) -> int:
        """How many of the marked rows are filtered out."""
        return len(self.marked - {self.key(row) for row in self.rows}) if self.marked else 0

    def filter(self, keeps: Callable[[Row], bool] | None) -> None:
        """Show only rows that are kept; None: all."""
        self._keeps = keeps
        self._arrange()

    def mark(self, key: Hashable, marked: bool) -> None:
        """Mark the row of this identity, or take the mark away."""
        self.marked = self.marked | {key} if marked else self.marked - {key}

    def is_given(self, rows: Sequence[Row]) -> bool:
        """Whether these very rows are arranged already: nothing would change."""
        return rows is self._given and bool(rows)

    def replace(self, rows: Sequence[Row]) -> None:
        """Take other rows. The cursor stays on its thing, or in its place where the thing has gone."""
        self._given = tuple(rows)
        if self.marked:
            self.marked &= {self.key(row) for row in self._given}
        self._arrange()

    def replace_columns(self, columns: Sequence[Column[Row]]) -> None:
        """Take other columns; where the one sorted by is not among them, the order is the given one."""
        self.columns = tuple(columns)
        if self.sort is not None and all(column.key != self.sort for column in columns):
            self._has_given_order = True
            self._choose_sort(None)
            self._arrange()

    def sort_next(self, keys: Sequence[str]) -> None:
        """Sort by the column after the present one.

        Args:
            keys: Of the columns to choose from. The given order comes after the last of them, where it was
                the order at first.
        """
        choices = (*keys, None) if self._has_given_order else tuple(keys)
        at = choices.index(self.sort) if self.sort in choices else -1
        self._choose_sort(choices[(at + 1) % len(choices)])
        self._arrange()

    def reverse(self) -> None:
        """Turn the order round; the given order has no other direction."""
        if self.sort is not None:
            self.largest_first = not self.largest_first
            self._arrange()

    def _choose_sort(self, key: str | None) -> None:
        self.sort = key
        self.largest_first = key is not None and self._sorted_column().descending_first

    def _sorted_column(self) -> Column[Row]:
        return next(column for column in self.columns if column.key == self.sort)

    def _arrange(self) -> None:
        key = self.cursor_key
        value = None if self.sort is None else self._sorted_column().sort
        kept = self._given if self._keeps is None else tuple(filter(self._keeps, self._given))
        self.rows = kept if value is None else ordered(kept, value, largest_first=self.largest_first)
        found = None if key is None else self.index(key)
        self.cursor = max(0, min(self.cursor, len(self.rows) - 1)) if found is None else found
