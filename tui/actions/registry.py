"""Action name -> what does it. The only importer of the kinds' own actions, and only when they are needed.

A kind's module offers `SPECS`, which costs no client library, and `make_kit(clock)`, which may.
"""

import importlib
from types import ModuleType
from typing import Any

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.tui.actions.action import ActionKit, ActionSpec
from opsdash.tui.kinds import KINDS


def _module(kind: str) -> ModuleType:
    """The module of a kind's actions. Raises KeyError for a kind that is only watched."""
    name = KINDS[kind].actions
    if name is None:
        raise KeyError(kind)
    return importlib.import_module(name)


def specs(kind: str | None = None) -> tuple[ActionSpec, ...]:
    """All actions, or those of one kind, in the order of their menus; imports no client library."""
    kinds = [k for k, known in KINDS.items() if known.actions is not None and kind in (None, k)]
    found: list[ActionSpec] = []
    for each in kinds:
        found.extend(_module(each).SPECS)
    return tuple(found)


def spec(name: str) -> ActionSpec:
    """What is said of the action `name`. Raises KeyError for one that there is not."""
    for each in specs():
        if each.name == name:
            return each
    raise KeyError(name)


def specs_on(kind: str, identity: msgspec.Struct) -> tuple[ActionSpec, ...]:
    """The actions that can hit `identity` on a target of `kind`: the action menu of a row."""
    return tuple(each for each in specs(kind) if isinstance(identity, each.on))


def make_kit(kind: str, clock: Clock) -> ActionKit | None:
    """The actions of one kind, ready to act; imports its client library. None: it is only watched."""
    if KINDS[kind].actions is None:
        return None
    make: Any = _module(kind).make_kit
    kit: ActionKit = make(clock)
    return kit
