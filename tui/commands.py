"""The palette: every key's command by name."""

from collections.abc import AsyncIterator
from typing import Any

from textual.app import App
from textual.binding import ActiveBinding
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider


class KeyCommands(Provider):
    """What can be done where the palette was opened, from the bindings of that screen."""

    def _commands(self) -> dict[str, ActiveBinding]:
        return {
            active.binding.description: active
            for active in self.screen.active_bindings.values()
            if active.enabled and active.binding.description
        }

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for name, active in self._commands().items():
            yield DiscoveryHit(name, self._runner(active))

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """Those that match."""
        matcher = self.matcher(query)
        for name, active in self._commands().items():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), self._runner(active))

    def _runner(self, active: ActiveBinding) -> Any:
        app = self.app

        async def run() -> None:
            await app.run_action(active.binding.action, active.node)  # by whoever has the binding

        return run


def open_palette(app: App[Any]) -> None:
    """Open it over the screen in front."""
    app.push_screen(CommandPalette(providers=[KeyCommands]))
