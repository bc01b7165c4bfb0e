"""Replication as one table: whom the server follows, who follows it, and for whom WAL is kept."""

import msgspec

from opsdash.collectors.format import duration, size
from opsdash.collectors.postgres.replication_rows import Receiver, Replication, Slot, Standby
from opsdash.collectors.postgres.settings import PostgresThresholds
from opsdash.widgets.columns import Cell, Column
from opsdash.widgets.status import GLYPHS, Tone


class ReplicationLine(msgspec.Struct, frozen=True, kw_only=True):
    """One standby, slot or receiver."""

    kind: str
    name: str
    key: str
    """Unique among the lines: a standby's pid, a slot's name."""
    state: str
    tone: Tone
    lag_bytes: int | None = None
    lag_s: float | None = None
    is_caught_up: bool = False
    retained_bytes: int | None = None
    detail: str = ""


def replication_lines(replication: Replication, limits: PostgresThresholds) -> tuple[ReplicationLine, ...]:
    """Whom it follows first, then who follows, then slots."""
    receiver = (_receiver(replication.receiver),) if replication.receiver is not None else ()
    standbys = (_standby(s, limits) for s in replication.standbys)
    slots = (_slot(s, replication.span_s, limits) for s in replication.slots)
    return (*receiver, *standbys, *slots)


def is_behind(standby: Standby, limits: PostgresThresholds) -> bool:
    """Whether a standby lags by more than the target's thresholds."""
    return (standby.replay_lag_s or 0.0) > limits.replication_lag_s or (
        standby.replay_bytes or 0
    ) > limits.replication_lag_bytes


def _receiver(receiver: Receiver) -> ReplicationLine:
    state = receiver.status or "no WAL receiver"
    tone = Tone.OK if receiver.status == "streaming" else Tone.WARN
    if receiver.is_paused:
        state, tone = f"replay paused, {state}", Tone.WARN
    replayed = f"last transaction replayed is of {duration(receiver.replayed_s_ago)} ago"
    return ReplicationLine(
        kind="follows",
        name=receiver.sender or "primary not known",
        key="receiver",
        state=state,
        tone=tone,
        lag_bytes=receiver.unreplayed_bytes,
        lag_s=receiver.replayed_s_ago if receiver.unreplayed_bytes else None,
        is_caught_up=receiver.unreplayed_bytes == 0 and receiver.status == "streaming",
        detail=(f"slot {receiver.slot_name} · " if receiver.slot_name else "") + replayed,
    )


def _standby(standby: Standby, limits: PostgresThresholds) -> ReplicationLine:
    tone = Tone.WARN if is_behind(standby, limits) or standby.state not in ("streaming", None) else Tone.OK
    return ReplicationLine(
        kind="standby",
        name=standby.application_name or str(standby.pid),
        key=f"standby {standby.pid}",
        state=standby.state or "not visible to this role",
        tone=tone if standby.state is not None else Tone.UNKNOWN,
        lag_bytes=standby.replay_bytes,
        lag_s=standby.replay_lag_s,
        is_caught_up=standby.replay_bytes == 0,
        detail=" · ".join(
            part
            for part in (
                standby.client_addr,
                standby.sync_state,
                f"not sent {size(standby.sent_bytes)}" if standby.sent_bytes else None,
                f"not flushed {size(standby.flush_bytes)}" if standby.flush_bytes else None,
            )
            if part
        ),
    )


def _slot(slot: Slot, span_s: float | None, limits: PostgresThresholds) -> ReplicationLine:
    tone = Tone.OK if slot.is_active else Tone.MUTED
    if not slot.is_active and (slot.retained_bytes or 0) > limits.slot_retained_bytes:
        tone = Tone.WARN
    if slot.wal_status in ("unreserved", "lost"):
        tone = Tone.CRIT
    words = [slot.slot_type, slot.plugin or "", slot.database or ""]
    if slot.unused_s is not None:
        words.append(f"for {duration(slot.unused_s)}")
    if slot.grown_bytes:
        words.append(f"{slot.grown_bytes / 1024**2:+.1f} MiB over {duration(span_s)}")
    if slot.safe_wal_bytes is not None:
        words.append(f"safe for {size(slot.safe_wal_bytes)} more")
    return ReplicationLine(
        kind="slot",
        name=slot.name,
        key=f"slot {slot.name}",
        state=f"{'in use' if slot.is_active else 'not in use'}, {slot.wal_status or 'no WAL reserved'}",
        tone=tone,
        retained_bytes=slot.retained_bytes,
        detail=" · ".join(word for word in words if word),
    )


def _lag(line: ReplicationLine) -> Cell:
    if line.lag_s is None and line.is_caught_up:
        return "none"
    return duration(line.lag_s)


REPLICATION_COLUMNS: tuple[Column[ReplicationLine], ...] = (
    Column(key="kind", title="KIND", width=8, cell=lambda r: r.kind, priority=2),
    Column(
        key="name",
        title="NAME",
        width=20,
        cell=lambda r: (f"{GLYPHS.get(r.tone, '·')} {r.name}", r.tone),
        sort=lambda r: r.name,
    ),
    Column(key="state", title="STATE", width=24, cell=lambda r: (r.state, r.tone), sort=lambda r: r.state),
    Column(
        key="bytes",
        title="LAG",
        width=9,
        align="right",
        cell=lambda r: size(r.lag_bytes),
        sort=lambda r: r.lag_bytes,
        unit="bytes",
        descending_first=True,
    ),
    Column(
        key="time",
        title="LAG TIME",
        width=8,
        align="right",
        cell=_lag,
        sort=lambda r: r.lag_s,
        unit="s",
        descending_first=True,
        priority=1,
    ),
    Column(
        key="retained",
        title="KEPT WAL",
        width=9,
        align="right",
        cell=lambda r: size(r.retained_bytes),
        sort=lambda r: r.retained_bytes,
        unit="bytes",
        descending_first=True,
        priority=1,
    ),
    Column(key="detail", title="", width=16, grow=1, cell=lambda r: (r.detail, Tone.MUTED), priority=3),
)
