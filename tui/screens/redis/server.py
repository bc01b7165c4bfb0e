"""One Redis: its figures, clients, slow log, commands, and what it keeps."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget

from opsdash.collectors.errors import TargetError
from opsdash.collectors.format import age
from opsdash.collectors.redis.identities import ClientIdentity, DatabaseIdentity
from opsdash.collectors.redis.rows import ClientRow, Database, RedisData
from opsdash.collectors.target import TargetId
from opsdash.tui.actions.audit import AuditError
from opsdash.tui.screens.one_target import OneTarget, tabs
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line, Lines
from opsdash.widgets.messages import ActionRequested, DrillDown
from opsdash.widgets.panels.redis.figures import figure_lines, keyspace_lines
from opsdash.widgets.panels.redis.overview import server_lines
from opsdash.widgets.panels.redis.tables import (
    CLIENT_COLUMNS,
    COMMAND_COLUMNS,
    DATABASE_COLUMNS,
    SLOW_COLUMNS,
    SlowLine,
    client_lines,
    client_tone,
    database_lines,
    slow_lines,
)
from opsdash.widgets.status import Tone
from opsdash.widgets.table import LeafTable, Table

VIEWS = ("figures", "clients", "slowlog", "commands", "keyspace")
"""In the order of Tab; also the place names that findings lead to. All but the first have a table."""


class RedisScreen(OneTarget):
    """One server, one view at a time."""

    called = "one Redis"
    views = VIEWS

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("K", "kill", "kill client", id="terminate"),
        Binding("v", "reveal", "show arguments", id="reveal"),
    ]

    DEFAULT_CSS = """
    RedisScreen #head { height: 3; }
    RedisScreen #figures { height: 1fr; }
    RedisScreen #below { height: auto; max-height: 50%; }
    """

    def __init__(self, watch: Watch, target: TargetId, view: str) -> None:
        super().__init__(watch, target, view)
        self._revealed: dict[int, str] = {}
        """Arguments of slow log entries, by their id, until the view is left."""

    @property
    def _data(self) -> RedisData | None:
        data: RedisData | None = self._seen.data
        return data

    def body(self) -> Iterable[Widget]:
        """The first figures, the names of the views, the view."""
        yield Lines(id="head")
        yield Lines(id="tabs")
        with VerticalScroll(id="figures"):
            lines = Lines(id="lines")
            lines.styles.height = "auto"
            yield lines
        yield Table(CLIENT_COLUMNS, key=lambda r: r.id, tone=client_tone, id="clients")
        yield LeafTable(SLOW_COLUMNS, key=lambda r: r.entry.id, id="slowlog")
        yield LeafTable(COMMAND_COLUMNS, key=lambda r: r.name, id="commands")
        yield LeafTable(DATABASE_COLUMNS, key=lambda r: r.db, id="keyspace")
        yield Lines(id="below")

    def _open(self, view: str) -> None:
        self._revealed.clear()
        super()._open(view)

    def show_feed(self) -> None:
        """The newest good reading, whatever its age; the path line says how old it is."""
        data, width = self._data, self.size.width
        self.query_one("#tabs", Lines).show((self._tabs(data),))
        if data is None:
            self._show_nothing()
            return
        self.query_one("#head", Lines).show(server_lines(data, self._seen, width))
        below: tuple[Line, ...] = ()
        if self._view == "figures":
            self.query_one("#lines", Lines).show(figure_lines(data, width - 2))
        else:
            below = self._show_table(data, width)
        self.query_one("#below", Lines).show((*below, *self.reasons(width)))

    def _show_table(self, data: RedisData, width: int) -> tuple[Line, ...]:
        """Fill the table of the view; what belongs below it."""
        table = self.query_one(f"#{self._view}", Table)
        fill: dict[str, Callable[[RedisData], Any]] = {
            "clients": client_lines,
            "slowlog": lambda d: slow_lines(d, self._revealed),
            "commands": lambda d: d.commands,
            "keyspace": database_lines,
        }
        table.empty = self._empty(data)
        table.show(fill[self._view](data))
        if self._view == "keyspace":
            return keyspace_lines(data, width)
        if self._view == "commands":
            span = f"over {age(data.rates.span_s)}" if data.rates.span_s is not None else "not known yet"
            return (((f"CALLS/S and TIME {span}; the others since start", Tone.MUTED),),)
        listed_s = data.clients_read_s_ago
        if self._view == "clients" and listed_s is not None and listed_s > self._seen.target.interval_s:
            return (((f"the list is {age(listed_s)} old: long ones are read less often", Tone.MUTED),),)
        return ()

    def _empty(self, data: RedisData) -> str:
        """What an empty table means: nothing there, or not read."""
        unread = {"clients": data.clients is None, "slowlog": data.slowlog is None}
        if not unread.get(self._view):
            return {"clients": "● no clients but opsdash", "slowlog": "● the slow log is empty"}.get(
                self._view, ""
            )
        return "\n".join(("? not read", *data.limits))

    def _show_nothing(self) -> None:
        says = self._nothing_known()
        if self._view == "figures":
            self.query_one("#lines", Lines).show([(line,) for line in says.split("\n")])
        else:
            self.query_one(f"#{self._view}", Table).empty = says

    def _tabs(self, data: RedisData | None) -> Line:
        if data is None:
            return tabs(VIEWS, self._view, {})
        counts = {
            "clients": "-" if data.connected_clients is None else str(data.connected_clients),
            "slowlog": "-" if data.slowlog is None else str(len(data.slowlog)),
            "keyspace": str(len(data.databases)),
        }
        return (*tabs(VIEWS, self._view, counts), (data.title, Tone.MUTED))

    @property
    def _row(self) -> Any:
        """The row under the cursor; None where there is none."""
        if not self.is_mounted or self._view == "figures":
            return None
        return self.query_one(f"#{self._view}", Table).cursor_row

    def on_table_chosen(self, message: Table.Chosen[Any]) -> None:
        """Enter: the client; the arguments of a slow command; nothing else leads further."""
        identity = self._client()
        if identity is not None:
            self.post_message(DrillDown(self._target, "client", identity))

    def on_table_cursor_moved(self) -> None:
        """Other keys may work on another row."""
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """K only on a client, v only on an entry of the slow log."""
        if action == "kill":
            return isinstance(self._row, ClientRow)
        if action == "reveal":
            return isinstance(self._row, SlowLine)
        return super().check_action(action, parameters)

    def forget(self) -> None:
        """Show nothing of the server before."""
        self._revealed.clear()
        super().forget()

    # -- acting ---------------------------------------------------------------------------------------

    def _client(self) -> ClientIdentity | None:
        row, data = self._row, self._data
        return data.client_identity(row) if data is not None and isinstance(row, ClientRow) else None

    def _clients(self) -> tuple[ClientIdentity, ...]:
        """The marked clients, else the one under the cursor; empty elsewhere."""
        data = self._data
        if data is None or self._view != "clients":
            return ()
        rows = self.query_one("#clients", Table).chosen_rows
        found = (data.client_identity(row) for row in rows)
        return tuple(found)

    def suggestions(self) -> ActionRequested | None:
        """What `a` offers: on clients, their end; elsewhere what acts on the server and a database of it."""
        clients, row, data = self._clients(), self._row, self._data
        if clients:
            return ActionRequested("", self._target, clients)
        if data is None:
            return None
        db = row.db if isinstance(row, Database) else data.default_db
        return ActionRequested("", self._target, (DatabaseIdentity(data.run_id, db),))

    def action_kill(self) -> None:
        """Ask for the end of the marked clients, or of the one under the cursor."""
        clients = self._clients()
        if clients:
            self.post_message(ActionRequested("redis.kill_client", self._target, clients))

    def action_reveal(self) -> None:
        """Read the arguments of one slow command; masked again on leaving the view."""
        if isinstance(self._row, SlowLine):
            self.run_worker(self._reveal(self._row.entry.id), exit_on_error=False, exclusive=True)

    async def _reveal(self, entry: int) -> None:
        from opsdash.collectors.redis.drill import slow_arguments  # redis: only when asked for

        try:
            await self.watch_over.gateway.record("reveal", target=str(self._target), slowlog=entry)
            found = await slow_arguments(self._seen.target, entry)
        except (AuditError, TargetError) as error:
            self.notice(str(error), Tone.CRIT)
            return
        if found is None:
            self.notice("the entry has left the slow log")
        elif self._view == "slowlog":
            self._revealed[entry] = found
            self.redraw()
