"""Rows of a table carried out of the screen: to the clipboard, into a file. Cells are masked already."""

import os
from collections.abc import Sequence
from typing import Any

from textual import events
from textual.app import App

from opsdash.collectors.clock import Clock
from opsdash.collectors.format import plural
from opsdash.collectors.secret import redact
from opsdash.collectors.text import clean
from opsdash.tui.clipboard import copy
from opsdash.tui.config import state_folder
from opsdash.tui.export import ExportError, shown_path, write_new
from opsdash.tui.screens.dialog import Dialog
from opsdash.widgets.lines import Line
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table
from opsdash.widgets.table_text import as_csv, as_json, as_lines

FORMS = {"c": "csv", "j": "json"}


async def copy_rows(app: App[Any], table: Table[Any]) -> tuple[str, Tone]:
    """Copy the marked rows, else the one under the cursor; what is to be said of it."""
    rows = table.chosen_rows
    if not rows:
        return "no row to copy", Tone.WARN
    try:
        copied = await copy(app, redact(as_lines(rows, table.visible_columns)))
    except ExportError as error:
        return f"not copied: {error}", Tone.CRIT
    return f"{plural(len(rows), 'row')} to {clean(copied.to)}", Tone.OK


async def export_rows(table: Table[Any], name: str, form: str, clock: Clock) -> tuple[str, Tone]:
    """Write the rows shown, or the marked ones, into a new file; what is to be said of it."""
    rows = table.chosen_rows if table.arrangement.marked else table.rows
    columns = [column for column in table.arrangement.columns if column.title]
    text = as_csv(rows, columns) if form == "csv" else as_json(rows, columns)
    folder = state_folder(os.environ) / "exports"
    try:
        path = await write_new(folder, f"{name}-{clock.now():%Y%m%d-%H%M%S}", redact(text), form)
    except ExportError as error:
        return f"not exported: {error}", Tone.CRIT
    return f"{plural(len(rows), 'row')} in {shown_path(path)}", Tone.OK


class FormDialog(Dialog[str | None]):
    """Which form the file is to have. Gives "csv", "json" or None."""

    def __init__(self, clock: Clock, count: int) -> None:
        super().__init__(clock)
        self._count = count

    def title_text(self) -> str:
        """What is written."""
        return f"Export {plural(self._count, 'row')} to a file"

    def content(self, width: int) -> Sequence[Line]:
        """The forms."""
        return (
            (),
            ((" c  ", Tone.ACCENT), "CSV, as the table reads"),
            ((" j  ", Tone.ACCENT), "JSON, with the plain values beside the texts"),
            ((" Esc", Tone.ACCENT), " back"),
        )

    def on_key(self, event: events.Key) -> None:
        """A letter decides; Esc and q go back; others do nothing."""
        if event.key == "ctrl+c":
            return
        event.stop()
        if event.key in ("escape", "q"):
            self.dismiss(None)
        elif event.character in FORMS:
            self.dismiss(FORMS[event.character])
