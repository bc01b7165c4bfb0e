"""Why a role does not get in -> the statement that would let it in. Pure."""

import re
from collections.abc import Iterator

from opsdash.collectors.diagnosis import Check, Fix, missing
from opsdash.collectors.errors import TargetError

_NO_ROLE = re.compile(r'role "(.+)" does not exist')
_NO_LOGIN = re.compile(r'role "(.+)" is not permitted to log in')
_NO_CONNECT = re.compile(r'permission denied for database "(.+)"')
_ROLE_FULL = re.compile(r'too many connections for role "(.+)"')
_NO_HBA = re.compile(
    r'no pg_hba\.conf entry for host "(?P<host>[^"]+)", user "(?P<user>.+?)", '
    r'database "(?P<database>.+?)"(?P<encryption>, SSL encryption)?'
)
_SQL = "in psql, as a superuser"


def login_checks(error: TargetError, subject: str, *, user: str, grants: str) -> Iterator[Check]:
    r"""What is to be done about a refused login; nothing where the reason does not say it.

    Args:
        error: The server's refusal.
        subject: What the role is for: "login", "acting".
        user: The role that was to log in.
        grants: What a new role for it is granted.

    >>> from opsdash.collectors.target import TargetId
    >>> error = TargetError(TargetId("postgres", "orders"), 'FATAL: role "ops" does not exist')
    >>> [check.fix.lines for check in login_checks(error, "login", user="ops", grants="pg_monitor")]
    [('CREATE ROLE "ops" LOGIN;', '\\password "ops"', 'GRANT pg_monitor TO "ops";')]
    """
    if found := _NO_ROLE.search(error.reason):
        role = quoted(found[1])
        yield missing(
            subject,
            f"there is no role {role}",
            _sql(f"CREATE ROLE {role} LOGIN;", f"\\password {role}", f"GRANT {grants} TO {role};"),
        )
    elif found := _NO_LOGIN.search(error.reason):
        role = quoted(found[1])
        yield missing(subject, f"role {role} may not log in", _sql(f"ALTER ROLE {role} LOGIN;"))
    elif found := _NO_CONNECT.search(error.reason):
        database = quoted(found[1])
        yield missing(
            subject,
            f"role {quoted(user)} may not connect to database {database}",
            _sql(f"GRANT CONNECT ON DATABASE {database} TO {quoted(user)};"),
        )
    elif found := _ROLE_FULL.search(error.reason):
        role = quoted(found[1])
        yield missing(
            subject,
            f"role {role} has as many sessions as its CONNECTION LIMIT allows; opsdash needs up to 3",
            _sql(f"ALTER ROLE {role} CONNECTION LIMIT -1;  -- any number"),
        )
    elif found := _NO_HBA.search(error.reason):
        yield missing(subject, "pg_hba.conf has no line that lets it in", _hba(found))


def quoted(name: str) -> str:
    """An identifier, quoted always: a plain name may be a reserved word.

    >>> quoted("user"), quoted('ops "dash')
    ('"user"', '"ops ""dash"')
    """
    return '"' + name.replace('"', '""') + '"'


def _hba(found: re.Match[str]) -> Fix:
    """The narrowest line; libpq tries with TLS first, so the one without it is what failed last."""
    host = found["host"]
    where = "local" if host == "[local]" else "hostssl" if found["encryption"] else "host"
    address = [] if host == "[local]" else [host + ("/128" if ":" in host else "/32")]
    line = [where, quoted(found["database"]), quoted(found["user"]), *address, "scram-sha-256"]
    return Fix(
        where="in pg_hba.conf, above lines that match more; then SELECT pg_reload_conf()",
        lines=(" ".join(line),),
    )


def _sql(*lines: str) -> Fix:
    return Fix(where=_SQL, lines=lines)
