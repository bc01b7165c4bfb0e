"""One statement in full: what it costs, its text, its plan, and who runs it now."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from opsdash.collectors.errors import TargetError
from opsdash.collectors.postgres.explain_rows import Explained
from opsdash.collectors.postgres.rows import PostgresData, SessionIdentity, SessionRow
from opsdash.collectors.postgres.statement_rows import StatementId
from opsdash.collectors.target import TargetId
from opsdash.tui.actions.audit import AuditError
from opsdash.tui.screens.at_target import AtTarget
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line, Lines
from opsdash.widgets.messages import ActionRequested, DrillDown
from opsdash.widgets.panels.postgres.session import same_session
from opsdash.widgets.panels.postgres.statement import (
    figure_lines,
    hint_lines,
    runner_lines,
    runners,
    text_and_plan,
)
from opsdash.widgets.panels.postgres.statements import Scope
from opsdash.widgets.scroll import Scroll
from opsdash.widgets.status import Tone


class StatementScreen(AtTarget):
    """A statement of pg_stat_statements, or the one that a session runs."""

    called = "one statement"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "explain", "explain again", id="explain"),
        Binding("v", "reveal", "show literals", id="reveal"),
        Binding("t", "scope", "time", id="statements.scope"),
        Binding("enter", "runner", "who runs it", id="statement.runner"),
    ]

    def __init__(
        self,
        watch: Watch,
        target: TargetId,
        subject: StatementId | SessionIdentity,
        *,
        scope: Scope,
    ) -> None:
        super().__init__(watch, target)
        self._subject = subject
        self._scope = scope
        self._explained: Explained | None = None
        self._is_asking = False
        self._runner: SessionRow | None = None
        """The session while it ran the statement that is shown: it may run another one by now."""
        self._masked: tuple[str, ...] = ()
        """The whole text, laid out."""
        self._revealed: tuple[str, ...] | None = None
        """The same with its literals, until the screen is left."""

    @property
    def _data(self) -> PostgresData | None:
        data: PostgresData | None = self._seen.data
        return data

    @property
    def _queryid(self) -> int | None:
        """What pg_stat_statements calls it; None: a session that is gone, or whose server does not say."""
        if isinstance(self._subject, StatementId):
            return self._subject.queryid
        session = same_session(self._data, self._subject) if self._data is not None else None
        if session is not None and session.query_start == self._subject.query_start:
            self._runner = session
        return self._runner.query_id if self._runner is not None else None

    @property
    def _identity(self) -> StatementId | None:
        """The entry of pg_stat_statements; a session's statement has none before it ended once."""
        if isinstance(self._subject, StatementId):
            return self._subject
        statements = self._data.statements if self._data is not None else None
        rows = statements.rows if statements is not None else ()
        queryid, runner = self._queryid, self._runner
        if queryid is None or runner is None:
            return None
        # in each database a statement has an entry of its own, and one for each role that runs it there
        mine = [
            row.identity
            for row in rows
            if row.identity.queryid == queryid and runner.database_oid in (None, row.identity.dbid)
        ]
        return max(mine, key=lambda entry: (entry.userid == runner.user_oid, entry.toplevel), default=None)

    @property
    def step(self) -> str:
        """The statement, or the session that runs it."""
        if isinstance(self._subject, StatementId):
            return f"statements › {self._subject.queryid}"
        return f"session {self._subject.pid} › statement"

    def body(self) -> Iterable[Widget]:
        """Everything in lines that scroll."""
        with Scroll(id="scroll"):
            lines = Lines(id="statement")
            lines.styles.height = "auto"
            yield lines

    def on_mount(self) -> None:
        """Ask for the whole text and the plan."""
        super().on_mount()
        self.query_one("#scroll").focus()
        self.action_explain()

    def on_screen_suspend(self) -> None:
        """Nobody looks here any more."""
        self.watch_over.look_at(self._target, ())

    def show_feed(self) -> None:
        """Figures, text and plan, hints, who runs it."""
        identity, data = self._identity, self._data
        if self.is_current:
            opened = str(identity) if identity is not None else None
            self.watch_over.look_at(self._target, (), opened)
        width = max(self.size.width - 2, 20)
        lines: list[Line] = []
        if identity is not None:
            statements = data.statements if data is not None else None
            lines += [*figure_lines(statements, identity, self._scope, width), ()]
        sql = self._revealed or self._masked or self._short_text()
        lines += [*text_and_plan(sql, self._explained, self._is_asking, width), ()]
        lines += hint_lines(self._explained, width)
        if data is not None:
            lines += runner_lines(data, self._queryid, width)
        self.query_one("#statement", Lines).show(lines)

    def _short_text(self) -> tuple[str, ...]:
        """What the readings have of the text, before all of it was read."""
        data, identity = self._data, self._identity
        row = data.statements.row(identity) if data and data.statements and identity else None
        if row is not None and row.query is not None:
            return (row.query,)
        if data is not None and isinstance(self._subject, SessionIdentity):
            session = same_session(data, self._subject)
            return ((session.query if session else None) or "the session is gone",)
        return ("its text is not read yet",)

    def action_scope(self) -> None:
        """Over another time."""
        self._scope = self._scope.following
        self.redraw()

    def action_explain(self) -> None:
        """Ask the server how it would go about it; the statement is not run."""
        self._is_asking = True
        self.redraw()
        self.run_worker(self._explain(), exit_on_error=False, exclusive=True, group="explain")

    async def _explain(self) -> None:
        from opsdash.collectors.postgres.explain import explain  # psycopg: only when asked for
        from opsdash.collectors.postgres.layout import laid_out

        target = self._seen.target
        try:
            self._explained = await explain(target, self._subject)
        except TargetError as error:
            self._explained = Explained(
                sql=None, why_not=f"{error}" + (f" · {error.hint}" if error.hint else "")
            )
        finally:
            self._is_asking = False
        if self._explained.sql is not None:
            self._masked = await laid_out(self._explained.sql)
        self.redraw()

    def action_reveal(self) -> None:
        """Read this one statement again, with its literals; masked again on leaving."""
        self.run_worker(self._reveal(), exit_on_error=False, exclusive=True, group="reveal")

    async def _reveal(self) -> None:
        from opsdash.collectors.postgres.drill import statement_text  # psycopg: only when asked for
        from opsdash.collectors.postgres.layout import laid_out

        target = self._seen.target
        try:
            await self.watch_over.gateway.record(
                "reveal", target=str(self._target), identity=str(self._subject)
            )
            text = await statement_text(target, self._subject)
        except (AuditError, TargetError) as error:
            self.notice(str(error), Tone.CRIT)
            return
        if text is None:
            self.notice("not to be seen: it is gone, another one runs now, or it hides from this role")
            return
        self._revealed = await laid_out(text)
        if isinstance(self._subject, StatementId):
            self.notice("as the server keeps it: pg_stat_statements has $1, $2, … instead of most literals")
        self.redraw()

    def action_runner(self) -> None:
        """To the session that has been running it for longest."""
        data, queryid = self._data, self._queryid
        found = runners(data, queryid) if data is not None and queryid is not None else ()
        if not found:
            self.notice("nobody runs it, in this reading")
            return
        self.post_message(DrillDown(self._target, "session", found[0].identity))

    def suggestions(self) -> ActionRequested:
        """What `a` offers here: what can be done with this statement, or with its session."""
        return ActionRequested("", self._target, (self._subject,))
