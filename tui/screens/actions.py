"""Area 9: the actions of this session, running and ended, and the record of all sessions."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from opsdash.collectors.clock import Clock
from opsdash.collectors.format import plural
from opsdash.tui.actions.chain import Record
from opsdash.tui.actions.records import RecordsUnread, last_records, word
from opsdash.tui.actions.running import Running
from opsdash.tui.screens.confirm import OUTCOME_TONES, run_lines, run_summary
from opsdash.tui.screens.dialog import Dialog
from opsdash.tui.screens.one_target import tabs
from opsdash.tui.screens.place import Place
from opsdash.widgets.columns import Column
from opsdash.widgets.lines import Line, Lines, labelled
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table

VIEWS = ("actions", "record")


def run_tone(run: Running) -> Tone:
    """By its outcome; yellow while it runs."""
    return OUTCOME_TONES[run.outcome.kind] if run.outcome else Tone.WARN


def record_tone(record: Record) -> Tone:
    """A changed record is red; so is an outcome that is not known, or failed."""
    if not record.is_sealed:
        return Tone.CRIT
    return {"failed": Tone.CRIT, "unknown": Tone.WARN, "done": Tone.OK}.get(
        word(record, "outcome"), Tone.NORMAL
    )


def _said(record: Record) -> str:
    what = word(record, "title") or word(record, "action")
    told = " · ".join(filter(None, (what, *(word(record, name) for name in ("outcome", "text", "how")))))
    return told if record.is_sealed else f"changed by hand: {told}"


RECORD_COLUMNS: tuple[Column[Record], ...] = (
    Column(key="at", title="AT (UTC)", width=19, cell=lambda r: word(r, "time")[:19].replace("T", " ")),
    Column(key="event", title="EVENT", width=9, cell=lambda r: word(r, "event")),
    Column(key="target", title="TARGET", width=18, cell=lambda r: word(r, "target")),
    Column(key="said", title="WHAT", width=20, grow=3, cell=_said),
    Column(key="who", title="WHO", width=14, grow=1, priority=1, cell=lambda r: word(r, "who")),
)


class ActionsScreen(Place):
    """This session's actions, newest first, Enter shows the steps; on Tab the record of all sessions."""

    called = "actions"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "abort", "abort", id="actions.abort"),
        Binding("tab,shift+tab", "turn", "actions, record", id="actions.turn", priority=True),
    ]

    DEFAULT_CSS = """
    ActionsScreen #tabs { height: 1; }
    """

    _view = "actions"

    def crumbs(self) -> tuple[Line, Line]:
        """Where we are."""
        return (("Overview › ", ("9 Actions", Tone.ACCENT)), ())

    def body(self) -> Iterable[Widget]:
        """The two lists, one at a time."""
        columns: tuple[Column[Running], ...] = (
            Column(key="at", title="AT (UTC)", width=8, cell=lambda r: r.started_at.strftime("%H:%M:%S")),
            Column(key="target", title="TARGET", width=14, cell=lambda r: r.planned.plan.target.name),
            Column(key="title", title="ACTION", width=26, grow=1, cell=lambda r: r.planned.plan.title),
            Column(
                key="outcome",
                title="OUTCOME",
                width=20,
                grow=1,
                cell=lambda r: (run_summary(r, self.watch_over.clock.now()), run_tone(r)),
            ),
        )
        yield Lines(id="tabs")
        yield Table(
            columns,
            key=lambda r: r.id,
            empty="no action was run in this session\nTab: the record of all sessions",
            id="actions",
        )
        yield Table(RECORD_COLUMNS, key=lambda r: r.hash, tone=record_tone, id="record")

    def on_mount(self) -> None:
        """Start with this session's."""
        super().on_mount()
        self._open("actions")

    def _open(self, view: str) -> None:
        self._view = view
        for name in VIEWS:
            self.query_one(f"#{name}").display = name == view
        self.query_one(f"#{view}").focus()
        if view == "record":
            self.run_worker(self._read(), exit_on_error=False, exclusive=True, name="record")
        self.redraw()
        self.refresh_bindings()

    async def _read(self) -> None:
        """Read the record anew; a disk that hangs is said, and waited for by nobody."""
        table = self.query_one("#record", Table)
        try:
            table.show(await last_records(self.watch_over.gateway.record_path))
            table.empty = "nothing was recorded yet"
        except RecordsUnread as error:
            table.empty = str(error)

    def show_feed(self) -> None:
        """All runs."""
        self.query_one("#tabs", Lines).show((tabs(VIEWS, self._view, {}),))
        table = self.query_one("#actions", Table)
        table.show(self.watch_over.gateway.runs)
        table.repaint()

    @property
    def _chosen(self) -> Running | None:
        if not self.is_mounted or self._view != "actions":
            return None
        row: Running | None = self.query_one("#actions", Table).cursor_row
        return row

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Abort only what runs."""
        if action == "abort":
            return self._chosen is not None and not self._chosen.is_done
        return super().check_action(action, parameters)

    def action_turn(self) -> None:
        """The other list."""
        self._open("record" if self._view == "actions" else "actions")

    def action_abort(self) -> None:
        """Stop following it; what was sent stays sent."""
        if self._chosen is not None:
            self._chosen.abort()

    def on_table_cursor_moved(self) -> None:
        """Another action may still be running, or not."""
        self.refresh_bindings()

    def on_table_chosen(self, message: Table.Chosen[Any]) -> None:
        """Enter: the steps of an action, or all that a record says."""
        if isinstance(message.row, Running):
            self.app.push_screen(RunDialog(self.watch_over.clock, message.row))
        else:
            self.app.push_screen(RecordDialog(self.watch_over.clock, message.row))


class RecordDialog(Dialog[None]):
    """All members of one record."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "back", id="record.back")]

    def __init__(self, clock: Clock, record: Record) -> None:
        super().__init__(clock)
        self._record = record

    def title_text(self) -> str:
        """Its number and whether it stands as it was written."""
        return f"Record {self._record.seq}" + ("" if self._record.is_sealed else ": changed by hand")

    def content(self, width: int) -> Sequence[Line]:
        """A line per member."""
        lines: list[Line] = [()]
        for name in self._record.fields:
            lines += labelled(name, word(self._record, name), width=width)
        room = max(self.app.size.height - 7, 1)
        left = len(lines) - room
        more: tuple[Line, ...] = ()
        if left > 0:
            more = (((f"… {plural(left, 'more line')}: opsdash audit show --json has all", Tone.MUTED),),)
        return (*lines[:room], *more, (), (("Esc", Tone.ACCENT), " back"))


class RunDialog(Dialog[None]):
    """The steps of one action, as they come."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "back", id="run.back")]

    def __init__(self, clock: Clock, run: Running) -> None:
        super().__init__(clock)
        self._run = run

    def title_text(self) -> str:
        """What ran where."""
        return f"{self._run.planned.plan.title} on {self._run.planned.plan.target.name}"

    def content(self, width: int) -> Sequence[Line]:
        """Steps and outcome."""
        return (
            (),
            *run_lines(self._run, width, self.app.size.height - 7),
            (),
            (("Esc", Tone.ACCENT), " back"),
        )
