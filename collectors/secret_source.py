"""Where a secret comes from when the configuration only refers to it: a variable, a file or a command."""

import asyncio
import os
import subprocess
from pathlib import Path

import msgspec

from opsdash.collectors.errors import AuthenticationFailed
from opsdash.collectors.secret import Secret
from opsdash.collectors.target import TargetId
from opsdash.collectors.text import one_line
from opsdash.collectors.threads import StillRunning, call_in_thread
from opsdash.collectors.under_way import shared

COMMAND_LIMIT_S = 20.0

READING_LIMIT_S = 3.0
"""How long one reading waits for it; the next one gets the answer."""


class SecretSource(msgspec.Struct, frozen=True, kw_only=True):
    """One reference; exactly one of `env`, `file` and `command` is set."""

    key: str
    """The key of the configuration that refers to it: "password_env"."""
    env: str | None = None
    file: str | None = None
    command: tuple[str, ...] | None = None
    """Argument list of a program that prints it; no shell."""


def stated_source(
    prefix: str, env: str | None, file: str | None, command: tuple[str, ...] | None
) -> SecretSource | None:
    """The source among `<prefix>_env`, `<prefix>_file` and `<prefix>_command`; None when none is stated.

    >>> stated_source("password", None, "/run/secret", None).key
    'password_file'
    """
    if env is not None:
        return SecretSource(key=f"{prefix}_env", env=env)
    if file is not None:
        return SecretSource(key=f"{prefix}_file", file=file)
    if command is not None:
        return SecretSource(key=f"{prefix}_command", command=command)
    return None


class _Unreadable(Exception):
    """Says why, without the value."""


async def read_secret(target: TargetId, source: SecretSource, *, patience_s: float) -> Secret:
    """Read the secret that `source` refers to, afresh: tokens expire and are rotated.

    Args:
        target: Whose it is.
        source: Where it is.
        patience_s: How long to wait for a slow command; it goes on, and the next read gets its answer.

    Raises:
        AuthenticationFailed: It cannot be read; the reason names the key of the configuration.
    """
    name = f"{source.key} of {target}"
    try:
        asked = shared(
            name,
            lambda: call_in_thread(lambda: _value(source), key=name, timeout_s=COMMAND_LIMIT_S + 1),
        )
        value = await asyncio.wait_for(asked, patience_s)
    except _Unreadable as error:
        raise _failed(target, source.key, str(error)) from None
    except (TimeoutError, StillRunning):
        raise _failed(target, source.key, "no answer yet; it is waited for") from None
    if not value:
        raise _failed(target, source.key, "it is empty")
    return Secret(value)


def _failed(target: TargetId, key: str, why: str) -> AuthenticationFailed:
    return AuthenticationFailed(
        target, f"{key}: {why}", hint=f"see {key} of this target in the configuration"
    )


def _value(source: SecretSource) -> str:
    if source.env is not None:
        return _from_environment(source.env)
    if source.file is not None:
        return _from_file(source.file)
    return _from_command(source.command or ())


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise _Unreadable(f"the environment variable {name} is not set")
    return value


def _from_file(path: str) -> str:
    try:
        lines = Path(path).expanduser().read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _Unreadable(f"{path}: {getattr(error, 'strerror', None) or 'not a text file'}") from error
    return lines[0] if lines else ""


def _from_command(command: tuple[str, ...]) -> str:
    """Run `command` without a shell and away from the terminal, so that it cannot ask on our screen."""
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_LIMIT_S,
            start_new_session=True,
            check=False,
        )
    except OSError as error:
        raise _Unreadable(f"{command[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise _Unreadable(f"{command[0]} did not end within {COMMAND_LIMIT_S:g} s") from error
    if ended.returncode != 0:
        last = one_line(ended.stderr.decode("utf-8", "replace"))[-200:]
        raise _Unreadable(
            f"{command[0]} ended with status {ended.returncode}" + (f": {last}" if last else "")
        )
    lines = ended.stdout.decode("utf-8", "replace").splitlines()
    return lines[0] if lines else ""
