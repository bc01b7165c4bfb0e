"""The tables of one Redis: clients, slow log, commands, databases."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from opsdash.collectors.format import age, duration, milliseconds, moment, number, percent, size, whole
from opsdash.collectors.redis.rows import ClientRow, Command, Database, RedisData, SlowEntry
from opsdash.widgets.columns import Column, figure, lowest_first, text
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
    lowest_first(figure("id", "ID", lambda r: r.id, str, width=9)),
    text("addr", "ADDRESS", lambda r: r.addr, width=21),
    text("name", "NAME", lambda r: r.name, width=12, grow=1),
    text("user", "USER", lambda r: r.user, width=10, priority=6),
    text("state", "STATE", state_word, width=12, priority=2),
    text("command", "LAST COMMAND", lambda r: r.command, width=14),
    figure("idle", "IDLE", lambda r: r.idle_s, age, unit="s", width=7, priority=1),
    figure("age", "AGE", lambda r: r.age_s, age, unit="s", width=7, priority=3),
    figure("memory", "MEMORY", lambda r: r.memory_bytes, size, unit="bytes", width=9, priority=2),
    figure("output", "UNREAD", lambda r: r.output_bytes, size, unit="bytes", width=9, priority=4),
    lowest_first(figure("db", "DB", lambda r: r.db, whole, width=3, priority=5)),
    Column(key="library", title="LIBRARY", width=14, cell=lambda r: r.library, priority=7),
)


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
    figure("took", "TOOK", lambda r: r.entry.took_ms, milliseconds, unit="ms", width=8),
    text("command", "COMMAND", lambda r: r.entry.command, width=18),
    Column(key="arguments", title="ARGUMENTS", width=12, grow=2, cell=lambda r: r.arguments),
    text("client", "CLIENT", lambda r: r.entry.client_name or r.entry.client_addr, width=21, priority=1),
)


def _refused(calls: float | None) -> Tone:
    return Tone.WARN if calls else Tone.MUTED


COMMAND_COLUMNS: tuple[Column[Command], ...] = (
    text("name", "COMMAND", lambda r: r.name, width=20, grow=1),
    figure("rate", "CALLS/S", lambda r: r.calls_per_s, number, width=8),
    figure("share", "TIME", lambda r: r.share, percent, unit="ratio", width=6),
    figure("mean", "MEAN", lambda r: r.usec_per_call / 1000, milliseconds, unit="ms", width=8, priority=1),
    figure("p99", "P99", lambda r: r.p99_ms, milliseconds, unit="ms", width=8, priority=2),
    figure("calls", "CALLS", lambda r: r.calls, number, width=8, priority=3),
    figure(
        "failed",
        "FAILED",
        lambda r: r.failed_calls,
        number,
        tone=lambda r: _refused(r.failed_calls),
        width=7,
        priority=4,
    ),
    figure(
        "rejected",
        "REJECTED",
        lambda r: r.rejected_calls,
        number,
        tone=lambda r: _refused(r.rejected_calls),
        width=8,
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
    figure("keys", "KEYS", lambda r: r.keys, str, width=10),
    figure("expires", "WITH EXPIRY", lambda r: r.expires, str, width=11, priority=1),
    Column(
        key="share",
        title="SHARE",
        width=6,
        align="right",
        cell=lambda r: percent(r.expires / r.keys) if r.keys else "-",
        priority=2,
    ),
    lowest_first(
        figure("ttl", "AVERAGE TTL", lambda r: r.avg_ttl_s, duration, unit="s", width=11, priority=3)
    ),
)
