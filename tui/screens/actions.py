"""Area 9: the actions of this session, running and ended."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from opsdash.collectors.clock import Clock
from opsdash.tui.actions.running import Running
from opsdash.tui.screens.confirm import OUTCOME_TONES, run_lines, run_summary
from opsdash.tui.screens.dialog import Dialog
from opsdash.tui.screens.place import Place
from opsdash.widgets.columns import Column
from opsdash.widgets.lines import Line
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table


def run_tone(run: Running) -> Tone:
    """By its outcome; yellow while it runs."""
    return OUTCOME_TONES[run.outcome.kind] if run.outcome else Tone.WARN


class ActionsScreen(Place):
    """Newest first; Enter shows the steps."""

    called = "actions"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("b", "abort", "abort", id="actions.abort")]

    def crumbs(self) -> tuple[Line, Line]:
        """Where we are."""
        return (("Overview › ", ("9 Actions", Tone.ACCENT)), ())

    def body(self) -> Iterable[Widget]:
        """The list."""
        columns: tuple[Column[Running], ...] = (
            Column(key="at", title="AT", width=8, cell=lambda r: r.started_at.strftime("%H:%M:%S")),
            Column(key="target", title="TARGET", width=14, cell=lambda r: r.planned.plan.target.name),
            Column(key="title", title="ACTION", width=26, cell=lambda r: r.planned.plan.title),
            Column(
                key="outcome",
                title="OUTCOME",
                width=20,
                grow=1,
                cell=lambda r: (run_summary(r, self.watch_over.clock.now()), run_tone(r)),
            ),
        )
        yield Table(
            columns,
            key=lambda r: r.id,
            empty="no action was run in this session; opsdash audit show has earlier ones",
            id="runs",
        )

    def on_mount(self) -> None:
        """Start in the list."""
        super().on_mount()
        self.query_one("#runs").focus()

    def show_feed(self) -> None:
        """All runs."""
        table = self.query_one("#runs", Table)
        table.show(self.watch_over.gateway.runs)
        table.repaint()

    @property
    def _chosen(self) -> Running | None:
        row: Running | None = self.query_one("#runs", Table).cursor_row if self.is_mounted else None
        return row

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Abort only what runs."""
        if action == "abort":
            return self._chosen is not None and not self._chosen.is_done
        return super().check_action(action, parameters)

    def action_abort(self) -> None:
        """Stop following it; what was sent stays sent."""
        if self._chosen is not None:
            self._chosen.abort()

    def on_table_chosen(self, message: Table.Chosen[Running]) -> None:
        """Enter: its steps."""
        self.app.push_screen(RunDialog(self.watch_over.clock, message.row))


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
