"""One session in full, with the keys that act on it."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from opsdash.collectors.errors import TargetError
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.collectors.target import TargetId
from opsdash.tui.actions.audit import AuditError
from opsdash.tui.screens.place import Place
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line, Lines
from opsdash.widgets.messages import ActionRequested, DrillDown
from opsdash.widgets.panel import freshness
from opsdash.widgets.panels.postgres.session import same_session, session_detail
from opsdash.widgets.scroll import Scroll
from opsdash.widgets.status import Tone


class SessionScreen(Place):
    """Follows one backend, not a row: when it is gone, the screen says so."""

    called = "one session"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("K", "act('postgres.terminate')", "terminate", id="terminate"),
        Binding("C", "act('postgres.cancel')", "cancel", id="cancel"),
        Binding("e", "explain", "explain", id="explain"),
        Binding("v", "reveal", "show literals", id="reveal"),
    ]

    def __init__(self, watch: Watch, target: TargetId, identity: SessionIdentity) -> None:
        super().__init__(watch)
        self._target = target
        self._identity = identity
        self._revealed: str | None = None

    @property
    def target(self) -> TargetId:
        """The server of the session."""
        return self._target

    def crumbs(self) -> tuple[Line, Line]:
        """The path and how fresh it is."""
        seen = self.watch_over.feed.view(self._target)
        environment = seen.target.environment
        path: Line = (
            "Overview › 2 Database › ",
            (seen.target.name, Tone.ACCENT),
            (f" ({environment.label})", Tone.CRIT if environment.production else Tone.NORMAL),
            f" › session {self._identity.pid}",
        )
        return path, freshness(seen, self.watch_over.clock.mono_s())

    def body(self) -> Iterable[Widget]:
        """Labelled lines that scroll."""
        with Scroll(id="scroll"):
            detail = Lines(id="detail")
            detail.styles.height = "auto"
            yield detail

    def show_feed(self) -> None:
        """What the newest good reading says of it."""
        data = self.watch_over.feed.view(self._target).data
        if data is None:
            return
        width = max(self.size.width - 2, 20)
        lines = session_detail(data, self._identity, query=self._revealed, width=width)
        self.query_one("#detail", Lines).show(lines)

    def action_act(self, name: str) -> None:
        """Ask for an action on this session, as it is in the newest reading."""
        data = self.watch_over.feed.view(self._target).data
        session = same_session(data, self._identity) if data else None
        identity = session.identity if session else self._identity
        self.post_message(ActionRequested(name, self._target, (identity,)))

    def suggestions(self) -> ActionRequested:
        """What `a` offers here: every action on this session."""
        return ActionRequested("", self._target, (self._identity,))

    def action_explain(self) -> None:
        """To the plan of the statement that it runs."""
        data = self.watch_over.feed.view(self._target).data
        session = same_session(data, self._identity) if data else None
        identity = session.identity if session else self._identity
        self.post_message(DrillDown(self._target, "statement", identity))

    def action_reveal(self) -> None:
        """Read this one statement again, with its literals; masked again on leaving."""
        self.run_worker(self._reveal(), exit_on_error=False, exclusive=True)

    async def _reveal(self) -> None:
        from opsdash.collectors.postgres.drill import statement_text  # psycopg: only when asked for

        target = self.watch_over.feed.view(self._target).target
        try:
            await self.watch_over.gateway.record(
                "reveal", target=str(self._target), identity=str(self._identity.pid)
            )
            self._revealed = await statement_text(target, self._identity)
        except (AuditError, TargetError) as error:
            self.notice(str(error), Tone.CRIT)
            return
        if self._revealed is None:
            self.notice(
                "not to be seen: the session is gone, runs another statement now, or hides from this role"
            )
        self.redraw()
