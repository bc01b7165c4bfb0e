"""Bytes of the server made into harmless text, and rows of `queries/*.sql` into values."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from opsdash.collectors.postgres.database_rates import DatabaseCounters
from opsdash.collectors.postgres.lock_waits import Lock
from opsdash.collectors.postgres.mask import mask
from opsdash.collectors.postgres.rows import PreparedTransaction, SessionRow
from opsdash.collectors.text import one_line

QUERY_BYTES = 1000
"""How much of a statement `queries/activity.sql` asks for."""


@lru_cache(maxsize=8192)
def name(raw: bytes) -> str:
    r"""A name, clean and on one line. Names repeat in every reading, so each is cleaned once.

    Databases may have other encodings than the one we are connected to; what is not UTF-8 is shown as such.

    >>> name("caf\u00e9".encode()), name("caf\u00e9\n".encode("latin-1")), name(b"a\x1b[2J")
    ('café', 'caf�', 'a␛[2J')
    """
    return one_line(raw.decode("utf-8", "replace"))


@lru_cache(maxsize=4096)
def query(raw: bytes) -> str:
    """A statement, masked, clean and on one line; without the rest of a character that was cut in two."""
    text = raw.decode("utf-8", "replace")
    return mask(text.rstrip("\ufffd") if len(raw) >= QUERY_BYTES else text)


def statement(raw: bytes | None) -> str | None:
    """The text of a statement, masked; None when there is none, or it is hidden from this role.

    >>> statement(b"select 1"), statement(_HIDDEN)
    ('select ?', None)
    """
    return query(raw) if raw and raw != _HIDDEN else None


def texts(row: Sequence[Any]) -> list[Any]:
    """A row with its text as `name` makes it, and all else as it is."""
    return [name(value) if isinstance(value, bytes) else value for value in row]


_HIDDEN = b"<insufficient privilege>"


MOVING = 7
"""So many columns of `queries/activity.sql` come first, and are told of every session in every reading."""


def session(row: Sequence[Any]) -> SessionRow:
    """One row of `queries/activity.sql` that tells all."""
    pid, application, wait_type, wait, xact_start, xid, query_id, _, *rest = row
    (
        leader,
        kind,
        database_oid,
        user_oid,
        database,
        user,
        addr,
        state,
        backend_start,
        query_start,
        state_change,
        sql,
    ) = rest
    return SessionRow(
        pid=pid,
        leader_pid=leader,
        backend_type=name(kind) if kind else None,
        database=name(database) if database else None,
        user=name(user) if user else None,
        application_name=name(application) if application else None,
        client_addr=name(addr) if addr else None,
        state=name(state) if state else None,
        wait_event_type=name(wait_type) if wait_type else None,
        wait_event=name(wait) if wait else None,
        backend_start=backend_start,
        xact_start=xact_start,
        query_start=query_start,
        state_change=state_change,
        backend_xid=int(xid) if xid else None,
        query_id=query_id,
        database_oid=database_oid,
        user_oid=user_oid,
        query=query(sql) if sql and sql != _HIDDEN else None,
        is_visible=kind is not None,
    )


def moved(before: SessionRow, row: Sequence[Any]) -> SessionRow:
    """The same session, of which a row tells only what may have changed."""
    _, application, wait_type, wait, xact_start, xid, query_id, *_ = row
    return msgspec.structs.replace(
        before,
        application_name=name(application) if application else None,
        wait_event_type=name(wait_type) if wait_type else None,
        wait_event=name(wait) if wait else None,
        xact_start=xact_start,
        backend_xid=int(xid) if xid else None,
        query_id=query_id,
    )


@lru_cache(maxsize=1024)
def lock(row: tuple[Any, ...]) -> Lock:
    """One row of `queries/locks.sql`; most are the same in the next reading."""
    return Lock(*texts(row))


def database(row: Sequence[Any]) -> tuple[int, DatabaseCounters]:
    """One row of `queries/databases.sql`, by its oid."""
    oid, datname, stats_reset, *counters = row
    return oid, DatabaseCounters(name(datname), stats_reset, tuple(counters))


def relation(row: Sequence[Any]) -> tuple[int, str]:
    """One row of `queries/relations.sql`: oid and schema.table."""
    oid, schema, table = row
    return oid, f"{name(schema)}.{name(table)}"


def prepared(row: Sequence[Any], awaited: Collection[str]) -> PreparedTransaction:
    """One row of `queries/prepared.sql`; `awaited`: ids of the transactions that somebody waits for."""
    gid, database_name, owner, since, transaction = row
    return PreparedTransaction(
        gid=name(gid),
        database=name(database_name),
        owner=name(owner),
        prepared=since,
        transaction=int(transaction),
        is_holding=name(transaction) in awaited,
    )
