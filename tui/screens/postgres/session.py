"""One session in full, with the keys that act on it."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from opsdash.collectors.errors import TargetError
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.collectors.target import TargetId
from opsdash.tui.actions.audit import AuditError
from opsdash.tui.screens.at_target import AtTarget
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Lines
from opsdash.widgets.messages import ActionRequested, DrillDown
from opsdash.widgets.panels.postgres.session import same_session, session_detail
from opsdash.widgets.scroll import Scroll
from opsdash.widgets.status import Tone


class SessionScreen(AtTarget):
    """Follows one backend, not a row: when it is gone, the screen says so."""

    called = "one session"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("K", "act('postgres.terminate')", "terminate", id="terminate"),
        Binding("C", "act('postgres.cancel')", "cancel", id="cancel"),
        Binding("e", "explain", "explain", id="explain"),
        Binding("v", "reveal", "show literals", id="reveal"),
    ]

    def __init__(self, watch: Watch, target: TargetId, identity: SessionIdentity) -> None:
        super().__init__(watch, target)
        self._identity = identity
        self._revealed: tuple[SessionIdentity, str] | None = None
        """A statement with its literals, and the session as it was when it ran that one."""

    @property
    def step(self) -> str:
        """The session's pid."""
        return f"session {self._identity.pid}"

    def body(self) -> Iterable[Widget]:
        """Labelled lines that scroll."""
        with Scroll(id="scroll"):
            detail = Lines(id="detail")
            detail.styles.height = "auto"
            yield detail

    def show_feed(self) -> None:
        """What the newest good reading says of it."""
        data = self._seen.data
        if data is None:
            return
        width = max(self.size.width - 2, 20)
        lines = session_detail(data, self._identity, query=self._revealed_text(), width=width)
        self.query_one("#detail", Lines).show(lines)

    @property
    def _newest(self) -> SessionIdentity:
        """The session as it is in the newest reading."""
        data = self._seen.data
        session = same_session(data, self._identity) if data else None
        return session.identity if session else self._identity

    def _revealed_text(self) -> str | None:
        """What was revealed, as long as the session has run nothing else since."""
        if self._revealed is None or self._revealed[0].query_start != self._newest.query_start:
            return None
        return self._revealed[1]

    def action_act(self, name: str) -> None:
        """Ask for an action on this session."""
        self.post_message(ActionRequested(name, self._target, (self._newest,)))

    def suggestions(self) -> ActionRequested:
        """What `a` offers here: every action on this session."""
        return ActionRequested("", self._target, (self._identity,))

    def action_explain(self) -> None:
        """To the plan of the statement that it runs."""
        self.post_message(DrillDown(self._target, "statement", self._newest))

    def action_reveal(self) -> None:
        """Read this one statement again, with its literals; masked again on leaving."""
        self.run_worker(self._reveal(), exit_on_error=False, exclusive=True)

    async def _reveal(self) -> None:
        from opsdash.collectors.postgres.drill import statement_text  # psycopg: only when asked for

        identity = self._newest
        try:
            await self.watch_over.gateway.record(
                "reveal", target=str(self._target), identity=str(identity.pid)
            )
            text = await statement_text(self._seen.target, identity)
        except (AuditError, TargetError) as error:
            self.notice(str(error), Tone.CRIT)
            return
        self._revealed = (identity, text) if text is not None else None
        if text is None:
            self.notice(
                "not to be seen: the session is gone, runs another statement now, or hides from this role"
            )
        self.redraw()
