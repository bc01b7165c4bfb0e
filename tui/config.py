"""opsdash.toml -> targets and settings, as frozen values; every mistake is told with its file and key."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from opsdash.collectors.discover import discover
from opsdash.collectors.errors import ConfigError
from opsdash.collectors.target import Environment, Target, environment
from opsdash.collectors.text import clean
from opsdash.tui.config_decode import Mistake, decode, got
from opsdash.tui.config_targets import EnvironmentTable, decode_targets
from opsdash.tui.screen_settings import ScreenSettings, ScreenTable


class AuditSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where actions are recorded."""

    path: Path
    also: Literal["syslog"] | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of opsdash works with."""

    targets: tuple[Target, ...]
    """In the order of the file; or what the environment names, when the file names none."""
    audit: AuditSettings
    screen: ScreenSettings = ScreenSettings()
    notes: tuple[str, ...] = ()
    """Where the targets come from: the file, or what discovery found and skipped, and why."""
    looked_for: tuple[str, ...] = ()
    """The variables that discovery looked at; empty when the file names targets."""
    file: Path | None = None
    """The configuration file; None when there is none."""


class _AuditTable(msgspec.Struct, frozen=True, kw_only=True):
    path: str | None = None
    """The record of actions; `~/.local/state/opsdash/audit.jsonl` where it is not stated."""
    also: Literal["syslog"] | None = None
    """Each record's hash goes to syslog too: only that shows a tail that was cut off."""


class _File(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says; the defaults are what holds without one."""

    targets: tuple[Target, ...] = ()
    environment: Environment = Environment()
    audit: _AuditTable = _AuditTable()
    screen: ScreenSettings = ScreenSettings()


def load_config(option: str | None, environ: Mapping[str, str]) -> Config:
    """Find and read the configuration; when it names no targets, look in the environment.

    Args:
        option: The value of `--config`; None: `$OPSDASH_CONFIG`, then the user's config folder.
        environ: The variables, as in `os.environ`.

    Raises:
        ConfigError: The file cannot be read or has mistakes: all of them, one a line.
    """
    path = config_path(option, environ)
    file = _read(path) if path else _File()
    audit = AuditSettings(
        path=Path(file.audit.path).expanduser() if file.audit.path else default_audit_path(environ),
        also=file.audit.also,
    )
    if file.targets:
        note = f"targets from {clean(str(path))}"
        return Config(targets=file.targets, audit=audit, screen=file.screen, notes=(note,), file=path)
    found = discover(environ, file.environment)
    return Config(
        targets=found.targets,
        audit=audit,
        screen=file.screen,
        notes=found.notes,
        looked_for=found.looked_for,
        file=path,
    )


def config_path(option: str | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration file to read: never one of the working directory, since it can name commands.

    Returns:
        None when nobody named one and the user's config folder has none.

    Raises:
        ConfigError: `$OPSDASH_CONFIG` is relative: its file would depend on the working directory.
    """
    if option is not None:
        return Path(option).expanduser()
    named = environ.get("OPSDASH_CONFIG")
    if named:
        path = Path(named).expanduser()
        if not path.is_absolute():
            raise ConfigError(f"OPSDASH_CONFIG: expected an absolute path, got {clean(named)}")
        return path
    path = default_path(environ)
    return path if os.path.lexists(path) else None


def default_path(environ: Mapping[str, str]) -> Path:
    """Where the user's own configuration would be, on macOS too."""
    return _folder(environ, "XDG_CONFIG_HOME", ".config") / "opsdash.toml"


def state_folder(environ: Mapping[str, str]) -> Path:
    """Where opsdash keeps its audit log and its own log."""
    return _folder(environ, "XDG_STATE_HOME", ".local/state")


def default_audit_path(environ: Mapping[str, str]) -> Path:
    """The audit log where the configuration names no other."""
    return state_folder(environ) / "audit.jsonl"


def _folder(environ: Mapping[str, str], variable: str, otherwise: str) -> Path:
    stated = environ.get(variable, "")
    if stated.startswith("/"):  # a relative one is to be ignored, says the XDG specification
        return Path(stated) / "opsdash"
    return Path(environ.get("HOME") or Path.home()) / otherwise / "opsdash"


def _read(path: Path) -> _File:
    """Read the file. Raises ConfigError with every mistake in it."""
    shown = clean(str(path))
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            tables = tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"{shown}: cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{shown}: not TOML: {clean(str(error))}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{shown}: not TOML: byte {error.start} is not UTF-8") from error
    mistakes: list[Mistake] = []
    result = _decode(tables, mistakes, shown, status)
    if mistakes:
        raise ConfigError("\n".join(f"{shown}: {clean(str(mistake))}" for mistake in mistakes))
    return result


def _decode(tables: dict[str, Any], mistakes: list[Mistake], shown: str, status: os.stat_result) -> _File:
    stated = decode(tables.pop("environment", {}), EnvironmentTable, "environment", mistakes)
    audit = decode(tables.pop("audit", {}), _AuditTable, "audit", mistakes) or _AuditTable()
    if audit.path is not None and not audit.path.startswith(("/", "~/")):
        mistakes.append(Mistake("audit.path", "expected an absolute path, or one that begins with ~/"))
    around = stated or EnvironmentTable()
    screen = decode(tables.pop("screen", {}), ScreenTable, "screen", mistakes) or ScreenTable()
    keys = _keys(tables.pop("keys", {}), mistakes)
    return _File(
        targets=decode_targets(tables, around, mistakes, file=shown, status=status),
        environment=environment(around.name, around.production, around.actions),
        audit=audit,
        screen=ScreenSettings(table=screen, keys=keys, file=shown),
    )


def _keys(table: object, mistakes: list[Mistake], path: str = "keys") -> dict[str, str]:
    """`[keys]`: id -> keys. An id's dots need no quotes: `table.mark = "m"` is a table within the table."""
    if isinstance(table, str) and table.strip():
        return {path.removeprefix("keys."): table}
    if not isinstance(table, dict) or (not table and path != "keys"):
        mistakes.append(Mistake(path, f'expected keys as in "f5" or "K,ctrl+k", got {got(table)}'))
        return {}
    found: dict[str, str] = {}
    for name, inner in table.items():
        found |= _keys(inner, mistakes, f"{path}.{name}")
    return found
