"""The palette: every key's command by name."""

from collections.abc import AsyncIterator
from typing import Any

from textual.app import App
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.screen import Screen


class KeyCommands(Provider):
    """What can be done where the palette was opened, from the bindings of that screen."""

    def _commands(self) -> dict[str, str]:
        return {
            active.binding.description: active.binding.action
            for active in self.screen.active_bindings.values()
            if active.enabled and active.binding.description
        }

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for name, action in self._commands().items():
            yield DiscoveryHit(name, self._runner(action))

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """Those that match."""
        matcher = self.matcher(query)
        for name, action in self._commands().items():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), self._runner(action))

    def _runner(self, action: str) -> Any:
        screen: Screen[Any] = self.screen

        async def run() -> None:
            await screen.app.run_action(action, screen.focused or screen)

        return run


def open_palette(app: App[Any]) -> None:
    """Open it over the screen in front."""
    app.push_screen(CommandPalette(providers=[KeyCommands]))
