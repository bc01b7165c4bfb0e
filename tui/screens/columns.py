"""The dialog that says which columns of a table are shown."""

import string
from collections.abc import Sequence
from typing import Any

from textual import events

from opsdash.collectors.clock import Clock
from opsdash.tui.screens.dialog import Dialog
from opsdash.widgets.lines import Line
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table

_LETTERS = string.digits[1:] + string.ascii_lowercase


class ColumnsDialog(Dialog[None]):
    """A letter shows or hides a column, at once."""

    def __init__(self, clock: Clock, table: Table[Any]) -> None:
        super().__init__(clock)
        self._table = table
        named = (column for column in table.arrangement.columns if column.title)
        self._columns = dict(zip(_LETTERS, named, strict=False))

    def title_text(self) -> str:
        """What is chosen."""
        return "Columns"

    def content(self, width: int) -> Sequence[Line]:
        """A line per column: wanted, and whether there is room for it."""
        fitting = {column.key for column in self._table.visible_columns}
        lines: list[Line] = []
        for letter, column in self._columns.items():
            is_hidden = column.key in self._table.hidden_columns
            room = "" if is_hidden or column.key in fitting else "  no room at this width"
            tone = Tone.MUTED if is_hidden else Tone.NORMAL
            mark = "  " if is_hidden else "● "
            lines.append(((f" {letter}  ", Tone.ACCENT), (f"{mark}{column.title}", tone), (room, Tone.MUTED)))
        keys = (("letter", Tone.ACCENT), " shows or hides   ", ("Esc", Tone.ACCENT), " back")
        return ((), *lines, (), keys)

    def on_key(self, event: events.Key) -> None:
        """A letter turns its column; Esc, Enter and, where no column has it, q close."""
        if event.key == "ctrl+c":
            return
        event.stop()
        column = self._columns.get(event.character or "")
        if event.key in ("escape", "enter") or (event.key == "q" and column is None):
            self.dismiss(None)
            return
        if column is None or self.is_deaf:
            return
        hidden = self._table.hidden_columns ^ {column.key}
        if len(hidden) < len(self._table.arrangement.columns):  # one stays
            self._table.hide_columns(hidden)
            self.redraw()
