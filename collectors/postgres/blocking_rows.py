"""The blocking tree as rows of a table, and what each waits for in words. Pure."""

from collections.abc import Collection, Sequence
from itertools import groupby

import msgspec

from opsdash.collectors.postgres.blocking import PREPARED_PID, BlockingNode
from opsdash.collectors.postgres.rows import LockWait

_FOLD_ABOVE = 4
"""A line of at most this many siblings is shown in full, of a longer one the first three."""


class TreeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the drawn tree: a node, or what stands for the folded rest of a line."""

    node: BlockingNode | None
    """None: a folded rest."""
    prefix: str
    """Branches to draw before the pid; empty for a root."""
    depth: int
    key: str
    """The same row across refreshes. Of a folded rest: what `unfolded` holds to show it."""
    folded: int = 0
    """How many nodes this row stands for; they wait, and nobody waits for them."""

    @property
    def folded_text(self) -> str:
        """What a folded rest says of itself: "+11 more in the same line"."""
        return f"+{self.folded} more in the same line"


def tree_rows(forest: Sequence[BlockingNode], unfolded: Collection[str] | None = ()) -> tuple[TreeRow, ...]:
    """The forest as rows from top to bottom, long lines folded.

    Only those nobody waits for are folded: who blocks others as well always has a row.

    Args:
        forest: What `blocking_forest` returned.
        unfolded: Keys of folded rests to show in full; None: all of them.
    """
    rows: list[TreeRow] = []
    todo = [TreeRow(node=root, prefix="", depth=0, key=root.key) for root in reversed(forest)]
    stems = [""] * len(todo)
    while todo:
        row, stem = todo.pop(), stems.pop()
        rows.append(row)
        if row.node is None:
            continue
        below = _folded(row.node, unfolded)
        for index, (node, key, folded) in enumerate(reversed(below)):
            branch, trunk = ("└─ ", "   ") if index == 0 else ("├─ ", "│  ")
            todo.append(TreeRow(node=node, prefix=stem + branch, depth=row.depth + 1, key=key, folded=folded))
            stems.append(stem + trunk)
    return tuple(rows)


def _folded(
    parent: BlockingNode, unfolded: Collection[str] | None
) -> list[tuple[BlockingNode | None, str, int]]:
    """The children of a node as (node, key, folded), with the rest of each long line as one entry."""
    found: list[tuple[BlockingNode | None, str, int]] = []
    for line, members in groupby(parent.children, key=lambda node: node.line):
        nodes = list(members)
        key = f"rest {parent.key} {line}"
        is_long = len(nodes) > _FOLD_ABOVE and unfolded is not None and key not in unfolded
        shown = [n for i, n in enumerate(nodes) if not is_long or i < _FOLD_ABOVE - 1 or n.children]
        found += [(node, node.key, 0) for node in shown]
        if len(shown) < len(nodes):
            found.append((None, key, len(nodes) - len(shown)))
    return found


def describe_wait(node: BlockingNode) -> str:
    """What a node waits for, in a table's cell.

    >>> held = LockWait(pid=4377, locktype="transactionid", detail="transaction 88213", holders=(4312,))
    >>> first = BlockingNode(
    ...     pid=4377, session=None, wait=held, place_in_line=1, waiters=0, longest_wait_s=None
    ... )
    >>> describe_wait(first)
    'transactionid 88213 (held by 4312)'
    >>> queued = LockWait(pid=4401, locktype="tuple", relation="public.stock", holders=(4377,))
    >>> describe_wait(msgspec.structs.replace(first, pid=4401, wait=queued, place_in_line=2))
    'tuple stock, 2nd in line'
    >>> describe_wait(msgspec.structs.replace(first, wait=None, place_in_line=None, waiters=14))
    '(holds; 14 wait)'
    """
    wait = node.wait
    if wait is None:
        return f"(holds; {node.waiters} wait{'s' if node.waiters == 1 else ''})"
    what = _lock_words(wait)
    if node.in_cycle:
        return f"{what}, in a cycle with {_names(wait.holders or wait.queued_behind)}"
    if node.place_in_line is not None and node.place_in_line > 1:
        return f"{what}, {ordinal(node.place_in_line)} in line"
    if wait.holders:
        return f"{what} (held by {_names(wait.holders)})"
    return f"{what} (holder not seen)"


def _lock_words(wait: LockWait) -> str:
    """`transactionid 88213`, `tuple stock`, `relation stock AccessExclusiveLock`."""
    if wait.locktype is None:
        return "a lock, not seen any more"
    if wait.relation is not None:
        name = wait.relation.removeprefix("public.")
        is_table = wait.locktype == "relation" and wait.mode is not None
        return f"{wait.locktype} {name} {wait.mode}" if is_table else f"{wait.locktype} {name}"
    what = wait.detail or ""
    return f"{wait.locktype} {what.removeprefix('transaction ').removeprefix(wait.locktype).strip()}".strip()


def _names(pids: Sequence[int]) -> str:
    """Pids as people read them: at most three, then how many more."""
    words = ["a prepared transaction" if pid == PREPARED_PID else str(pid) for pid in pids[:3]]
    return ", ".join(words) + (f" and {len(pids) - 3} more" if len(pids) > 3 else "")


def ordinal(place: int) -> str:
    """A place in a line.

    >>> [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 112, 122)]
    ['1st', '2nd', '3rd', '4th', '11th', '12th', '13th', '21st', '112th', '122nd']
    """
    if place % 100 in (11, 12, 13):
        return f"{place}th"
    return f"{place}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(place % 10, 'th') }"
