"""The list of PostgreSQL servers, and the tables of connections and databases of one."""

import msgspec

from opsdash.collectors.format import number, percent, size, whole
from opsdash.collectors.postgres.rows import Connections, DatabaseRates, PostgresData
from opsdash.widgets.chart import bar
from opsdash.widgets.columns import Column, figure, lowest_first, text
from opsdash.widgets.panels.postgres.overview import version_word
from opsdash.widgets.panels.targets import NAME, STATUS, Listing, TargetLine, environment
from opsdash.widgets.status import Tone

ServerLine = TargetLine[PostgresData]


def _connections(row: ServerLine) -> str:
    return f"{row.data.connections.used}/{row.data.connections.usable}" if row.data else "-"


_COLUMNS: tuple[Column[ServerLine], ...] = (
    NAME,
    environment(priority=4),
    Column(
        key="version",
        title="VERSION",
        width=18,
        cell=lambda r: version_word(r.data) if r.data else "-",
        priority=5,
    ),
    Column(
        key="connections",
        title="CONNS",
        width=9,
        align="right",
        cell=_connections,
        sort=lambda r: r.data.connections.used_ratio if r.data else None,
        unit="ratio",
        descending_first=True,
    ),
    figure("waiting", "WAITING", lambda r: len(r.data.waits) if r.data else None, whole, width=7, priority=1),
    figure(
        "transactions",
        "TX/S",
        lambda r: r.data.total.transactions_per_s if r.data else None,
        number,
        width=7,
        priority=2,
    ),
    lowest_first(
        figure(
            "hit",
            "HIT",
            lambda r: r.data.total.cache_hit_ratio if r.data else None,
            percent,
            unit="ratio",
            width=6,
            priority=3,
        )
    ),
    STATUS,
)

SERVERS = Listing(columns=_COLUMNS)


class CountLine(msgspec.Struct, frozen=True, kw_only=True):
    """How many client connections fall under one word."""

    by: str
    """state, application, user or database."""
    name: str
    count: int
    share: float | None
    """Of all that are in use, 0 to 1."""


def count_lines(connections: Connections) -> tuple[CountLine, ...]:
    """Connections by state, application, user and database."""
    groups = (
        ("state", connections.by_state),
        ("application", connections.by_application),
        ("user", connections.by_user),
        ("database", connections.by_database),
    )
    return tuple(
        CountLine(by=by, name=name, count=count, share=count / connections.used if connections.used else None)
        for by, counts in groups
        for name, count in counts
    )


COUNT_COLUMNS: tuple[Column[CountLine], ...] = (
    Column(key="by", title="BY", width=12, cell=lambda r: r.by),
    Column(key="name", title="NAME", width=18, grow=1, cell=lambda r: r.name or "(none)"),
    Column(key="count", title="CONNS", width=6, align="right", cell=lambda r: str(r.count)),
    Column(key="share", title="SHARE", width=6, align="right", cell=lambda r: percent(r.share), priority=1),
    Column(key="bar", title="", width=22, cell=lambda r: (bar(r.share, 20), Tone.ACCENT), priority=2),
)


DATABASE_COLUMNS: tuple[Column[DatabaseRates], ...] = (
    text("name", "DATABASE", lambda r: r.name, width=16, grow=1),
    figure("commits", "COMMITS/S", lambda r: r.commits_per_s, number, width=11),
    figure("rollbacks", "ROLLBACKS/S", lambda r: r.rollbacks_per_s, number, width=11, priority=1),
    figure("read", "ROWS READ/S", lambda r: r.rows_read_per_s, number, width=11, priority=3),
    figure("written", "WRITTEN/S", lambda r: r.rows_written_per_s, number, width=11, priority=2),
    lowest_first(figure("hit", "CACHE HIT", lambda r: r.cache_hit_ratio, percent, unit="ratio", width=9)),
    figure("temp", "TEMP/S", lambda r: r.temp_bytes_per_s, size, unit="bytes", width=10, priority=4),
    figure("deadlocks", "DEADLOCKS", lambda r: r.deadlocks, number, width=11, priority=4),
    figure("conflicts", "CONFLICTS", lambda r: r.conflicts, number, width=11, priority=5),
)
