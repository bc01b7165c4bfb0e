"""The `[[kind]]` tables of the configuration -> targets."""

import os
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Protocol, cast

import msgspec

from opsdash.collectors.registry import KINDS, load
from opsdash.collectors.target import Environment, GuardPolicy, Target, TargetId, environment
from opsdash.collectors.text import clean
from opsdash.tui.config_decode import Mistake, decode, got, nearest

LONGEST_NAME = 60
"""Characters of a target's name: people type it."""


class EnvironmentTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[environment]`: what holds for every target that states nothing itself."""

    name: str | None = None
    """What people call it: shown in the first line and in every dialog."""
    production: bool | None = None
    """true: red banner, stricter guard. Not stated: a name that begins with prod, production, prd or live is
    production, and so is an environment that nobody named."""
    actions: GuardPolicy = "confirm"
    """The guard at least: refuse, ask for `y`, or ask for the typed name."""


class _Common(msgspec.Struct, frozen=True, kw_only=True):
    """The keys that every kind of target has."""

    name: str
    """What people call it; typed by the strictest guard."""
    interval: Annotated[float, msgspec.Meta(gt=0, le=3600)] | None = None
    """Seconds between two readings; the kind's own where it is not stated."""
    environment: str | None = None
    """This target's own, in place of `[environment]` name."""
    production: bool | None = None
    """Likewise."""
    actions: GuardPolicy | None = None
    """Likewise."""


class _Settings(Protocol):
    """What the settings of a kind say of themselves. Keys are those of its table."""

    def mistakes(self) -> tuple[tuple[str, str], ...]:
        """What is wrong beyond the types, as (key, what was expected); asked before the others."""

    def inline_secrets(self) -> tuple[str, ...]:
        """The keys whose value itself holds a secret."""

    def commands(self) -> tuple[str, ...]:
        """The keys that name a program to run."""


def decode_targets(
    tables: Mapping[str, Any],
    around: EnvironmentTable,
    mistakes: list[Mistake],
    *,
    file: str,
    status: os.stat_result,
) -> tuple[Target, ...]:
    """All targets of the file, in its order, without the tables that have a mistake.

    Args:
        tables: The file's tables but `[environment]` and `[audit]`.
        around: What `[environment]` states.
        mistakes: Gets what is wrong.
        file: Its path, as people will see it.
        status: Its owner and mode: they decide whether it may hold passwords or name commands.
    """
    targets: dict[TargetId, Target] = {}
    for kind, entries in tables.items():
        if kind not in KINDS:
            mistakes.append(Mistake(kind, _not_a_kind(kind, entries)))
            continue
        if not isinstance(entries, list):
            mistakes.append(Mistake(kind, f"expected [[{kind}]], once per target, got {got(entries)}"))
            continue
        for index, entry in enumerate(entries):
            path = f"{kind}[{index}]"
            target = _target(kind, entry, path, around, mistakes)
            if target is None:
                continue
            target = msgspec.structs.replace(target, source=f"{file}: {path}")
            mistakes.extend(_beyond_types(target, path, status))
            if target.id in targets:
                mistakes.append(
                    Mistake(f"{path}.name", f'"{target.name}" names another {kind} target already')
                )
            targets[target.id] = target
    mistakes.extend(_not_named(targets.values()))
    return tuple(targets.values())


def _not_named(targets: Collection[Target]) -> Iterator[Mistake]:
    """What depends on a target that is not there: its cause would never be told."""
    names = {target.name for target in targets}
    for target in targets:
        place = target.source.rpartition(": ")[2]
        for what, name in getattr(target.settings, "depends", {}).items():
            if name.lower() not in {known.lower() for known in names}:
                yield Mistake(f"{place}.depends.{what}", f'"{name}" is no target{nearest(name, names)}')


def _not_a_kind(name: str, entries: object) -> str:
    if isinstance(entries, list):
        return f"kind {name} is not supported by this version{nearest(name, KINDS)}"
    return f"unknown table{nearest(name, ('environment', 'audit', *KINDS))}"


def _target(
    kind: str, entry: object, path: str, around: EnvironmentTable, mistakes: list[Mistake]
) -> Target | None:
    """One table: the keys every kind has, and those of this kind. None when there was a mistake."""
    if not isinstance(entry, dict):
        mistakes.append(Mistake(path, f"expected a table, got {got(entry)}"))
        return None
    every = _Common.__struct_fields__
    common = decode({k: v for k, v in entry.items() if k in every}, _Common, path, mistakes)
    own = {k: v for k, v in entry.items() if k not in every}
    settings = decode(own, load(KINDS[kind].settings), path, mistakes, also_known=every)
    if common is None or settings is None:
        return None
    if common.interval is not None and common.interval < (least := KINDS[kind].shortest_interval_s):
        expected = f"expected a number >= {least:g}, got {common.interval:g}"
        mistakes.append(Mistake(f"{path}.interval", expected))
        return None
    return Target(
        id=TargetId(kind, common.name),
        environment=_environment(common, around),
        interval_s=KINDS[kind].interval_s if common.interval is None else common.interval,
        settings=settings,
        source=path,
    )


def _environment(own: _Common, around: EnvironmentTable) -> Environment:
    """What the target states, else what `[environment]` states.

    The name of `[environment]` does not go with a target whose `production` contradicts it: a target
    called staging under a red banner would mislead.
    """
    actions = own.actions or around.actions
    if own.environment is not None:
        return environment(own.environment, own.production, actions)
    inherited = environment(around.name, around.production, actions)
    if own.production is None or (around.name is not None and own.production == inherited.production):
        return inherited
    return environment(None, own.production, actions)


def _beyond_types(target: Target, path: str, status: os.stat_result) -> Iterator[Mistake]:
    """What types cannot say: names people can type, and what only a private file may hold."""
    name = target.name
    if name != clean(name).strip() or not name or len(name) > LONGEST_NAME:
        yield Mistake(
            f"{path}.name", f"expected 1 to {LONGEST_NAME} printable characters, no blank at either end"
        )
    settings = cast(_Settings, target.settings)
    wrong = settings.mistakes()
    if wrong:
        yield from (Mistake(f"{path}.{key}", expected) for key, expected in wrong)
        return
    for key in settings.inline_secrets():
        if status.st_mode & 0o077:
            yield Mistake(
                f"{path}.{key}",
                f"holds a password in a file that others may read (mode {status.st_mode & 0o777:04o}): "
                "chmod 600 the file, or name the password's place with password_env",
            )
    for key in settings.commands():
        if status.st_mode & 0o022 or status.st_uid not in (0, os.geteuid()):
            yield Mistake(
                f"{path}.{key}", "names a command in a file that others may write: chmod 600 and own the file"
            )
