"""PostgreSQL readings by hand, and what the feed holds of them: only what a test is about is spelt out."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from opsdash.collectors.feed import TargetView
from opsdash.collectors.postgres.blocking import BlockingNode
from opsdash.collectors.postgres.rows import (
    Connections,
    DatabaseRates,
    LockWait,
    PostgresData,
    PreparedTransaction,
    SessionRow,
)
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.snapshot import Failure, FailureKind, Snapshot
from opsdash.collectors.target import Target, TargetId, environment

NOW = datetime(2026, 3, 14, 3, 12, 41, tzinfo=UTC)
"""The server's clock in these readings."""

MONO_S = 5000.0
"""NOW on the monotonic clock."""

TARGET = Target(
    id=TargetId("postgres", "orders"),
    environment=environment("staging"),
    interval_s=2.0,
    settings=PostgresSettings(),
    source="test",
)


def ago(seconds: float) -> datetime:
    """A moment before NOW."""
    return NOW - timedelta(seconds=seconds)


def session(pid: int, state: str | None = "active", **facts: Any) -> SessionRow:
    """A client's session; `for_s` is how long it has been in its state (and its statement running)."""
    for_s = facts.pop("for_s", 1.0)
    known: dict[str, Any] = {
        "backend_type": "client backend",
        "backend_start": ago(for_s + 900),
        "xact_start": None if state == "idle" else ago(for_s + 5),
        "query_start": ago(for_s),
        "state_change": ago(for_s),
    }
    return SessionRow(pid=pid, state=state, **(known | facts))


def row_line(
    holder: int, pids: Sequence[int], *, xid: int = 88213, where: str = "(0,1)", longest_s: float = 60.0
) -> list[LockWait]:
    """Backends that queue for one row, as PostgreSQL has it: the first waits for the holder's transaction and
    holds the row's tuple lock, which all others wait for. Each began a second after the one before it.
    """
    first = LockWait(
        pid=pids[0],
        locktype="transactionid",
        detail=f"transaction {xid}",
        mode="ShareLock",
        waiting_since=ago(longest_s),
        holders=(holder,),
    )
    rest = [
        LockWait(
            pid=pid,
            locktype="tuple",
            relation="public.stock",
            detail=f"tuple {where} of public.stock",
            mode="ExclusiveLock",
            waiting_since=ago(longest_s - place),
            holders=(pids[0],),
            queued_behind=tuple(pids[1:place]),
        )
        for place, pid in enumerate(pids[1:], start=1)
    ]
    return [first, *rest]


def relation_wait(
    pid: int, *, holders: Sequence[int] = (), behind: Sequence[int] = (), **facts: Any
) -> LockWait:
    """A backend that waits for a table; `for_s` is how long."""
    for_s = facts.pop("for_s", 30.0)
    known: dict[str, Any] = {
        "locktype": "relation",
        "relation": "public.stock",
        "detail": "relation public.stock",
        "mode": "AccessShareLock",
        "waiting_since": ago(for_s),
        "holders": tuple(holders),
        "queued_behind": tuple(behind),
    }
    return LockWait(pid=pid, **(known | facts))


def prepared(
    gid: str, *, transaction: int = 88213, for_s: float = 400.0, is_holding: bool = True
) -> PreparedTransaction:
    """A prepared transaction."""
    return PreparedTransaction(
        gid=gid,
        database="shop",
        owner="shop",
        prepared=ago(for_s),
        transaction=transaction,
        is_holding=is_holding,
    )


def connections(used: int = 20, usable: int = 97, **facts: Any) -> Connections:
    """Client backends; without more said, of one application."""
    known: dict[str, Any] = {
        "max_connections": usable + 3,
        "reserved": 3,
        "by_state": (("idle", used),),
        "by_user": (("shop", used),),
        "by_application": (("checkout", used),),
        "by_database": (("shop", used),),
    }
    return Connections(used=used, usable=usable, **(known | facts))


def reading(
    sessions: Sequence[SessionRow] = (), waits: Sequence[LockWait] = (), **facts: Any
) -> PostgresData:
    """A reading of a server that is otherwise well."""
    known: dict[str, Any] = {
        "version": "16.4",
        "version_num": 160004,
        "server_now": NOW,
        "started_at": ago(86400),
        "is_in_recovery": False,
        "database": "shop",
        "role": "opsdash",
        "roundtrip_s": 0.001,
        "prepared": (),
        "connections": connections(),
        "databases": (),
        "total": DatabaseRates(name="all"),
    }
    return PostgresData(sessions=tuple(sessions), waits=tuple(waits), **(known | facts))


def failing(
    kind: FailureKind,
    *,
    failures: int = 1,
    for_s: float = 0.0,
    good_age_s: float | None = None,
    reason: str = "connection to server at 10.0.0.5, port 5432 failed: Connection refused",
    **facts: Any,
) -> TargetView:
    """What the feed holds of TARGET when its last reads failed; `good_age_s` ago it had `data`."""

    def taken(age_s: float, sequence: int, **more: Any) -> Snapshot[Any]:
        return Snapshot(
            target=TARGET.id,
            sequence=sequence,
            taken_at=NOW - timedelta(seconds=age_s),
            taken_mono_s=MONO_S - age_s,
            took_s=0.01,
            **more,
        )

    good = None if good_age_s is None else taken(good_age_s, 1, data=facts.pop("data", reading()))
    return TargetView(
        target=TARGET,
        latest=taken(0.0, 9, failure=Failure(kind=kind, reason=reason, **facts)),
        good=good,
        failing_since=NOW - timedelta(seconds=for_s),
        failures=failures,
        reads=failures + (good is not None),
    )


def _shape(node: BlockingNode) -> object:
    return (node.pid, [_shape(child) for child in node.children]) if node.children else node.pid


def shapes(forest: Sequence[BlockingNode]) -> list[object]:
    """A blocking forest as nested pids: a leaf is its pid, a blocker is (pid, children)."""
    return [_shape(root) for root in forest]
