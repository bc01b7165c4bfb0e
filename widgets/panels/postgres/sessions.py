"""The table of sessions: who does what, since when, and who stands in whose way."""

from collections.abc import Sequence
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.format import age
from opsdash.collectors.postgres.blocking import BlockingNode, forest_of
from opsdash.collectors.postgres.rows import PostgresData, SessionRow
from opsdash.collectors.postgres.settings import PostgresSettings, PostgresThresholds
from opsdash.widgets.columns import Column
from opsdash.widgets.panels.postgres.words import (
    busy_since,
    session_age_s,
    state_word,
    trouble,
    trouble_tone,
    wait_word,
)
from opsdash.widgets.status import Tone

_FAR = datetime.max.replace(tzinfo=UTC)
"""Sorts unknown moments last."""


class SessionLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A session with what the rest of the reading says of it."""

    session: SessionRow
    blocks: int
    """Sessions that wait behind it, directly or not."""
    now: datetime
    """The server's time, against which its age is told."""
    old_s: float
    """From this age on an open transaction is too old."""

    @property
    def age_s(self) -> float | None:
        """How long it has been in what it does; None where this role may not see it."""
        return session_age_s(self.session, self.now)

    @property
    def tone(self) -> Tone:
        """How much it matters."""
        return trouble_tone(trouble(self.session, self.blocks), self.age_s, self.old_s)


def thresholds_of(view: TargetView) -> PostgresThresholds:
    """The thresholds of a PostgreSQL target."""
    settings = view.target.settings
    assert isinstance(settings, PostgresSettings)
    return settings.thresholds


_lines: WeakKeyDictionary[PostgresData, tuple[SessionLine, ...]] = WeakKeyDictionary()


def session_lines(view: TargetView) -> tuple[SessionLine, ...]:
    """All sessions of the newest good reading: blockers, waiters, open transactions, active, idle.

    Of each the oldest first. Made once for a reading, since several panels show the same.
    """
    data: PostgresData = view.data
    lines = _lines.get(data)
    if lines is None:
        lines = _lines[data] = _session_lines(data, thresholds_of(view))
    return lines


def _session_lines(data: PostgresData, thresholds: PostgresThresholds) -> tuple[SessionLine, ...]:
    blocking = blocked_counts(forest_of(data))
    now, old_s = data.server_now, thresholds.idle_in_transaction_s
    found: list[tuple[int, datetime, int, SessionLine]] = []
    for session in data.sessions:
        blocks = blocking.get(session.pid, 0)
        line = SessionLine(session=session, blocks=blocks, now=now, old_s=old_s)
        found.append((trouble(session, blocks), busy_since(session) or _FAR, len(found), line))
    found.sort()
    return tuple([line for *_, line in found])


def blocked_counts(forest: Sequence[BlockingNode]) -> dict[int, int]:
    """Per pid how many wait behind it; only those behind whom somebody waits."""
    counts: dict[int, int] = {}
    stack = list(forest)
    while stack:
        node = stack.pop()
        if node.waiters:
            counts[node.pid] = node.waiters
        stack.extend(node.children)
    return counts


SESSION_COLUMNS: tuple[Column[SessionLine], ...] = (
    Column(
        key="pid",
        title="PID",
        width=7,
        align="right",
        cell=lambda r: str(r.session.pid),
        sort=lambda r: r.session.pid,
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
    ),
    Column(
        key="state",
        title="STATE",
        width=15,
        cell=lambda r: state_word(r.session),
        sort=lambda r: state_word(r.session),
    ),
    Column(
        key="blocks",
        title="BLOCKS",
        width=6,
        align="right",
        cell=lambda r: str(r.blocks) if r.blocks else "",
        sort=lambda r: r.blocks,
        descending_first=True,
        priority=3,
    ),
    Column(
        key="app",
        title="APP",
        width=12,
        grow=1,
        cell=lambda r: r.session.application_name or "",
        sort=lambda r: r.session.application_name or "",
        priority=1,
    ),
    Column(
        key="user",
        title="USER",
        width=12,
        cell=lambda r: r.session.user or "",
        sort=lambda r: r.session.user or "",
        priority=4,
    ),
    Column(
        key="database",
        title="DATABASE",
        width=10,
        cell=lambda r: r.session.database or "",
        sort=lambda r: r.session.database or "",
        priority=6,
    ),
    Column(
        key="client",
        title="CLIENT",
        width=15,
        cell=lambda r: r.session.client_addr or "",
        sort=lambda r: r.session.client_addr or "",
        priority=7,
    ),
    Column(
        key="wait",
        title="WAIT",
        width=20,
        cell=lambda r: wait_word(r.session),
        sort=lambda r: wait_word(r.session),
        priority=5,
    ),
    Column(key="query", title="QUERY", width=14, grow=6, cell=lambda r: r.session.query or "", priority=2),
)
