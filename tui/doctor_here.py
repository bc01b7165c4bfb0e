"""What doctor looks at on this machine: the configuration file, the environment and the audit log."""

import os
import shlex
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from opsdash.collectors.diagnosis import Check, Fix, advice, missing, ok
from opsdash.collectors.discover import discover
from opsdash.collectors.target import Environment
from opsdash.collectors.text import one_line
from opsdash.tui.config import AuditSettings, Config, default_path

_SHELL = "in a shell"


def configuration_checks(config: Config, environ: Mapping[str, str]) -> Sequence[Check]:
    """Which file is used, who may touch it, and where the targets come from."""
    return [*_file(config, environ), *_targets(config, environ), *_environments(config)]


def _file(config: Config, environ: Mapping[str, str]) -> Iterator[Check]:
    if config.file is None:
        yield advice(
            "file",
            f"none: {_shown(default_path(environ))} does not exist",
            Fix(where=f"{_SHELL}, to write one from what the environment names", lines=("opsdash init",)),
        )
        return
    try:
        status = config.file.stat()
    except OSError as error:
        yield missing("file", f"{_shown(config.file)}: {error.strerror}")
        return
    mode = f"mode {stat.S_IMODE(status.st_mode):04o}"
    if status.st_mode & 0o022:
        yield missing(
            "file",
            f"{_shown(config.file)} may be written by others ({mode}), and it decides where opsdash connects",
            Fix(where=_SHELL, lines=(f"chmod go-w {_word(config.file)}",)),
        )
    elif status.st_uid not in (0, os.geteuid()):
        yield missing("file", f"{_shown(config.file)} belongs to uid {status.st_uid}, not to you or root")
    else:
        yield ok("file", f"{_shown(config.file)} ({mode})")


def _targets(config: Config, environ: Mapping[str, str]) -> Iterator[Check]:
    """Where they come from; what discovery found or skipped, and why."""
    if not config.looked_for:
        yield ok("targets", f"{len(config.targets)} from the file")
        for target in discover(environ, Environment()).targets:
            yield advice(
                "targets",
                f"{target.id} in {target.source} is not looked at: the file names its own targets",
            )
        return
    if not config.targets:
        yield missing(
            "targets",
            f"none: neither the file nor {', '.join(config.looked_for)} names one",
            Fix(
                where=f"{_SHELL}, with your own server",
                lines=("export DATABASE_URL=postgresql://opsdash@host/database",),
            ),
        )
    for note in config.notes:
        yield (ok if note.startswith("found ") else advice)("targets", note)


def _environments(config: Config) -> Iterator[Check]:
    unstated = [target.name for target in config.targets if target.environment.name is None]
    if unstated:
        yield advice(
            "environment",
            f"not stated for {', '.join(unstated)}: guarded like production; "
            "[environment] name in the configuration states it",
        )


def audit_checks(audit: AuditSettings) -> Sequence[Check]:
    """Whether an action could be recorded, which it must be before it is sent. Nothing is written."""
    where = _shown(audit.path)
    try:
        return list(_audit(audit.path, where))
    except OSError as error:
        return [
            missing("audit log", f"{where}: {error.strerror}: actions would be refused", _another_place())
        ]


def _audit(path: Path, where: str) -> Iterator[Check]:
    exists = os.path.lexists(path)
    nearest = path if exists else next(folder for folder in path.parents if os.path.lexists(folder))
    if exists and not path.is_file():
        yield missing("audit log", f"{where} is no file: actions would be refused", _another_place())
    elif not exists and not nearest.is_dir():
        yield missing(
            "audit log", f"{_shown(nearest)} is no folder: actions would be refused", _another_place()
        )
    elif not os.access(nearest, os.W_OK if exists else os.W_OK | os.X_OK, effective_ids=True):
        what = where if exists else f"{where} cannot be created: {_shown(nearest)}"
        yield missing("audit log", f"{what} is not writable: actions would be refused", _another_place())
    elif os.statvfs(nearest).f_bavail == 0:
        yield missing(
            "audit log", f"the file system of {where} is full: actions would be refused", _another_place()
        )
    elif exists and path.stat().st_mode & 0o077:
        yield missing(
            "audit log",
            f"{where} may be read or written by others (mode {stat.S_IMODE(path.stat().st_mode):04o})",
            Fix(where=_SHELL, lines=(f"chmod 600 {_word(path)}",)),
        )
    else:
        yield ok("audit log", f"{where} is writable" if exists else f"{where} can be created")


def _another_place() -> Fix:
    return Fix(
        where="in the configuration, to name another place",
        lines=("[audit]", 'path = "~/opsdash-audit.jsonl"'),
    )


def _shown(path: Path) -> str:
    return one_line(str(path))


def _word(path: Path) -> str:
    return shlex.quote(_shown(path))
