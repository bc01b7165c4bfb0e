"""The keys of a place, from the bindings themselves: what help shows cannot differ from what works."""

from textual.screen import Screen

from opsdash.tui.key_names import key_name


def keys_here(screen: Screen[object]) -> tuple[tuple[str, str], ...]:
    """Every key that works on `screen` now, with what it does; keys of one command together."""
    found: dict[tuple[str, str], list[str]] = {}
    for key, active in screen.active_bindings.items():
        if active.enabled and active.binding.description:
            found.setdefault((active.binding.action, active.binding.description), []).append(key_name(key))
    return tuple((" ".join(keys), description) for (_, description), keys in found.items())
