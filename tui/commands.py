"""The palette: every key's command by name."""

from collections.abc import Awaitable, Callable
from typing import Any

from textual.app import App
from textual.binding import ActiveBinding


def open_palette(app: App[Any]) -> None:
    """Open it over the screen in front, with what can be done there at this moment."""
    found = {
        active.binding.description: active
        for active in app.screen.active_bindings.values()
        if active.enabled and active.binding.description
    }
    app.search_commands([(name, _runner(app, active)) for name, active in found.items()])


def _runner(app: App[Any], active: ActiveBinding) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        await app.run_action(active.binding.action, active.node)  # by whoever has the binding

    return run
