"""The palette: every command and action by name, for terminals that eat keys."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from textual.app import App
from textual.binding import ActiveBinding
from textual.command import (
    CommandList,
    CommandPalette,
    DiscoveryHit,
    Hit,
    Hits,
    SearchIcon,
    SimpleCommand,
    SimpleProvider,
)
from textual.content import Content
from textual.screen import Screen

from opsdash.collectors.text import clean
from opsdash.tui.actions import registry
from opsdash.tui.key_names import key_name
from opsdash.tui.theme import NAMES
from opsdash.widgets.messages import ActionRequested

Command = tuple[str, Callable[[], object]]
"""What it is called, and what runs it."""


class Commands(SimpleProvider):
    """Textual's, with the keys beside a name, which is never markup: a target may have said part of it."""

    async def search(self, query: str) -> Hits:
        """What fits, and what of it does."""
        matcher = self.matcher(query)
        for name, callback, keys in self._commands:
            fit, places = matcher.fuzzy_search.match(query, name)
            if fit > 0:
                shown = Content(name)
                for place in places:
                    shown = shown.stylize(matcher.match_style, place, place + 1)
                yield Hit(fit, _with_keys(shown, keys), callback, text=name)

    async def discover(self) -> Hits:
        """Everything, before anything is typed."""
        for name, callback, keys in self._commands:
            yield DiscoveryHit(_with_keys(Content(name), keys), callback, text=name)


def _with_keys(name: Content, keys: str | None) -> Content:
    return name if keys is None else name + Content.styled(f"   {keys}", "$foreground-muted")


class Palette(CommandPalette):
    """Textual's, except that a page key in a list that is not drawn yet does not end the app (KeyError).

    And its picture of a lens, which a console has not got, is the key that opens it.
    """

    DEFAULT_CSS = """
    Palette SearchIcon { color: $text-primary; }
    """

    def on_mount(self) -> None:
        """The key in place of the lens."""
        self.query_one(SearchIcon).icon = ":"

    def _action_command_list(self, action: str) -> None:
        if self.query_one(CommandList).scrollable_content_region:
            super()._action_command_list(action)


def open_palette(app: App[Any], more: Sequence[Command] = ()) -> None:
    """Open it over the screen in front, with what can be done there at this moment.

    Args:
        app: The app.
        more: Commands that have no key.
    """
    found: dict[str, ActiveBinding] = {}
    keys: dict[str, list[str]] = {}
    for key, active in app.screen.active_bindings.items():
        if active.enabled and active.binding.description:
            name = _named(active)
            found.setdefault(name, active)
            keys.setdefault(name, []).append(key_name(key))
    commands = [SimpleCommand(n, _runner(app, active), " ".join(keys[n])) for n, active in found.items()]
    of_widgets = [c for c in commands if not isinstance(found[c.name].node, App | Screen)]
    others = [SimpleCommand(clean(name), run) for name, run in more]
    ordered: list[Any] = [*(c for c in commands if c not in of_widgets), *others, *of_widgets]
    provider: Any = Commands(app.screen, ordered)  # ready made, as Textual's `search_commands` has it
    app.push_screen(Palette(providers=[provider], placeholder="Search for commands…"))


def _named(active: ActiveBinding) -> str:
    """Areas are told apart from what is called alike: "actions" is the menu."""
    description = active.binding.description
    return f"area: {description}" if (active.binding.id or "").startswith("area.") else description


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
