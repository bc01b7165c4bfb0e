"""The tables of one Redis: clients, slow log, commands, databases."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from opsdash.collectors.format import age, duration, moment, number, percent, size
from opsdash.collectors.redis.rows import ClientRow, Command, Database, RedisData, SlowEntry
from opsdash.widgets.columns import Column
from opsdash.widgets.status import Tone

_FLAGS = {
    "S": "replica",
    "M": "primary",
    "O": "monitor",
    "b": "blocked",
    "P": "subscribed",
    "x": "in MULTI",
    "c": "closing",
    "A": "closing",
    "t": "tracking",
}


def state_word(client: ClientRow) -> str:
    """What a client is, from its flags.

    >>> [state_word(ClientRow(id=1, addr="", name="", flags=flags)) for flags in ("b", "N", "xP")]
    ['blocked', '', 'in MULTI, subscribed']
    """
    return ", ".join(dict.fromkeys(_FLAGS[flag] for flag in client.flags if flag in _FLAGS))


def client_tone(client: ClientRow) -> Tone:
    """Yellow where it waits or holds a lot of unread answers, grey where it does nothing."""
    if client.is_blocked or (client.output_bytes or 0) > 2**20 or "O" in client.flags:
        return Tone.WARN
    return Tone.MUTED if (client.idle_s or 0) >= 60 else Tone.NORMAL


def client_lines(data: RedisData) -> tuple[ClientRow, ...]:
    """Those that matter first: blocked, then those with most memory, then by id."""
    return tuple(sorted(data.clients or (), key=lambda c: (not c.is_blocked, -(c.memory_bytes or 0), c.id)))


CLIENT_COLUMNS: tuple[Column[ClientRow], ...] = (
    Column(key="id", title="ID", width=9, align="right", cell=lambda r: str(r.id), sort=lambda r: r.id),
    Column(key="addr", title="ADDRESS", width=21, cell=lambda r: r.addr, sort=lambda r: r.addr),
    Column(key="name", title="NAME", width=12, grow=1, cell=lambda r: r.name, sort=lambda r: r.name),
    Column(
        key="user", title="USER", width=10, cell=lambda r: r.user or "-", sort=lambda r: r.user, priority=6
    ),
    Column(
        key="state",
        title="STATE",
        width=12,
        cell=state_word,
        sort=state_word,
        priority=2,
    ),
    Column(key="command", title="LAST COMMAND", width=14, cell=lambda r: r.command, sort=lambda r: r.command),
    Column(
        key="idle",
        title="IDLE",
        width=7,
        align="right",
        cell=lambda r: age(r.idle_s),
        sort=lambda r: r.idle_s,
        unit="s",
        descending_first=True,
        priority=1,
    ),
    Column(
        key="age",
        title="AGE",
        width=7,
        align="right",
        cell=lambda r: age(r.age_s),
        sort=lambda r: r.age_s,
        unit="s",
        descending_first=True,
        priority=3,
    ),
    Column(
        key="memory",
        title="MEMORY",
        width=9,
        align="right",
        cell=lambda r: size(r.memory_bytes),
        sort=lambda r: r.memory_bytes,
        unit="bytes",
        descending_first=True,
        priority=2,
    ),
    Column(
        key="output",
        title="UNREAD",
        width=9,
        align="right",
        cell=lambda r: size(r.output_bytes),
        sort=lambda r: r.output_bytes,
        unit="bytes",
        descending_first=True,
        priority=4,
    ),
    Column(
        key="db",
        title="DB",
        width=3,
        align="right",
        cell=lambda r: "-" if r.db is None else str(r.db),
        sort=lambda r: r.db,
        priority=5,
    ),
    Column(key="library", title="LIBRARY", width=14, cell=lambda r: r.library, priority=7),
)


def _milliseconds(value: float | None) -> str:
    """A short time; `-` when unknown.

    >>> _milliseconds(0.0142), _milliseconds(3.2), _milliseconds(905.0), _milliseconds(None)
    ('14us', '3.2ms', '905ms', '-')
    """
    if value is None:
        return "-"
    if value < 1:
        return f"{value * 1000:.0f}us"
    return f"{value:.1f}ms" if value < 10 else duration(value / 1000)


class SlowLine(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the slow log with the server's time, against which its age is told."""

    entry: SlowEntry
    now: datetime | None
    arguments: str
    """How many there are; or they themselves, while a person has them shown."""

    @property
    def age_s(self) -> float | None:
        """Seconds since it ran; None where the server does not tell its time."""
        return None if self.now is None else max(0.0, (self.now - self.entry.at).total_seconds())


def slow_lines(data: RedisData, revealed: dict[int, str]) -> tuple[SlowLine, ...]:
    """Newest first.

    Args:
        data: The reading.
        revealed: By the entry's id: its arguments, where they are to be shown.
    """
    return tuple(
        SlowLine(
            entry=entry,
            now=data.server_now,
            arguments=revealed.get(entry.id) or f"{entry.arguments} masked",
        )
        for entry in data.slowlog or ()
    )


SLOW_COLUMNS: tuple[Column[SlowLine], ...] = (
    Column(key="at", title="AT (UTC)", width=8, cell=lambda r: moment(r.entry.at), sort=lambda r: r.entry.id),
    Column(key="age", title="AGO", width=7, align="right", cell=lambda r: age(r.age_s), priority=2),
    Column(
        key="took",
        title="TOOK",
        width=8,
        align="right",
        cell=lambda r: _milliseconds(r.entry.took_ms),
        sort=lambda r: r.entry.took_ms,
        unit="ms",
        descending_first=True,
    ),
    Column(
        key="command",
        title="COMMAND",
        width=18,
        cell=lambda r: r.entry.command,
        sort=lambda r: r.entry.command,
    ),
    Column(key="arguments", title="ARGUMENTS", width=12, grow=2, cell=lambda r: r.arguments),
    Column(
        key="client",
        title="CLIENT",
        width=21,
        cell=lambda r: r.entry.client_name or r.entry.client_addr,
        sort=lambda r: r.entry.client_name or r.entry.client_addr,
        priority=1,
    ),
)


COMMAND_COLUMNS: tuple[Column[Command], ...] = (
    Column(key="name", title="COMMAND", width=20, grow=1, cell=lambda r: r.name, sort=lambda r: r.name),
    Column(
        key="rate",
        title="CALLS/S",
        width=8,
        align="right",
        cell=lambda r: number(r.calls_per_s),
        sort=lambda r: r.calls_per_s,
        descending_first=True,
    ),
    Column(
        key="share",
        title="TIME",
        width=6,
        align="right",
        cell=lambda r: percent(r.share),
        sort=lambda r: r.share,
        unit="ratio",
        descending_first=True,
    ),
    Column(
        key="mean",
        title="MEAN",
        width=8,
        align="right",
        cell=lambda r: _milliseconds(r.usec_per_call / 1000),
        sort=lambda r: r.usec_per_call,
        unit="us",
        descending_first=True,
        priority=1,
    ),
    Column(
        key="p99",
        title="P99",
        width=8,
        align="right",
        cell=lambda r: _milliseconds(r.p99_ms),
        sort=lambda r: r.p99_ms,
        unit="ms",
        descending_first=True,
        priority=2,
    ),
    Column(
        key="calls",
        title="CALLS",
        width=8,
        align="right",
        cell=lambda r: number(r.calls),
        sort=lambda r: r.calls,
        descending_first=True,
        priority=3,
    ),
    Column(
        key="failed",
        title="FAILED",
        width=7,
        align="right",
        cell=lambda r: (number(r.failed_calls), Tone.WARN if r.failed_calls else Tone.MUTED),
        sort=lambda r: r.failed_calls,
        descending_first=True,
        priority=4,
    ),
    Column(
        key="rejected",
        title="REJECTED",
        width=8,
        align="right",
        cell=lambda r: (number(r.rejected_calls), Tone.WARN if r.rejected_calls else Tone.MUTED),
        sort=lambda r: r.rejected_calls,
        descending_first=True,
        priority=4,
    ),
)


def database_lines(data: RedisData) -> Sequence[Database]:
    """Every database with keys, and the one that the target's URL names."""
    if any(database.db == data.default_db for database in data.databases):
        return data.databases
    own = Database(db=data.default_db, keys=0, expires=0)
    return tuple(sorted((*data.databases, own), key=lambda database: database.db))


DATABASE_COLUMNS: tuple[Column[Database], ...] = (
    Column(key="db", title="DATABASE", width=9, cell=lambda r: f"db{r.db}", sort=lambda r: r.db),
    Column(
        key="keys",
        title="KEYS",
        width=10,
        align="right",
        cell=lambda r: f"{r.keys}",
        sort=lambda r: r.keys,
        descending_first=True,
    ),
    Column(
        key="expires",
        title="WITH EXPIRY",
        width=11,
        align="right",
        cell=lambda r: f"{r.expires}",
        sort=lambda r: r.expires,
        descending_first=True,
        priority=1,
    ),
    Column(
        key="share",
        title="SHARE",
        width=6,
        align="right",
        cell=lambda r: percent(r.expires / r.keys) if r.keys else "-",
        priority=2,
    ),
    Column(
        key="ttl",
        title="AVERAGE TTL",
        width=11,
        align="right",
        cell=lambda r: duration(r.avg_ttl_s),
        sort=lambda r: r.avg_ttl_s,
        unit="s",
        priority=3,
    ),
)
