"""The plan of a statement: the one place where text from a target goes back to it. It is never executed.

1. The text is read anew; it is not kept, and what is kept of it is masked.
2. A short-lived connection, read-only, to the database in which the statement runs.
3. A READ ONLY transaction with short limits, which is rolled back: planning can call functions that say they
   are immutable, and can wait for locks.
4. PREPARE, by the extended protocol: the server takes exactly one statement ("…; delete …" is refused), and
   its grammar takes only what has a plan (not EXPLAIN ANALYZE, not EXECUTE, not VACUUM). The prepared
   statement has a random name, since a text that names itself would send the server into a recursion.
5. EXPLAIN EXECUTE with NULL for every parameter, and a generic plan, which does not look at them.
"""

import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import psycopg
from psycopg.types.string import TextLoader

from opsdash.collectors.errors import (
    BadReply,
    NotSupported,
    PermissionDenied,
    TargetError,
    TimedOut,
)
from opsdash.collectors.postgres.client import Connection, translate
from opsdash.collectors.postgres.drill import Source, drill, read_source
from opsdash.collectors.postgres.explain_rows import Explained
from opsdash.collectors.postgres.index_hints import hints
from opsdash.collectors.postgres.mask import mask
from opsdash.collectors.postgres.plan import Plan, plan_of
from opsdash.collectors.postgres.plan_scans import IndexFacts, RelationFacts, whole_reads
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.collectors.postgres.statement_rows import StatementId
from opsdash.collectors.postgres.statements import statement
from opsdash.collectors.target import Target
from opsdash.collectors.text import clean

GENERIC_PLAN = 160000
"""server_version_num from which EXPLAIN itself knows that values are not to be looked at."""


_LIMITS_S = {"plan_limits": 4, "analyze_limits": 10}
"""What each of these statements allows, in seconds."""
_TYPE_LOST = frozenset({"42883", "42725", "42P18", "42804", "42P08"})
"""sqlstates: no such function or operator, or several of them; a type that is not known, or contradicts."""
_NOT_FOUND = frozenset({"42P01", "42883", "3F000", "42704"})
"""sqlstates: there is no such table, function, schema or type."""
_GONE = "the statement is gone: it was evicted, or the session runs another one by now"


async def explain(target: Target, identity: SessionIdentity | StatementId) -> Explained:
    """Read a statement's text anew and ask the server how it would go about it.

    Returns:
        Also when the server refuses, with the reason: a text may be cut off, or be no valid SQL once its
        literals were taken out.

    Raises:
        TargetError: The target could not be read.
    """
    async with drill(target) as connection:
        source = await read_source(connection, target, identity)
    if source is None:
        return Explained(sql=None, why_not=_GONE)
    sql = mask(clean(source.text))
    why_not = why_not_sent(source)
    if why_not is not None:
        return Explained(sql=sql, why_not=why_not)
    try:
        async with drill(target, source.database) as connection:
            found = await planned(connection, target, source.text)
    except (NotSupported, PermissionDenied, BadReply, TimedOut) as error:
        return Explained(sql=sql, why_not=_refused(error, source.text), database=source.database)
    return msgspec.structs.replace(found, sql=sql, database=source.database)


def why_not_sent(source: Source) -> str | None:
    """Why a text is not sent back; None when it may be."""
    if source.is_cut:
        return (
            "the server keeps only the beginning of this text (track_activity_query_size): the statements "
            "view has all of it, where pg_stat_statements is on"
        )
    if not source.is_utf8:
        return "the text has bytes that are not UTF-8 (a database in another encoding): it is not sent back"
    if source.database is None:
        return "the database in which it ran is gone"
    return None


def _refused(error: TargetError, text: str) -> str:
    """The server's words, and what they come from, where that is not the statement itself."""
    state = error.__cause__.sqlstate if isinstance(error.__cause__, psycopg.Error) else None
    if isinstance(error, PermissionDenied):
        return (
            f"{error.reason}: planning needs the rights that the statement needs; GRANT them (to read: "
            "pg_read_all_data) TO the role of opsdash, or explain it in psql"
        )
    if state in _TYPE_LOST and re.search(r"\$\d", text):
        return (
            f"{error.reason}: $1, $2, … stand for literals here, and what type those had is lost with them; "
            "a session that runs it still has them (Enter, then e)"
        )
    if state in _NOT_FOUND:
        return f"{error.reason}: the search_path of opsdash's role may not be that of the role that runs it"
    return error.reason


async def planned(connection: Connection, target: Target, text: str) -> Explained:
    """Have `text` planned in a transaction of its own, which is rolled back.

    Raises:
        TargetError: The server refused, in its words.
        psycopg.Error: The connection is broken.
    """
    async with read_only(connection, target, "plan_limits"):
        name = await prepare(connection, text)
        parameters = await parameters_of(connection, name)
        plan = plan_of(
            await answer_of(connection, explain_statement(connection, name, ["null"] * parameters))
        )
        relations = await _relations(connection, plan)
    return Explained(
        sql=None,
        plan=plan,
        parameters=parameters,
        hints=hints(plan, relations),
        role=clean(connection.info.user),
    )


@asynccontextmanager
async def read_only(connection: Connection, target: Target, limits: str) -> AsyncIterator[None]:
    """A READ ONLY transaction with the limits of a shipped statement; rolled back, whatever happens.

    Raises:
        TargetError: The server refused, in its words; or what it answered cannot be read.
        psycopg.Error: The connection is broken.
    """
    await connection.execute("begin transaction read only")
    try:
        await connection.execute(statement(limits))
        yield
    except RecursionError as error:
        raise BadReply(target.id, "its plan is nested too deeply to be drawn") from error
    except (KeyError, ValueError, TypeError, msgspec.DecodeError) as error:
        raise BadReply(target.id, f"its plan cannot be read: {type(error).__name__}") from error
    except psycopg.Error as error:
        if connection.closed:
            raise
        raise _told(target, error, limits) from error
    finally:
        if not connection.closed:
            await connection.execute("rollback")


async def prepare(connection: Connection, text: str) -> str:
    """Send the text, as the one statement of a PREPARE; the name by which it can be explained.

    Raises:
        psycopg.Error: The server refused it.
    """
    name = f"opsdash_{secrets.token_hex(16)}"
    # binary: only then psycopg uses the extended protocol for a statement without parameters
    await psycopg.AsyncRawCursor(connection).execute(f"prepare {name} as {text}".encode(), binary=True)
    return name


async def parameters_of(connection: Connection, name: str) -> int:
    """How many parameters a prepared statement has."""
    cursor = await connection.execute(statement("plan_parameters"), (name,))
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


def explain_statement(
    connection: Connection, name: str, values: Sequence[str], *, analyze: bool = False
) -> str:
    """EXPLAIN of a prepared statement; `values` are literals, quoted already. Only `analyze` executes it."""
    options = ["format json", "verbose"]
    if analyze:
        options += ["analyze", "buffers"]
    elif connection.info.server_version >= GENERIC_PLAN:
        options.append("generic_plan")
    given = f" ({', '.join(values)})" if values else ""
    return f"/* opsdash:explain */ explain ({', '.join(options)}) execute {name}{given}"


async def answer_of(connection: Connection, sql: str) -> Mapping[str, Any]:
    """The first plan of an EXPLAIN; a rule on a table makes several."""
    cursor = psycopg.AsyncRawCursor(connection)
    # as text, so that a deeply nested one is decoded by a decoder that bounds its depth
    cursor.adapters.register_loader("json", TextLoader)
    await cursor.execute(sql.encode(), binary=False)
    row = await cursor.fetchone()
    plans = msgspec.json.decode(row[0] if row else "[]")
    answer: Mapping[str, Any] = plans[0]
    return answer


async def _relations(connection: Connection, plan: Plan) -> tuple[RelationFacts, ...]:
    """Size, indexes and statistics of the tables that the plan reads from end to end."""
    names = sorted({(n.schema, n.relation) for n in whole_reads(plan) if n.schema and n.relation})
    if not names:
        return ()
    cursor = connection.cursor(binary=True)
    wanted = ([schema for schema, _ in names], [relation for _, relation in names])
    await cursor.execute(statement("scanned_relations"), wanted)
    return tuple(map(_relation, await cursor.fetchall()))


def _relation(row: Sequence[Any]) -> RelationFacts:
    schema, name, rows, size_bytes, indexes, columns, types, *root = row
    return RelationFacts(
        schema=schema,
        name=name,
        rows=rows,
        size_bytes=size_bytes,
        indexes=tuple(IndexFacts(*index) for index in indexes),
        distinct={column: float(distinct) for column, distinct in columns},
        types=dict(types),
        root=(root[0], root[1]) if root[1] is not None else None,
    )


def _told(target: Target, error: psycopg.Error, limits: str) -> TargetError:
    """Our error, its text masked: the server may quote a literal of the statement."""
    told = translate(target.id, error)
    reason = mask(told.reason)
    if (error.sqlstate or "").startswith("22"):
        reason = re.sub(r'"[^"]*"', "?", reason)  # a value that does not fit its type
    if error.sqlstate == "42601" and "$" in reason:
        reason += ": without its literals the text is no valid SQL (interval $1 and the like)"
    if error.sqlstate == "55P03":
        reason += ": somebody holds a lock that it needs"
    elif error.sqlstate == "57014":
        reason += f": it takes longer than {_LIMITS_S[limits]} s"
    kind = type(told) if isinstance(told, (NotSupported, PermissionDenied, TimedOut)) else BadReply
    return kind(target.id, reason, hint=told.hint)
