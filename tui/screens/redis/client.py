"""One client of a Redis in full, with the key that ends it."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from opsdash.collectors.redis.identities import ClientIdentity
from opsdash.collectors.redis.rows import RedisData
from opsdash.collectors.target import TargetId
from opsdash.tui.screens.at_target import AtTarget
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line, Lines
from opsdash.widgets.messages import ActionRequested
from opsdash.widgets.panels.redis.figures import client_detail
from opsdash.widgets.status import Tone


class RedisClientScreen(AtTarget):
    """Follows one connection: when it is gone, the screen says so."""

    called = "one client"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("K", "kill", "kill", id="terminate")]

    def __init__(self, watch: Watch, target: TargetId, identity: ClientIdentity) -> None:
        super().__init__(watch, target)
        self._identity = identity

    @property
    def step(self) -> str:
        """The client's id."""
        return f"client {self._identity.id}"

    def body(self) -> Iterable[Widget]:
        """Labelled lines."""
        yield Lines(id="detail")

    def show_feed(self) -> None:
        """What the newest list of clients says of it."""
        data: RedisData | None = self._seen.data
        self.query_one("#detail", Lines).show(self._detail(data))

    def _detail(self, data: RedisData | None) -> tuple[Line, ...]:
        if data is None or data.clients is None:
            return ((("the list of clients is not known now", Tone.UNKNOWN),),)
        found = next((c for c in data.clients if c.id == self._identity.id), None)
        if data.run_id != self._identity.run_id or found is None:
            return ((("● this client is gone", Tone.OK),),)
        return client_detail(found, max(self.size.width - 2, 20))

    def action_kill(self) -> None:
        """Ask for its end."""
        self.post_message(ActionRequested("redis.kill_client", self._target, (self._identity,)))

    def suggestions(self) -> ActionRequested:
        """What `a` offers here."""
        return ActionRequested("", self._target, (self._identity,))
