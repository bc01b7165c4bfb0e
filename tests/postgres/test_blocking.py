"""The blocking tree: pure cases."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from opsdash.collectors.postgres.blocking import BlockingNode, blocking_forest, forest_of
from opsdash.collectors.postgres.blocking_rows import describe_wait, tree_rows
from opsdash.collectors.postgres.rows import LockWait, PreparedTransaction, SessionRow
from tests.support.readings import NOW, ago, prepared, reading, relation_wait, row_line, session, shapes


def every(forest: tuple[BlockingNode, ...]) -> list[BlockingNode]:
    found = list(forest)
    for node in found:
        found.extend(node.children)
    return found


def drawn(forest: tuple[BlockingNode, ...], *unfolded: str) -> list[str]:
    return [
        row.prefix + (str(row.node.pid) if row.node else row.folded_text)
        for row in tree_rows(forest, unfolded)
    ]


def test_nobody_waits() -> None:
    assert blocking_forest([session(1)], [], now=NOW) == ()


def test_writers_of_one_row_are_one_line_behind_its_holder_not_a_ladder() -> None:
    waits = row_line(4312, [4377, 4401, 4410, 4415])
    (root,) = blocking_forest([session(p) for p in (4312, 4377, 4401, 4410, 4415)], waits, now=NOW)
    assert shapes([root]) == [(4312, [4377, 4401, 4410, 4415])]
    assert [child.place_in_line for child in root.children] == [1, 2, 3, 4]
    assert root.waiters == 4
    assert root.longest_wait_s == 60.0
    assert [describe_wait(node) for node in (root, *root.children)] == [
        "(holds; 4 wait)",
        "transactionid 88213 (held by 4312)",
        "tuple stock, 2nd in line",
        "tuple stock, 3rd in line",
        "tuple stock, 4th in line",
    ]


def test_who_was_given_the_tuple_lock_last_is_next_though_it_waits_the_shortest() -> None:
    waits = row_line(1, [10, 11, 12])
    just_now = LockWait(
        pid=10, locktype="transactionid", detail="transaction 9", holders=(1,), waiting_since=ago(0.1)
    )
    (root,) = blocking_forest([session(1)], [just_now, *waits[1:]], now=NOW)
    assert [(child.pid, child.place_in_line) for child in root.children] == [(10, 1), (11, 2), (12, 3)]


def test_two_rows_of_one_transaction_are_two_lines_of_one_root() -> None:
    waits = row_line(1, [10, 11], longest_s=50) + row_line(1, [20, 21, 22], where="(0,2)", longest_s=90)
    (root,) = blocking_forest([session(1)], waits, now=NOW)
    assert [(child.pid, child.place_in_line) for child in root.children] == [
        (20, 1), (21, 2), (22, 3), (10, 1), (11, 2),
    ]  # fmt: skip
    assert len({child.line for child in root.children}) == 2


def test_waiter_that_holds_something_else_has_its_own_line_below_it() -> None:
    waits = row_line(1, [2]) + row_line(2, [3], xid=5, where="(0,7)") + row_line(3, [4], xid=6, where="(0,9)")
    (root,) = blocking_forest([session(p) for p in (1, 2, 3, 4)], waits, now=NOW)
    assert shapes([root]) == [(1, [(2, [(3, [4])])])]
    assert root.waiters == 3
    assert root.children[0].waiters == 2


def test_readers_queued_behind_an_alter_table_are_in_its_line() -> None:
    alter = relation_wait(20, holders=[10], mode="AccessExclusiveLock", for_s=40)
    readers = [relation_wait(pid, behind=[20], for_s=60 - pid) for pid in (30, 31)]
    (root,) = blocking_forest([session(10), session(20)], [*readers, alter], now=NOW)
    assert shapes([root]) == [(10, [20, 30, 31])]
    assert [child.place_in_line for child in root.children] == [1, 2, 2]  # both go when the ALTER is done
    assert describe_wait(root.children[0]) == "relation stock AccessExclusiveLock (held by 10)"


def test_place_counts_whoever_goes_before_even_where_the_locks_do_not_conflict() -> None:
    waits = [
        relation_wait(1, holders=[9], for_s=50),
        relation_wait(2, behind=[1], for_s=40),
        relation_wait(3, behind=[1, 2], for_s=30),
        relation_wait(4, behind=[1, 3], for_s=20),
    ]
    (root,) = blocking_forest([session(9)], waits, now=NOW)
    assert [(child.pid, child.place_in_line) for child in root.children] == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_of_several_holders_the_oldest_that_does_not_wait_is_the_parent() -> None:
    waits = [
        relation_wait(50, holders=[1, 2, 3]),
        relation_wait(3, holders=[8], relation="public.other", detail="relation public.other"),
    ]
    sessions = [session(1, for_s=10), session(2, for_s=99), session(3, for_s=500), session(8)]
    forest = blocking_forest(sessions, waits, now=NOW)
    assert shapes(forest) == [(2, [50]), (8, [3])]
    assert describe_wait(forest[0].children[0]) == "relation stock AccessShareLock (held by 1, 2, 3)"


def test_prepared_transaction_is_pid_0_with_its_gid() -> None:
    mine, other = prepared("order-7", transaction=88213), prepared("order-8", transaction=5)
    (root,) = blocking_forest([session(4377)], row_line(0, [4377, 4401]), [other, mine], now=NOW)
    assert (root.pid, root.prepared, root.session, root.waiters) == (0, mine, None, 2)
    assert root.key == "prepared order-7"
    assert describe_wait(root.children[0]) == "transactionid 88213 (held by a prepared transaction)"


def test_two_prepared_transactions_are_two_roots() -> None:
    both = [prepared("a", transaction=1), prepared("b", transaction=2)]
    waits = row_line(0, [10, 11], xid=1) + row_line(0, [20], xid=2, where="(0,2)")
    forest = blocking_forest([], waits, both, now=NOW)
    assert [(root.key, root.waiters) for root in forest] == [("prepared a", 2), ("prepared b", 1)]


def test_it_is_not_guessed_which_prepared_transaction_holds_a_table() -> None:
    both = [prepared("a", transaction=1), prepared("b", transaction=2)]
    (root,) = blocking_forest([], [relation_wait(10, holders=[0])], both, now=NOW)
    assert (root.pid, root.prepared, root.key) == (0, None, "prepared")


def test_cycle_appears_once_marked_cut_at_its_longest_wait() -> None:
    waits = [
        *row_line(2, [1], xid=2, longest_s=3),
        *row_line(3, [2], xid=3, where="(0,2)", longest_s=9),
        *row_line(1, [3], xid=1, where="(0,3)", longest_s=1),
        *row_line(3, [7], xid=3, where="(0,4)", longest_s=1),
    ]
    forest = blocking_forest([session(p) for p in (1, 2, 3, 7)], waits, now=NOW)
    assert shapes(forest) == [(2, [(1, [(3, [7])])])]
    assert {node.pid for node in every(forest) if node.in_cycle} == {1, 2, 3}
    assert describe_wait(forest[0]) == "transactionid 3, in a cycle with 3"


def test_parallel_workers_count_as_their_leader() -> None:
    sessions = [session(1), session(100), *(session(p, leader_pid=100) for p in (101, 102)), session(200)]
    waits = [
        relation_wait(101, holders=[1]),
        relation_wait(102, holders=[1], for_s=31),
        relation_wait(200, holders=[101, 102], behind=[101], relation="public.x", detail="relation public.x"),
    ]
    assert shapes(blocking_forest(sessions, waits, now=NOW)) == [(1, [(100, [200])])]


def test_same_words_in_two_databases_are_two_lines() -> None:
    key: dict[str, Any] = {"locktype": "advisory", "relation": None, "detail": "advisory 7"}
    waits = [relation_wait(10, holders=[1], **key), relation_wait(20, holders=[2], **key)]
    sessions = [session(p, database=name) for p, name in ((1, "a"), (10, "a"), (2, "b"), (20, "b"))]
    assert shapes(blocking_forest(sessions, waits, now=NOW)) == [(1, [10]), (2, [20])]


def test_worker_that_waits_for_its_own_leader_is_not_its_own_parent() -> None:
    sessions = [session(100), session(101, leader_pid=100), session(1)]
    assert shapes(blocking_forest(sessions, [relation_wait(101, holders=[100, 1])], now=NOW)) == [(1, [100])]


def test_holder_that_is_gone_between_the_reads_keeps_its_line_together() -> None:
    (root,) = blocking_forest([session(10), session(11)], row_line(4312, [10, 11]), now=NOW)
    assert (root.pid, root.session, root.waiters) == (4312, None, 2)


def test_waiter_whose_holder_nobody_named_is_a_root_without_waiters() -> None:
    forest = blocking_forest([session(10)], [LockWait(pid=10)], now=NOW)
    assert shapes(forest) == [10]
    assert (forest[0].waiters, forest[0].longest_wait_s, forest[0].place_in_line) == (0, None, None)
    assert describe_wait(forest[0]) == "a lock, not seen any more (holder not seen)"


def test_predecessor_that_was_just_given_the_lock_is_the_parent() -> None:
    waits = [relation_wait(30, behind=[20]), relation_wait(31, behind=[20])]
    assert shapes(blocking_forest([session(20)], waits, now=NOW)) == [(20, [30, 31])]


def test_unknown_start_of_a_wait_is_unknown_not_zero() -> None:
    wait = LockWait(pid=10, locktype="transactionid", detail="transaction 5", holders=(1,))
    (root,) = blocking_forest([session(1), session(10)], [wait], now=NOW)
    assert root.longest_wait_s is None


def test_roots_are_ordered_by_waiters_then_by_the_longest_wait() -> None:
    waits = [
        *row_line(1, [10], xid=1, longest_s=5),
        *row_line(2, [20], xid=2, longest_s=50),
        *row_line(3, [30, 31], xid=3, where="(0,3)", longest_s=1),
    ]
    forest = blocking_forest([session(p) for p in (1, 2, 3)], waits, now=NOW)
    assert [root.pid for root in forest] == [3, 2, 1]


def test_order_of_the_rows_read_does_not_matter() -> None:
    waits = row_line(1, list(range(10, 40))) + row_line(12, list(range(50, 60)), xid=4, where="(0,2)")
    sessions = [session(wait.pid) for wait in waits] + [session(1)]
    expected = blocking_forest(sessions, waits, now=NOW)
    rng = random.Random(7)
    for _ in range(5):
        rng.shuffle(waits)
        rng.shuffle(sessions)
        assert blocking_forest(sessions, waits, now=NOW) == expected


def test_deep_chain_of_different_locks_is_arranged() -> None:
    waits = [w for pid in range(1, 3000) for w in row_line(pid, [pid + 1], xid=pid, where=f"(0,{pid})")]
    (root,) = blocking_forest([], waits, now=NOW)
    assert (root.pid, root.waiters) == (1, 2999)
    assert len(tree_rows((root,))) == 3000


def test_forest_of_a_reading_is_arranged_once() -> None:
    data = reading([session(1)], row_line(1, [2, 3]))
    assert forest_of(data) is forest_of(data)


pids = st.integers(0, 8)
any_wait = st.builds(
    LockWait,
    pid=st.integers(1, 8),
    locktype=st.sampled_from([None, "tuple", "transactionid", "relation"]),
    relation=st.sampled_from([None, "public.a"]),
    detail=st.sampled_from([None, "x", "transaction 5"]),
    waiting_since=st.sampled_from([None, ago(1), ago(2)]),
    holders=st.lists(pids, max_size=3).map(tuple),
    queued_behind=st.lists(pids, max_size=3).map(tuple),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(any_wait, max_size=8, unique_by=lambda w: w.pid),
    st.lists(
        st.builds(
            lambda pid, leader: session(pid, leader_pid=leader),
            st.integers(1, 8),
            st.none() | st.integers(1, 8),
        ),
        max_size=8,
        unique_by=lambda s: s.pid,
    ),
    st.lists(st.sampled_from("ab").map(prepared), max_size=2, unique_by=lambda p: p.gid),
)
def test_whatever_is_read_every_waiter_has_exactly_one_place(
    waits: list[LockWait], sessions: list[SessionRow], transactions: list[PreparedTransaction]
) -> None:
    leaders = {s.pid: s.leader_pid or s.pid for s in sessions}
    forest = blocking_forest(sessions, waits, transactions, now=NOW)
    nodes = every(forest)
    assert len({node.key for node in nodes}) == len(nodes)
    assert {leaders.get(wait.pid, wait.pid) for wait in waits} <= {node.pid for node in nodes}
    assert sum(root.waiters + 1 for root in forest) == len(nodes)
    rows = tree_rows(forest)
    assert sum(row.folded or 1 for row in rows) == len(nodes)
    assert len({row.key for row in rows}) == len(rows)
    assert all(describe_wait(node) for node in nodes)


def test_long_line_is_folded_and_unfolds() -> None:
    forest = blocking_forest([session(1)], row_line(1, list(range(10, 24))), now=NOW)
    assert drawn(forest) == ["1", "├─ 10", "├─ 11", "├─ 12", "└─ +11 more in the same line"]
    rest = tree_rows(forest)[-1]
    assert len(drawn(forest, rest.key)) == 15
    assert drawn(forest, rest.key)[-1] == "└─ 23"


def test_line_of_four_is_not_folded() -> None:
    forest = blocking_forest([session(1)], row_line(1, [10, 11, 12, 13]), now=NOW)
    assert drawn(forest) == ["1", "├─ 10", "├─ 11", "├─ 12", "└─ 13"]


def test_who_blocks_others_too_is_never_folded_away() -> None:
    waits = row_line(1, list(range(10, 24))) + row_line(20, [90], xid=4, where="(0,2)")
    forest = blocking_forest([session(1)], waits, now=NOW)
    assert drawn(forest) == [
        "1",
        "├─ 10",
        "├─ 11",
        "├─ 12",
        "├─ 20",
        "│  └─ 90",
        "└─ +10 more in the same line",
    ]
