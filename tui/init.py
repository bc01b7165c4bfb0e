"""`opsdash init`: writes a first opsdash.toml from what the environment names. Never over another file."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from opsdash.collectors.discover import INTERVAL_S, Discovery, discover
from opsdash.collectors.errors import ConfigError
from opsdash.collectors.first_table import Entry, FirstTable
from opsdash.collectors.registry import KINDS, load
from opsdash.collectors.target import Environment, Target
from opsdash.collectors.text import one_line
from opsdash.tui.config import config_path, default_path
from opsdash.tui.config_targets import LONGEST_NAME

_HEAD = """\
# What opsdash watches. Written by `opsdash init`.
# No password stands in here, only where each is to be found. A mistake is told with its place when opsdash
# starts; `opsdash doctor` says what a role lacks. Keys behind # are not in use.

[environment]
# Until somebody states where these targets belong, they are guarded like production.
# name = "staging"       # a name that begins with prod, production, prd or live is production
# production = false     # or say so; true: red banner, stricter guard
# actions = "confirm"    # "deny" refuses every action, "type" asks for the target's name each time
"""
_TAIL = """
# [audit]
# path = "~/.local/state/opsdash/audit.jsonl"    # the record of actions
# also = "syslog"                                # sends the head of its chain there too
"""
_EXAMPLE: Mapping[str, str] = {
    "DATABASE_URL": "postgresql://opsdash@db.internal/orders",
    "REDIS_URL": "redis://cache.internal:6379/0",
}
"""What stands in the file as comments when the environment names nothing."""


def run_init(option: str | None, environ: Mapping[str, str], *, only_print: bool) -> int:
    """Write the file, or print it on standard output; what is left to do goes to standard error.

    Args:
        option: The value of `--config`; None: `$OPSDASH_CONFIG`, else the user's config folder.
        environ: The variables, as in `os.environ`.
        only_print: Write nothing.

    Returns:
        0.

    Raises:
        ConfigError: There is such a file already, or it cannot be written.
    """
    found = discover(environ, Environment())
    text, to_do = first_file(found, environ)
    if only_print:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        path = config_path(option, environ) or default_path(environ)
        _create(path, text)
        _say(f"wrote {one_line(str(path))} (mode 0600)")
    for note in found.notes or ("found nothing in the environment; the file has examples",):
        _say(note)
    for line in to_do:
        _say(f"to do: {line}")
    _say("next: state the environment in the file, then run `opsdash doctor`")
    return 0


def first_file(found: Discovery, environ: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The text of the file, and what the person must still do. Pure.

    Args:
        found: The targets.
        environ: The variables, as in `os.environ`.
    """
    lines: list[str] = []
    to_do: list[str] = []
    names: set[tuple[str, str]] = set()
    for target in found.targets:
        name = _name(target, names)
        table = _table(target, name, environ)
        lines += ["", f"# found in {target.source}", *_written(target, name, table)]
        to_do += table.to_do
    if not found.targets:
        for target in discover(_EXAMPLE, Environment()).targets:
            written = _written(target, target.name, _table(target, target.name, {}))
            lines += ["", "# for example:"]
            lines += [line if line.startswith("#") else f"# {line}" for line in written]
    return _HEAD + "\n".join(lines) + "\n" + _TAIL, tuple(to_do)


def _table(target: Target, name: str, environ: Mapping[str, str]) -> FirstTable:
    """What its kind says; empty for a kind that says nothing, whose defaults then hold."""
    reference = KINDS[target.id.kind].first_table
    if reference is None:
        return FirstTable(entries=())
    make: Callable[..., FirstTable] = load(reference)
    return make(name, target.settings, environ)


def _written(target: Target, name: str, table: FirstTable) -> Iterator[str]:
    entries = (
        Entry(key="name", value=name, comment="what the screen shows and the guard asks for"),
        *table.entries,
        Entry(key="interval", value=INTERVAL_S, comment="seconds between two readings", is_active=False),
        Entry(
            key="environment",
            value="prod",
            comment="this target's own, where it differs from [environment]",
            is_active=False,
        ),
    )
    yield f"[[{target.id.kind}]]"
    for entry in entries:
        said = f"{entry.key} = {_toml(entry.value)}"
        yield f"{'' if entry.is_active else '# '}{said:40}  # {one_line(entry.comment)}"


def _toml(value: str | float | tuple[str, ...]) -> str:
    r"""A value as TOML writes it.

    >>> _toml('a "b"\x7f'), _toml(("pass", "x")), _toml(2.0)
    ('"a \\"b\\"\\u007f"', '["pass", "x"]', '2.0')
    """
    if isinstance(value, str):
        # JSON's texts are TOML's, but for DEL
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(word) for word in value)}]"
    return str(value)


def _name(target: Target, taken: set[tuple[str, str]]) -> str:
    """Its name: short enough to be typed, and another one than those that are `taken`, where it goes."""
    name = target.name
    if len(name) > LONGEST_NAME:  # a cloud's host name: its first part says most
        host, slash, database = name.partition("/")
        name = (host.partition(".")[0] + slash + database)[: LONGEST_NAME - 3].strip()
    name, stem, count = name, name, 2
    while (target.id.kind, name) in taken:
        name, count = f"{stem}-{count}", count + 1
    taken.add((target.id.kind, name))
    return name


def _create(path: Path, text: str) -> None:
    """Write a file that was not there, for its owner only. Raises ConfigError."""
    shown = one_line(str(path))
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError("what the environment names is not UTF-8; nothing was written") from error
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        folder = one_line(str(path.parent))
        raise ConfigError(f"the folder {folder} cannot be made: {error.strerror}") from error
    try:
        # never through a link, never over a file, and private from its first moment
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise ConfigError(
            f"{shown} exists already, nothing was written; "
            "`opsdash init --print` shows what would be, `--config FILE` names another file"
        ) from error
    except OSError as error:
        raise ConfigError(f"{shown} cannot be written: {error.strerror}") from error
    _fill(path, descriptor, data)


def _fill(path: Path, descriptor: int, data: bytes) -> None:
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)  # half a file would be taken for one
        raise ConfigError(f"{one_line(str(path))} cannot be written: {error.strerror}") from error


def _say(text: str) -> None:
    sys.stderr.write(f"opsdash init: {text}\n")
