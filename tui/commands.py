"""The palette: every command and action by name, for terminals that eat keys."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from textual.app import App
from textual.binding import ActiveBinding

Command = tuple[str, Callable[[], object]]
"""What it is called, and what runs it."""


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
    app.search_commands([*((name, _runner(app, active)) for name, active in found.items()), *more])


def _runner(app: App[Any], active: ActiveBinding) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        await app.run_action(active.binding.action, active.node)  # by whoever has the binding

    return run
