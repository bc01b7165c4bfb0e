"""The blocking tree as a table: the root first, who waits for it below, in the order of the line."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from opsdash.collectors.format import age
from opsdash.collectors.postgres.blocking import PREPARED_PID, BlockingNode, forest_of
from opsdash.collectors.postgres.blocking_rows import TreeRow, describe_wait, tree_rows
from opsdash.collectors.postgres.rows import PostgresData
from opsdash.widgets.columns import Cell, Column
from opsdash.widgets.panels.postgres.words import seconds_since, session_age_s, state_word
from opsdash.widgets.status import GLYPHS, Tone


class BlockedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the tree with the server's time, against which its ages are told."""

    row: TreeRow
    now: datetime

    @property
    def node(self) -> BlockingNode | None:
        """The node it shows; None for a folded rest."""
        return self.row.node


def blocked_lines(data: PostgresData, unfolded: Collection[str] | None) -> tuple[BlockedLine, ...]:
    """The tree from top to bottom; `unfolded` as in `tree_rows`."""
    return tuple(BlockedLine(row=row, now=data.server_now) for row in tree_rows(forest_of(data), unfolded))


def blocked_tone(line: BlockedLine) -> Tone:
    """Red for a root, yellow for who waits and blocks others or waits for nobody knows whom, else plain."""
    if line.node is None:
        return Tone.MUTED
    if line.row.depth == 0 and line.node.waiters:
        return Tone.CRIT
    return Tone.WARN if line.node.waiters or line.row.depth == 0 else Tone.NORMAL


def _pid(line: BlockedLine) -> Cell:
    if line.node is None:
        return f"{line.row.prefix}…"
    mark = f"{GLYPHS[blocked_tone(line)]} " if line.row.depth == 0 else line.row.prefix
    return mark + ("prepared" if line.node.pid == PREPARED_PID else str(line.node.pid))


def _age_s(line: BlockedLine) -> float | None:
    """How long it waits; a root: how long it has been in what it does."""
    node = line.node
    if node is None:
        return None
    if node.wait is not None and node.wait.waiting_since is not None:
        return seconds_since(node.wait.waiting_since, line.now)
    if node.prepared is not None:
        return seconds_since(node.prepared.prepared, line.now)
    return session_age_s(node.session, line.now) if node.session else None


def _state(line: BlockedLine) -> Cell:
    node = line.node
    if node is None:
        return ""
    if node.pid == PREPARED_PID:
        return "prepared"
    return state_word(node.session)


def _query(line: BlockedLine) -> Cell:
    node = line.node
    if node is None:
        return "Enter unfolds"
    if node.prepared is not None:
        return f"ROLLBACK PREPARED '{node.prepared.gid}' by its owner {node.prepared.owner} would free them"
    session = node.session
    if session is None:
        return ""
    if session.is_idle_in_transaction:
        idle = age(seconds_since(session.state_change, line.now))
        return f"idle {idle}, last: {session.query or '-'}"
    return session.query or ""


BLOCKED_COLUMNS: tuple[Column[BlockedLine], ...] = (
    Column(key="pid", title="PID", width=16, cell=_pid, compare=lambda r: r.node.pid if r.node else None),
    Column(
        key="age",
        title="AGE",
        width=7,
        align="right",
        cell=lambda r: age(_age_s(r)) if r.node else "",
        compare=_age_s,
        unit="s",
        priority=1,
    ),
    Column(key="state", title="STATE", width=12, cell=_state, priority=2),
    Column(
        key="app",
        title="APP",
        width=12,
        cell=lambda r: (r.node.session.application_name or "") if r.node and r.node.session else "",
        priority=4,
    ),
    Column(
        key="wait",
        title="WAITS FOR",
        width=20,
        grow=1,
        cell=lambda r: describe_wait(r.node) if r.node else r.row.folded_text,
    ),
    Column(key="query", title="QUERY", width=14, grow=2, cell=_query, priority=3),
)
