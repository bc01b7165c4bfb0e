"""Where a password comes from: an environment variable, a file or a command."""

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from opsdash.collectors.errors import AuthenticationFailed
from opsdash.collectors.postgres.params import Purpose
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.postgres.under_way import shared
from opsdash.collectors.secret import Secret
from opsdash.collectors.target import Target
from opsdash.collectors.text import one_line
from opsdash.collectors.threads import StillRunning, call_in_thread

COMMAND_LIMIT_S = 20.0

READING_LIMIT_S = 3.0
"""How long one reading waits for it; the next one gets the answer."""


class _Unreadable(Exception):
    """Says why, without the value."""


async def password_of(target: Target, purpose: Purpose) -> Secret | None:
    """Read the password that the configuration refers to, afresh: tokens expire and are rotated.

    Returns:
        None when nothing is referred to: the DSN, PGPASSWORD or libpq's password file may have one.

    Raises:
        AuthenticationFailed: It cannot be read; the reason names the key of the configuration.
    """
    settings = target.settings
    assert isinstance(settings, PostgresSettings)
    reference = _reference(settings, purpose)
    if reference is None:
        return None
    key, read = reference
    name = f"{key} of {target.id}"
    patience_s = READING_LIMIT_S if purpose is Purpose.MONITOR else COMMAND_LIMIT_S + 1
    try:
        asked = shared(name, lambda: call_in_thread(read, key=name, timeout_s=COMMAND_LIMIT_S + 1))
        value = await asyncio.wait_for(asked, patience_s)
    except _Unreadable as error:
        raise _failed(target, key, str(error)) from None
    except (TimeoutError, StillRunning):
        raise _failed(target, key, "no answer yet; it is waited for") from None
    if not value:
        raise _failed(target, key, "it is empty")
    return Secret(value)


def _failed(target: Target, key: str, why: str) -> AuthenticationFailed:
    return AuthenticationFailed(
        target.id, f"{key}: {why}", hint=f"see {key} of this target in the configuration"
    )


def _reference(settings: PostgresSettings, purpose: Purpose) -> tuple[str, Callable[[], str]] | None:
    """The key that is set, and how its value is read."""
    own_role = purpose is Purpose.ACT and settings.act_dsn is not None
    prefix = "act_" if own_role else ""
    variable = settings.act_password_env if own_role else settings.password_env
    file = settings.act_password_file if own_role else settings.password_file
    command = settings.act_password_command if own_role else settings.password_command
    if variable is not None:
        return f"{prefix}password_env", lambda: _from_environment(variable)
    if file is not None:
        return f"{prefix}password_file", lambda: _from_file(file)
    if command is not None:
        return f"{prefix}password_command", lambda: _from_command(command)
    return None


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
