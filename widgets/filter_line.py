"""The line in which a table's filter is typed. It says how many rows are left and marked."""

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from opsdash.widgets.lines import Line, Lines, line_width
from opsdash.widgets.row_filter import FilterError, parse
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table


class FilterLine(Horizontal):
    """One line high, and gone while all rows are shown and none is marked. What is typed works at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "show all", show=False, id="filter.clear"),
        Binding("down", "keep", "to the rows", show=False, id="filter.keep"),
    ]

    DEFAULT_CSS = """
    FilterLine { height: 1; display: none; background: $panel; }
    FilterLine.-open { display: block; }
    FilterLine #filter-mark { width: 2; color: $text-primary; }
    FilterLine Input { width: 1fr; border: none; height: 1; padding: 0; background: $panel; }
    FilterLine #filter-told { width: auto; max-width: 60%; }
    """

    def __init__(self) -> None:
        super().__init__(id="filter")
        self._table: Table[Any] | None = None
        self._mistake = ""
        """Why what is typed cannot be understood; empty when it can."""

    def compose(self) -> ComposeResult:
        """A slash, the text, what it does."""
        yield Lines(id="filter-mark")
        yield Input(id="filter-text", compact=True)
        yield Lines(id="filter-told")

    def on_mount(self) -> None:
        """Only `begin` gives it the focus: Tab and the first focus are for rows."""
        self.query_one("#filter-mark", Lines).show((("/ ",),))
        self.query_one(Input).can_focus = False

    def begin(self, table: Table[Any]) -> None:
        """Let the filter of `table` be typed."""
        self.follow(table)
        self.add_class("-open")
        field = self.query_one(Input)
        field.can_focus = True
        self.screen.set_focus(field)  # at once: `focus` would let keys that are waiting pass it by

    def follow(self, table: Table[Any]) -> None:
        """Tell the filter of `table`, which is the one in front now."""
        if table is not self._table:
            self._table, self._mistake = table, ""
            kept = table.row_filter
            with self.prevent(Input.Changed):
                self.query_one(Input).value = kept.text if kept is not None else ""
        self.tell()

    def action_clear(self) -> None:
        """All rows again."""
        if self._table is not None:
            self._mistake = ""
            with self.prevent(Input.Changed):
                self.query_one(Input).value = ""
            self._table.narrow(None, only_wrong=False)
        self.action_keep()

    def action_keep(self) -> None:
        """Back to the rows; the filter stays."""
        self.query_one(Input).can_focus = False
        if self._table is not None:
            self.screen.set_focus(self._table)
        self.tell()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        table = self._table
        if table is None:
            return
        try:
            found = parse(event.value, table.arrangement.columns)
        except FilterError as error:
            table.narrow(None, only_wrong=table.is_only_wrong)
            self._mistake = str(error)
        else:
            self._mistake = ""
            table.narrow(found if found.tests else None, only_wrong=table.is_only_wrong)
        self.tell()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_keep()

    def tell(self) -> None:
        """Say how many rows are left and marked; a mistake stays said until something else is typed."""
        table, field = self._table, self.query_one(Input)
        if table is not None and table.is_too_slow:
            self._mistake = "this regular expression takes too long: given up"
        marked = 0 if table is None else len(table.arrangement.marked)
        if table is None or not (table.is_narrowed or field.has_focus or self._mistake or marked):
            self.remove_class("-open")
            return
        self.add_class("-open")
        if self._mistake:
            self._say(((self._mistake, Tone.WARN),))
            return
        hidden = table.arrangement.hidden_marks
        count = f"{marked} marked" + (f", {hidden} of them hidden" if hidden else "")
        marks: Line = ((count, Tone.WARN if hidden else Tone.ACCENT), ("  u clears  ", Tone.MUTED))
        wrong = ("only what is wrong  ", Tone.ACCENT) if table.is_only_wrong else ""
        left = f"{len(table.rows)} of {len(table.arrangement.given)}"
        keys = "Enter to the rows  Esc all" if field.has_focus else "/ change  Esc all"
        rest: Line = (wrong, (left, Tone.ACCENT), (f"  {keys}", Tone.MUTED))
        self._say((*(marks if marked else ()), *(rest if table.is_narrowed or field.has_focus else ())))

    def _say(self, line: Line) -> None:
        told = self.query_one("#filter-told", Lines)
        told.styles.width = line_width(line)
        told.show((line,))
