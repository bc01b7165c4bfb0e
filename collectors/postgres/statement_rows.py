"""What pg_stat_statements says, as frozen rows. Texts in here are masked."""

import re

import msgspec

_WRITTEN = re.compile(r"(-?\d+)/(\d+)/(\d+)(/nested)?")


class StatementId(msgspec.Struct, frozen=True, order=True):
    """One entry of pg_stat_statements: the same text run by another role, or elsewhere, is another one."""

    queryid: int
    userid: int
    dbid: int
    toplevel: bool = True

    def __str__(self) -> str:
        return f"{self.queryid}/{self.userid}/{self.dbid}" + ("" if self.toplevel else "/nested")

    @classmethod
    def parse(cls, text: str) -> "StatementId | None":
        """What `str` made of one; None for any other text.

        >>> StatementId.parse(str(StatementId(-7, 10, 5, False)))
        StatementId(queryid=-7, userid=10, dbid=5, toplevel=False)
        >>> StatementId.parse("replication") is None
        True
        """
        found = _WRITTEN.fullmatch(text)
        if found is None:
            return None
        return cls(int(found[1]), int(found[2]), int(found[3]), found[4] is None)


class Work(msgspec.Struct, frozen=True, gc=False):
    """What a statement did in a span of time. Blocks are of the server's block size, mostly 8 KiB."""

    calls: int = 0
    exec_ms: float = 0.0
    plan_ms: float = 0.0
    """0 unless pg_stat_statements.track_planning is on."""
    rows: int = 0
    shared_blks_hit: int = 0
    shared_blks_read: int = 0
    temp_blks: int = 0
    """Read and written."""
    wal_bytes: int = 0
    io_ms: float | None = None
    """Spent on reading and writing blocks; that of parallel workers is added up, so it may exceed `exec_ms`.
    None: not counted (track_io_timing is off), or blocks were read before it was."""

    @property
    def mean_ms(self) -> float | None:
        """Execution time of one call; None without a call."""
        return self.exec_ms / self.calls if self.calls else None

    @property
    def rows_per_call(self) -> float | None:
        """None without a call."""
        return self.rows / self.calls if self.calls else None

    @property
    def io_ms_per_call(self) -> float | None:
        """None without a call, or where `io_ms` is."""
        return None if self.io_ms is None or not self.calls else self.io_ms / self.calls

    @property
    def hit_ratio(self) -> float | None:
        """Share of the blocks that were in shared buffers, 0 to 1; None when none was needed."""
        blocks = self.shared_blks_hit + self.shared_blks_read
        return self.shared_blks_hit / blocks if blocks else None


NOTHING = Work()
"""No work at all: what most statements do between two readings."""


class StatementText(msgspec.Struct, frozen=True, gc=False):
    """What an entry of pg_stat_statements is about; None: not there, or hidden from this role."""

    query: str | None = None
    user: str | None = None
    database: str | None = None


class StatementRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One statement with its work in three spans, see `Span`."""

    identity: StatementId
    query: str | None = None
    """On one line, literals masked, cut after 1,000 bytes; None: not read yet, since nobody looked at it."""
    user: str | None = None
    """None: not read yet, or the role is gone."""
    database: str | None = None
    """None likewise."""
    total: Work
    """Since the counters were reset, or since the entry came to be."""
    live: Work | None = None
    """Since the reading before; None: unknown, it was reset or came back in between."""
    recent: Work | None = None
    """Over some minutes, see `Statements.recent_s`; None likewise."""


class TrendPoint(msgspec.Struct, frozen=True, kw_only=True):
    """What one statement did between two readings that were kept."""

    span_s: float
    calls_per_min: float
    mean_ms: float | None
    """None: it was not called."""


class Statements(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One reading of pg_stat_statements, or why there is none."""

    rows: tuple[StatementRow, ...] = ()
    """In the server's order: most execution time since the reset first."""
    missing: str | None = None
    """Why nothing can be read, and what would change it; None: it was read."""
    read_mono_s: float = 0.0
    """When, on our monotonic clock: it is read less often than the rest."""
    took_s: float | None = None
    """How long the server took to answer."""
    entries: int = 0
    """All entries that the server has; `rows` may be fewer."""
    hidden: int = 0
    """Entries of other roles that ours may not see (no pg_read_all_stats)."""
    since_reset_s: float | None = None
    """Age of the counters; None: not known."""
    tracks_io: bool | None = None
    """Whether I/O time is counted (track_io_timing, as our role has it); None: not read."""
    evicted: int | None = None
    """Times that entries were thrown out for lack of room, since the reset; None: not known."""
    live_s: float | None = None
    """Length of the `live` span; None: there is no reading before, or all was reset in between."""
    recent_s: float | None = None
    """Length of the `recent` span; None likewise."""
    total: Work = NOTHING
    """Of all entries read."""
    live: Work | None = None
    recent: Work | None = None
    trend: tuple[TrendPoint, ...] = ()
    """Of the statement that is opened, oldest first; the spans of one follow each other."""
    limits: tuple[str, ...] = ()
    """What could not be read, in the server's words."""

    def row(self, identity: StatementId) -> StatementRow | None:
        """The row of a statement; None when it has been evicted or reset."""
        return next((row for row in self.rows if row.identity == identity), None)
