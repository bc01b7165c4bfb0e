"""The list of PostgreSQL servers, and the tables of connections and databases of one."""

from collections.abc import Sequence

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import number, percent, size
from opsdash.collectors.postgres.rows import Connections, DatabaseRates, PostgresData
from opsdash.collectors.target import TargetId
from opsdash.widgets.chart import bar
from opsdash.widgets.columns import Column
from opsdash.widgets.lines import span_text
from opsdash.widgets.panel import freshness, view_tone
from opsdash.widgets.panels.postgres.overview import version_word
from opsdash.widgets.status import GLYPHS, Tone


class TargetLine(msgspec.Struct, frozen=True, kw_only=True):
    """One server in the list."""

    id: TargetId
    tone: Tone
    environment: str
    status: str
    """Its age, or why it could not be read."""
    data: PostgresData | None


def target_lines(
    views: Sequence[TargetView], findings: Sequence[Finding], mono_s: float
) -> tuple[TargetLine, ...]:
    """One line per server, in the order of the configuration."""
    return tuple(
        TargetLine(
            id=view.target.id,
            tone=view_tone(view, findings),
            environment=view.target.environment.label,
            status=_status(view, mono_s),
            data=view.good.data if view.good else None,
        )
        for view in views
    )


def _status(view: TargetView, mono_s: float) -> str:
    words = "".join(span_text(span) for span in freshness(view, mono_s))
    return f"{words} · {view.failure.reason}" if view.failure else words


TARGET_COLUMNS: tuple[Column[TargetLine], ...] = (
    Column(
        key="name",
        title="TARGET",
        width=16,
        cell=lambda r: (f"{GLYPHS[r.tone]} {r.id.name}", r.tone),
        sort=lambda r: r.id.name,
    ),
    Column(key="environment", title="ENV", width=12, cell=lambda r: r.environment, priority=4),
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
        cell=lambda r: f"{r.data.connections.used}/{r.data.connections.usable}" if r.data else "-",
        sort=lambda r: r.data.connections.used_ratio if r.data else None,
        unit="ratio",
        descending_first=True,
    ),
    Column(
        key="waiting",
        title="WAITING",
        width=7,
        align="right",
        cell=lambda r: str(len(r.data.waits)) if r.data else "-",
        sort=lambda r: len(r.data.waits) if r.data else None,
        descending_first=True,
        priority=1,
    ),
    Column(
        key="transactions",
        title="TX/S",
        width=7,
        align="right",
        cell=lambda r: number(r.data.total.transactions_per_s) if r.data else "-",
        sort=lambda r: r.data.total.transactions_per_s if r.data else None,
        descending_first=True,
        priority=2,
    ),
    Column(
        key="hit",
        title="HIT",
        width=6,
        align="right",
        cell=lambda r: percent(r.data.total.cache_hit_ratio) if r.data else "-",
        sort=lambda r: r.data.total.cache_hit_ratio if r.data else None,
        unit="ratio",
        priority=3,
    ),
    Column(key="status", title="STATUS", width=16, grow=1, cell=lambda r: (r.status, r.tone)),
)


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


def _rate(key: str, title: str, field: str, priority: int) -> Column[DatabaseRates]:
    return Column(
        key=key,
        title=title,
        width=11,
        align="right",
        cell=lambda r: number(getattr(r, field)),
        sort=lambda r: getattr(r, field),
        descending_first=True,
        priority=priority,
    )


DATABASE_COLUMNS: tuple[Column[DatabaseRates], ...] = (
    Column(key="name", title="DATABASE", width=16, grow=1, cell=lambda r: r.name, sort=lambda r: r.name),
    _rate("commits", "COMMITS/S", "commits_per_s", 0),
    _rate("rollbacks", "ROLLBACKS/S", "rollbacks_per_s", 1),
    _rate("read", "ROWS READ/S", "rows_read_per_s", 3),
    _rate("written", "WRITTEN/S", "rows_written_per_s", 2),
    Column(
        key="hit",
        title="CACHE HIT",
        width=9,
        align="right",
        cell=lambda r: percent(r.cache_hit_ratio),
        sort=lambda r: r.cache_hit_ratio,
        unit="ratio",
    ),
    Column(
        key="temp",
        title="TEMP/S",
        width=10,
        align="right",
        cell=lambda r: size(r.temp_bytes_per_s),
        sort=lambda r: r.temp_bytes_per_s,
        unit="bytes",
        priority=4,
    ),
    _rate("deadlocks", "DEADLOCKS", "deadlocks", 4),
    _rate("conflicts", "CONFLICTS", "conflicts", 5),
)
