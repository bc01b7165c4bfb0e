"""Who follows a server, what is kept for those who do, and whom the server itself follows."""

import msgspec


class Standby(msgspec.Struct, frozen=True, kw_only=True):
    """One row of pg_stat_replication: a WAL sender and what its standby says it has done."""

    pid: int
    application_name: str | None = None
    client_addr: str | None = None
    state: str | None = None
    """startup, catchup, streaming, backup, stopping; None: not visible to this role."""
    sync_state: str | None = None
    sent_bytes: int | None = None
    """WAL that was written here and not sent yet."""
    flush_bytes: int | None = None
    """WAL that was written here and that the standby has not on its disk; None: it did not say."""
    replay_bytes: int | None = None
    """WAL that was written here and that cannot be read on the standby; None: it did not say."""
    flush_lag_s: float | None = None
    replay_lag_s: float | None = None
    """Of the WAL replayed last. None: nothing was sent lately (caught up, if `replay_bytes` is 0), or the
    standby does not say."""


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One row of pg_replication_slots."""

    name: str
    slot_type: str
    """physical or logical."""
    database: str | None = None
    """Of a logical slot."""
    plugin: str | None = None
    is_active: bool
    """Whether anybody reads from it now."""
    retained_bytes: int | None = None
    """WAL that is kept for it; None: it keeps none."""
    grown_bytes: int | None = None
    """How much more than `Replication.span_s` ago; None: not known yet."""
    wal_status: str | None = None
    """reserved, extended, unreserved (will be thrown away), lost (is thrown away)."""
    safe_wal_bytes: int | None = None
    """What may be written before it is in danger; None: no limit is set, so it may fill the disk."""
    unused_s: float | None = None
    """For how long nobody has read from it; None: somebody does, or the server does not say (before 17)."""


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """What a standby says of itself."""

    status: str | None = None
    """streaming, waiting, …; None: there is no WAL receiver: it cannot connect, or it reads an archive."""
    sender: str | None = None
    """Host and port."""
    slot_name: str | None = None
    unreplayed_bytes: int | None = None
    """Received and not replayed."""
    replayed_s_ago: float | None = None
    """Age of the last transaction replayed: also grows while the primary has nothing to do."""
    is_paused: bool = False
    """pg_wal_replay_pause() was called."""
    has_primary: bool | None = None
    """Whether it is told whom to follow (primary_conninfo); None: not visible to this role."""


class Replication(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One reading."""

    standbys: tuple[Standby, ...] = ()
    slots: tuple[Slot, ...] = ()
    receiver: Receiver | None = None
    """None: the server is a primary."""
    span_s: float | None = None
    """Time in which slots grew; None: there is no reading before."""
    read_mono_s: float = 0.0
    """When, on our monotonic clock: it is read less often than the rest while nobody looks."""
    limit: str | None = None
    """Why nothing could be read, in the server's words."""
