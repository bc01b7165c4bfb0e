"""From "somebody wants to act" to the plan on the screen. Nothing is done here: the gateway does it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from opsdash.collectors.errors import TargetError
from opsdash.tui.actions import registry
from opsdash.tui.actions.action import ActionSpec
from opsdash.widgets.messages import ActionRequested
from opsdash.widgets.status import Tone

if TYPE_CHECKING:
    from opsdash.tui.app import OpsdashApp


class Planner:
    """Asks what an action wants to know, has the plan read, and shows it; one at a time."""

    def __init__(self, app: "OpsdashApp") -> None:
        self._app = app
        self._reading: str | None = None
        """Name of the target whose plan is being read."""

    def menu(self, offers: Sequence[ActionRequested]) -> None:
        """Let a person choose among actions; choosing asks for the action's plan."""
        from opsdash.tui.screens.menus import ActionMenu  # like all dialogs: not needed for the first paint

        if not offers:
            self._app.notice("nothing to act on here: put the cursor on what an action can hit")
            return
        by_name = {offer.action: offer for offer in offers}

        def chosen(spec: ActionSpec | None) -> None:
            if spec is not None:
                self._app.post_message(by_name[spec.name])

        first = offers[0]
        others = len(first.identities) - 1
        more = f" and {others} more that are marked" if others else ""
        title = f"Actions on {first.target.name}: {first.about or first.identities[0]}{more}"
        specs = [registry.spec(name) for name in by_name]
        self._app.push_screen(ActionMenu(self._app.watch_over.clock, title, specs), chosen)

    def request(self, message: ActionRequested) -> None:
        """Ask what is to be asked, then plan."""
        spec = registry.spec(message.action)
        complete = spec.answered
        if spec.asks is None or complete is None or message.is_answered:
            self._begin(message)
            return
        from opsdash.tui.screens.menus import AskDialog

        def answered(text: str | None) -> None:
            if text:
                identities = [complete(identity, text) for identity in message.identities]
                again = ActionRequested(
                    spec.name, message.target, identities, is_answered=True, about=message.about
                )
                self._app.post_message(again)

        title = f"{spec.title} on {message.target.name}" + (f": {message.about}" if message.about else "")
        self._app.push_screen(AskDialog(self._app.watch_over.clock, title, spec.asks), answered)

    def _begin(self, message: ActionRequested) -> None:
        if self._reading is not None:
            self._app.notice(f"still reading {self._reading} for a plan")
            return
        self._reading = message.target.name
        self._app.notice(f"reading {message.target.name} for the plan of {message.action} …", Tone.ACCENT)
        self._app.run_worker(self._plan(message), exit_on_error=False, name="plan")

    async def _plan(self, message: ActionRequested) -> None:
        from opsdash.tui.screens.confirm import ConfirmDialog

        watch = self._app.watch_over
        try:
            planned = await watch.gateway.plan(message.action, message.target, message.identities)
        except TargetError as error:
            self._app.notice(f"no plan: {error}" + (f" · {error.hint}" if error.hint else ""), Tone.CRIT)
            return
        finally:
            self._reading = None
        self._app.notice("", Tone.NORMAL)
        await self._app.push_screen(ConfirmDialog(planned, watch.gateway, watch.clock))
