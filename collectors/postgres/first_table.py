"""The `[[postgres]]` table that `opsdash init` writes for a server that the environment names."""

import re
from collections.abc import Mapping

from opsdash.collectors.first_table import Entry, FirstTable, password_entries, password_to_do
from opsdash.collectors.postgres.dsn import parts, secret_keys
from opsdash.collectors.postgres.settings import PostgresSettings

_VARIABLES: Mapping[str, str] = {
    "service": "PGSERVICE",
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}
"""libpq's parameters that say which server is meant and how it is verified, by the variable of each."""

_ACCOUNT = re.compile(r"^(\w+://)([^/]*)@")
_PLAIN = re.compile(r"[\w.,:/@+-]+", re.ASCII)


def first_table(name: str, settings: PostgresSettings, environ: Mapping[str, str]) -> FirstTable:
    """The table of one discovered server.

    Args:
        name: What the target will be called.
        settings: What discovery found: the DSN, or an empty one where libpq's own variables name it.
        environ: The variables, as in `os.environ`.
    """
    was_inline = bool(secret_keys(settings.dsn))
    dsn = without_secrets(settings.dsn) if settings.dsn else _of_variables(environ)
    variable = "PGPASSWORD" if environ.get("PGPASSWORD") and not was_inline else None
    return FirstTable(
        entries=(
            Entry(key="dsn", value=dsn, comment="where it is and who opsdash is there; no password in here"),
            *password_entries(name, variable=variable, was_inline=was_inline),
            Entry(
                key="act_dsn",
                value=with_user(dsn, "opsdash_act"),
                comment="a second role, for actions only",
                is_active=False,
            ),
            Entry(
                key="act_password_env",
                value="OPSDASH_ACT_PASSWORD",
                comment="its password; _file and _command likewise",
                is_active=False,
            ),
        ),
        to_do=(password_to_do(name, "DATABASE_URL"),) if was_inline else (),
    )


def without_secrets(dsn: str) -> str:
    """A connection string without its passwords: in its own form where that can be kept.

    >>> without_secrets("postgresql://me:hunter2@db/shop?sslmode=require")
    'postgresql://me@db/shop?sslmode=require'
    >>> without_secrets("host=db password='a b' dbname=shop")
    'host=db dbname=shop'
    """
    stated = {key: value for key, value in parts(dsn).items() if key not in secret_keys(dsn)}
    bare = _ACCOUNT.sub(lambda found: f"{found[1]}{found[2].partition(':')[0]}@", dsn)
    if _ACCOUNT.match(dsn) and parts(bare) == stated:
        return bare
    return dsn if parts(dsn) == stated else pairs(stated)


def with_user(dsn: str, user: str) -> str:
    """The same server for another role.

    >>> with_user("postgresql://me@db/shop", "act"), with_user("postgresql:///shop", "act")
    ('postgresql://act@db/shop', 'user=act dbname=shop')
    """
    swapped = _ACCOUNT.sub(lambda found: f"{found[1]}{user}@", dsn)
    return swapped if swapped != dsn else pairs({"user": user, **_others(dsn)})


def _others(dsn: str) -> dict[str, str]:
    return {key: value for key, value in parts(dsn).items() if key != "user"}


def pairs(stated: Mapping[str, str]) -> str:
    r"""The key=value form.

    >>> pairs({"host": "db", "dbname": "it's"})
    "host=db dbname='it\\'s'"
    """
    return " ".join(f"{key}={_value(value)}" for key, value in stated.items())


def _value(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _of_variables(environ: Mapping[str, str]) -> str:
    return pairs({key: environ[name] for key, name in _VARIABLES.items() if environ.get(name)})
