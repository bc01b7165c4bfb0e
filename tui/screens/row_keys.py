"""What every screen with tables can do with the rows in front: filter, choose columns, copy, export."""

import asyncio
from abc import abstractmethod
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import DescendantFocus
from textual.screen import Screen

from opsdash.tui.watch import Watch
from opsdash.widgets.filter_line import FilterLine
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table

TABLE_ACTIONS = ("filter", "columns", "copy", "export")
"""Actions on the rows in front."""


class RowKeys(Screen[None], inherit_bindings=False):
    """The part of a full screen that is about the table with the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="filter"),
        Binding("number_sign", "columns", "choose columns", show=False, id="columns"),
        Binding("y", "copy", "copy", show=False, id="copy"),
        Binding("x", "export", "export to a file", show=False, id="export"),
    ]

    watch_over: Watch

    def __init__(self) -> None:
        super().__init__()
        self._making_filter = asyncio.Lock()

    @abstractmethod
    def notice(self, text: str, tone: Tone = Tone.WARN) -> None:
        """Say something in the last line for a while."""

    def tell_filter(self) -> None:
        """Say anew how many rows a filter leaves, where there is one."""
        for line in self._filter_lines():
            line.tell()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What works on rows only where rows have the focus."""
        return isinstance(self.focused, Table) if action in TABLE_ACTIONS else True

    async def action_filter(self) -> None:
        """Type which rows to keep. The next key is a letter of it already, never another command."""
        table = self.focused
        if isinstance(table, Table):
            (await self._filter_line()).begin(table)

    def action_columns(self) -> None:
        """Choose which columns are shown."""
        from opsdash.tui.screens.columns import ColumnsDialog  # like all dialogs: not needed at first

        if isinstance(self.focused, Table):
            self.app.push_screen(ColumnsDialog(self.watch_over.clock, self.focused))

    def action_copy(self) -> None:
        """Copy the marked rows, or the one under the cursor."""
        from opsdash.tui.screens.carry import copy_rows

        if isinstance(self.focused, Table):
            table = self.focused

            async def run() -> None:
                self.notice(*await copy_rows(self.app, table))

            self.run_worker(run(), exit_on_error=False, name="copy")

    def action_export(self) -> None:
        """Write the marked rows, or all that are shown, into a file."""
        from opsdash.tui.screens.carry import FormDialog, export_rows

        if not isinstance(self.focused, Table):
            return
        table = self.focused

        def chosen(form: str | None) -> None:
            async def run(form: str) -> None:
                self.notice(*await export_rows(table, table.id or "rows", form, self.watch_over.clock))

            if form is not None:
                self.run_worker(run(form), exit_on_error=False, name="export")

        count = len(table.arrangement.marked) or len(table.rows)
        self.app.push_screen(FormDialog(self.watch_over.clock, count), chosen)

    async def on_table_selection_changed(self, message: Table.SelectionChanged) -> None:
        """Say how many rows are hidden and marked."""
        if self.is_attached:  # the place may have been left meanwhile
            (await self._filter_line()).follow(message.table)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Another table is in front: its filter is told, if it has one."""
        if isinstance(event.widget, Table):
            for line in self._filter_lines():
                line.follow(event.widget)

    def _filter_lines(self) -> tuple[FilterLine, ...]:
        """The one there is, if there is one. While it is being made there is nothing in it yet."""
        return tuple(line for line in self.query("FilterLine").results(FilterLine) if line.is_mounted)

    async def _filter_line(self) -> FilterLine:
        """Made when it is first needed: most screens are left without one."""
        async with self._making_filter:  # another key may want it meanwhile
            if not self.query("FilterLine"):
                await self.mount(FilterLine(), before="#keys")
        return self.query_one(FilterLine)

    async def action_show_all_or_back(self) -> None:
        """Esc: first show what a filter hides, then one level back."""
        table = self.focused
        if isinstance(table, Table) and table.is_narrowed:
            (await self._filter_line()).action_clear()
        else:
            await self.app.run_action("back")
