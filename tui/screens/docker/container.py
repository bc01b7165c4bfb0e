"""One container in full: its state, what it was started with, its processes, its events."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.events import ScreenSuspend
from textual.widget import Widget

from opsdash.collectors.docker.detail import ContainerDetail, Processes, read_detail, read_processes
from opsdash.collectors.docker.rows import Container, ContainerIdentity, EngineData
from opsdash.collectors.errors import TargetError
from opsdash.collectors.target import TargetId
from opsdash.tui.actions.audit import AuditError
from opsdash.tui.screens.docker.looking import Looking
from opsdash.tui.screens.docker.repeated import Repeated
from opsdash.tui.screens.one_target import tabs
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line, Lines, labelled
from opsdash.widgets.messages import ActionRequested
from opsdash.widgets.panels.docker.container import container_detail, same_container, successor
from opsdash.widgets.panels.docker.detail import (
    ENV_COLUMNS,
    EnvLine,
    detail_lines,
    env_lines,
    process_columns,
    process_lines,
)
from opsdash.widgets.panels.docker.events import OWN_EVENT_COLUMNS, event_key, event_lines, known_since
from opsdash.widgets.scroll import Scroll
from opsdash.widgets.status import Tone
from opsdash.widgets.table import LeafTable, Table

DETAIL_EVERY_S = 15.0
"""What a container was started with changes with it only; a rename or update comes with the next look."""
PROCESSES_EVERY_S = 3.0


class ContainerScreen(Looking):
    """Follows one container by its id: when it is gone, the screen says so."""

    called = "one container"
    views = ("state", "environment", "processes", "events")

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "logs", "logs", id="logs"),
        Binding("v", "reveal", "show value", id="reveal"),
    ]

    DEFAULT_CSS = """
    ContainerScreen #state { height: 1fr; }
    """

    def __init__(self, watch: Watch, target: TargetId, identity: ContainerIdentity) -> None:
        super().__init__(watch, target, "state")
        self._container_id = identity.id
        self._known: Container | None = None
        """As it was last seen."""
        self._revealed: dict[str, str] = {}
        """Values of its environment, by name, until the view is left."""
        settings = watch.feed.view(target).target
        self._detail_read: Repeated[ContainerDetail] = Repeated(
            lambda: read_detail(settings, identity.id), DETAIL_EVERY_S, watch.clock
        )
        self._processes_read: Repeated[Processes] = Repeated(
            lambda: read_processes(settings, identity.id), PROCESSES_EVERY_S, watch.clock
        )
        self._titles: tuple[str, ...] = ()

    @property
    def step(self) -> str:
        """Its name; before it was seen, its id."""
        return self._known.name if self._known is not None else self._container_id[:12]

    def body(self) -> Iterable[Widget]:
        """The names of the views, the view, and what is to be said of it."""
        yield Lines(id="tabs")
        with Scroll(id="state"):
            detail = Lines(id="detail")
            detail.styles.height = "auto"
            yield detail
        yield LeafTable(ENV_COLUMNS, key=lambda r: r.name, id="environment")
        yield LeafTable(process_columns(()), key=lambda r: r.key, id="processes")
        yield LeafTable(OWN_EVENT_COLUMNS, key=event_key, empty="● no events of this container", id="events")
        yield Lines(id="why")

    def _open(self, view: str) -> None:
        self._revealed.clear()
        super()._open(view)

    def show_feed(self) -> None:
        """What the newest good reading says of it, and what was asked of the engine besides."""
        data = self._data
        if data is not None:
            self._follow(same_container(data, self._container_id))
        self._read_what_is_due()
        self.query_one("#tabs", Lines).show((self._tabs(data),))
        show: dict[str, Callable[[EngineData | None], tuple[Line, ...]]] = {
            "state": self._show_state,
            "environment": lambda _: self._show_environment(),
            "processes": lambda _: self._show_processes(),
            "events": self._show_events,
        }
        self.query_one("#why", Lines).show(show[self._view](data))

    def _follow(self, container: Container | None) -> None:
        """Another run of it may have been started otherwise."""
        if container is None:
            return
        if self._known is not None and container.identity != self._known.identity:
            self._detail_read.ask_again()
            self._processes_read.ask_again()
        self._known = container

    def _tabs(self, data: EngineData | None) -> Line:
        counts = {} if data is None else {"events": str(len(event_lines(data, self._container_id)))}
        if self._detail_read.value is not None:
            counts["environment"] = str(len(self._detail_read.value.env))
        return tabs(self.views, self._view, counts)

    # -- views ----------------------------------------------------------------------------------------

    def _show_state(self, data: EngineData | None) -> tuple[Line, ...]:
        self.query_one("#detail", Lines).show(self._state_lines(data, max(self.size.width - 2, 20)))
        return ()

    def _state_lines(self, data: EngineData | None, width: int) -> tuple[Line, ...]:
        if data is None:
            return tuple((line,) for line in self._nothing_known().split("\n"))
        container = same_container(data, self._container_id)
        if container is None:
            return self._gone(data, width)
        findings = self.watch_over.findings_of(self._target)
        lines = container_detail(data, self._seen, container, findings, width)
        started = self._detail_read.value
        more = () if started is None else detail_lines(started, width)
        return (*lines, *more, *self._unread(self._detail_read, width))

    def _gone(self, data: EngineData, width: int) -> tuple[Line, ...]:
        text = f"the engine has no container {self._container_id[:12]} any more"
        lines = labelled("gone", text, width=width, tone=Tone.WARN)
        other = successor(data, self._known) if self._known is not None else None
        if other is None:
            return lines
        text = f"{other.name} is another container now, {other.short_id}: Esc leads to the list of all"
        return (*lines, *labelled("in its place", text, width=width))

    def _show_environment(self) -> tuple[Line, ...]:
        table, started = self.query_one("#environment", Table), self._detail_read.value
        table.empty = self._why_empty(self._detail_read, "● its environment is empty")
        table.show(() if started is None else env_lines(started, self._revealed))
        row = self._variable
        if row is None:
            return ()
        told = row.value if row.value is not None else "masked: v shows it, which is recorded"
        return labelled(row.name, told, width=self.size.width, indent=len(row.name) + 2)

    def _show_processes(self) -> tuple[Line, ...]:
        table, found = self.query_one("#processes", Table), self._processes_read.value
        if found is not None and found.titles != self._titles:
            self._titles = found.titles
            table.set_columns(process_columns(found.titles))
        table.empty = self._why_empty(self._processes_read, "● it does not run, so it has no processes")
        table.show(() if found is None else process_lines(found))
        return self._unread(self._processes_read, self.size.width)

    def _show_events(self, data: EngineData | None) -> tuple[Line, ...]:
        if data is None:
            return ()
        self.query_one("#events", Table).show(event_lines(data, self._container_id))
        return (known_since(data),)

    def _why_empty(self, read: Repeated[Any], nothing: str) -> str:
        if read.failure is not None and read.value is None:
            return f"✖ {read.failure}"
        return nothing if read.is_answered else "? asking the engine"

    def _unread(self, read: Repeated[Any], width: int) -> tuple[Line, ...]:
        """Why what stands there is not the newest."""
        if read.failure is None:
            return ()
        hint = f"; {read.failure.hint}" if read.failure.hint else ""
        return labelled("not read", f"{read.failure}{hint}", width=width, tone=Tone.WARN)

    # -- reading --------------------------------------------------------------------------------------

    def _read_what_is_due(self) -> None:
        """Ask the engine in the background; the answer is drawn when it is there."""
        if self._detail_read.is_due:
            self.run_worker(self._read(self._detail_read), exit_on_error=False)
        if self._view == "processes" and self._processes_read.is_due:
            self.run_worker(self._read(self._processes_read), exit_on_error=False)

    async def _read(self, read: Repeated[Any]) -> None:
        is_first = not read.is_answered
        await read.read()
        if is_first:
            self.redraw()  # what its view was opened for, also while paused
        else:
            self.follow()

    def on_screen_suspend(self, event: ScreenSuspend) -> None:
        """Another screen is in front: what was revealed is masked again."""
        if self._in_front is not self:
            self._revealed.clear()
        super().on_screen_suspend(event)

    def in_view(self) -> tuple[tuple[str, ...], str | None]:
        """This one alone."""
        return (self._container_id,), self._container_id

    # -- keys -----------------------------------------------------------------------------------------

    def on_table_cursor_moved(self) -> None:
        """Other keys may work on another row, and a variable is told in full."""
        self.refresh_bindings()
        if self._view == "environment":
            self.show_feed()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is no neighbour of one container; values are shown of its environment only."""
        if action == "neighbour":
            return False
        if action == "reveal":
            return self._variable is not None
        return super().check_action(action, parameters)

    @property
    def _variable(self) -> EnvLine | None:
        """The variable under the cursor."""
        if not self.is_mounted or self._view != "environment":
            return None
        row: EnvLine | None = self.query_one("#environment", Table).cursor_row
        return row

    def suggestions(self) -> ActionRequested | None:
        """What `a` offers here: every action on it, as it is in the newest reading."""
        if self._known is None:
            return None
        return ActionRequested("", self._target, (self._known.identity,), about=self._known.name)

    def action_logs(self) -> None:
        """The lines that it prints."""
        from opsdash.tui.screens.logs.lines import open_logs  # a screen of its own: not always needed

        self.app.push_screen(open_logs(self.watch_over, (self._container_id,)))

    def action_reveal(self) -> None:
        """Read one value of its environment; masked again on leaving the view."""
        row = self._variable
        if row is not None:
            self.run_worker(self._reveal(row.name), exit_on_error=False, exclusive=True, group="reveal")

    async def _reveal(self, name: str) -> None:
        from opsdash.collectors.docker.detail import reveal_env

        try:
            await self.watch_over.gateway.record(
                "reveal", target=str(self._target), container=self._container_id, env=name
            )
            found = await reveal_env(self._seen.target, self._container_id, name)
        except (AuditError, TargetError) as error:
            self.notice(str(error), Tone.CRIT)
            return
        if found is None:
            self.notice("the container is gone, or has no such variable any more")
        elif self._view == "environment":
            self._revealed[name] = found
            self.redraw()
