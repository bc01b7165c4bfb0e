"""`[keys]` of the configuration against the real bindings: unknown names and keys that are taken."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from textual.binding import Binding, BindingType

from opsdash.collectors.errors import ConfigError
from opsdash.tui import screens
from opsdash.tui.screens.logs.following import Following
from opsdash.tui.screens.place import Place
from opsdash.tui.screens.row_keys import RowKeys
from opsdash.widgets.logview import LogView
from opsdash.widgets.table import Table


def refuse_mistakes(keys: Mapping[str, str], app_bindings: Iterable[BindingType], file: str) -> None:
    """Check every name and every key.

    Args:
        keys: Id of a binding -> its keys.
        app_bindings: Those that work everywhere.
        file: Where the keys are stated, for people.

    Raises:
        ConfigError: A name that no binding has, or a key that something else has in the same place: all of
            them, one a line.
    """
    if not keys:
        return
    everywhere = tuple(_bindings(app_bindings))
    places = {
        place.called or place.__name__: (*everywhere, *_of_place(place), *_bindings(_rows(place).BINDINGS))
        for place in _places()
    }
    known = {binding.id for bindings in places.values() for binding in bindings if binding.id}
    mistakes = [_unknown(name, known) for name in keys if name not in known]
    for place, bindings in places.items():
        mistakes += [f"keys.{mistake}" for mistake in _taken(keys, bindings, place)]
    if mistakes:
        raise ConfigError("\n".join(f"{file}: {mistake}" for mistake in dict.fromkeys(mistakes)))


def _unknown(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f": did you mean {near[0]}?" if near else ""
    return f"keys.{name}: there is no such key binding{hint}"


def _taken(keys: Mapping[str, str], bindings: Iterable[Binding], place: str) -> Iterator[str]:
    """What is on one key with something else, in one place, because of what is stated."""
    on_key: dict[str, Binding] = {}
    for binding in bindings:
        for key in keys.get(binding.id or "", binding.key).split(","):
            other = on_key.setdefault(key.strip(), binding)
            if other.id == binding.id:
                continue
            mine, its = (binding, other) if binding.id in keys else (other, binding)
            if mine.id in keys:
                yield f"{mine.id}: {key.strip()} is taken by {its.id} ({its.description}) in {place}"


def _of_place(place: type[Place]) -> Iterator[Binding]:
    """What works in a place: its own, and what it has from others."""
    for each in place.__mro__:
        if issubclass(each, RowKeys):
            yield from _bindings(each.__dict__.get("BINDINGS", ()))


def _rows(place: type[Place]) -> type[Table[Any] | LogView]:
    """What has the rows of a place."""
    return LogView if issubclass(place, Following) else Table


def _bindings(listed: Iterable[BindingType]) -> Iterator[Binding]:
    return (binding for binding in listed if isinstance(binding, Binding) and binding.id)


def _places() -> tuple[type[Place], ...]:
    """Every full screen there is; imports all of them, which is only done where keys are stated."""
    for module in pkgutil.walk_packages(screens.__path__, f"{screens.__name__}."):
        importlib.import_module(module.name)
    found, left = [], [Place]
    while left:
        place = left.pop()
        found.append(place)
        left += place.__subclasses__()
    return tuple(found)
