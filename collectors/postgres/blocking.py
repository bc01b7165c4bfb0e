"""Who waits for whom, arranged as people read it. Pure.

PostgreSQL queues for a row in two steps: the first waiter holds the row's `tuple` lock and waits for the
holder's `transactionid`; all others wait for the `tuple` lock. pg_blocking_pids names the first waiter and
everyone before: drawn as it stands, 1,000 writers of one row are a ladder of 1,000 steps. Here they are one
line of siblings behind the transaction they all finally wait for, each with its place.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

import msgspec

from opsdash.collectors.postgres.rows import LockWait, PostgresData, PreparedTransaction, SessionRow

PREPARED_PID = 0
"""The pid that pg_blocking_pids gives for prepared transactions."""

_FAR = datetime.max.replace(tzinfo=UTC)
"""Sorts unknown moments last."""


class BlockingNode(msgspec.Struct, frozen=True, kw_only=True):
    """One backend of a blocking tree."""

    pid: int
    """0: a prepared transaction (`prepared` says which)."""
    session: SessionRow | None
    """None: gone between two reads, or a prepared transaction."""
    wait: LockWait | None
    """None for a root, unless it is in a cycle or nobody is known to hold what it waits for."""
    place_in_line: int | None
    """1 is next; who may go at the same time shares a place. None for a root, or where no order is known."""
    waiters: int
    """How many wait below it, directly or not."""
    longest_wait_s: float | None
    """The longest wait below it; None when nobody waits or the server does not say since when."""
    in_cycle: bool = False
    """It waits for itself in the end. The cycle is cut at the one that has waited longest."""
    prepared: PreparedTransaction | None = None
    """None at pid 0: more than one prepared transaction may be meant, or it is gone."""
    line: str = ""
    """What it queues for; siblings with the same words stand in one line. Empty for a root."""
    children: tuple["BlockingNode", ...] = ()
    """Those who wait for it, line by line, in the order of the line."""

    @property
    def key(self) -> str:
        """Tells the nodes of a forest apart, across refreshes: the pid, or the prepared transaction's gid."""
        if self.pid != PREPARED_PID:
            return str(self.pid)
        return f"prepared {self.prepared.gid}" if self.prepared else "prepared"


_forests: WeakKeyDictionary[PostgresData, tuple[BlockingNode, ...]] = WeakKeyDictionary()


def forest_of(data: PostgresData) -> tuple[BlockingNode, ...]:
    """The blocking forest of one reading; arranged once, as rules and several panels ask for the same."""
    forest = _forests.get(data)
    if forest is None:
        forest = blocking_forest(data.sessions, data.waits, data.prepared, now=data.server_now)
        _forests[data] = forest
    return forest


Key = tuple[int, str]
"""A pid, and the gid where the pid is 0: what a node is while the tree is being built."""


def blocking_forest(
    sessions: Sequence[SessionRow],
    waits: Sequence[LockWait],
    prepared: Sequence[PreparedTransaction] = (),
    *,
    now: datetime,
) -> tuple[BlockingNode, ...]:
    """Arrange waiting backends under the one they wait for.

    Every waiter appears once. Its parent is the holder of what its line waits for: of several holders
    one that does not wait itself, then the one with the oldest transaction. Parallel workers count as their
    leader.

    Sessions and waits are read one after the other, so they may disagree. A holder that is gone stays as a
    root without a session, which keeps its line together until the next reading. A waiter whose holders the
    server did not name is a root of its own: nothing is made up for it.

    Args:
        sessions: All backends.
        waits: One per waiting backend, in any order.
        prepared: All prepared transactions.
        now: The server's clock, aware.

    Returns:
        Roots with most waiters first, then the longest wait. Empty when nobody waits.

    Source:
        https://www.postgresql.org/docs/current/view-pg-locks.html and src/backend/access/heap/README.tuplock
    """
    waiting = _by_leader(sessions, waits)
    known = {session.pid: session for session in sessions}
    lines = _lines(waiting, known)
    parents: dict[Key, Key | None] = {}
    places: dict[int, int] = {}
    for members in lines.values():
        parent = _parent(members, waiting, known, prepared)
        places |= _places(members)
        parents |= {(wait.pid, ""): parent for wait in members}
    by_gid = {transaction.gid: transaction for transaction in prepared}
    return _grow(parents, lines, _Facts(known, waiting, places, by_gid, now))


def _by_leader(sessions: Sequence[SessionRow], waits: Sequence[LockWait]) -> dict[int, LockWait]:
    """One wait per pid, parallel workers as their leader; the leader's own wait wins, then the earliest."""
    leaders = {s.pid: s.leader_pid for s in sessions if s.leader_pid is not None and s.leader_pid != s.pid}
    if not leaders:
        return {wait.pid: wait for wait in waits}

    def fold(pids: Iterable[int], own: int) -> tuple[int, ...]:
        return tuple(dict.fromkeys(p for p in (leaders.get(pid, pid) for pid in pids) if p != own))

    found: dict[int, LockWait] = {}
    for wait in sorted(waits, key=lambda w: (w.pid in leaders, w.waiting_since or _FAR, w.pid)):
        pid = leaders.get(wait.pid, wait.pid)
        folded = msgspec.structs.replace(
            wait, pid=pid, holders=fold(wait.holders, pid), queued_behind=fold(wait.queued_behind, pid)
        )
        found.setdefault(pid, folded)
    return found


def _line_of(wait: LockWait, session: SessionRow | None) -> str:
    """The words for what is waited for; waits of which that is unknown are each a line of their own."""
    what = wait.detail or wait.relation
    if wait.locktype is None or what is None:
        return f"{wait.locktype or 'unknown'} of {wait.pid}"
    if wait.locktype in _PER_DATABASE and session is not None and session.database is not None:
        return f"{wait.locktype} {what} in {session.database}"
    return f"{wait.locktype} {what}"


_PER_DATABASE = frozenset({"advisory", "object"})
"""Kinds of locks whose words are the same in each database: one application often runs in many."""


def _lines(waiting: Mapping[int, LockWait], known: Mapping[int, SessionRow]) -> dict[str, list[LockWait]]:
    """Waits by what they queue for. The holder of a row's tuple lock is the first of that row's line."""
    line_of = {pid: _line_of(wait, known.get(pid)) for pid, wait in waiting.items()}
    for pid, wait in waiting.items():
        if wait.locktype == "tuple":
            for holder in wait.holders:
                if holder in waiting and waiting[holder].locktype == "transactionid":
                    line_of[holder] = line_of[pid]
    lines: dict[str, list[LockWait]] = {}
    for pid, line in line_of.items():
        lines.setdefault(line, []).append(waiting[pid])
    return lines


def _places(members: Sequence[LockWait]) -> dict[int, int]:
    """The place of each member: one after the last of those in its line that go before it.

    Holders of what others of the line wait for come first whenever they began to wait: who was given the
    tuple lock a moment ago waits for the row anew.
    """
    pids = {wait.pid for wait in members}
    holding = {holder for wait in members for holder in wait.holders} & pids
    order = sorted(
        members,
        key=lambda w: (w.pid not in holding, w.waiting_since or _FAR, len(w.queued_behind), w.pid),
    )
    place: defaultdict[int, int] = defaultdict(int)
    last = 0
    for wait in order:
        behind = wait.queued_behind
        if behind and place[behind[-1]] == last:  # mostly so; else a line of n would cost n * n
            before = last
        else:
            before = max(map(place.__getitem__, behind), default=0)
        place[wait.pid] = 1 + max(before, *(place[h] for h in wait.holders if h in pids), 0)
        last = max(last, place[wait.pid])
    return {pid: place[pid] for pid in pids}


def _parent(
    members: Sequence[LockWait],
    waiting: Mapping[int, LockWait],
    known: Mapping[int, SessionRow],
    prepared: Sequence[PreparedTransaction],
) -> Key | None:
    """Whom a line waits for; None when the server named nobody outside the line itself."""
    pids = {wait.pid for wait in members}
    outside = {holder for wait in members for holder in wait.holders} - pids
    if not outside:  # the predecessors' own wait is over: they were most likely given the lock just now
        outside = {pid for wait in members for pid in wait.queued_behind} - pids

    def rank(key: Key) -> tuple[bool, datetime, Key]:
        pid, gid = key
        if pid == PREPARED_PID:
            since = next((p.prepared for p in prepared if p.gid == gid), None)
        else:
            since = known[pid].xact_start if pid in known else None
        return (pid in waiting, since or _FAR, key)

    candidates = [(pid, _prepared_gid(members, prepared) if pid == PREPARED_PID else "") for pid in outside]
    return min(candidates, key=rank, default=None)


def _prepared_gid(members: Sequence[LockWait], prepared: Sequence[PreparedTransaction]) -> str:
    """The prepared transaction a line waits for; empty when it cannot be told which."""
    awaited = {wait.detail for wait in members if wait.locktype == "transactionid"}
    for transaction in prepared:
        if f"transaction {transaction.transaction}" in awaited:
            return transaction.gid
    holding = [t for t in prepared if t.is_holding] or list(prepared)
    return holding[0].gid if len(holding) == 1 else ""


class _Facts(msgspec.Struct, frozen=True):
    """What a node is made of besides its place in the tree."""

    known: Mapping[int, SessionRow]
    waiting: Mapping[int, LockWait]
    places: Mapping[int, int]
    prepared: Mapping[str, PreparedTransaction]
    """By gid."""
    now: datetime

    def waited_s(self, node: BlockingNode) -> float | None:
        """How long a node itself waits."""
        since = node.wait.waiting_since if node.wait else None
        return None if since is None else max(0.0, (self.now - since).total_seconds())


def _cut_cycles(parents: dict[Key, Key | None], waiting: Mapping[int, LockWait]) -> set[Key]:
    """Make the longest waiting member of each cycle a root; returns all members of cycles."""
    in_cycle: set[Key] = set()
    if parents.keys().isdisjoint(parents.values()):  # who waits blocks nobody: mostly so
        return in_cycle
    settled: set[Key] = set()
    for start in list(parents):
        path: dict[Key, None] = {}
        key: Key | None = start
        while key is not None and key not in settled and key not in path:
            path[key] = None
            key = parents.get(key)
        if key is not None and key in path:
            members = list(path)[list(path).index(key) :]
            in_cycle |= set(members)
            root = min(members, key=lambda k: (waiting[k[0]].waiting_since or _FAR, k))
            parents[root] = None
        settled |= set(path)
    return in_cycle


def _grow(
    parents: dict[Key, Key | None], lines: Mapping[str, Sequence[LockWait]], facts: _Facts
) -> tuple[BlockingNode, ...]:
    """Make the nodes, leaves first (a deep chain must not meet the recursion limit)."""
    in_cycle = _cut_cycles(parents, facts.waiting)
    line_of = {wait.pid: line for line, members in lines.items() for wait in members}
    below: dict[Key, list[Key]] = {}
    roots: list[Key] = []
    for key, parent in parents.items():
        if parent is None:
            roots.append(key)
        else:
            below.setdefault(parent, []).append(key)
    roots += [key for key in below if key not in parents]
    order = list(roots)
    for key in order:  # grows while it is read: parents before children
        order.extend(below.get(key, ()))

    nodes: dict[Key, BlockingNode] = {}
    for key in reversed(order):
        pid, gid = key
        children: tuple[BlockingNode, ...] = ()
        waits: list[float] = []
        if key in below:  # nearly all nodes are leaves
            children = _in_line_order([nodes[k] for k in below[key]])
            waits = [w for c in children for w in (c.longest_wait_s, facts.waited_s(c)) if w is not None]
        is_placed = parents.get(key) is not None and facts.waiting[pid].locktype is not None
        nodes[key] = BlockingNode(
            pid=pid,
            session=facts.known.get(pid),
            wait=facts.waiting.get(pid),
            place_in_line=facts.places[pid] if is_placed else None,
            waiters=sum([1 + child.waiters for child in children]),
            longest_wait_s=max(waits, default=None),
            in_cycle=key in in_cycle,
            prepared=facts.prepared.get(gid) if pid == PREPARED_PID else None,
            line=line_of[pid] if parents.get(key) is not None else "",
            children=children,
        )
    return tuple(
        sorted((nodes[k] for k in roots), key=lambda n: (-n.waiters, -(n.longest_wait_s or 0.0), n.key))
    )


def _in_line_order(children: Collection[BlockingNode]) -> tuple[BlockingNode, ...]:
    """Siblings line by line: the line that has waited longest first, within it by place."""
    if len(children) < 2:
        return tuple(children)
    since = {node.pid: (node.wait and node.wait.waiting_since) or _FAR for node in children}
    oldest: dict[str, datetime] = {}
    for node in children:
        oldest[node.line] = min(oldest.get(node.line, _FAR), since[node.pid])
    return tuple(
        sorted(
            children,
            key=lambda n: (oldest[n.line], n.line, n.place_in_line or 0, since[n.pid], n.pid),
        )
    )
