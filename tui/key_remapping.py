"""`[keys]` of the configuration against the real bindings: unknown names, keys that are none or are taken."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from textual.binding import Binding, BindingType
from textual.dom import DOMNode

from opsdash.collectors.errors import ConfigError
from opsdash.collectors.format import plural
from opsdash.tui import screens
from opsdash.tui.key_names import called_by_textual, key_name
from opsdash.tui.screens.logs.following import Following
from opsdash.tui.screens.place import Place
from opsdash.tui.screens.row_keys import RowKeys
from opsdash.widgets.logview import LogView
from opsdash.widgets.table import Table

_PLACES_NAMED = 3
"""So many are named where a key is taken in several."""


def checked_keys(keys: Mapping[str, str], app_bindings: Iterable[BindingType], file: str) -> dict[str, str]:
    """Check every name and every key.

    Args:
        keys: Id of a binding -> its keys, as people write them.
        app_bindings: Those that work everywhere.
        file: Where the keys are stated, for people.

    Returns:
        The same, with the keys as Textual calls them.

    Raises:
        ConfigError: A name that no binding has, a key that there is not, or one that something else has in
            the same place: all of them, one a line.
    """
    everywhere = tuple(_bindings(app_bindings))
    places = [place for place in _below(Place) if place.called]
    known = {binding.id for kind in _below(DOMNode) for binding in _own(kind)} | {b.id for b in everywhere}
    mistakes = [_unknown(name, known) for name in keys if name not in known]
    found = {
        name: [(written, called_by_textual(written)) for written in keys[name].split(",")] for name in keys
    }
    mistakes += [
        f"{name}: {written.strip() or 'nothing'!r} is no key, as in f5, K, ctrl+k, pageup or /"
        for name, pairs in found.items()
        for written, key in pairs
        if key is None
    ]
    stated = {name: ",".join(key for _, key in pairs if key) for name, pairs in found.items()}
    taken: dict[str, list[str]] = {}
    for place in places:
        for mistake in _taken(stated, (*everywhere, *_of_place(place), *_own(_rows(place)))):
            taken.setdefault(mistake, []).append(place.called)
    mistakes += [f"{mistake} in {_where(among)}" for mistake, among in taken.items()]
    if mistakes:
        raise ConfigError("\n".join(f"{file}: keys.{mistake}" for mistake in mistakes))
    return stated


def _unknown(name: str, known: Iterable[str | None]) -> str:
    near = get_close_matches(name, [each for each in known if each], n=1)
    hint = f": did you mean {near[0]}?" if near else ""
    return f"{name}: there is no such key binding{hint}"


def _where(among: Iterable[str]) -> str:
    """In which places a key is taken.

    >>> _where(["overview", "overview", "cost"]), _where("abcde")
    ('overview, cost', 'a, b, c and 2 more places')
    """
    named = list(dict.fromkeys(among))
    more = len(named) - _PLACES_NAMED
    return ", ".join(named[:_PLACES_NAMED]) + (f" and {plural(more, 'more place')}" if more > 0 else "")


def _taken(keys: Mapping[str, str], bindings: Iterable[Binding]) -> Iterator[str]:
    """What is on one key with something else, in one place, because of what is stated."""
    on_key: dict[str, Binding] = {}
    for binding in bindings:
        for key in filter(None, keys.get(binding.id or "", binding.key).split(",")):
            other = on_key.setdefault(key, binding)
            if other.id == binding.id or {key} <= {*other.key.split(",")} & {*binding.key.split(",")}:
                continue  # it is the same, or the one takes the other's place on purpose
            mine, its = (binding, other) if binding.id in keys else (other, binding)
            if mine.id in keys:
                yield f"{mine.id}: {key_name(key)} is taken by {its.id} ({its.description})"


def _of_place(place: type[Place]) -> Iterator[Binding]:
    """What works in a place: its own, and what it has from others."""
    for each in place.__mro__:
        if issubclass(each, RowKeys):
            yield from _own(each)


def _rows(place: type[Place]) -> type[Table[Any] | LogView]:
    """What has the rows of a place."""
    return LogView if issubclass(place, Following) else Table


def _own(kind: type[DOMNode]) -> Iterator[Binding]:
    return _bindings(kind.__dict__.get("BINDINGS", ()))


def _bindings(listed: Iterable[BindingType]) -> Iterator[Binding]:
    return (binding for binding in listed if isinstance(binding, Binding) and binding.id)


def _below(kind: type[Any]) -> tuple[type[Any], ...]:
    """A class of ours and all below it; imports every screen, which is only done where keys are stated."""
    for module in pkgutil.walk_packages(screens.__path__, f"{screens.__name__}."):
        importlib.import_module(module.name)
    found, left = [], [kind]
    while left:
        each = left.pop()
        found.append(each)
        left += each.__subclasses__()
    return tuple(each for each in found if each.__module__.startswith("opsdash."))
