"""One PostgreSQL server: its sessions, who blocks whom, its connections and its databases."""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from opsdash.collectors.finding import Finding
from opsdash.collectors.format import plural
from opsdash.collectors.postgres.rows import InstanceIdentity, PostgresData, SessionIdentity, SessionRow
from opsdash.collectors.postgres.statement_rows import StatementId
from opsdash.collectors.target import TargetId
from opsdash.tui.actions import registry
from opsdash.tui.screens.one_target import OneTarget
from opsdash.tui.screens.postgres.statement import StatementScreen
from opsdash.tui.screens.postgres.tabs import fitting_tabs
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line, Lines, labelled, line_width
from opsdash.widgets.messages import ActionRequested, DrillDown
from opsdash.widgets.panel import reason_lines
from opsdash.widgets.panels.postgres.blocked import BLOCKED_COLUMNS, BlockedLine, blocked_lines, blocked_tone
from opsdash.widgets.panels.postgres.overview import connections_line, rates_line, version_word
from opsdash.widgets.panels.postgres.replication import (
    REPLICATION_COLUMNS,
    ReplicationLine,
    replication_lines,
)
from opsdash.widgets.panels.postgres.sessions import (
    SESSION_COLUMNS,
    SessionLine,
    session_lines,
    thresholds_of,
)
from opsdash.widgets.panels.postgres.statements import (
    STATEMENT_COLUMNS,
    Scope,
    StatementLine,
    nothing_to_show,
    scope_lines,
    statement_lines,
)
from opsdash.widgets.panels.postgres.targets import COUNT_COLUMNS, DATABASE_COLUMNS, count_lines
from opsdash.widgets.status import Tone
from opsdash.widgets.table import LeafTable, Table


def backend(line: SessionLine) -> tuple[int, datetime | None]:
    """The key of a row: a pid alone is reused, and would take the cursor along to another's session."""
    return (line.session.pid, line.session.backend_start)


_ALONE = "● nobody follows this server, it follows nobody, and there is no replication slot"


class ServerScreen(OneTarget):
    """One server, one of its tables at a time."""

    called = "one PostgreSQL server"

    views = ("sessions", "blocked", "statements", "connections", "databases", "replication")

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("K", "act('postgres.terminate')", "terminate", id="terminate"),
        Binding("C", "act('postgres.cancel')", "cancel", id="cancel"),
        Binding("e", "explain", "explain", id="explain"),
        Binding("t", "scope", "time", id="statements.scope"),
    ]

    def __init__(self, watch: Watch, target: TargetId, view: str, identity: SessionIdentity | None) -> None:
        super().__init__(watch, target, view)
        self._unfolded: set[str] = set()
        self._first: SessionIdentity | None = identity
        self._scope = Scope.LIVE

    @property
    def _data(self) -> PostgresData | None:
        data: PostgresData | None = self._seen.data
        return data

    def body(self) -> Iterable[Widget]:
        """Figures, the names of the tables, the table, and why."""
        yield Lines(id="head")
        yield Lines(id="tabs")
        yield Table(SESSION_COLUMNS, key=backend, tone=lambda r: r.tone, id="sessions")
        yield Table(
            BLOCKED_COLUMNS,
            key=lambda r: r.row.key,
            tone=blocked_tone,
            empty="● nobody waits for a lock",
            id="blocked",
        )
        yield Table(STATEMENT_COLUMNS, key=lambda r: r.row.identity, id="statements")
        yield LeafTable(COUNT_COLUMNS, key=lambda r: (r.by, r.name), id="connections")
        yield LeafTable(DATABASE_COLUMNS, key=lambda r: r.name, id="databases")
        yield LeafTable(REPLICATION_COLUMNS, key=lambda r: r.key, id="replication")
        yield Lines(id="why")

    @property
    def _table(self) -> Table[Any]:
        return self.query_one(f"#{self._view}", Table)

    def show_feed(self) -> None:
        """The newest good reading, whatever its age; the path line says how old it is."""
        data = self._data
        width = self.size.width
        self.query_one("#tabs", Lines).show((self._tabs(data),))
        if data is None:
            self._table.empty = self._nothing_known()
            self.query_one("#why", Lines).show(())
            return
        seen = self._seen
        self.query_one("#head", Lines).show(
            (connections_line(data, seen, width), rates_line(data, seen, width))
        )
        fill: dict[str, Callable[[PostgresData], tuple[Any, ...]]] = {
            "sessions": lambda _: session_lines(seen),
            # a filter looks at those too that a line would fold away
            "blocked": lambda d: blocked_lines(d, None if self._table.is_narrowed else self._unfolded),
            "statements": self._statements,
            "connections": lambda d: count_lines(d.connections),
            "databases": lambda d: (d.total, *d.databases),
            "replication": self._replication,
        }
        self._table.show(fill[self._view](data))
        self._look()
        if self._first is not None:
            first = (self._first.pid, self._first.backend_start)
            self._table.go_to(str(self._first.pid) if self._view == "blocked" else first)
            self._first = None
        self._show_why(data, width)

    def _statements(self, data: PostgresData) -> tuple[StatementLine, ...]:
        words = nothing_to_show(data.statements, self._scope)
        self._table.empty = "\n".join(textwrap.wrap(words, max(self.size.width - 4, 20)))
        return statement_lines(data.statements, self._scope) if data.statements is not None else ()

    def _replication(self, data: PostgresData) -> tuple[ReplicationLine, ...]:
        seen = data.replication
        words = "? not read yet" if seen is None else f"? {seen.limit}" if seen.limit else _ALONE
        self._table.empty = "\n".join(textwrap.wrap(words, max(self.size.width - 4, 20)))
        return replication_lines(seen, thresholds_of(self._seen)) if seen is not None else ()

    def _look(self) -> None:
        """What statements cost, and how they read, is only asked for while they are on the screen."""
        if not self.is_current:
            return
        visible: tuple[str, ...] = ()
        if self._view == "statements":
            table = self._table
            top = round(table.scroll_y)
            shown = table.rows[top : top + table.body_height]
            visible = tuple(str(line.row.identity) for line in shown)
        self.watch_over.look_at(self._target, visible, self._view)

    def on_screen_suspend(self) -> None:
        """Nobody looks here any more."""
        self.watch_over.look_at(self._target, ())

    def _tabs(self, data: PostgresData | None) -> Line:
        counts = {}
        if data is not None:
            counts = {
                "sessions": str(len(data.sessions)),
                "blocked": str(len(data.waits)),
                "connections": f"{data.connections.used}/{data.connections.usable}",
                "statements": str(len(data.statements.rows)) if data.statements is not None else "-",
                "databases": str(len(data.databases)),
            }
        names = fitting_tabs(self.views, self._view, counts, self.size.width)
        version: Line = ((version_word(data), Tone.MUTED),) if data is not None else ()
        return (*names, *version) if line_width((*names, *version)) <= self.size.width else names

    def _show_why(self, data: PostgresData, width: int) -> None:
        """Below each table what the findings about it say, and what this role may not see."""
        lines: list[Line] = []
        failure = self._seen.failure
        if failure is not None:
            words = failure.reason + (f"; {failure.hint}" if failure.hint else "")
            lines += labelled("stale", words, width=width, tone=Tone.WARN)
        if self._view == "statements" and data.statements is not None:
            mono_s = self.watch_over.clock.mono_s()
            if data.statements.missing is None:
                lines += scope_lines(data.statements, self._scope, mono_s, width)
            limits = data.statements.limits
        else:
            lines += reason_lines(self._findings_here(), width, titled=self._view != "blocked")
            limits = () if self._view == "blocked" else data.limits
        for limit in limits:
            lines += labelled("not seen", limit, width=width, tone=Tone.WARN)
        room = max(self.size.height * 3 // 10, 2)
        if len(lines) > room:
            told = f"… {plural(len(lines) - room + 1, 'more line')}"
            told += "; Enter shows the session in full" if self._session() is not None else ""
            lines = [*lines[: room - 1], ((told, Tone.MUTED),)]
        self.query_one("#why", Lines).show(lines)

    def _findings_here(self) -> Sequence[Finding]:
        """Those about the session under the cursor; of the blocking ones the worst where it is not a root."""
        mine = [f for f in self.watch_over.findings_of(self._target) if f.place == self._view]
        pid = session.pid if (session := self._session()) is not None else None
        here = [f for f in mine if not isinstance(f.identity, SessionIdentity) or f.identity.pid == pid]
        return here or (mine[:1] if self._view == "blocked" else ())

    def _session(self) -> SessionRow | None:
        """The session under the cursor; None where the row is not one."""
        return session_of(self._table.cursor_row) if self.is_mounted else None

    def _chosen_sessions(self) -> tuple[SessionIdentity, ...]:
        """The marked sessions, else the one under the cursor."""
        found = map(session_of, self._table.chosen_rows) if self.is_mounted else ()
        return tuple(dict.fromkeys(session.identity for session in found if session is not None))

    def on_table_chosen(self, message: Table.Chosen[Any]) -> None:
        """Enter: the session, or the rest of a folded line."""
        row = message.row
        if isinstance(row, BlockedLine) and row.node is None:
            self._unfolded.add(row.row.key)
            self.redraw()
            return
        if isinstance(row, StatementLine):
            self._open_statement()
            return
        session = self._session()
        if session is not None:
            self.post_message(DrillDown(self._target, "session", session.identity))

    def _open_statement(self) -> None:
        """The statement under the cursor in full, or the one that the session under it runs."""
        row, session = self._table.cursor_row, self._session()
        subject: StatementId | SessionIdentity | None = session.identity if session is not None else None
        if isinstance(row, StatementLine):
            subject = row.row.identity
        if subject is not None:
            screen = StatementScreen(self.watch_over, self._target, subject, scope=self._scope)
            self.app.push_screen(screen)

    def action_explain(self) -> None:
        """The plan of the statement under the cursor; it is not run."""
        self._open_statement()

    def action_scope(self) -> None:
        """Statements over another time."""
        self._scope = self._scope.following
        self.redraw()

    async def on_table_selection_changed(self, message: Table.SelectionChanged) -> None:
        """Look at rows that were folded away, too. Textual calls the handler of `RowKeys` as well."""
        if self._view == "blocked":
            self.follow()

    def on_table_cursor_moved(self) -> None:
        """Other keys may work on another row, and its cause may be another."""
        self.refresh_bindings()
        data = self._data
        if data is not None:
            self._show_why(data, self.size.width)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """C and K only on a session row, e on what has a statement, t where there is a time to choose."""
        if action == "act":
            return self._session() is not None
        if action == "scope":
            return self._view == "statements"
        if action == "explain":
            return self._session() is not None or self._view == "statements"
        return super().check_action(action, parameters)

    def action_act(self, name: str) -> None:
        """Ask for an action on the marked sessions, or on the one under the cursor."""
        sessions = self._chosen_sessions()
        if sessions:
            self.post_message(ActionRequested(name, self._target, sessions))

    def forget(self) -> None:
        """Show nothing of the server before."""
        self._unfolded.clear()
        super().forget()

    def offers(self) -> tuple[ActionRequested, ...]:
        """What can be done with the thing under the cursor, then with the server."""
        data = self._data
        if data is None or data.started_at is None:
            return super().offers()
        server = InstanceIdentity(data.started_at)
        specs = registry.specs_on(self._target.kind, server)
        return (*super().offers(), *(ActionRequested(s.name, self._target, (server,)) for s in specs))

    def suggestions(self) -> ActionRequested | None:
        """What `a` offers here: every action on the marked sessions, or on what is under the cursor."""
        row = self._table.cursor_row if self.is_mounted else None
        if isinstance(row, StatementLine):
            return ActionRequested("", self._target, (row.row.identity,))
        sessions = self._chosen_sessions()
        return ActionRequested("", self._target, sessions) if sessions else None


def session_of(row: object) -> SessionRow | None:
    """The session that a row of one of the tables is about; None where it is about none."""
    if isinstance(row, SessionLine):
        return row.session
    if isinstance(row, BlockedLine) and row.node is not None:
        return row.node.session
    return None
