"""Who holds what others wait for, and who is before them in the queue: from one reading of pg_locks. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from opsdash.collectors.postgres.rows import LockWait

_MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)

_CONFLICTS: Mapping[str, frozenset[str]] = {
    mode: frozenset(_MODES[i] for i in others)
    for mode, others in zip(
        _MODES,
        (
            (7,),
            (6, 7),
            (4, 5, 6, 7),
            (3, 4, 5, 6, 7),
            (2, 3, 5, 6, 7),
            (2, 3, 4, 5, 6, 7),
            (1, 2, 3, 4, 5, 6, 7),
            (0, 1, 2, 3, 4, 5, 6, 7),
        ),
        strict=True,
    )
}
"""https://www.postgresql.org/docs/current/explicit-locking.html#TABLE-LOCK-COMPATIBILITY"""

_FAR = datetime.max.replace(tzinfo=UTC)


class Lock(msgspec.Struct, frozen=True, gc=False):
    """One row of `queries/locks.sql`, its columns in their order. Text is cleaned already."""

    object: str
    """What is locked, as one text: rows with the same are in one queue."""
    pid: int
    """0: a prepared transaction."""
    granted: bool
    mode: str
    waitstart: datetime | None
    locktype: str
    database: int | None = None
    relation: int | None = None
    page: int | None = None
    tuple: int | None = None
    virtualxid: str | None = None
    transactionid: str | None = None
    classid: int | None = None
    objid: int | None = None
    objsubid: int | None = None
    prepared_transaction: str | None = None
    """The id of the prepared transaction, at pid 0."""


class Names(msgspec.Struct, frozen=True):
    """What oids are called."""

    database_oid: int
    """The database we are connected to."""
    databases: Mapping[int, str]
    relations: Mapping[int, str]
    """Of our database only; schema.table."""

    def relation(self, lock: Lock) -> str | None:
        """The name of the relation that `lock` is on; None when it is on none."""
        if lock.relation is None:
            return None
        if lock.database in (0, self.database_oid):
            return self.relations.get(lock.relation, f"oid {lock.relation}")
        database = self.databases.get(lock.database or 0, f"database {lock.database}")
        return f"oid {lock.relation} in {database}"


def lock_waits(locks: Iterable[Lock], leaders: Mapping[int, int], names: Names) -> tuple[LockWait, ...]:
    """One `LockWait` per waiting backend, longest first.

    Args:
        locks: All locks on everything that somebody waits for, of one moment.
        leaders: Parallel worker to leader. As in pg_blocking_pids, the leader stands for its workers, and
            they never wait for each other.
        names: For people.

    Returns:
        `holders` and `queued_behind` together are what pg_blocking_pids would say at that moment.
    """
    queues: dict[str, list[Lock]] = defaultdict(list)
    workers: dict[int, int] = {}
    for lock in locks:
        queues[lock.object].append(lock)
        if lock.pid in leaders:
            workers[lock.pid] = leaders[lock.pid]
    waits = [wait for queue in queues.values() for wait in _waits_for_one(queue, workers, names)]
    return tuple(sorted(waits, key=lambda w: (w.waiting_since or _FAR, w.pid)))


def _waits_for_one(locks: Sequence[Lock], leaders: Mapping[int, int], names: Names) -> Iterable[LockWait]:
    """The waits for one object, in the order of its queue."""
    holders: dict[str, dict[int, None]] = defaultdict(dict)  # mode -> leaders' pids, in order
    for lock in locks:
        if lock.granted:
            holders[lock.mode][leaders.get(lock.pid, lock.pid)] = None
    queue = _queue([lock for lock in locks if not lock.granted], holders)
    before: dict[str, list[int]] = {lock.mode: [] for lock in queue}  # mode -> who is ahead and in its way
    for lock in queue:
        own = leaders.get(lock.pid, lock.pid)
        in_its_way = {pid for mode in _CONFLICTS[lock.mode] for pid in holders.get(mode, ())}
        ahead = before[lock.mode]
        if leaders:  # without workers each is in a queue once, and filtering 1,000 waiters takes its time
            ahead = list(dict.fromkeys(pid for pid in ahead if pid != own))
        yield LockWait(
            pid=lock.pid,
            locktype=lock.locktype,
            relation=names.relation(lock),
            mode=lock.mode,
            detail=_detail(lock, names),
            waiting_since=lock.waitstart,
            holders=tuple(sorted(in_its_way - {own})),
            queued_behind=tuple(ahead),
        )
        for mode, pids in before.items():
            if lock.mode in _CONFLICTS[mode]:
                pids.append(own)


def _queue(waiting: Iterable[Lock], holders: Mapping[str, Mapping[int, None]]) -> list[Lock]:
    """The waiting ones in PostgreSQL's order.

    As they came, but whoever holds a lock already is put before the first that waits for what it holds.

    Source:
        ProcSleep() in PostgreSQL's src/backend/storage/lmgr/proc.c
    """
    queue: list[Lock] = []
    for lock in sorted(waiting, key=lambda k: (k.waitstart or _FAR, k.pid)):
        held = {mode for mode, pids in holders.items() if lock.pid in pids}
        place = len(queue)
        if held:
            place = next((i for i, k in enumerate(queue) if held & _CONFLICTS[k.mode]), place)
        queue.insert(place, lock)
    return queue


def awaited_transactions(locks: Iterable[Lock]) -> frozenset[str]:
    """The ids of the prepared transactions that somebody waits for."""
    wanted: dict[str, set[str]] = defaultdict(set)  # object -> modes waited for
    prepared = []
    for lock in locks:
        if not lock.granted:
            wanted[lock.object].add(lock.mode)
        elif lock.prepared_transaction is not None:
            prepared.append((lock, lock.prepared_transaction))
    return frozenset(xid for lock, xid in prepared if _CONFLICTS[lock.mode] & wanted[lock.object])


def _detail(lock: Lock, names: Names) -> str | None:
    """What exactly is locked, in words; None when the relation's name says it all."""
    relation = names.relation(lock)
    match lock.locktype:
        case "transactionid":
            return f"transaction {lock.transactionid}"
        case "virtualxid":
            return f"virtual transaction {lock.virtualxid}"
        case "tuple":
            return f"tuple ({lock.page},{lock.tuple}) of {relation}"
        case "page":
            return f"page {lock.page} of {relation}"
        case "extend":
            return f"extension of {relation}"
        case "advisory":
            return _advisory(lock)
        case "object":
            return f"object {lock.objid} of catalog {lock.classid}"
        case _:
            return None


def _advisory(lock: Lock) -> str:
    """The key as the application gave it: objsubid 1 is one bigint, 2 is two integers.

    >>> _advisory(Lock("", 1, False, "ExclusiveLock", None, "advisory", classid=1, objid=2, objsubid=1))
    'advisory 4294967298'
    >>> _advisory(Lock("", 1, False, "ExclusiveLock", None, "advisory", classid=7, objid=42, objsubid=2))
    'advisory 7, 42'
    """
    if lock.objsubid != 1:
        return f"advisory {lock.classid}, {lock.objid}"
    key = ((lock.classid or 0) << 32) | (lock.objid or 0)
    return f"advisory {key - (1 << 64) if key >> 63 else key}"
