"""Standbys that lag, and slots that keep WAL for nobody. Pure."""

from collections.abc import Iterator

from opsdash.collectors.finding import Finding, Severity, below_one
from opsdash.collectors.format import duration, size
from opsdash.collectors.postgres.replication_rows import Receiver, Replication, Slot, Standby
from opsdash.collectors.postgres.rows import PostgresData
from opsdash.collectors.postgres.settings import PostgresThresholds
from opsdash.collectors.target import Target


def replication(data: PostgresData, target: Target, limits: PostgresThresholds) -> Iterator[Finding]:
    """What is wrong with those who follow this server, and with how it follows another."""
    seen = data.replication
    if seen is None:
        return
    if seen.receiver is not None and (claim := _not_following(seen.receiver, limits)) is not None:
        yield _follows_badly(seen.receiver, target, *claim)
    for standby in seen.standbys:
        behind_s = (standby.replay_lag_s or 0.0) > limits.replication_lag_s
        if behind_s or (standby.replay_bytes or 0) > limits.replication_lag_bytes:
            yield _lagging(standby, target)
    for slot in seen.slots:
        if slot.wal_status in ("unreserved", "lost"):
            yield _in_danger(slot, target)
        elif not slot.is_active and (slot.retained_bytes or 0) > limits.slot_retained_bytes:
            yield _unused(slot, seen, target)


def _not_following(receiver: Receiver, limits: PostgresThresholds) -> tuple[str, str] | None:
    """What is wrong with a standby by its own account, and the likely cause; None when nothing is."""
    if receiver.is_paused:
        return "replay is paused", "pg_wal_replay_pause() was called here; pg_wal_replay_resume() goes on"
    if receiver.status is None and receiver.has_primary:
        return "no WAL receiver", "it cannot reach its primary, or is refused there: its own log says which"
    waiting = receiver.unreplayed_bytes or 0
    behind_s = (receiver.replayed_s_ago or 0.0) if waiting else 0.0
    if behind_s > limits.replication_lag_s or waiting > limits.replication_lag_bytes:
        return "replay is behind", "a query here holds it up, or it is slower than the primary writes"
    return None


def _follows_badly(receiver: Receiver, target: Target, claim: str, cause: str) -> Finding:
    waiting = f"{size(receiver.unreplayed_bytes)} received and not replayed"
    last = f"last transaction replayed is of {duration(receiver.replayed_s_ago)} ago"
    return Finding(
        severity=Severity.WARN,
        target=target.id,
        rule="postgres.replay",
        title=f"this standby: {claim} · {waiting}, {last}",
        short=f"{claim}, {size(receiver.unreplayed_bytes)} not replayed",
        evidence=(
            f"WAL receiver: {receiver.status or 'there is none'}"
            + (f", from {receiver.sender}" if receiver.sender else ""),
            f"{waiting}; {last}, which also grows while the primary writes nothing",
        ),
        cause=cause,
        place="replication",
        weight=below_one(receiver.unreplayed_bytes or 0, 2**30),
    )


def _lagging(standby: Standby, target: Target) -> Finding:
    name = standby.application_name or str(standby.pid)
    lag = f"{duration(standby.replay_lag_s)} and {size(standby.replay_bytes)}"
    if standby.replay_lag_s is None:
        lag = f"{size(standby.replay_bytes)} (it does not say how long)"
    return Finding(
        severity=Severity.WARN,
        target=target.id,
        rule="postgres.replication_lag",
        subject=name,
        title=f"standby {name} is {lag} behind · {standby.state or 'state not visible'}",
        short=f"standby {name} {lag} behind",
        evidence=(
            f"not sent {size(standby.sent_bytes)}, not flushed there {size(standby.flush_bytes)}, "
            f"not replayed there {size(standby.replay_bytes)}",
            f"flush lag {duration(standby.flush_lag_s)}, replay lag {duration(standby.replay_lag_s)}",
            f"client {standby.client_addr or '-'}, {standby.sync_state or '-'}",
        ),
        cause=_lag_cause(standby),
        place="replication",
        weight=below_one(standby.replay_bytes or 0, 2**30),
    )


def _lag_cause(standby: Standby) -> str | None:
    """Where the WAL is, as far as the three positions tell."""
    replay = standby.replay_bytes or 0
    if standby.state == "catchup":
        return "it catches up after it was away, or writes come faster than it takes them"
    if (standby.sent_bytes or 0) * 2 > replay:
        return "most of it is not even sent: the network, or the sender, is slower than the writes"
    if standby.flush_bytes is not None and standby.flush_bytes * 2 < replay:
        return "it is on the standby's disk and not replayed: a query there holds it up, or replay is paused"
    return None


def _in_danger(slot: Slot, target: Target) -> Finding:
    lost = slot.wal_status == "lost"
    told = (
        "its WAL is gone: who used it must be built anew"
        if lost
        else "its WAL goes with the next checkpoint (max_slot_wal_keep_size)"
    )
    return Finding(
        severity=Severity.CRIT,
        target=target.id,
        rule="postgres.slot",
        subject=slot.name,
        title=f"replication slot {slot.name} is {slot.wal_status}: {told}",
        short=f"slot {slot.name} {slot.wal_status}",
        evidence=(f"{slot.slot_type} slot, {'in use' if slot.is_active else 'not in use'}",),
        cause="who reads from it was away for too long, or is too slow",
        place="replication",
        weight=below_one(slot.retained_bytes or 0, 2**30),
    )


def _unused(slot: Slot, seen: Replication, target: Target) -> Finding:
    growth = "not known yet whether it grows"
    if slot.grown_bytes is not None and seen.span_s:
        per_s = max(slot.grown_bytes, 0) / seen.span_s
        growth = f"growing {size(per_s)}/s over {duration(seen.span_s)}" if per_s else "not growing"
    unused = f" for {duration(slot.unused_s)}" if slot.unused_s is not None else ""
    kept = size(slot.retained_bytes)
    limit = "until the disk is full" if slot.safe_wal_bytes is None else f"{size(slot.safe_wal_bytes)} more"
    return Finding(
        severity=Severity.WARN,
        target=target.id,
        rule="postgres.slot",
        subject=slot.name,
        title=f"replication slot {slot.name} is not in use{unused} and keeps {kept} of WAL, {growth}",
        short=f"slot {slot.name} unused, keeps {kept}",
        evidence=(
            f"{slot.slot_type} slot" + (f" of {slot.plugin} in {slot.database}" if slot.plugin else ""),
            f"it may keep {limit}",
        ),
        cause="who used it is away, or was taken down without dropping the slot",
        place="replication",
        weight=below_one(slot.retained_bytes or 0, 2**30),
    )
