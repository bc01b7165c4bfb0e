"""What PostgreSQL says, as frozen rows in its own words. Query texts in here are masked already."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from opsdash.collectors.postgres.replication_rows import Replication
from opsdash.collectors.postgres.statement_rows import Statements

_IDLE_IN_TRANSACTION = ("idle in transaction", "idle in transaction (aborted)")


class SessionIdentity(msgspec.Struct, frozen=True, order=True):
    """What an action on a session hits.

    A pid alone is not enough: it is reused, and behind a pooler the same backend soon runs somebody else's
    transaction.
    """

    pid: int
    backend_start: datetime | None
    """None: this role may not see it, and then nothing can be acted upon."""
    xact_start: datetime | None = None
    query_start: datetime | None = None

    def __str__(self) -> str:
        return str(self.pid)


class InstanceIdentity(msgspec.Struct, frozen=True):
    """One run of a server: settings and counters of another one are others."""

    started_at: datetime
    value: str | None = None
    """What was typed, for actions that ask."""

    def __str__(self) -> str:
        return f"the server started {self.started_at:%Y-%m-%d %H:%M:%S} UTC"


class SessionRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of pg_stat_activity. None: not set, or not visible to this role (`is_visible` tells)."""

    pid: int
    leader_pid: int | None = None
    backend_type: str | None = None
    database: str | None = None
    user: str | None = None
    application_name: str | None = None
    client_addr: str | None = None
    """Address of the client; "local" for a Unix socket."""
    state: str | None = None
    """active, idle, idle in transaction, idle in transaction (aborted), fastpath function call, disabled."""
    wait_event_type: str | None = None
    wait_event: str | None = None
    backend_start: datetime | None = None
    xact_start: datetime | None = None
    query_start: datetime | None = None
    state_change: datetime | None = None
    backend_xid: int | None = None
    """Set when the transaction has an id: it may have written."""
    query: str | None = None
    """The running or last statement on one line, literals masked, cut after 1,000 bytes; None when idle."""
    query_id: int | None = None
    """The running or last statement in pg_stat_statements; None where the server does not compute it."""
    database_oid: int | None = None
    user_oid: int | None = None
    """With the database's, what tells apart entries of pg_stat_statements with the same `query_id`."""
    is_visible: bool = True
    """False: the row belongs to a role that ours may not look at (no pg_read_all_stats)."""

    @property
    def identity(self) -> SessionIdentity:
        """What an action on this session hits."""
        return SessionIdentity(self.pid, self.backend_start, self.xact_start, self.query_start)

    @property
    def is_client(self) -> bool:
        """Whether it is a client's session (not a walsender, an autovacuum worker, …)."""
        return self.backend_type == "client backend"

    @property
    def is_idle_in_transaction(self) -> bool:
        """Whether a transaction is open and nothing runs in it."""
        return self.state in _IDLE_IN_TRANSACTION


class LockWait(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One backend that waits for a heavyweight lock.

    Source:
        pg_locks, read once; `holders` and `queued_behind` together are what pg_blocking_pids() says.
    """

    pid: int
    locktype: str | None = None
    """relation, tuple, transactionid, virtualxid, advisory, …; None when the wait ended between two reads."""
    relation: str | None = None
    """schema.table, for locks on one of the database we are connected to; else "oid 16384 in shop"."""
    mode: str | None = None
    detail: str | None = None
    """What exactly: "transaction 88213", "tuple (0,1) of public.stock"."""
    waiting_since: datetime | None = None
    """pg_locks.waitstart; None in the first moments of a wait."""
    holders: tuple[int, ...] = ()
    """Backends that hold a conflicting lock. 0 is a prepared transaction."""
    queued_behind: tuple[int, ...] = ()
    """Backends that wait for a conflicting lock too, and are before this one in its queue."""


class PreparedTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One row of pg_prepared_xacts."""

    gid: str
    database: str
    owner: str
    prepared: datetime
    transaction: int
    is_holding: bool = False
    """Whether somebody waits for it (pid 0 among the holders and its transaction id waited for)."""


class Connections(msgspec.Struct, frozen=True, kw_only=True):
    """Client backends against what an ordinary role can use."""

    used: int
    """Client backends, all databases, our own included: they take places too."""
    usable: int
    """max_connections less what is reserved for superusers and, from 16 on, reserved_connections."""
    max_connections: int
    reserved: int
    by_state: tuple[tuple[str, int], ...]
    """(word, count), most first; what this role may not see is counted as "not visible"."""
    by_user: tuple[tuple[str, int], ...]
    by_application: tuple[tuple[str, int], ...]
    by_database: tuple[tuple[str, int], ...]

    @property
    def used_ratio(self) -> float | None:
        """Share of the usable ones in use; None when none are usable."""
        return self.used / self.usable if self.usable > 0 else None


class DatabaseRates(msgspec.Struct, frozen=True, kw_only=True):
    """pg_stat_database as rates over `span_s`; None in the first reading and after a reset."""

    name: str
    """A database's name, or "all" for the sum."""
    span_s: float | None = None
    commits_per_s: float | None = None
    rollbacks_per_s: float | None = None
    rows_read_per_s: float | None = None
    rows_written_per_s: float | None = None
    cache_hit_ratio: float | None = None
    """Over the span, 0 to 1; None when nothing was read."""
    temp_bytes_per_s: float | None = None
    deadlocks: int | None = None
    """In the span."""
    conflicts: int | None = None
    """Queries cancelled by recovery in the span (standby)."""

    @property
    def transactions_per_s(self) -> float | None:
        """Commits and rollbacks; None when one is unknown."""
        if self.commits_per_s is None or self.rollbacks_per_s is None:
            return None
        return self.commits_per_s + self.rollbacks_per_s


class PostgresData(msgspec.Struct, frozen=True, kw_only=True, eq=False, weakref=True):
    """One reading of a PostgreSQL server."""

    version: str
    """As the server says it: "16.4"."""
    version_num: int
    """server_version_num: 160004."""
    server_now: datetime
    """The server's clock, aware: ages of its things are differences to this."""
    started_at: datetime | None
    is_in_recovery: bool
    database: str
    """The database we are connected to: names of relations are known in this one only."""
    role: str
    roundtrip_s: float
    """Client-side time of one trivial statement."""
    sessions: tuple[SessionRow, ...]
    """All backends but those of this opsdash, in the server's order."""
    waits: tuple[LockWait, ...]
    prepared: tuple[PreparedTransaction, ...]
    connections: Connections
    databases: tuple[DatabaseRates, ...]
    total: DatabaseRates
    statements: Statements | None = None
    """pg_stat_statements; None: not read yet."""
    replication: Replication | None = None
    """None: not read yet."""
    limits: tuple[str, ...] = ()
    """What this role may not see, each with the grant that would change it."""

    def measures(self) -> Mapping[str, float | None]:
        """Figures worth a history."""
        return {
            "transactions_per_s": self.total.transactions_per_s,
            "used": float(self.connections.used),
            "waiting": float(len(self.waits)),
        }

    def summary(self) -> str:
        """The server in a few words, for lists and headless output."""
        role = " standby" if self.is_in_recovery else ""
        used = f"connections {self.connections.used}/{self.connections.usable}"
        return f"PostgreSQL {self.version}{role} · {used} · {len(self.waits)} waiting"

    def session(self, pid: int) -> SessionRow | None:
        """The session of `pid`, or None."""
        return next((s for s in self.sessions if s.pid == pid), None)
