"""Who we are to a Redis: user, password and certificates."""

import enum
import ssl
from pathlib import Path
from typing import Any

from redis.backoff import NoBackoff
from redis.retry import Retry

from opsdash.collectors.errors import TlsFailed
from opsdash.collectors.redis.address import Address
from opsdash.collectors.redis.settings import RedisSettings
from opsdash.collectors.secret import Secret
from opsdash.collectors.secret_source import (
    COMMAND_LIMIT_S,
    READING_LIMIT_S,
    SecretSource,
    read_secret,
    stated_source,
)
from opsdash.collectors.target import Target, TargetId
from opsdash.collectors.threads import call_in_thread

CONNECT_LIMIT_S = 3.0
_FILES_LIMIT_S = 3.0


class Purpose(enum.Enum):
    """What a connection is for: decides its user and which commands it may send."""

    READ = "read"
    """The collector, drill-downs, and plans of a session that may not act: `commands.READS` only."""
    ACT = "act"
    """Actions: `commands.ACTS` too."""


_held: dict[tuple[TargetId, str], Secret] = {}
"""The secrets last used: alive for as long as we run, since `redact` knows only living ones."""


async def login(
    target: Target, settings: RedisSettings, address: Address, purpose: Purpose
) -> dict[str, Any]:
    """The library's options that say who we are; every retry is off, and the library sets no time limit."""
    has_own_user = purpose is Purpose.ACT and settings.act_username is not None
    source = _password_source(settings, has_own_user=has_own_user)
    password = None
    if source is not None:
        patience_s = READING_LIMIT_S if purpose is Purpose.READ else COMMAND_LIMIT_S + 1
        password = await read_secret(target.id, source, patience_s=patience_s)
    elif address.password and not has_own_user:
        password = Secret(address.password)
    if password is not None:
        _held[target.id, source.key if source else "url"] = password
    return {
        "username": settings.act_username if has_own_user else address.username,
        "password": password.reveal() if password else None,
        "db": address.db,
        "protocol": 2,
        "decode_responses": True,
        "encoding_errors": "replace",
        "socket_timeout": None,
        "socket_connect_timeout": CONNECT_LIMIT_S,
        "retry": Retry(NoBackoff(), 0),
        "driver_info": None,
    }


def _password_source(settings: RedisSettings, *, has_own_user: bool) -> SecretSource | None:
    if has_own_user:
        return stated_source(
            "act_password",
            settings.act_password_env,
            settings.act_password_file,
            settings.act_password_command,
        )
    return stated_source("password", settings.password_env, settings.password_file, settings.password_command)


async def tls_context(target: TargetId, settings: RedisSettings) -> ssl.SSLContext:
    """Reads certificates from disk, so on a thread: a network home may hang."""

    def make() -> ssl.SSLContext:
        ca = settings.ca_file
        context = ssl.create_default_context(cafile=str(Path(ca).expanduser()) if ca else None)
        if settings.cert_file is not None:
            key = settings.key_file
            context.load_cert_chain(
                Path(settings.cert_file).expanduser(), Path(key).expanduser() if key else None
            )
        return context

    try:
        return await call_in_thread(make, key=f"certificates of {target}", timeout_s=_FILES_LIMIT_S)
    except OSError as error:
        keys = ", ".join(k for k in ("ca_file", "cert_file", "key_file") if getattr(settings, k))
        raise TlsFailed(
            target,
            f"{keys or 'certificates'} cannot be read: {error.strerror or error}",
            hint="check the file",
        ) from error
