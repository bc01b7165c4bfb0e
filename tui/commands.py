"""The palette: every command and action by name, for terminals that eat keys."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from textual.app import App
from textual.binding import ActiveBinding
from textual.command import CommandList, CommandPalette, SimpleProvider

from opsdash.tui.actions import registry
from opsdash.tui.theme import NAMES
from opsdash.widgets.messages import ActionRequested

Command = tuple[str, Callable[[], object]]
"""What it is called, and what runs it."""


class Palette(CommandPalette):
    """Textual's, except that a page key in a list that is not drawn yet does not end the app (KeyError)."""

    def _action_command_list(self, action: str) -> None:
        if self.query_one(CommandList).scrollable_content_region:
            super()._action_command_list(action)


def open_palette(app: App[Any], more: Sequence[Command] = ()) -> None:
    """Open it over the screen in front, with what can be done there at this moment.

    Args:
        app: The app.
        more: Commands that have no key.
    """
    found = {
        active.binding.description: active
        for active in app.screen.active_bindings.values()
        if active.enabled and active.binding.description
    }
    commands: list[Any] = [*((name, _runner(app, active)) for name, active in found.items()), *more]
    provider: Any = SimpleProvider(app.screen, commands)  # ready made, as Textual's `search_commands` has it
    app.push_screen(Palette(providers=[provider], placeholder="Search for commands…"))


def _runner(app: App[Any], active: ActiveBinding) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        await app.run_action(active.binding.action, active.node)  # by whoever has the binding

    return run


def action_commands(app: App[Any], offers: Sequence[ActionRequested]) -> tuple[Command, ...]:
    """The actions on what is under the cursor; each shows its plan first, as from the menu."""
    return tuple((_called(offer), partial(app.post_message, offer)) for offer in offers)


def _called(offer: ActionRequested) -> str:
    thing = f": {offer.about}" if offer.about else ""
    return f"{registry.spec(offer.action).title} on {offer.target.name}{thing}"


def theme_commands(app: App[Any]) -> tuple[Command, ...]:
    """The themes, for this run; `[screen] theme` is for all."""
    return tuple((f"theme: {choice}", partial(setattr, app, "theme", name)) for choice, name in NAMES.items())
