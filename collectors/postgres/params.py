"""What libpq is told: a target's DSN, its service file and the environment, as one dictionary."""

import configparser
import enum
import os
import re
from collections.abc import Mapping
from pathlib import Path

from psycopg import Error
from psycopg.conninfo import conninfo_to_dict

from opsdash.collectors.errors import NotSupported
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.secret import Secret
from opsdash.collectors.target import TargetId

Params = dict[str, str]
"""libpq's connection parameters by keyword."""


class Purpose(enum.Enum):
    """What a connection is for: decides its role, its time limits and whether it may write."""

    MONITOR = "monitor"
    """The collector's kept connection. Text arrives as bytes (see `connect`)."""
    DRILL = "drill-down"
    """Short-lived, for one costly read."""
    ACT = "act"
    """Actions only; may write."""


_STATEMENT_LIMIT_MS: Mapping[Purpose, int] = {Purpose.MONITOR: 2000, Purpose.DRILL: 10000, Purpose.ACT: 10000}

_DEFAULTS: Mapping[str, str] = {
    "connect_timeout": "3",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    # asking a Kerberos server blocks inside libpq, and "prefer" would ask one wherever a ticket lies around
    "gssencmode": "disable",
}

_ENVIRONMENT: Mapping[str, str] = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "options": "PGOPTIONS",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "gssencmode": "PGGSSENCMODE",
    "password": "PGPASSWORD",
}
"""Read by us, since we must know them; libpq itself reads the rest."""

_URI_PASSWORD = re.compile(r"^[a-z]+://[^/?#@]*?:(?P<password>[^/?#]*)@")


def dsn_of(settings: PostgresSettings, purpose: Purpose) -> str:
    """The DSN of a purpose: actions have their own role where one is configured."""
    if purpose is Purpose.ACT and settings.act_dsn is not None:
        return settings.act_dsn
    return settings.dsn


def stated(target: TargetId, dsn: str) -> Params:
    """What the DSN, then its service file, then the environment say; the first one wins, as in libpq.

    Raises:
        NotSupported: The DSN or the service file cannot be read.
    """
    try:
        own = {key: str(value) for key, value in conninfo_to_dict(dsn).items()}
    except Error as error:
        raise NotSupported(
            target,
            "the DSN cannot be read",
            hint='expected "postgresql://user@host/database" or "host=… dbname=…"',
        ) from error.with_traceback(None)
    service = own.pop("service", None) or os.environ.get("PGSERVICE")
    named = _service(target, service) if service else {}
    around = {key: os.environ[name] for key, name in _ENVIRONMENT.items() if os.environ.get(name)}
    return {**around, **named, **own}


def secrets_in(dsn: str, params: Params) -> tuple[Secret, ...]:
    """The passwords in `params`, also as the DSN writes them (percent-encoded): what `redact` must know."""
    values = {params[key] for key in ("password", "sslpassword") if params.get(key)}
    if written := _URI_PASSWORD.match(dsn):
        values.add(written["password"])
    return tuple(Secret(value) for value in values if value)


def complete(params: Params, purpose: Purpose) -> Params:
    """`params` with our defaults where nothing is stated, and with what a purpose demands.

    The user's own `options` follow our time limits, so they win over them; nothing wins over read-only.

    >>> complete({"options": "-c statement_timeout=9000"}, Purpose.MONITOR)["options"].split("-c ")[-2:]
    ['statement_timeout=9000 ', 'default_transaction_read_only=on']
    >>> complete({"connect_timeout": "8"}, Purpose.ACT)["connect_timeout"]
    '8'
    """
    options = [
        f"-c statement_timeout={_STATEMENT_LIMIT_MS[purpose]} -c lock_timeout=500",
        "-c idle_in_transaction_session_timeout=5000 -c timezone=UTC",
        params.get("options", ""),
    ]
    if purpose is not Purpose.ACT:
        options.append("-c default_transaction_read_only=on")
    return {
        **_DEFAULTS,
        **params,
        "options": " ".join(part for part in options if part),
        "application_name": "opsdash",
        "client_encoding": "SQL_ASCII" if purpose is Purpose.MONITOR else "UTF8",
    }


def _service(target: TargetId, name: str) -> Params:
    """The section of a connection service file.

    libpq would read it too, but then looks up the host's name itself, which blocks the whole program.

    Source:
        https://www.postgresql.org/docs/current/libpq-pgservice.html
    """
    own = os.environ.get("PGSERVICEFILE") or Path("~/.pg_service.conf").expanduser()
    shared = Path(os.environ.get("PGSYSCONFDIR") or "/etc/postgresql-common") / "pg_service.conf"
    for path in (Path(own), shared):
        parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), strict=False)
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError) as error:
            raise NotSupported(target, f"the service file {path} cannot be read: {error}") from error
        if parser.has_section(name):
            return dict(parser.items(name))
    raise NotSupported(
        target,
        f'service "{name}" is not in {own} nor in {shared}',
        hint="name the file in PGSERVICEFILE, or the folder in PGSYSCONFDIR",
    )
