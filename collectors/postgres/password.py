"""Where the password of a purpose comes from: an environment variable, a file or a command."""

from opsdash.collectors.postgres.params import Purpose
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.secret import Secret
from opsdash.collectors.secret_source import (
    COMMAND_LIMIT_S,
    READING_LIMIT_S,
    SecretSource,
    read_secret,
    stated_source,
)
from opsdash.collectors.target import Target


async def password_of(target: Target, purpose: Purpose) -> Secret | None:
    """Read the password that the configuration refers to, afresh: tokens expire and are rotated.

    Returns:
        None when nothing is referred to: the DSN, PGPASSWORD or libpq's password file may have one.

    Raises:
        AuthenticationFailed: It cannot be read; the reason names the key of the configuration.
    """
    settings = target.settings
    assert isinstance(settings, PostgresSettings)
    source = _source(settings, purpose)
    if source is None:
        return None
    patience_s = READING_LIMIT_S if purpose is Purpose.MONITOR else COMMAND_LIMIT_S + 1
    return await read_secret(target.id, source, patience_s=patience_s)


def _source(settings: PostgresSettings, purpose: Purpose) -> SecretSource | None:
    """The reference that is stated for the role of a purpose."""
    if purpose is Purpose.ACT and settings.act_dsn is not None:
        return stated_source(
            "act_password",
            settings.act_password_env,
            settings.act_password_file,
            settings.act_password_command,
        )
    return stated_source("password", settings.password_env, settings.password_file, settings.password_command)
