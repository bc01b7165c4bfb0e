"""One Docker engine: its containers, the compose services that they belong to, its events."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import msgspec
from textual.binding import Binding, BindingType
from textual.widget import Widget

from opsdash.collectors.docker.concern import concerned
from opsdash.collectors.docker.rows import ContainerIdentity, EngineData
from opsdash.collectors.format import plural
from opsdash.collectors.target import TargetId
from opsdash.tui.screens.docker.looking import Looking
from opsdash.tui.screens.one_target import tabs
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line, Lines, labelled
from opsdash.widgets.messages import ActionRequested, DrillDown
from opsdash.widgets.panel import reason_lines
from opsdash.widgets.panels.docker.containers import (
    CONTAINER_COLUMNS,
    NARROW_COLUMNS,
    ContainerLine,
    container_lines,
    visible_ids,
    worst_lines,
)
from opsdash.widgets.panels.docker.engine import LEGEND, head_lines
from opsdash.widgets.panels.docker.events import EVENT_COLUMNS, EventLine, event_key, event_lines, known_since
from opsdash.widgets.panels.docker.services import SERVICE_COLUMNS, ServiceLine, service_lines
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table

WIDE = 100
"""From this width on state and health have a column each."""

_EMPTY = {
    "containers": "● the engine has no containers",
    "services": "● no container was made by compose",
    "events": "● no events of containers",
}


class EngineScreen(Looking):
    """One engine, one of its tables at a time."""

    called = "one Docker engine"
    views = ("containers", "services", "events")

    BINDINGS: ClassVar[list[BindingType]] = [Binding("l", "logs", "logs", id="logs")]

    def __init__(self, watch: Watch, target: TargetId, view: str, identity: ContainerIdentity | None) -> None:
        super().__init__(watch, target, view)
        self._first = identity
        self._is_wide: bool | None = None

    def body(self) -> Iterable[Widget]:
        """Figures, the names of the tables, the table, and why."""
        yield Lines(id="head")
        yield Lines(id="tabs")
        yield Table(CONTAINER_COLUMNS, key=lambda r: r.container.id, id="containers")
        yield Table(SERVICE_COLUMNS, key=lambda r: r.identity, id="services")
        yield Table(EVENT_COLUMNS, key=event_key, id="events")
        yield Lines(id="why")

    @property
    def _table(self) -> Table[Any]:
        return self.query_one(f"#{self._view}", Table)

    @property
    def _row(self) -> Any:
        """The row under the cursor; None where there is none."""
        return self._table.cursor_row if self.is_mounted else None

    def show_feed(self) -> None:
        """The newest good reading, whatever its age; the path line says how old it is."""
        data, width = self._data, self.size.width
        self.query_one("#tabs", Lines).show((self._tabs(data),))
        if data is None:
            self._table.empty = self._nothing_known()
            self.query_one("#why", Lines).show(())
            return
        seen, findings = self._seen, self.watch_over.findings
        fill: dict[str, Callable[[], tuple[Any, ...]]] = {
            "containers": lambda: container_lines(data, seen, findings),
            "services": lambda: service_lines(data, seen, findings),
            "events": lambda: event_lines(data),
        }
        if self._is_wide is not (width >= WIDE):
            self._is_wide = width >= WIDE
            columns = CONTAINER_COLUMNS if self._is_wide else NARROW_COLUMNS
            self.query_one("#containers", Table).set_columns(columns)
        self._table.empty = _EMPTY[self._view]
        self._table.show(fill[self._view]())
        if self._first is not None and self._view == "containers":
            self._table.go_to(self._first.id)
            self._first = None
        mono_s = self.watch_over.clock.mono_s()
        shown = self.in_view()[0]
        self.query_one("#head", Lines).show(head_lines(data, seen, shown, mono_s=mono_s, width=width))
        self._show_why(data, width)

    def _tabs(self, data: EngineData | None) -> Line:
        if data is None:
            return tabs(self.views, self._view, {})
        services = {(c.project, c.service) for c in data.containers if c.service is not None}
        counts = {
            "containers": str(len(data.containers)),
            "services": str(len(services)),
            "events": str(len(data.events)),
        }
        return tabs(self.views, self._view, counts)

    def _show_why(self, data: EngineData, width: int) -> None:
        """Below the table: why reads fail, what is wrong with the row; last, what the table means."""
        lines: list[Line] = []
        failure = self._seen.failure
        if failure is not None:
            words = failure.reason + (f"; {failure.hint}" if failure.hint else "")
            lines += labelled("stale", words, width=width, tone=Tone.WARN)
        lines += self._findings_of_row(width)
        meaning = {"events": known_since(data), "containers": LEGEND}.get(self._view)
        notes = () if meaning is None else (meaning,)
        room = max(self.size.height * 3 // 10, 2) - len(notes)
        if len(lines) > room:
            told = f"… {plural(len(lines) - room + 1, 'more line')}; Enter shows the container in full"
            lines = [*lines[: room - 1], ((told, Tone.MUTED),)]
        self.query_one("#why", Lines).show((*lines, *notes))

    def _findings_of_row(self, width: int) -> tuple[Line, ...]:
        ids = frozenset(ids_of(self._row))
        findings = self.watch_over.findings_of(self._target)
        return reason_lines([finding for finding in findings if ids & concerned(finding)], width)

    def in_view(self) -> tuple[tuple[str, ...], str | None]:
        """The containers whose usage can be seen: rows, or those behind the rows of services."""
        if not self.is_mounted or self._view == "events":
            return (), None
        rows = self._table.visible_rows
        if self._view == "containers":
            return visible_ids(rows), None
        ids = (c.id for row in rows for c in row.containers if c.state == "running")
        return tuple(dict.fromkeys(ids)), None

    def on_table_cursor_moved(self) -> None:
        """Other keys may work on another row, other rows may be in view, and the cause may be another."""
        self.refresh_bindings()
        if self._data is not None:
            self._show_why(self._data, self.size.width)
        self.look()

    def on_table_chosen(self, message: Table.Chosen[Any]) -> None:
        """Enter: the container; of a service its worst one."""
        data, row = self._data, message.row
        if isinstance(row, ServiceLine) and data is not None:
            lines = worst_lines(container_lines(data, self._seen, self.watch_over.findings))
            ids = {container.id for container in row.containers}
            self._first = next(line.container.identity for line in lines if line.container.id in ids)
            self._open("containers")
            return
        identity = self._identity(row)
        if isinstance(identity, ContainerIdentity):
            self.post_message(DrillDown(self._target, "container", identity))

    def _identity(self, row: object) -> msgspec.Struct | None:
        """What a row is about: a run of a container, or a service; None where it is gone."""
        if isinstance(row, ServiceLine):
            return row.identity
        ids, data = ids_of(row), self._data
        if data is None or not ids:
            return None
        return next((c.identity for c in data.containers if c.id == ids[0]), None)

    def suggestions(self) -> ActionRequested | None:
        """What `a` offers here: every action on the marked rows, or on the one under the cursor."""
        found = {self._identity(row): row for row in self._table.chosen_rows} if self.is_mounted else {}
        identities = tuple(identity for identity in found if identity is not None)
        if not identities:
            return None
        return ActionRequested("", self._target, identities, about=_name(found[identities[0]]))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Logs only where the row is about a container."""
        return bool(ids_of(self._row)) if action == "logs" else super().check_action(action, parameters)

    def action_logs(self) -> None:
        """The lines that the containers of the row print."""
        from opsdash.tui.screens.logs.lines import open_logs  # a screen of its own: not always needed

        self.app.push_screen(open_logs(self.watch_over, ids_of(self._row)))


def _name(row: object) -> str:
    """What people call the thing that a row is about; empty for a service, whose identity says it."""
    if isinstance(row, ContainerLine):
        return row.container.name
    return row.event.name if isinstance(row, EventLine) else ""


def ids_of(row: object) -> tuple[str, ...]:
    """The containers that a row of one of the tables is about."""
    if isinstance(row, ContainerLine):
        return (row.container.id,)
    if isinstance(row, ServiceLine):
        return tuple(container.id for container in row.containers)
    return (row.event.container,) if isinstance(row, EventLine) else ()
