"""PostgreSQL servers that DATABASE_URL and libpq's own variables name."""

import re
from collections.abc import Mapping

from opsdash.collectors.discover import Found, Looked, Skipped
from opsdash.collectors.postgres.dsn import parts
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.text import one_line

_NAMING = ("PGSERVICE", "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE")
"""libpq's variables that say which server is meant; PGUSER or PGPASSWORD alone do not."""

_SCHEME = re.compile(r"([\w.+-]+)://")
_DRIVER = re.compile(r"(postgres(?:ql)?)\+\w+://", re.IGNORECASE)


def discover(environ: Mapping[str, str]) -> Looked:
    """Look at DATABASE_URL, then at PGHOST and its like; a server named by both is one target.

    >>> looked = discover({"DATABASE_URL": "postgresql://me:hunter2@db.internal/orders", "PGDATABASE": "x"})
    >>> [(found.name, found.source) for found in looked.found]
    [('db.internal/orders', 'DATABASE_URL'), ('local/x', 'PGDATABASE')]
    >>> [(s.source, s.reason) for s in discover({"DATABASE_URL": "mysql://me:hunter2@db/x"}).skipped]
    [('DATABASE_URL', 'it names mysql, which is not PostgreSQL')]
    """
    found: list[Found] = []
    skipped: list[Skipped] = []
    url = environ.get("DATABASE_URL", "").strip()
    if url:
        try:
            found.append(_of_url(url))
        except ValueError as error:
            skipped.append(Skipped(source="DATABASE_URL", reason=str(error)))
    own = _of_libpq(environ)
    if own is not None and any(own.name == other.name for other in found):
        skipped.append(Skipped(source=own.source, reason="it is the server that DATABASE_URL names"))
    elif own is not None:
        found.append(own)
    elif "PGUSER" in environ or "PGPASSWORD" in environ:
        skipped.append(
            Skipped(source="PGUSER, PGPASSWORD", reason="no server is named; PGHOST or PGSERVICE would")
        )
    return Looked(looked_for=("DATABASE_URL", *_NAMING), found=tuple(found), skipped=tuple(skipped))


def _of_url(url: str) -> Found:
    """The target of a DATABASE_URL. Raises ValueError, whose text does not repeat the value."""
    dsn = _DRIVER.sub(r"\1://", url)  # SQLAlchemy's postgresql+psycopg://
    scheme = _SCHEME.match(dsn)
    if scheme is not None and scheme[1].lower() not in ("postgresql", "postgres"):
        raise ValueError(f"it names {one_line(scheme[1])}, which is not PostgreSQL")
    return Found(name=_name(parts(dsn)), settings=PostgresSettings(dsn=dsn), source="DATABASE_URL")


def _of_libpq(environ: Mapping[str, str]) -> Found | None:
    """The target that libpq would choose by itself; None when no variable names one."""
    used = [name for name in _NAMING if environ.get(name)]
    if not used:
        return None
    stated = {
        "service": environ.get("PGSERVICE", ""),
        "host": environ.get("PGHOST") or environ.get("PGHOSTADDR", ""),
        "port": environ.get("PGPORT", ""),
        "dbname": environ.get("PGDATABASE", ""),
    }
    return Found(name=_name(stated), settings=PostgresSettings(), source=", ".join(used))


def _name(stated: Mapping[str, str]) -> str:
    """A name as people would say it: host/database, with the port where it is not the usual one.

    >>> _name({"host": "db", "port": "5432", "dbname": "shop"}), _name({"host": "a,b", "port": "6000,6001"})
    ('db/shop', 'a:6000+1')
    >>> _name({"host": "/run/postgresql", "port": "5433"}), _name({"service": "orders"})
    ('local:5433', 'orders')
    """
    if stated.get("service"):
        return one_line(stated["service"])
    hosts = (stated.get("host") or stated.get("hostaddr") or "local").split(",")
    port = stated.get("port", "").split(",")[0]
    name = "local" if hosts[0].startswith(("/", "@")) else hosts[0] or "local"
    if port not in ("", "5432"):
        name += f":{port}"
    if len(hosts) > 1:
        name += f"+{len(hosts) - 1}"
    if stated.get("dbname"):
        name += f"/{stated['dbname']}"
    return one_line(name)
