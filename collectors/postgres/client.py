"""The only place that connects to PostgreSQL, and that turns psycopg's exceptions into ours."""

import re
from typing import Any
from weakref import WeakSet

import psycopg

from opsdash.collectors import errors
from opsdash.collectors.errors import TargetError
from opsdash.collectors.postgres.addresses import LookUp, look_up_name, with_addresses
from opsdash.collectors.postgres.params import Purpose, complete, dsn_of, secrets_in, stated
from opsdash.collectors.postgres.password import password_of
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.secret import Secret, redact
from opsdash.collectors.target import Target, TargetId
from opsdash.collectors.watchdog import shut_socket

__all__ = ["Connection", "Purpose", "connect", "discard", "own_pids", "shut", "translate"]


class Connection(psycopg.AsyncConnection[tuple[Any, ...]]):
    """A connection that knows which target it is to."""

    target: TargetId


_held: dict[tuple[TargetId, Purpose], tuple[Secret, ...]] = {}
"""The secrets last used: alive for as long as we run, since `redact` knows only living ones."""


_open: dict[TargetId, WeakSet[Connection]] = {}


def own_pids(target: TargetId) -> frozenset[int]:
    """The backends of our own open connections to `target`.

    Told by pid, not by application_name: whoever calls itself opsdash too may still be what blocks others.
    """
    return frozenset(c.info.backend_pid for c in _open.get(target, ()) if not c.closed)


async def connect(
    target: Target, purpose: Purpose, *, database: str | None = None, look_up: LookUp = look_up_name
) -> Connection:
    """Open a connection, in autocommit mode and with short time limits on every statement.

    MONITOR and DRILL are read-only sessions. On a MONITOR connection text arrives as bytes: names and
    queries of databases in other encodings are passed on by the server as they are, and one byte that is
    not UTF-8 would otherwise fail the whole reading.

    Args:
        target: The server.
        purpose: Decides the role, the time limits and whether it may write.
        database: Another one than the DSN names.
        look_up: Finds the addresses of a name.

    Raises:
        TargetError: It could not be opened; the class says why.
    """
    settings = target.settings
    assert isinstance(settings, PostgresSettings)
    dsn = dsn_of(settings, purpose)
    params = stated(target.id, dsn)
    password = await password_of(target, purpose)
    if password is not None:
        params["password"] = password.reveal()
    _held[target.id, purpose] = secrets_in(dsn, params)
    if database is not None:
        params["dbname"] = database
    params = complete(await with_addresses(target.id, params, look_up), purpose)
    try:
        connection = await Connection.connect(
            "",
            autocommit=True,
            # parsing and planning the same views every two seconds would be half of what a reading costs
            prepare_threshold=1 if purpose is Purpose.MONITOR else None,
            **params,  # type: ignore[arg-type]  # keywords of libpq, all of them strings
        )
    except (psycopg.Error, OSError) as error:
        raise translate(target.id, error) from error.with_traceback(None)
    connection.target = target.id
    _open.setdefault(target.id, WeakSet()).add(connection)
    return connection


def shut(connection: Connection) -> None:
    """Break off whatever `connection` waits for, at once; it can only be closed after this."""
    if not connection.closed:
        shut_socket(connection.fileno())


def discard(connection: Connection) -> None:
    """Give `connection` up without waiting for the server."""
    shut(connection)
    connection.pgconn.finish()


_ERROR_OF_SQLSTATE: dict[str, type[TargetError]] = {
    "26000": errors.NotSupported,  # a prepared statement is gone: a pooler gave us another backend
    "28000": errors.AuthenticationFailed,
    "28P01": errors.AuthenticationFailed,
    "42501": errors.PermissionDenied,
    "53300": errors.TooManyClients,
    "57014": errors.TimedOut,
    "55P03": errors.TimedOut,
    "57P01": errors.ShuttingDown,
    "57P02": errors.ConnectionLost,
    "57P03": errors.StartingUp,
    "3D000": errors.NotSupported,
    "42883": errors.NotSupported,
    "42P01": errors.NotSupported,
    "42703": errors.NotSupported,
}

_FULL = (
    "the server is full: a superuser may still enter; from PostgreSQL 16 on, reserved_connections = 3 and "
    "GRANT pg_use_reserved_connections TO the role of opsdash keep a place for it"
)

_SAYINGS: tuple[tuple[str, type[TargetError], str], ...] = (
    # words of the server or of libpq, our error, what to do next: while connecting there is no SQLSTATE
    (
        r"too many connections for (role|database)",
        errors.TooManyClients,
        "its own CONNECTION LIMIT is reached",
    ),
    (r"too many clients|connection slots are reserved|too many connections", errors.TooManyClients, _FULL),
    (
        r"not (yet )?accepting connections",
        errors.InRecovery,
        "it replays WAL: wait; its log says how far it is",
    ),
    (r"system is starting up", errors.StartingUp, "wait; its log says what it does"),
    (r"system is in recovery mode", errors.StartingUp, "one of its processes crashed: see its log"),
    (r"shutting down|due to administrator command", errors.ShuttingDown, "see who stops it, and its log"),
    (
        r"no password supplied",
        errors.AuthenticationFailed,
        "set password_env, password_file or password_command of this target",
    ),
    (
        r"authentication failed|pg_hba\.conf|role \".*\" (does not exist|is not permitted to log in)",
        errors.AuthenticationFailed,
        "check user, password and the server's pg_hba.conf",
    ),
    (r'database ".*" does not exist', errors.NotSupported, "check the database's name in the DSN"),
    (
        r"permission denied",
        errors.PermissionDenied,
        "GRANT CONNECT ON DATABASE, and pg_monitor, TO the role of opsdash",
    ),
    (
        r"unsupported startup parameter|no such database|prepared statement .* does not exist",
        errors.NotSupported,
        "this looks like PgBouncer: point opsdash at the server itself",
    ),
    (
        r"invalid response|unexpected (response|message)|expected authentication request|synchronization",
        errors.BadReply,
        "is this a PostgreSQL server?",
    ),
    (r"certificate|SSL|TLS", errors.TlsFailed, "check sslmode, sslrootcert and the server's certificate"),
    (
        r"could not translate host name|failed to resolve host",
        errors.NameUnknown,
        "check the name and the resolver",
    ),
    (
        r"Connection refused|No such file or directory|Permission denied",
        errors.ConnectionRefused,
        "check that the server runs, its listen_addresses, the port and the firewall",
    ),
    (
        r"timeout expired|timed out|No route to host|(Network|Host) is unreachable",
        errors.TimedOut,
        "check the network and the firewall",
    ),
    (
        r"closed the connection|reset by peer|Broken pipe|connection is (closed|lost)|EOF detected"
        r"|connection socket closed|(consuming input|sending query|flushing) failed",
        errors.ConnectionLost,
        "a new connection is tried",
    ),
)

_HINTS = {kind: hint for _, kind, hint in reversed(_SAYINGS)}

_NOT_TELLING = (errors.ConnectionRefused, errors.TimedOut, errors.ConnectionLost)


def translate(target: TargetId, error: BaseException) -> TargetError:
    """Our error for psycopg's `error`: the reason in the server's words, on one line, without secrets."""
    text = redact(str(error))
    if isinstance(error, psycopg.Error) and error.sqlstate is not None:
        return _of_sqlstate(target, error.sqlstate, redact(error.diag.message_primary or text))
    attempts = [_of_words(target, words, error) for words in _attempts(text)]
    # where one of several addresses answered, that answer is the reason, not the silence of the others
    return next((a for a in attempts if not isinstance(a, _NOT_TELLING)), attempts[-1])


def _of_sqlstate(target: TargetId, sqlstate: str, text: str) -> TargetError:
    words = _of_words(target, text, None)
    kind = _ERROR_OF_SQLSTATE.get(sqlstate)
    if kind is None:
        kind = errors.ConnectionLost if sqlstate.startswith("08") else type(words)
    hint = words.hint if isinstance(words, kind) else _HINTS.get(kind)
    return kind(target, _short(text), hint=hint)


def _attempts(text: str) -> list[str]:
    """The errors of the single attempts; psycopg lists them when there were several addresses."""
    pattern = r"^- host: .*?, port: .*?, hostaddr: [^:]*(?:'[^']*')?: (.*(?:\n(?!- host: ).*)*)"
    listed = re.findall(pattern, text, re.MULTILINE)
    return listed or [text]


def _of_words(target: TargetId, text: str, error: BaseException | None) -> TargetError:
    for pattern, kind, hint in _SAYINGS:
        if re.search(pattern, text):
            return kind(target, _short(text), hint=hint)
    if isinstance(error, (psycopg.OperationalError, OSError)):
        kind = errors.ConnectionRefused if text.startswith("connection failed") else errors.ConnectionLost
        return kind(target, _short(text), hint="see the server's log")
    return errors.BadReply(target, _short(text), hint="see the server's log")


def _short(text: str) -> str:
    r"""The server's own words, or libpq's without its advice.

    >>> _short('connection failed: connection to server at "h", port 5 failed: FATAL:  sorry\nDETAIL: x')
    'FATAL:  sorry\nDETAIL: x'
    >>> _short('connection failed: connection to server at "h", port 5 failed: Connection refused\n\tIs …?')
    'connection to server at "h", port 5 failed: Connection refused'
    """
    text = re.sub(r"^connection (failed|is bad): ", "", text)
    if (severity := re.search(r"failed: (FATAL|ERROR|PANIC):", text)) is not None:
        return text[severity.start(1) :]
    return re.sub(r"\n\t(Is|Are) .*\?", "", text)
